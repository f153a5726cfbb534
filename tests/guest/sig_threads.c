/* To a process: any thread that does not block the signal. To a thread: that one. */
#include "guest.h"
#include <pthread.h>

static volatile pid_t ran_on;
static volatile int runs;
static pid_t tid_of_worker;
static int ready[2], go[2];

static void note(int sig)
{
	ran_on = syscall(SYS_gettid);
	runs++;
}

static void *worker(void *arg)
{
	tid_of_worker = syscall(SYS_gettid);
	if (arg)
		block(SIGUSR1);
	tell(ready[1]);
	await(go[0]);
	sigset_t pending, mask;
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("worker: pending %d, blocked %d\n", sigismember(&pending, SIGUSR1), sigismember(&mask, SIGUSR1));
	if (arg)
		unblock(SIGUSR1);
	return NULL;
}

static pthread_t start(bool blocking)
{
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, worker, blocking ? "" : NULL));
	await(ready[0]);
	runs = ran_on = 0;
	return thread;
}

static void finish(pthread_t thread)
{
	tell(go[1]);
	pthread_join(thread, NULL);
	say("%d runs, on %s\n", runs, ran_on == getpid() ? "main" : ran_on == tid_of_worker ? "worker" : "nobody");
}

static void wait_for_run(void)
{
	for (int i = 0; i < 200 && !runs; i++)
		nap_ms(10);
}

int main(void)
{
	MUST(pipe(ready));
	MUST(pipe(go));
	handle(SIGUSR1, note, SA_RESTART);
	section("main blocks");
	block(SIGUSR1);
	pthread_t thread = start(false);
	say("the new thread has main's mask, so this stays pending\n");
	kill(getpid(), SIGUSR1);
	nap_ms(30);
	finish(thread);
	unblock(SIGUSR1);
	wait_for_run();
	SHOW(ran_on == getpid());

	section("the worker blocks");
	thread = start(true);
	kill(getpid(), SIGUSR1);
	wait_for_run();
	finish(thread);

	section("to the worker");
	thread = start(false);
	SHOW(syscall(SYS_tgkill, getpid(), tid_of_worker, SIGUSR1));
	wait_for_run();
	finish(thread);
	thread = start(true);
	SHOW_ERR(pthread_kill(thread, SIGUSR1));
	nap_ms(20);
	SHOW(runs);
	finish(thread);

	section("gone");
	SHOW(syscall(SYS_tgkill, getpid(), tid_of_worker, SIGUSR1));
	return 0;
}
