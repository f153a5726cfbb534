/* exec from a thread that is not the main one: all others end, and the pid stays. */
#include "guest.h"
#include <pthread.h>

static char program[256], pid_text[16];
static int ready[2];

static void *sleeps(void *arg)
{
	tell(ready[1]);
	for (;;)
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

static void *executes(void *arg)
{
	snprintf(pid_text, sizeof pid_text, "%d", getpid());
	execl(program, program, pid_text, NULL);
	return NULL;
}

static void many(void)
{
	pthread_t thread;
	for (int i = 0; i < 2; i++) {
		MUST(pthread_create(&thread, NULL, i ? spins : sleeps, NULL));
		await(ready[0]);
	}
	MUST(pthread_create(&thread, NULL, executes, NULL));
	pause();
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		char link[4096];
		CHECK(atoi(argv[1]) == getpid());
		CHECK(syscall(SYS_gettid) == getpid());
		snprintf(link, sizeof link, "/proc/self/task/%d", getpid());
		CHECK(access(link, F_OK) == 0);
		return 12;
	}
	snprintf(program, sizeof program, "%s", argv[0]);
	MUST(pipe2(ready, O_CLOEXEC));
	in_child("program", many);
	return 0;
}
