/* kill, tkill, tgkill, rt_sigqueueinfo: whom one may reach. */
#include "guest.h"

static pid_t target;

static void as_user(void)
{
	become_user(1000);
	SHOW(kill(target, 0));
	SHOW(kill(target, SIGTERM));
	SHOW(syscall(SYS_tgkill, target, target, SIGTERM));
	SHOW(kill(getpid(), 0));
	SHOW(kill(getpid(), SIGCONT));
	SHOW(kill(1 << 22, 0));
}

int main(void)
{
	int ready[2];
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
	MUST(pipe(ready));
	target = fork_child();
	if (!target) {
		tell(ready[1]);
		pause();
		_exit(0);
	}
	await(ready[0]);
	SHOW(kill(target, 0));
	SHOW(kill(target, 65));
	SHOW(kill(target, -1));
	SHOW(kill(1 << 22, 0));
	SHOW(kill(getpid(), 0));
	SHOW(syscall(SYS_tkill, getpid(), 0));
	SHOW(syscall(SYS_tkill, -1, 0));
	SHOW(syscall(SYS_tkill, 0, 0));
	SHOW(syscall(SYS_tkill, 1 << 22, 0));
	SHOW(syscall(SYS_tgkill, getpid(), getpid(), 0));
	SHOW(syscall(SYS_tgkill, target, getpid(), 0));
	SHOW(syscall(SYS_tgkill, -1, getpid(), 0));
	SHOW(syscall(SYS_tgkill, getpid(), -1, 0));
	SHOW(syscall(SYS_tgkill, getpid(), getpid(), 65));
	SHOW(syscall(SYS_rt_sigqueueinfo, target, SIGUSR1, &info));
	info.si_code = SI_TKILL;
	SHOW(syscall(SYS_rt_sigqueueinfo, target, SIGUSR1, &info));
	SHOW(syscall(SYS_rt_sigqueueinfo, target, SIGUSR1, 8));
	in_child("user", as_user);
	SHOW(kill(target, SIGTERM));
	reap("target", target);
	return 0;
}
