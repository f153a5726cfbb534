/* membarrier: who may, what is inherited, and that the other thread's stores and loads are kept in order. */
#include "guest.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ROUNDS            4000
#define SPINS             2000
#define GET_REGISTRATIONS (1 << 9)

static long barrier(int command, unsigned flags)
{
	return syscall(SYS_membarrier, command, flags, 0);
}

static void child(void)
{
	SHOW(barrier(GET_REGISTRATIONS, 0));
	SHOW(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
}

/* Both store, then load what the other has stored: with a barrier between the two on each side, one of them sees it.
 * The thread that does this often has none of its own but that of the compiler: the other one's must do. */
static atomic_int first, second, round_begun, seen_by_often;
static int wrong;

/* Until the word is at least that; what it is then. Spins, because only who runs now can be overtaken. */
static int spin_until(atomic_int *word, int least)
{
	int value;
	for (int spins = 0; (value = atomic_load_explicit(word, memory_order_acquire)) < least; spins++)
		if (spins >= SPINS)
			sched_yield();
	return value;
}

static void *often(void *unused)
{
	for (int i = 1; i <= ROUNDS; i++) {
		spin_until(&round_begun, i);
		atomic_store_explicit(&first, i, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
		int seen = atomic_load_explicit(&second, memory_order_relaxed) == i;
		atomic_store_explicit(&seen_by_often, i * 2 + seen, memory_order_release);
	}
	return unused;
}

static void order(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, often, NULL) == 0);
	for (int i = 1; i <= ROUNDS; i++) {
		atomic_store_explicit(&round_begun, i, memory_order_release);
		atomic_store_explicit(&second, i, memory_order_relaxed);
		MUST(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
		int seen = atomic_load_explicit(&first, memory_order_relaxed) == i;
		wrong += !seen && !(spin_until(&seen_by_often, i * 2) & 1);
	}
	CHECK(pthread_join(thread, NULL) == 0);
	say("neither saw the other: %d times\n", wrong);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		SHOW(barrier(GET_REGISTRATIONS, 0));
		return 0;
	}
	const int here = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | GET_REGISTRATIONS |
			 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
			 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
	long query = barrier(MEMBARRIER_CMD_QUERY, 0);
	if ((query & here) != here)
		skip("a kernel before 6.3");
	SHOW(barrier(MEMBARRIER_CMD_QUERY, 1));
	SHOW(barrier(1 << 20, 0));
	SHOW(barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0));
	SHOW(barrier(MEMBARRIER_CMD_GLOBAL, 0));
	SHOW(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
	SHOW(barrier(GET_REGISTRATIONS, 0));
	SHOW(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
	SHOW(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 1));
	SHOW(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
	SHOW(barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0));
	SHOW(barrier(GET_REGISTRATIONS, 0));
	in_child("child", child);
	order();
	fflush(stdout);
	execl(argv[0], argv[0], "again", NULL);
	return 1;
}
