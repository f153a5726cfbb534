/* SA_NODEFER, SA_RESETHAND, sa_mask: what is blocked while a handler runs. */
#include "guest.h"

static volatile sig_atomic_t depth, deepest, runs;
static volatile sig_atomic_t usr1_blocked, usr2_blocked;

static void nest(int sig)
{
	runs++;
	if (++depth > deepest)
		deepest = depth;
	if (runs < 4)
		raise(sig);
	depth--;
}

static void look(int sig)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	usr1_blocked = sigismember(&now, SIGUSR1);
	usr2_blocked = sigismember(&now, SIGUSR2);
}

static void try_nesting(const char *what, int flags)
{
	runs = deepest = 0;
	handle(SIGUSR1, nest, flags);
	raise(SIGUSR1);
	say("%s: %d runs, %d deep\n", what, runs, deepest);
}

static void try_mask(const char *what, int flags, int also)
{
	struct sigaction action = {.sa_handler = look, .sa_flags = flags, .sa_mask = set_of(also)};
	MUST(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	say("%s: USR1 %d, USR2 %d\n", what, usr1_blocked, usr2_blocked);
	look(0);
	say("  afterwards: USR1 %d, USR2 %d\n", usr1_blocked, usr2_blocked);
}

static void twice(void)
{
	handle(SIGUSR1, look, SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction now;
	MUST(sigaction(SIGUSR1, NULL, &now));
	SHOW(now.sa_handler == SIG_DFL);
	raise(SIGUSR1);
}

int main(void)
{
	try_nesting("plain", 0);
	try_nesting("SA_NODEFER", SA_NODEFER);
	try_mask("plain", 0, 0);
	try_mask("mask", 0, SIGUSR2);
	try_mask("SA_NODEFER", SA_NODEFER, 0);
	try_mask("SA_NODEFER and mask", SA_NODEFER, SIGUSR2);
	try_mask("SA_NODEFER and itself in the mask", SA_NODEFER, SIGUSR1);
	try_mask("SA_RESETHAND", SA_RESETHAND, 0);
	in_child("SA_RESETHAND, twice", twice);
	return 0;
}
