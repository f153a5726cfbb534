/* vfork(2): the child borrows its parent's memory, the parent sleeps until exec or exit, signals wait for it. */
#include "guest.h"
#include <spawn.h>

static volatile int shared, handled;
extern char **environ;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

int main(void)
{
	pid_t parent = getpid();
	pid_t pid = vfork();
	if (!pid) {
		shared = 1;
		_exit(3);
	}
	reap("exit", pid);
	SHOW(shared);
	handle(SIGUSR1, on_signal, 0);
	pid = vfork();
	if (!pid) {
		kill(parent, SIGUSR1);
		shared = handled; /* the parent has not run since */
		execl("/bin/sh", "sh", "-c", "exit 4", NULL);
		_exit(127);
	}
	say("before %d, after %d\n", shared, handled);
	reap("exec", pid);
	pid = vfork();
	if (!pid) {
		execl("/nothing", "nothing", NULL);
		_exit(errno == ENOENT ? 5 : 6);
	}
	reap("exec of nothing", pid);
	pid = vfork();
	if (!pid) {
		raise(SIGKILL);
		_exit(0);
	}
	reap("killed", pid);
	pid = vfork();
	if (!pid) {
		pid_t inner = vfork();
		if (!inner)
			_exit(8);
		int status;
		waitpid(inner, &status, 0);
		_exit(WEXITSTATUS(status) + 1);
	}
	reap("a vfork in a vfork", pid);
	section("posix_spawn");
	char *args[] = {"sh", "-c", "echo out; echo err >&2; exit 9", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "errors", O_WRONLY | O_CREAT, 0644);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, args, environ);
	reap("sh", pid); /* it speaks before we do */
	SHOW(error);
	show_file("errors");
	SHOW_ERR(posix_spawn(&pid, "/nothing", NULL, NULL, args, environ));
	SHOW_ERR(posix_spawnp(&pid, "true", NULL, NULL, (char *[]){"true", NULL}, environ));
	reap("true", pid);
	return 0;
}
