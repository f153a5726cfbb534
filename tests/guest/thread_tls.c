/* Variables of each thread's own, and keys with destructors. */
#include "guest.h"
#include <pthread.h>
#include <sched.h>

static __thread long own = 100;
static __thread char large[5000];
static pthread_key_t key;
static long destroyed;

static void destroy(void *value)
{
	__atomic_add_fetch(&destroyed, (long)value, __ATOMIC_SEQ_CST);
}

static void *body(void *arg)
{
	long good = 0;
	own += (long)arg;
	memset(large, (int)(long)arg, sizeof large);
	pthread_setspecific(key, arg);
	errno = (int)(long)arg;
	for (int i = 0; i < 20; i++) {
		sched_yield();
		good += own == 100 + (long)arg && large[4999] == (long)arg && errno == (long)arg &&
			pthread_getspecific(key) == arg;
	}
	return (void *)good;
}

int main(void)
{
	pthread_t threads[10];
	void *result;
	long good = 0;
	pthread_key_create(&key, destroy);
	for (long i = 0; i < 10; i++)
		MUST(pthread_create(&threads[i], NULL, body, (void *)(i + 1)));
	for (int i = 0; i < 10; i++) {
		pthread_join(threads[i], &result);
		good += (long)result;
	}
	SHOW(good);
	SHOW(destroyed);
	SHOW(own);
	section("over fork");
	own = 7;
	pid_t pid = fork_child();
	if (!pid) {
		own++;
		_exit((int)own);
	}
	reap("child", pid);
	SHOW(own);
	return 0;
}
