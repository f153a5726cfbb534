/* alarm: one at a time, what was left comes back, default kills. */
#include "guest.h"

static volatile sig_atomic_t rang;

static void ring(int sig)
{
	rang++;
}

static void killed(void)
{
	alarm(1);
	for (;;)
		pause();
}

int main(void)
{
	SHOW(alarm(100));
	CHECK(alarm(50) >= 99);
	CHECK(alarm(0) >= 49);
	SHOW(alarm(0));
	handle(SIGALRM, ring, 0);
	long long start = now_ns(CLOCK_MONOTONIC);
	alarm(1);
	SHOW(pause());
	SHOW(rang);
	CHECK(now_ns(CLOCK_MONOTONIC) - start > 900000000);
	SHOW(alarm(0));
	handle(SIGALRM, SIG_DFL, 0);
	in_child("without a handler", killed);
	return 0;
}
