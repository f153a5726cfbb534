/* Threads: created, joined, detached; results, ids, what they share. */
#include "guest.h"
#include <pthread.h>

static int shared;
static pid_t tid_seen, pid_seen;

static void *body(void *arg)
{
	tid_seen = syscall(SYS_gettid);
	pid_seen = getpid();
	shared += (long)arg;
	return (void *)((long)arg * 2);
}

static void *leaver(void *arg)
{
	pthread_exit((void *)55);
}

static int ends[2];

static void *detached(void *arg)
{
	pthread_detach(pthread_self());
	tell(ends[1]);
	return NULL;
}

int main(void)
{
	pthread_t thread, self = pthread_self();
	void *result;
	SHOW_ERR(pthread_create(&thread, NULL, body, (void *)21));
	SHOW(pthread_equal(thread, self) == 0);
	SHOW_ERR(pthread_join(thread, &result));
	SHOW((long)result);
	SHOW(shared);
	CHECK(pid_seen == getpid() && tid_seen != getpid());
	SHOW_ERR(pthread_create(&thread, NULL, leaver, NULL));
	SHOW_ERR(pthread_join(thread, &result));
	SHOW((long)result);
	SHOW_ERR(pthread_join(self, &result));

	section("many, one after the other and at once");
	shared = 0;
	for (long i = 0; i < 200; i++) {
		MUST(pthread_create(&thread, NULL, body, (void *)1));
		pthread_join(thread, NULL);
	}
	SHOW(shared);
	pthread_t all[50];
	long sum = 0;
	for (long i = 0; i < 50; i++)
		MUST(pthread_create(&all[i], NULL, body, (void *)i));
	for (int i = 0; i < 50; i++) {
		pthread_join(all[i], &result);
		sum += (long)result;
	}
	SHOW(sum);

	section("detached");
	MUST(pipe(ends));
	for (int i = 0; i < 10; i++) {
		MUST(pthread_create(&thread, NULL, detached, NULL));
		await(ends[0]);
	}
	say("ten detached\n");
	return 0;
}
