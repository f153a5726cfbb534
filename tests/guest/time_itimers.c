/* setitimer(2): the three timers, periods, old values, the CPU timers' signals; errors. */
#include "guest.h"
#include <sys/time.h>

static volatile int counts[65];

static void on_signal(int sig)
{
	counts[sig]++;
}

static void burn_until(int sig, int wanted)
{
	for (long long begin = now_ns(CLOCK_MONOTONIC);
	     counts[sig] < wanted && now_ns(CLOCK_MONOTONIC) - begin < 15000000000;)
		for (volatile int i = 0; i < 100000; i++)
			;
}

int main(void)
{
	struct itimerval value = {.it_value = {0, 20000}, .it_interval = {0, 20000}}, old,
			 wrong = {.it_value = {0, 1000000}};
	handle(SIGALRM, on_signal, 0);
	handle(SIGVTALRM, on_signal, 0);
	handle(SIGPROF, on_signal, 0);
	SHOW(setitimer(ITIMER_REAL, &value, NULL));
	for (int i = 0; i < 500 && counts[SIGALRM] < 3; i++)
		nap_ms(5);
	CHECK(counts[SIGALRM] >= 3);
	SHOW(setitimer(ITIMER_REAL, &(struct itimerval){0}, &old));
	say("period was %ld.%06ld\n", old.it_interval.tv_sec, old.it_interval.tv_usec);
	SHOW(setitimer(ITIMER_PROF, &value, NULL));
	burn_until(SIGPROF, 3);
	CHECK(counts[SIGPROF] >= 3);
	SHOW(setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL));
	SHOW(setitimer(ITIMER_VIRTUAL, &value, NULL));
	burn_until(SIGVTALRM, 2);
	CHECK(counts[SIGVTALRM] >= 2);
	SHOW(setitimer(ITIMER_VIRTUAL, &(struct itimerval){0}, NULL));
	section("once");
	counts[SIGALRM] = 0;
	value.it_interval.tv_usec = 0;
	MUST(setitimer(ITIMER_REAL, &value, NULL));
	nap_ms(100);
	SHOW(counts[SIGALRM]);
	MUST(getitimer(ITIMER_REAL, &old));
	say("%ld %ld\n", old.it_value.tv_sec, old.it_value.tv_usec);
	section("alarm");
	SHOW(alarm(100));
	SHOW(alarm(50));
	SHOW(alarm(0));
	SHOW(ualarm(10000, 0));
	nap_ms(60);
	SHOW(counts[SIGALRM]);
	section("errors");
	SHOW(setitimer(3, &value, NULL));
	SHOW(setitimer(ITIMER_REAL, &wrong, NULL));
	wrong.it_value = (struct timeval){-1, 0};
	SHOW(setitimer(ITIMER_REAL, &wrong, NULL));
	SHOW(getitimer(-1, &old));
	return 0;
}
