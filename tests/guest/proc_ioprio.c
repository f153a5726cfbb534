/* ioprio_set and ioprio_get: what is set is told, inherited, and follows the nice value until then; other small
 * answers. */
#include "guest.h"
#include <sched.h>
#include <sys/resource.h>

#define PRIO(class, level) ((class) << 13 | (level))

static long get(int which, int who)
{
	return syscall(SYS_ioprio_get, which, who);
}

static long set(int which, int who, int priority)
{
	return syscall(SYS_ioprio_set, which, who, priority);
}

static void child(void)
{
	SHOW(get(1, 0));
}

int main(void)
{
	SHOW(set(1, 0, PRIO(2, 6)));
	SHOW(get(1, 0));
	SHOW(get(1, getpid()));
	in_child("child", child);
	SHOW(set(1, 0, PRIO(3, 0)));
	SHOW(get(1, 0));
	SHOW(set(1, 0, PRIO(1, 2)));
	SHOW(get(1, 0));
	SHOW(set(1, 0, PRIO(2, 8)));
	SHOW(set(1, 0, PRIO(0, 4)));
	SHOW(set(1, 0, PRIO(5, 0)));
	SHOW(set(1, 0, -1));
	SHOW(set(9, 0, PRIO(2, 4)));
	SHOW(get(9, 0));
	SHOW(get(1, 4000000));
	SHOW(set(1, 4000000, PRIO(2, 4)));
	SHOW(set(2, 0, PRIO(2, 3)));
	SHOW(get(2, 0));
	SHOW(get(2, getpgrp()));
	section("others");
	SHOW(syscall(SYS_sched_getparam, 0, NULL));
	struct timespec now = {0, 0};
	SHOW(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &now, NULL));
	SHOW(syscall(SYS_timer_settime, 12345, 0, NULL, NULL));
	SHOW(prctl(PR_SET_TIMERSLACK, 70000));
	pid_t pid = fork_child();
	if (!pid) {
		SHOW(prctl(PR_GET_TIMERSLACK));
		SHOW(prctl(PR_SET_TIMERSLACK, 60000));
		SHOW(prctl(PR_SET_TIMERSLACK, 0));
		SHOW(prctl(PR_GET_TIMERSLACK));
		pid_t parent = getppid();
		CHECK(syscall(SYS_kcmp, getpid(), parent, 5 /* KCMP_IO */, 0, 0));
		SHOW(syscall(SYS_kcmp, getpid(), parent, 6 /* KCMP_SYSVSEM */, 0, 0));
		_exit(0);
	}
	reap("child", pid);
	return 0;
}
