/* FUTEX_WAIT: the value is compared first; timeouts; what is not a futex at all. */
#include "futex.h"

static uint32_t word = 5;

static void *waker(void *arg)
{
	say("woken: %ld\n", futex_wake_all(&word, 1));
	return NULL;
}

int main(void)
{
	pthread_t thread;
	struct timespec short_time = {0, 40000000}, none = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
	SHOW(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 4, NULL, NULL, 0));
	long long start = now_ns(CLOCK_MONOTONIC);
	SHOW(futex(&word, FUTEX_WAIT, 5, &short_time, NULL, 0));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 40000000);
	SHOW(futex(&word, FUTEX_WAIT, 5, &none, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT, 5, &bad, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT, 5, &negative, NULL, 0));
	SHOW(futex(&word, FUTEX_WAIT, 4, (void *)8, NULL, 0));

	section("addresses");
	SHOW(futex((char *)&word + 1, FUTEX_WAIT, 5, NULL, NULL, 0));
	SHOW(futex(NULL, FUTEX_WAIT, 0, NULL, NULL, 0));
	SHOW(futex((void *)4096, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0));
	SHOW(futex((char *)&word + 2, FUTEX_WAKE, 1, NULL, NULL, 0));
	SHOW(futex(&word, 77, 1, NULL, NULL, 0));

	section("woken");
	SHOW(futex_wake(&word, 1));
	MUST(pthread_create(&thread, NULL, waker, NULL));
	long result = futex(&word, FUTEX_WAIT, 5, NULL, NULL, 0);
	pthread_join(thread, NULL); /* only then: two threads print */
	SHOW(result);
	return 0;
}
