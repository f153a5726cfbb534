/* A signal interrupts a futex wait; SA_RESTART takes it up again, unless it has a timeout. */
#include "futex.h"
#include <sys/time.h>

static uint32_t word;
static volatile sig_atomic_t hits;

static void hit(int sig)
{
	hits++;
}

static void wake_up(int sig)
{
	hits++;
	word = 1;
}

static void soon(void)
{
	struct itimerval timer = {{0, 0}, {0, 40000}};
	MUST(setitimer(ITIMER_REAL, &timer, NULL));
}

int main(void)
{
	struct timespec limit = {0, 150000000};
	handle(SIGALRM, hit, 0);
	soon();
	SHOW(futex(&word, FUTEX_WAIT, 0, &limit, NULL, 0));
	SHOW(hits);
	handle(SIGALRM, hit, SA_RESTART);
	soon();
	long long start = now_ns(CLOCK_MONOTONIC);
	SHOW(futex(&word, FUTEX_WAIT, 0, &limit, NULL, 0));
	CHECK(now_ns(CLOCK_MONOTONIC) - start < 150000000); /* a wait with a timeout is not taken up again: signal(7) */
	SHOW(hits);
	section("the handler changes the word: the wait does not begin again");
	handle(SIGALRM, wake_up, SA_RESTART);
	soon();
	SHOW(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
	SHOW(hits);
	return 0;
}
