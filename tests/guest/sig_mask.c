/* The signal mask: block, unblock, set; delivery at the moment of unblocking; what cannot be blocked. */
#include "guest.h"

static volatile sig_atomic_t order[8], count;

static void note(int sig)
{
	if (count < 8)
		order[count] = sig;
	count++;
}

static long masked(int sig)
{
	sigset_t now;
	MUST(sigprocmask(SIG_SETMASK, NULL, &now));
	return sigismember(&now, sig);
}

static void child(void)
{
	sigset_t pending;
	SHOW(masked(SIGUSR1));
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
}

static void unstoppable(void)
{
	sigset_t all;
	sigfillset(&all);
	MUST(sigprocmask(SIG_BLOCK, &all, NULL));
	raise(SIGKILL);
}

int main(void)
{
	sigset_t set, old, pending;
	handle(SIGUSR1, note, 0);
	handle(SIGUSR2, note, 0);
	handle(SIGHUP, note, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	SHOW(sigprocmask(SIG_BLOCK, &set, &old));
	SHOW(sigismember(&old, SIGUSR1));
	SHOW(masked(SIGUSR1));
	SHOW(masked(SIGUSR2));
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGHUP);
	SHOW(count);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	SHOW(sigismember(&pending, SIGUSR2));
	SHOW(sigismember(&pending, SIGHUP));
	in_child("child", child);

	section("both at once: the second handler runs first, the lower number is entered first");
	SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL));
	SHOW(count);
	say("%s %s %s\n", signal_name(order[0]), signal_name(order[1]), signal_name(order[2]));
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));

	section("SIG_SETMASK");
	set = set_of(SIGUSR2);
	SHOW(sigprocmask(SIG_SETMASK, &set, &old));
	SHOW(masked(SIGUSR1));
	SHOW(masked(SIGUSR2));
	sigfillset(&set);
	SHOW(sigprocmask(SIG_SETMASK, &set, NULL));
	SHOW(masked(SIGKILL));
	SHOW(masked(SIGSTOP));
	SHOW(masked(SIGSEGV));
	SHOW(sigprocmask(77, &set, NULL));
	SHOW(sigprocmask(77, NULL, &old));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8));
	in_child("unstoppable", unstoppable);
	return 0;
}
