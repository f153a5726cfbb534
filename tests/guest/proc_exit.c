/* How processes end, and what the parent learns. */
#include "guest.h"
#include <pthread.h>
#include <sys/resource.h>

static void exit_0(void)
{
	exit(0);
}
static void exit_256(void)
{
	exit(256);
}
static void exit_minus_1(void)
{
	exit(-1);
}
static void raw_exit(void)
{
	syscall(SYS_exit, 12);
}
static void raw_exit_group(void)
{
	syscall(SYS_exit_group, 13);
}
static void aborts(void)
{
	abort();
}
static void kills_itself(void)
{
	kill(getpid(), SIGKILL);
}
static volatile int one = 1, zero;
static void divides(void)
{
	one /= zero;
}

static void *exits(void *arg)
{
	exit(21);
}

static void exits_from_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, exits, NULL);
	pause();
}

static void at_exit(void)
{
	say("at exit\n");
}

static void with_atexit(void)
{
	atexit(at_exit);
	exit(1);
}

static void quick(void)
{
	atexit(at_exit);
	quick_exit(2);
}

int main(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	in_child("exit 0", exit_0);
	in_child("exit 256", exit_256);
	in_child("exit -1", exit_minus_1);
	in_child("exit, the call", raw_exit);
	in_child("exit_group", raw_exit_group);
	in_child("abort", aborts);
	in_child("kill", kills_itself);
	in_child("division", divides);
	in_child("exit in a thread", exits_from_thread);
	in_child("atexit", with_atexit);
	in_child("quick_exit", quick);
	return 0;
}
