/* FUTEX_WAIT_BITSET: absolute times on two clocks, wakes by mask. */
#include "futex.h"

static uint32_t word;

static void *sleeper(void *arg)
{
	long mask = (long)arg;
	futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, mask);
	return arg;
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static long wake(unsigned mask, int wanted)
{
	long woken = 0;
	for (int i = 0; i < 300 && woken < wanted; i++) {
		woken += MUST(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, mask));
		if (woken < wanted)
			nap_ms(10);
	}
	return woken;
}

int main(void)
{
	pthread_t one, two, three;
	struct timespec t = in_ms(CLOCK_MONOTONIC, 40);
	long long start = now_ns(CLOCK_MONOTONIC);
	SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 39000000);
	t = in_ms(CLOCK_REALTIME, 40);
	start = now_ns(CLOCK_MONOTONIC);
	SHOW(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 39000000);
	t = (struct timespec){1, 0};
	SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, &t, NULL, 1));
	SHOW(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 1));
	SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));

	section("by mask");
	MUST(pthread_create(&one, NULL, sleeper, (void *)1));
	MUST(pthread_create(&two, NULL, sleeper, (void *)2));
	MUST(pthread_create(&three, NULL, sleeper, (void *)4));
	nap_ms(50);
	SHOW(wake(2, 1));
	pthread_join(two, NULL);
	SHOW(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 10, NULL, NULL, 0xf0));
	SHOW(wake(5, 2));
	pthread_join(one, NULL);
	pthread_join(three, NULL);
	return 0;
}
