/* Mutexes with priority inheritance, as the C library builds them on FUTEX_LOCK_PI. */
#include "futex.h"

static pthread_mutex_t mutex;
static long counter;

static void *count(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *try(void *arg)
{
	SHOW_ERR(pthread_mutex_trylock(&mutex));
	return NULL;
}

int main(void)
{
	pthread_t threads[3];
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	SHOW_ERR(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	SHOW_ERR(pthread_mutex_init(&mutex, &attr));
	SHOW_ERR(pthread_mutex_lock(&mutex));
	MUST(pthread_create(&threads[0], NULL, try, NULL));
	pthread_join(threads[0], NULL);
	SHOW_ERR(pthread_mutex_unlock(&mutex));
	for (int i = 0; i < 3; i++)
		MUST(pthread_create(&threads[i], NULL, count, NULL));
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	SHOW(counter);
	static uint32_t word;
	SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	CHECK(word == syscall(SYS_gettid));
	SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(word);
	return 0;
}
