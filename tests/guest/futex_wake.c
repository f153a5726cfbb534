/* FUTEX_WAKE: how many, and that nobody else wakes up. */
#include "futex.h"

static uint32_t word, other;
static int asleep, awake;

static void *sleeper(void *arg)
{
	__atomic_add_fetch(&asleep, 1, __ATOMIC_SEQ_CST);
	futex(arg, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void wait_awake(int wanted)
{
	for (int i = 0; i < 300 && __atomic_load_n(&awake, __ATOMIC_SEQ_CST) < wanted; i++)
		nap_ms(10);
	nap_ms(20);
	say("awake: %d\n", __atomic_load_n(&awake, __ATOMIC_SEQ_CST));
}

int main(void)
{
	pthread_t threads[6];
	for (int i = 0; i < 6; i++)
		MUST(pthread_create(&threads[i], NULL, sleeper, i < 5 ? &word : &other));
	while (__atomic_load_n(&asleep, __ATOMIC_SEQ_CST) < 6)
		nap_ms(5);
	nap_ms(100); /* until all of them sleep in the kernel */
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0));
	wait_awake(1);
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0));
	wait_awake(3);
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0));
	wait_awake(5);
	SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0));
	SHOW(futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	wait_awake(6);
	return 0;
}
