/* The stack grows by itself up to its limit. */
#include "fault.h"
#include <pthread.h>
#include <sys/resource.h>

static __attribute__((noinline)) long deep(long levels)
{
	volatile char frame[16 * 1024];
	frame[0] = levels;
	frame[sizeof frame - 1] = 1;
	return (levels ? deep(levels - 1) : 0) + frame[sizeof frame - 1];
}

static void too_deep(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	SHOW(deep(1l << 20));
}

static void *in_thread(void *arg)
{
	SHOW(deep(300));
	return NULL;
}

int main(void)
{
	struct rlimit limit;
	pthread_t thread;
	pthread_attr_t attr;
	MUST(getrlimit(RLIMIT_STACK, &limit));
	CHECK(limit.rlim_cur >= 8l << 20);
	SHOW(deep(10));
	SHOW(deep(400));
	MUST(pthread_attr_init(&attr));
	MUST(pthread_attr_setstacksize(&attr, 6l << 20));
	MUST(pthread_create(&thread, &attr, in_thread, NULL));
	pthread_join(thread, NULL);
	in_child("too deep", too_deep);
	return 0;
}
