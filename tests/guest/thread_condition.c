/* Condition variables: a bounded queue, broadcast, timed waits. */
#include "guest.h"
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static int queue[8], used, waiting, through;
static bool open_gate;
static long total;

static void *consumer(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&mutex);
		while (!used)
			pthread_cond_wait(&not_empty, &mutex);
		int item = queue[--used];
		total += item > 0 ? item : 0;
		pthread_cond_signal(&not_full);
		pthread_mutex_unlock(&mutex);
		if (item < 0)
			return NULL;
	}
}

static void put(int item)
{
	pthread_mutex_lock(&mutex);
	while (used == 8)
		pthread_cond_wait(&not_full, &mutex);
	memmove(queue + 1, queue, used * sizeof *queue);
	queue[0] = item;
	used++;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&mutex);
}

static void *at_gate(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	while (!open_gate)
		pthread_cond_wait(&gate, &mutex);
	through++;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(void)
{
	pthread_t threads[6];
	for (int i = 0; i < 2; i++)
		MUST(pthread_create(&threads[i], NULL, consumer, NULL));
	for (int i = 1; i <= 5000; i++)
		put(i);
	put(-1);
	put(-1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	SHOW(total);

	section("broadcast");
	for (int i = 0; i < 6; i++)
		MUST(pthread_create(&threads[i], NULL, at_gate, NULL));
	for (int there = 0; there < 6;) {
		nap_ms(5);
		pthread_mutex_lock(&mutex);
		there = waiting;
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_lock(&mutex);
	SHOW(through);
	open_gate = true;
	pthread_cond_broadcast(&gate);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	SHOW(through);

	section("timed");
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	long long start = now_ns(CLOCK_MONOTONIC);
	soon.tv_nsec += 50000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mutex);
	SHOW_ERR(pthread_cond_timedwait(&gate, &mutex, &soon));
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 49000000);
	clock_gettime(CLOCK_MONOTONIC, &soon);
	SHOW_ERR(pthread_cond_clockwait(&gate, &mutex, CLOCK_MONOTONIC, &soon));
	pthread_mutex_unlock(&mutex);
	return 0;
}
