/* Two processes exchange signals as fast as they can; none is lost, as each waits for the answer. */
#include "guest.h"

int main(void)
{
	sigset_t set = set_of(SIGUSR1);
	int sig, rounds = 0;
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	pid_t pid = fork_child();
	if (!pid) {
		for (int i = 0; i < 500; i++) {
			sigwait(&set, &sig);
			kill(getppid(), SIGUSR1);
		}
		_exit(3);
	}
	for (int i = 0; i < 500; i++) {
		kill(pid, SIGUSR1);
		rounds += !sigwait(&set, &sig);
	}
	SHOW(rounds);
	reap("child", pid);
	return 0;
}
