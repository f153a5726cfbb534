/* Barriers, semaphores, read-write locks, once. */
#include "guest.h"
#include <pthread.h>
#include <semaphore.h>

static pthread_barrier_t barrier;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static int phase[4], serial, torn, once_runs, inside, most_inside;
static long pair[2];

static void only_once(void)
{
	once_runs++;
}

static void *walk(void *arg)
{
	long me = (long)arg;
	for (int round = 0; round < 50; round++) {
		phase[me] = round;
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
		for (int i = 0; i < 4; i++)
			if (phase[i] != round)
				__atomic_add_fetch(&torn, 1, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void *read_write(void *arg)
{
	pthread_once(&once, only_once);
	for (int i = 0; i < 500; i++) {
		if (arg) {
			pthread_rwlock_wrlock(&lock);
			pair[0]++;
			pair[1]++;
		} else {
			pthread_rwlock_rdlock(&lock);
			if (pair[0] != pair[1])
				torn++;
		}
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static void *limited(void *arg)
{
	for (int i = 0; i < 100; i++) {
		sem_wait(&semaphore);
		int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		if (now > most_inside)
			most_inside = now;
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		sem_post(&semaphore);
	}
	return NULL;
}

static void run_four(void *(*function)(void *), bool numbered)
{
	pthread_t threads[4];
	for (long i = 0; i < 4; i++)
		MUST(pthread_create(&threads[i], NULL, function, (void *)(numbered ? i : i & 1)));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	pthread_barrier_init(&barrier, NULL, 4);
	run_four(walk, true);
	SHOW(serial);
	SHOW(torn);
	run_four(read_write, false);
	SHOW(pair[0]);
	SHOW(torn);
	SHOW(once_runs);
	sem_init(&semaphore, 0, 2);
	run_four(limited, false);
	CHECK(most_inside >= 1 && most_inside <= 2);
	SHOW(sem_trywait(&semaphore));
	SHOW(sem_trywait(&semaphore));
	SHOW(sem_trywait(&semaphore));
	struct timespec past = {1, 0};
	SHOW(sem_timedwait(&semaphore, &past));
	return 0;
}
