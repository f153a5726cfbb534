/* FUTEX_REQUEUE and FUTEX_CMP_REQUEUE: wake some, move the others. */
#include "futex.h"

static uint32_t first = 7, second = 8;
static int asleep;

static void *sleeper(void *arg)
{
	__atomic_add_fetch(&asleep, 1, __ATOMIC_SEQ_CST);
	futex(&first, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0);
	return NULL;
}

static void start(pthread_t *threads, int count)
{
	asleep = 0;
	for (int i = 0; i < count; i++)
		MUST(pthread_create(&threads[i], NULL, sleeper, NULL));
	while (__atomic_load_n(&asleep, __ATOMIC_SEQ_CST) < count)
		nap_ms(5);
	nap_ms(100);
}

static void finish(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

#define COUNT_ARG(n) ((void *)(long)(n))

int main(void)
{
	pthread_t threads[5];
	start(threads, 5);
	SHOW(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, COUNT_ARG(2), &second, 6));
	SHOW(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, COUNT_ARG(2), &second, 7));
	SHOW(futex(&second, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	SHOW(futex(&first, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	finish(threads, 5);

	section("without comparing");
	start(threads, 3);
	SHOW(futex(&first, FUTEX_REQUEUE_PRIVATE, 0, COUNT_ARG(10), &second, 0));
	SHOW(futex(&first, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	SHOW(futex(&second, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	finish(threads, 3);

	section("refused");
	SHOW(futex(&first, FUTEX_REQUEUE_PRIVATE, 0, COUNT_ARG(1), (char *)&second + 1, 0));
	SHOW(futex(&first, FUTEX_REQUEUE_PRIVATE, -1, COUNT_ARG(1), &second, 0));
	SHOW(futex(&first, FUTEX_REQUEUE_PRIVATE, 1, COUNT_ARG(-1), &second, 0));
	return 0;
}
