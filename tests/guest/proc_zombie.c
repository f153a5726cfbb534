/* What has exited stays, until it is waited for or nobody wants to know. */
#include "guest.h"

static volatile sig_atomic_t deaths;

static void count(int sig)
{
	deaths++;
}

static char state_of(pid_t pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return '-';
	MUST(read(fd, text, sizeof text - 1));
	close(fd);
	char *end = strrchr(text, ')');
	return end ? end[2] : '?';
}

static pid_t dead(void)
{
	int ends[2];
	char byte;
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid)
		_exit(1);
	/* The pipe breaks while the child exits; a moment later it is a zombie for sure. */
	close(ends[1]);
	MUST(read(ends[0], &byte, 1));
	close(ends[0]);
	return pid;
}

static bool gone(pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return true;
		nap_ms(10);
	}
	return false;
}

int main(void)
{
	siginfo_t info;
	pid_t pid = dead();
	MUST(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	say("state %c\n", state_of(pid));
	SHOW(kill(pid, 0));
	SHOW(kill(pid, SIGKILL));
	SHOW(getpgid(pid) == getpgrp());
	SHOW(setpgid(pid, 0));
	reap("zombie", pid);
	SHOW(kill(pid, 0));
	say("state %c\n", state_of(pid));

	section("SIGCHLD ignored: no zombies");
	handle(SIGCHLD, SIG_IGN, 0);
	pid = dead();
	SHOW(gone(pid));
	SHOW(waitpid(pid, NULL, 0));
	dead();
	SHOW(waitpid(-1, NULL, 0));

	section("SA_NOCLDWAIT: no zombies, but a signal");
	handle(SIGCHLD, count, SA_NOCLDWAIT);
	pid = dead();
	SHOW(gone(pid));
	SHOW(deaths);
	SHOW(waitpid(-1, NULL, 0));

	section("as usual again");
	handle(SIGCHLD, count, SA_RESTART);
	pid = dead();
	MUST(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	SHOW(deaths);
	reap("child", pid);
	return 0;
}
