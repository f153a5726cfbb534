/* Sessions and process groups: who may make or join which. */
#include "guest.h"

static pid_t waiting_child(void)
{
	pid_t pid = fork_child();
	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void leader(void)
{
	SHOW(setsid() == getpid());
	SHOW(getsid(0) == getpid());
	SHOW(getpgrp() == getpid());
	SHOW(setsid());
	SHOW(setpgid(0, 0));

	pid_t a = waiting_child(), b = waiting_child();
	SHOW(getpgid(a) == getpid());
	SHOW(setpgid(a, 0));
	SHOW(getpgid(a) == a);
	SHOW(setpgid(b, a));
	SHOW(getpgid(b) == a);
	SHOW(getsid(b) == getpid());
	SHOW(setpgid(a, getpid()));
	SHOW(setpgid(b, 1 << 22));
	SHOW(setpgid(b, -1));
	SHOW(setpgid(1 << 22, 0));
	SHOW(setpgid(getppid(), 0));
	SHOW(getpgid(1 << 22));
	SHOW(getsid(1 << 22));
	SHOW(getpgid(-1));
	stop(a);
	SHOW(getpgid(b) == a);
	stop(b);

	int ends[2];
	MUST(pipe(ends));
	pid_t other = fork_child();
	if (!other) {
		setsid();
		tell(ends[1]);
		pause();
	}
	await(ends[0]);
	SHOW(getsid(other) == other);
	SHOW(setpgid(other, getpid()));
	SHOW(setpgid(0, other));
	stop(other);
}

/* A group's leader may not leave it for a session of its own. */
static void group_leader(void)
{
	SHOW(setpgid(0, 0));
	SHOW(setsid());
}

static void executed(void)
{
	int ends[2];
	char byte;
	MUST(pipe2(ends, O_CLOEXEC));
	pid_t pid = fork_child();
	if (!pid) {
		execl("/bin/sleep", "sleep", "10", NULL);
		_exit(1);
	}
	close(ends[1]);
	MUST(read(ends[0], &byte, 1)); /* ends by the exec */
	SHOW(setpgid(pid, pid));
	stop(pid);
}

int main(void)
{
	in_child("session leader", leader);
	in_child("group leader", group_leader);
	in_child("after exec", executed);
	return 0;
}
