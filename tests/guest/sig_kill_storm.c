/* Processes that fork, signal and kill each other as fast as they can, for a while; then everybody is reaped. */
#include "guest.h"
#include <sys/mman.h>

#define WORKERS 12

static volatile pid_t *pids;
static volatile int stop;

static void on_signal(int sig)
{
	(void)sig;
}

static void on_stop(int sig)
{
	(void)sig;
	stop = 1;
}

static void worker(int number)
{
	unsigned random = number * 7919 + 1;
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_signal, SA_RESTART);
	handle(SIGTERM, on_stop, 0);
	while (!stop) {
		random = random * 1103515245 + 12345;
		pid_t other = pids[(random >> 16) % WORKERS];
		switch (random >> 8 & 7) {
		case 0: {
			pid_t pid = fork();
			if (!pid)
				_exit(0);
			if (pid > 0 && random & 0x100)
				kill(pid, SIGKILL);
			while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
			break;
		}
		case 1:
			if (other > 0) {
				kill(other, SIGSTOP);
				kill(other, SIGCONT);
			}
			break;
		case 2:
			if (other > 0)
				sigqueue(other, SIGUSR2, (union sigval){0});
			break;
		default:
			if (other > 0)
				kill(other, SIGUSR1);
			break;
		}
	}
	_exit(0);
}

int main(void)
{
	pids = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* A worker may see its signals before its handlers stand: they are ignored from the start. */
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork_child();
		if (!pid)
			worker(i);
		pids[i] = pid;
	}
	nap_ms(1500);
	int ended = 0, killed = 0;
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = pids[i];
		pids[i] = 0; /* nobody aims at it any more, or at who gets its number next */
		(void)pid;
	}
	nap_ms(200);
	for (int i = 0; i < WORKERS; i++)
		kill(0, SIGCONT);
	signal(SIGTERM, SIG_IGN);
	MUST(kill(0, SIGTERM));
	for (int status, left = WORKERS; left && wait(&status) > 0; left--) {
		ended += WIFEXITED(status) && !WEXITSTATUS(status);
		killed += WIFSIGNALED(status);
	}
	say("%d ended by themselves, %d killed\n", ended, killed);
	SHOW(wait(NULL));
	return 0;
}
