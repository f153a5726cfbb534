/* SIGSTOP stops every thread of a process, SIGCONT lets all go on; the parent is told once. */
#include "guest.h"
#include <pthread.h>
#include <sys/mman.h>

#define THREADS 4

static volatile unsigned *counters;

static void *count_up(void *number)
{
	for (;;)
		counters[(long)number * 16]++;
	return NULL;
}

static bool moving(void)
{
	unsigned before[THREADS];
	int moved = 0;
	for (int i = 0; i < THREADS; i++)
		before[i] = counters[i * 16];
	for (int tries = 0; tries < 100 && moved < THREADS; tries++) {
		nap_ms(20);
		moved = 0;
		for (int i = 0; i < THREADS; i++)
			moved += counters[i * 16] != before[i];
		if (tries > 5 && !moved)
			break;
	}
	return moved == THREADS;
}

int main(void)
{
	counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork_child();
	if (!pid) {
		pthread_t thread;
		for (long i = 1; i < THREADS; i++)
			pthread_create(&thread, NULL, count_up, (void *)i);
		count_up((void *)0);
	}
	int status;
	CHECK(moving());
	for (int round = 0; round < 3; round++) {
		siginfo_t info = {0};
		MUST(kill(pid, SIGSTOP));
		MUST(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT));
		say("code %d status %d\n", info.si_code, info.si_status);
		MUST(waitpid(pid, &status, WUNTRACED));
		show_status("child", status);
		SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
		CHECK(!moving());
		MUST(kill(pid, SIGCONT));
		MUST(waitpid(pid, &status, WCONTINUED));
		show_status("child", status);
		CHECK(moving());
	}
	MUST(kill(pid, SIGSTOP));
	MUST(waitpid(pid, &status, WUNTRACED));
	MUST(kill(pid, SIGKILL));
	reap("stopped and killed", pid);
	return 0;
}
