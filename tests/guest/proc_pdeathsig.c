/* PR_SET_PDEATHSIG: a signal when the parent dies; forgotten by fork. */
#include "guest.h"

static int up[2], down[2];

static volatile sig_atomic_t got;

static void note(int sig)
{
	got = sig;
}

static void grandchild(int ready)
{
	int sig = -1;
	MUST(prctl(PR_GET_PDEATHSIG, &sig));
	say("inherited: %d\n", sig);
	SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	MUST(prctl(PR_GET_PDEATHSIG, &sig));
	SHOW(sig == SIGUSR1);
	handle(SIGUSR1, note, 0);
	sigset_t nothing = set_of(0);
	block(SIGUSR1);
	tell(ready);
	while (!got)
		sigsuspend(&nothing);
	await(down[0]); /* until the parent has said how the child ended */
	say("the grandchild got %s\n", signal_name(got));
	tell(up[1]);
	_exit(0);
}

int main(void)
{
	int ready[2];
	MUST(pipe(up));
	MUST(pipe(down));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	pid_t pid = fork_child();
	if (!pid) {
		MUST(pipe(ready));
		MUST(prctl(PR_SET_PDEATHSIG, SIGTERM));
		if (!fork())
			grandchild(ready[1]);
		await(ready[0]);
		_exit(0);
	}
	reap("child", pid);
	tell(down[1]);
	await(up[0]);
	reap("grandchild", -1);
	return 0;
}
