/* vfork whose exec fails, is killed or exits: the parent sleeps until then, and sees what was written in its memory. */
#include "guest.h"
#include <spawn.h>

static volatile int stored;
static char *const argv_true[] = {"true", NULL}, *const none[] = {NULL};

static pid_t failing(const char *path)
{
	stored = 0;
	pid_t pid = vfork();
	if (!pid) {
		execve(path, argv_true, none);
		stored = errno;
		_exit(7);
	}
	return pid;
}

static void fails(const char *path)
{
	pid_t pid = failing(path);
	say("%s: %s\n", path, error_name(stored));
	reap("child", pid);
}

static void caught(int sig)
{
	stored = sig;
}

static void many(void)
{
	int bad = 0;
	for (int i = 0; i < 50; i++) {
		int status;
		pid_t pid = failing(i % 2 ? "none" : "plain");
		MUST(waitpid(pid, &status, 0));
		bad += WEXITSTATUS(status) != 7 || stored != (i % 2 ? ENOENT : EACCES);
	}
	SHOW(bad);
}

int main(void)
{
	int lowest = lowest_fd();
	make_file("plain", "x");
	make_file("junk", "\177ELFjunk");
	MUST(chmod("junk", 0755));
	MUST(symlink("circle", "circle"));
	section("exec fails");
	fails("none");
	fails("plain");
	fails("junk");
	fails("circle");
	fails("/");
	fails("/bin/true");
	SHOW(stored);

	section("killed before exec");
	pid_t pid = vfork();
	if (!pid) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	reap("killed", pid);
	pid = vfork();
	if (!pid)
		abort();
	reap("aborted", pid);

	section("a signal for the parent waits until the child is gone");
	handle(SIGUSR1, caught, 0);
	stored = 0;
	int seen = -1;
	int *volatile where = &seen;
	pid = vfork();
	if (!pid) {
		kill(getppid(), SIGUSR1);
		*where = stored;
		_exit(0);
	}
	reap("child", pid);
	SHOW(seen);
	SHOW(stored == SIGUSR1);

	section("descriptors and directories are the child's own");
	pid = vfork();
	if (!pid) {
		close(0);
		MUST(chdir("/"));
		_exit(0);
	}
	reap("child", pid);
	SHOW(fcntl(0, F_GETFD));
	SHOW(access("plain", F_OK));

	section("many");
	many();
	SHOW_ERR(posix_spawn(&pid, "none", NULL, NULL, argv_true, none));
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 99, 1);
	SHOW_ERR(posix_spawn(&pid, "/bin/true", &actions, NULL, argv_true, none));
	SHOW(waitpid(-1, NULL, 0));
	CHECK(lowest == lowest_fd());
	return 0;
}
