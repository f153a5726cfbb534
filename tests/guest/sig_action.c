/* sigaction: what it gives back, what it refuses, and that ignoring drops what is pending. */
#include "guest.h"

static volatile sig_atomic_t got, with_info;

static void simple(int sig)
{
	got = sig;
}

static void detailed(int sig, siginfo_t *info, void *context)
{
	with_info = info->si_signo == sig && context != NULL && info->si_pid == getpid();
	got = sig;
}

static const char *handler_name(const struct sigaction *action)
{
	return action->sa_handler == SIG_DFL      ? "default"
	       : action->sa_handler == SIG_IGN    ? "ignore"
	       : action->sa_handler == simple     ? "simple"
	       : action->sa_sigaction == detailed ? "detailed"
						  : "unknown";
}

int main(void)
{
	struct sigaction action, old;
	sigset_t pending;
	SHOW(sigaction(SIGUSR1, NULL, &old));
	say("at first: %s\n", handler_name(&old));
	handle(SIGUSR1, simple, 0);
	SHOW(kill(getpid(), SIGUSR1));
	SHOW(got == SIGUSR1);
	action = (struct sigaction){.sa_sigaction = detailed, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaddset(&action.sa_mask, SIGKILL);
	SHOW(sigaction(SIGUSR1, &action, &old));
	say("before: %s\n", handler_name(&old));
	SHOW(sigaction(SIGUSR1, NULL, &old));
	say("now: %s\n", handler_name(&old));
	SHOW((old.sa_flags & (SA_SIGINFO | SA_RESTART | SA_NODEFER)) == (SA_SIGINFO | SA_RESTART));
	SHOW(sigismember(&old.sa_mask, SIGUSR2));
	SHOW(sigismember(&old.sa_mask, SIGKILL));
	raise(SIGUSR1);
	SHOW(with_info);

	section("refused");
	SHOW(sigaction(SIGKILL, &action, NULL));
	SHOW(sigaction(SIGSTOP, &action, NULL));
	SHOW(sigaction(SIGKILL, NULL, &old));
	SHOW(sigaction(0, &action, NULL));
	SHOW(sigaction(65, &action, NULL));
	SHOW(sigaction(-1, NULL, &old));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8, 8));

	section("ignoring");
	block(SIGUSR1);
	raise(SIGUSR1);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	handle(SIGUSR1, SIG_IGN, 0);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	raise(SIGUSR1);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	got = 0;
	handle(SIGUSR1, simple, 0);
	unblock(SIGUSR1);
	SHOW(got);
	section("a default of doing nothing drops as well");
	block(SIGCHLD);
	handle(SIGCHLD, simple, 0);
	raise(SIGCHLD);
	handle(SIGCHLD, SIG_DFL, 0);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGCHLD));
	return 0;
}
