/* sigsuspend and pause: the mask is exchanged and the wait begins in one step. */
#include "guest.h"

static volatile sig_atomic_t got, usr2_blocked_inside;

static void note(int sig)
{
	sigset_t now;
	got = sig;
	sigprocmask(SIG_BLOCK, NULL, &now);
	usr2_blocked_inside = sigismember(&now, SIGUSR2);
}

int main(void)
{
	sigset_t nothing = set_of(0), only_usr2 = set_of(SIGUSR2), now;
	handle(SIGUSR1, note, SA_RESTART);
	handle(SIGUSR2, note, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	SHOW(got);
	SHOW(sigsuspend(&nothing));
	SHOW(got == SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	SHOW(sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	SHOW(sigsuspend(&only_usr2));
	SHOW(usr2_blocked_inside);
	sigprocmask(SIG_BLOCK, NULL, &now);
	SHOW(sigismember(&now, SIGUSR2));

	section("signals from another process, one after the other");
	pid_t pid = fork_child();
	if (!pid) {
		for (int i = 0; i < 20; i++) {
			kill(getppid(), SIGUSR1);
			sigsuspend(&nothing);
		}
		_exit(0);
	}
	int rounds = 0;
	for (int i = 0; i < 20; i++) {
		got = 0;
		sigsuspend(&nothing);
		rounds += got == SIGUSR1;
		kill(pid, SIGUSR1);
	}
	SHOW(rounds);
	reap("child", pid);

	section("pause");
	unblock(SIGUSR1);
	pid = fork_child();
	if (!pid) {
		nap_ms(50);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	SHOW(pause());
	reap("child", pid);
	SHOW(syscall(SYS_rt_sigsuspend, &nothing, 4));
	SHOW(syscall(SYS_rt_sigsuspend, 8, 8));
	return 0;
}
