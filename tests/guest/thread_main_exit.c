/* The main thread may leave before the others; the process ends with the last one. */
#include "guest.h"
#include <pthread.h>

static pthread_t main_thread;

static void *outlives(void *arg)
{
	pthread_join(main_thread, NULL);
	say("the main thread has gone\n");
	CHECK(getpid() > 0 && syscall(SYS_gettid) != getpid());
	/* A process whose main thread is gone still answers for its number. */
	SHOW(kill(getpid(), 0));
	SHOW(getpgid(getpid()) == getpgrp());
	if (arg)
		exit((int)(long)arg);
	return NULL;
}

static void leave(void *arg)
{
	pthread_t thread;
	main_thread = pthread_self();
	MUST(pthread_create(&thread, NULL, outlives, arg));
	pthread_exit(NULL);
}

static void leave_quietly(void)
{
	leave(NULL);
}
static void leave_code(void)
{
	leave((void *)9);
}

static void *last(void *arg)
{
	nap_ms(30);
	syscall(SYS_exit, 5);
	return NULL;
}

/* Two plain exits, no exit_group: which of the two statuses is the process's? */
static void raw(void)
{
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, last, NULL));
	syscall(SYS_exit, 4);
}

int main(void)
{
	in_child("the last returns", leave_quietly);
	in_child("the last exits", leave_code);
	in_child("raw exits", raw);
	return 0;
}
