/* Cancellation: in a blocking call, deferred, disabled, asynchronous; clean-up handlers run. */
#include "guest.h"
#include <pthread.h>

static int ends[2], ready[2];

static void clean(void *what)
{
	say("clean-up of %s\n", (char *)what);
}

static void *in_read(void *arg)
{
	char byte;
	pthread_cleanup_push(clean, "the reader");
	tell(ready[1]);
	SHOW(read(ends[0], &byte, 1));
	pthread_cleanup_pop(0);
	return NULL;
}

static void *disabled(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	tell(ready[1]);
	nap_ms(50);
	say("not cancelled while disabled\n");
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	say("not reached\n");
	return NULL;
}

static void *spinning(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	tell(ready[1]);
	for (volatile long i = 0;; i++)
		;
	return NULL;
}

static void *waiting(void *arg)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	pthread_mutex_lock(&mutex);
	tell(ready[1]);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	return NULL;
}

static void try(const char *what, void *(*function)(void *))
{
	pthread_t thread;
	void *result;
	MUST(pthread_create(&thread, NULL, function, NULL));
	await(ready[0]);
	nap_ms(20);
	/* Shown after the join only: until then two threads print. */
	int cancelled = pthread_cancel(thread), joined = pthread_join(thread, &result);
	SHOW_ERR(cancelled);
	SHOW_ERR(joined);
	say("%s: %s\n", what, result == PTHREAD_CANCELED ? "cancelled" : "returned");
}

int main(void)
{
	MUST(pipe(ends));
	MUST(pipe(ready));
	try("in read", in_read);
	try("disabled", disabled);
	try("spinning", spinning);
	try("on a condition", waiting);
	return 0;
}
