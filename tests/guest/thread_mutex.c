/* Mutexes under contention, and their kinds. */
#include "guest.h"
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;
static long counter, spun;

static void *count(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	for (int i = 0; i < 500; i++) {
		pthread_spin_lock(&spin);
		spun++;
		pthread_spin_unlock(&spin);
	}
	return NULL;
}

static void *try(void *arg)
{
	struct timespec soon;
	SHOW_ERR(pthread_mutex_trylock(arg));
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 30000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	SHOW_ERR(pthread_mutex_timedlock(arg, &soon));
	return NULL;
}

static void kind(const char *what, int type)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t own;
	pthread_t thread;
	section(what);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutex_init(&own, &attr);
	SHOW_ERR(pthread_mutex_lock(&own));
	SHOW_ERR(pthread_mutex_trylock(&own));
	MUST(pthread_create(&thread, NULL, try, &own));
	pthread_join(thread, NULL);
	SHOW_ERR(pthread_mutex_unlock(&own));
}

int main(void)
{
	pthread_t threads[4];
	pthread_spin_init(&spin, 0);
	for (int i = 0; i < 4; i++)
		MUST(pthread_create(&threads[i], NULL, count, NULL));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	SHOW(counter);
	SHOW(spun);
	kind("normal", PTHREAD_MUTEX_NORMAL);
	kind("recursive", PTHREAD_MUTEX_RECURSIVE);
	kind("checking", PTHREAD_MUTEX_ERRORCHECK);
	return 0;
}
