/* FUTEX_WAKE_OP: changes the second word, and wakes its sleepers depending on what it held. */
#include "futex.h"

static uint32_t first, second;

static long op(unsigned operation, unsigned argument, unsigned comparison, unsigned value)
{
	return futex(&first, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &second,
		     FUTEX_OP(operation, argument, comparison, value));
}

static void *sleeper(void *arg)
{
	futex(arg, FUTEX_WAIT_PRIVATE, *(uint32_t *)arg, NULL, NULL, 0);
	return NULL;
}

#define TRY(...)                                                                                                       \
	do {                                                                                                           \
		SHOW(op(__VA_ARGS__));                                                                                 \
		say("  second is now %u\n", second);                                                                   \
	} while (0)

int main(void)
{
	pthread_t a, b;
	second = 10;
	TRY(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 10);
	TRY(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0);
	TRY(FUTEX_OP_OR, 0x100, FUTEX_OP_CMP_GT, 0);
	TRY(FUTEX_OP_ANDN, 8, FUTEX_OP_CMP_LE, 0);
	TRY(FUTEX_OP_XOR, 0x101, FUTEX_OP_CMP_NE, 0);
	TRY(FUTEX_OP_OPARG_SHIFT | FUTEX_OP_SET, 6, FUTEX_OP_CMP_LT, 0);
	TRY(7, 1, FUTEX_OP_CMP_EQ, 0);
	TRY(FUTEX_OP_SET, 1, 9, 0);

	section("both wake");
	MUST(pthread_create(&a, NULL, sleeper, &first));
	MUST(pthread_create(&b, NULL, sleeper, &second));
	nap_ms(100);
	SHOW(op(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_NE, 12345));
	pthread_join(a, NULL);
	pthread_join(b, NULL);

	section("only the first");
	MUST(pthread_create(&a, NULL, sleeper, &first));
	MUST(pthread_create(&b, NULL, sleeper, &second));
	nap_ms(100);
	SHOW(op(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 12345));
	pthread_join(a, NULL);
	SHOW(futex(&second, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0));
	pthread_join(b, NULL);
	return 0;
}
