/* A sleep goes on through SIGSTOP and SIGCONT: it ends when it would have, and says nothing of it. */
#include "guest.h"

int main(void)
{
	int ends[2], status;
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		struct timespec time = {0, 400000000}, rest = {5, 5};
		long long before = now_ns(CLOCK_MONOTONIC);
		tell(ends[1]);
		int result = nanosleep(&time, &rest);
		long ms = (now_ns(CLOCK_MONOTONIC) - before) / 1000000;
		say("%d, at least 400 ms: %d, rest untouched: %d\n", result, ms >= 400, rest.tv_sec == 5);
		_exit(0);
	}
	await(ends[0]);
	for (int i = 0; i < 3; i++) {
		nap_ms(20);
		MUST(kill(pid, SIGSTOP));
		MUST(waitpid(pid, &status, WUNTRACED));
		show_status("sleeper", status);
		MUST(kill(pid, SIGCONT));
		MUST(waitpid(pid, &status, WCONTINUED));
		show_status("sleeper", status);
	}
	reap("sleeper", pid);
	return 0;
}
