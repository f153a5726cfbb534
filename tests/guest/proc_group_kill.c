/* Signals to process groups. */
#include "guest.h"

static int ready[2];

static pid_t member(pid_t group)
{
	pid_t pid = fork_child();
	if (!pid) {
		setpgid(0, group);
		tell(ready[1]);
		pause();
		_exit(0);
	}
	await(ready[0]);
	return pid;
}

static void own_group(void)
{
	setpgid(0, 0);
	handle(SIGTERM, SIG_IGN, 0);
	pid_t pid = fork_child();
	if (!pid) {
		handle(SIGTERM, SIG_DFL, 0);
		tell(ready[1]);
		pause();
	}
	await(ready[0]);
	SHOW(kill(0, SIGTERM));
	reap("member", pid);
}

int main(void)
{
	MUST(pipe(ready));
	pid_t a = member(0), b = member(a), other = member(0);
	SHOW(kill(-a, 0));
	SHOW(kill(-a, SIGUSR1));
	reap("a", a);
	reap("b", b);
	SHOW(waitpid(other, NULL, WNOHANG));
	SHOW(kill(-a, SIGUSR1));
	SHOW(killpg(other, SIGHUP));
	reap("other", other);
	in_child("own group", own_group);
	SHOW(kill(-(1 << 22), SIGTERM));
	return 0;
}
