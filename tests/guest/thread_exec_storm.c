/* exec from threads, exit_group from threads, and deaths of threads, all at the same time, many times over. */
#include "guest.h"
#include <pthread.h>

#define THREADS 6

static pthread_barrier_t barrier;
static int way;

static void *thread(void *number)
{
	pthread_barrier_wait(&barrier);
	if ((long)number == 3) {
		switch (way) {
		case 0:
			execl("./thread_exec_storm", "x", "end", NULL);
			break;
		case 1:
			exit(5);
		case 2:
			raise(SIGKILL);
			break;
		case 3:
			kill(getpid(), SIGTERM);
			break;
		case 4:
			*(volatile int *)8 = 1;
			break;
		}
	}
	if ((long)number & 1)
		for (;;)
			; /* in guest code */
	for (;;)
		pause(); /* in a call */
}

static void *short_life(void *unused)
{
	return unused;
}

static void many(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread, (void *)i);
	pthread_barrier_wait(&barrier);
	for (;;) { /* the main thread goes on making threads meanwhile */
		pthread_t one;
		if (!pthread_create(&one, NULL, short_life, NULL))
			pthread_join(one, NULL);
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	static const char *const names[] = {"exec", "exit", "SIGKILL", "SIGTERM", "fault"};
	int counts[5] = {0};
	if (argc > 1)
		return 42;
	for (int round = 0; round < 40; round++) {
		int status;
		way = round % 5;
		pid_t pid = fork_child();
		if (!pid)
			many();
		MUST(waitpid(pid, &status, 0));
		static const int wanted[] = {42 << 8, 5 << 8, SIGKILL, SIGTERM, SIGSEGV};
		counts[way] += (status & 0xff7f) == wanted[way];
	}
	for (int i = 0; i < 5; i++)
		say("%s: %d of 8\n", names[i], counts[i]);
	return 0;
}
