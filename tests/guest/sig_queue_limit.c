/* RLIMIT_SIGPENDING: queueing fails by EAGAIN, kill does not. */
#include "guest.h"
#include <sys/resource.h>

static volatile sig_atomic_t count;

static void note(int sig)
{
	count++;
}

int main(void)
{
	/* As a user of its own: the limit counts what all processes of a user have pending. */
	become_user(54321);
	MUST(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){3, 3}));
	handle(SIGRTMIN, note, 0);
	handle(SIGUSR1, note, 0);
	block(SIGRTMIN);
	block(SIGUSR1);
	for (int i = 0; i < 5; i++)
		SHOW(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
	SHOW(kill(getpid(), SIGUSR1));
	unblock(SIGRTMIN);
	SHOW(count);
	unblock(SIGUSR1);
	SHOW(count);
	return 0;
}
