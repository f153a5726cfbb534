/* What fork and exec do with handlers, masks and pending signals. */
#include "guest.h"

static volatile sig_atomic_t hits;

static void hit(int sig)
{
	hits++;
}

static char program[256];

static void child(void)
{
	sigset_t pending;
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	SHOW(sigismember(&pending, SIGRTMIN));
	unblock(SIGUSR1);
	SHOW(hits);
	raise(SIGUSR1);
	SHOW(hits);
}

static void executed(void)
{
	/* Pending signals go along with an exec. */
	handle(SIGUSR2, SIG_IGN, 0);
	block(SIGHUP);
	raise(SIGHUP);
	execl(program, program, "child", NULL);
}

int main(int argc, char **argv)
{
	sigset_t pending;
	if (argc > 1) {
		struct sigaction action;
		sigpending(&pending);
		SHOW(sigismember(&pending, SIGHUP));
		for (int sig = 1; sig < 32; sig++)
			if (!sigaction(sig, NULL, &action) && action.sa_handler != SIG_DFL)
				say("%s: %s\n", signal_name(sig), action.sa_handler == SIG_IGN ? "ignored" : "handler");
		unblock(SIGHUP);
		say("not reached\n");
		return 0;
	}
	snprintf(program, sizeof program, "%s", argv[0]);
	handle(SIGUSR1, hit, 0);
	block(SIGUSR1);
	block(SIGRTMIN);
	raise(SIGUSR1);
	raise(SIGRTMIN);
	in_child("child", child);
	SHOW(hits);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGUSR1));
	in_child("executed", executed);
	unblock(SIGUSR1);
	SHOW(hits);
	return 0;
}
