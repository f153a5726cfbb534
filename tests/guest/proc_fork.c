/* fork: who is whose parent, and what the child has of its own. */
#include "guest.h"
#include <sys/times.h>

static pid_t parent;

static void child(void)
{
	struct tms times_used;
	CHECK(getppid() == parent);
	CHECK(getpid() != parent && getpid() > 0);
	CHECK(getpid() == syscall(SYS_gettid));
	CHECK(getpgrp() == getpgid(parent));
	CHECK(getsid(0) == getsid(parent));
	times(&times_used);
	CHECK(times_used.tms_cutime == 0 && times_used.tms_cstime == 0);
	SHOW(alarm(0));
	SHOW(waitpid(-1, NULL, 0));
	_exit(42);
}

int main(void)
{
	parent = getpid();
	alarm(100);
	in_child("child", child);
	CHECK(alarm(0) > 90);

	section("fork returns twice, each side once");
	int ends[2], sum = 0;
	MUST(pipe(ends));
	pid_t pid = fork_child();
	MUST(write(ends[1], pid ? "p" : "c", 1));
	if (!pid)
		_exit(3);
	reap("child", pid);
	for (int i = 0; i < 2; i++) {
		char byte;
		MUST(read(ends[0], &byte, 1));
		sum += byte;
	}
	SHOW(sum == 'p' + 'c');

	section("pids differ while both live");
	pid_t a = fork_child();
	if (!a)
		nap_ms(3000);
	pid_t b = fork_child();
	if (!b)
		nap_ms(3000);
	CHECK(a != b);
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	reap("first", a);
	reap("second", b);
	return 0;
}
