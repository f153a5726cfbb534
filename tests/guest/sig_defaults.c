/* What every signal does to a process that has no handler. */
#include "guest.h"
#include <sys/resource.h>

int main(void)
{
	int ready[2];
	MUST(pipe(ready));
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		if (sig == 32 || sig == 33) /* the C library's own */
			continue;
		if (sig > SIGRTMIN + 2 && sig < SIGRTMAX)
			continue;
		pid_t pid = fork_child();
		if (!pid) {
			handle(SIGTERM, SIG_DFL, 0);
			tell(ready[1]);
			for (;;)
				pause();
		}
		await(ready[0]);
		MUST(kill(pid, sig));
		/* Signals without effect: the child is still there and dies of the next one. */
		int status, stopped = 0;
		MUST(waitpid(pid, &status,
			     WUNTRACED |
				     ((sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT) ? WNOHANG
													     : 0)) == -1
			     ? -1
			     : 0);
		if (sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT) {
			MUST(kill(pid, SIGKILL));
			MUST(waitpid(pid, &status, 0));
			say("%s: nothing, then %s\n", signal_name(sig), signal_name(WTERMSIG(status)));
			continue;
		}
		stopped = WIFSTOPPED(status);
		say("%s: %s %s\n", signal_name(sig), stopped ? "stops" : "kills",
		    signal_name(stopped ? WSTOPSIG(status) : WTERMSIG(status)));
		if (stopped) {
			MUST(kill(pid, SIGKILL));
			MUST(waitpid(pid, &status, 0));
		}
	}
	return 0;
}
