/* posix_spawn with file actions and attributes. */
#include "guest.h"
#include <spawn.h>

extern char **environ;

int main(void)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	pid_t pid;
	char *const echo[] = {"sh", "-c", "echo spawned; echo error >&2; cat; exit 3", NULL};
	make_file("input", "from the file\n");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "input", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "output", O_WRONLY | O_CREAT, 0644);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	SHOW_ERR(posix_spawn(&pid, "/bin/sh", &actions, NULL, echo, environ));
	reap("shell", pid);
	show_file("output");
	SHOW_ERR(posix_spawnp(&pid, "sh", &actions, NULL, echo, environ));
	reap("by PATH", pid);
	SHOW_ERR(posix_spawn(&pid, "./absent", NULL, NULL, echo, environ));
	SHOW_ERR(posix_spawn(&pid, "input", NULL, NULL, echo, environ));
	posix_spawn_file_actions_addopen(&actions, 5, "absent/file", O_RDONLY, 0);
	SHOW_ERR(posix_spawn(&pid, "/bin/sh", &actions, NULL, echo, environ));
	SHOW(waitpid(-1, NULL, 0));

	section("attributes");
	char *const look[] = {"sh", "-c", "kill -TERM $$; test $$ = $(cut -d' ' -f5 /proc/$$/stat)", NULL};
	sigset_t defaults = set_of(SIGTERM);
	handle(SIGTERM, SIG_IGN, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attr, 0);
	SHOW_ERR(posix_spawn(&pid, "/bin/sh", NULL, &attr, look, environ));
	reap("own group, SIGTERM ignored", pid);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	SHOW_ERR(posix_spawn(&pid, "/bin/sh", NULL, &attr, look, environ));
	reap("SIGTERM as usual", pid);
	return 0;
}
