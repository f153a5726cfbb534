/* exit ends every thread: sleeping, spinning, in a system call; a fatal signal does so as well. */
#include "guest.h"
#include <pthread.h>

static int ready[2], never[2];

static void *sleeps(void *arg)
{
	tell(ready[1]);
	pause();
	return NULL;
}

static void *spins(void *arg)
{
	tell(ready[1]);
	for (volatile long i = 0;; i++)
		;
	return NULL;
}

static void *reads(void *arg)
{
	char byte;
	tell(ready[1]);
	MUST(read(never[0], &byte, 1));
	return NULL;
}

static void *calls(void *arg)
{
	tell(ready[1]);
	for (;;)
		syscall(SYS_getppid);
	return NULL;
}

static void start_all(void)
{
	void *(*const functions[])(void *) = {sleeps, spins, reads, calls, sleeps};
	pthread_t thread;
	for (size_t i = 0; i < COUNT(functions); i++) {
		MUST(pthread_create(&thread, NULL, functions[i], NULL));
		await(ready[0]);
	}
}

static void *exits(void *arg)
{
	exit(31);
}
static void *aborts(void *arg)
{
	abort();
}

static void by_main(void)
{
	start_all();
	_exit(30);
}

static void by_thread(void)
{
	pthread_t thread;
	start_all();
	MUST(pthread_create(&thread, NULL, exits, NULL));
	pause();
}

static void by_abort(void)
{
	pthread_t thread;
	start_all();
	MUST(pthread_create(&thread, NULL, aborts, NULL));
	pause();
}

static void by_kill(void)
{
	start_all();
	kill(getpid(), SIGKILL);
	pause();
}

int main(void)
{
	MUST(pipe(ready));
	MUST(pipe(never));
	in_child("main exits", by_main);
	in_child("a thread exits", by_thread);
	in_child("a thread aborts", by_abort);
	in_child("killed", by_kill);
	pid_t pid = fork_child();
	if (!pid) {
		start_all();
		pause();
	}
	nap_ms(200);
	MUST(kill(pid, SIGTERM));
	reap("terminated from outside", pid);
	return 0;
}
