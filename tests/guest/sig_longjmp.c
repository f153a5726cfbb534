/* Leaving a handler by siglongjmp, thousands of times; the mask comes back only if it was saved. */
#include "guest.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int *volatile nowhere;

static void leap(int sig)
{
	siglongjmp(back, sig);
}

static long masked(int sig)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, sig);
}

int main(void)
{
	volatile int times = 0, faults = 0;
	handle(SIGUSR1, leap, 0);
	handle(SIGSEGV, leap, 0);
	while (times < 5000) {
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		times++;
	}
	SHOW(masked(SIGUSR1));
	while (faults < 2000) {
		if (!sigsetjmp(back, 1))
			*nowhere = 1;
		faults++;
	}
	SHOW(masked(SIGSEGV));
	section("mask not saved");
	if (!sigsetjmp(back, 0))
		raise(SIGUSR1);
	SHOW(masked(SIGUSR1));
	SHOW(times + faults);
	section("out of a system call");
	unblock(SIGUSR1);
	int ends[2];
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(50);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	char byte;
	if (!sigsetjmp(back, 1))
		SHOW(read(ends[0], &byte, 1));
	else
		say("left the read\n");
	MUST(write(ends[1], "x", 1));
	SHOW(read(ends[0], &byte, 1));
	reap("child", pid);
	return 0;
}
