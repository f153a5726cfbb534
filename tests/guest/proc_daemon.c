/* A daemon is born: two forks, a session of its own, no terminal, files redirected. */
#include "guest.h"
#include <sys/file.h>

static void daemonize(int ready)
{
	if (MUST(fork()))
		_exit(0);
	MUST(setsid());
	if (MUST(fork()))
		_exit(0);
	umask(0);
	MUST(chdir("/"));
	int null = MUST(open("/dev/null", O_RDWR));
	for (int fd = 0; fd < 3; fd++)
		MUST(dup2(null, fd));
	char report[128];
	int size = snprintf(report, sizeof report, "leader %d terminal %d", getsid(0) == getpid(),
			    open("/dev/tty", O_RDWR) >= 0);
	MUST(write(ready, report, size));
	pause();
	_exit(0);
}

int main(void)
{
	int ready[2];
	char report[128] = "";
	MUST(pipe(ready));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	pid_t pid = fork();
	if (!pid)
		daemonize(ready[1]);
	reap("starter", pid);
	reap("session leader", -1);
	MUST(read(ready[0], report, sizeof report - 1));
	SHOW_TEXT(report);
	/* The daemon is the only child left, by adoption. Its number: from the list of children. */
	char children[64] = "", path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	int fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, children, sizeof children - 1) <= 0)
		say("NO: no list of children\n");
	SHOW(kill(atoi(children), SIGTERM));
	reap("daemon", -1);
	return 0;
}
