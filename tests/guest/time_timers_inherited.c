/* What becomes of timers at fork and exec: interval timers survive exec, POSIX timers do not; none survives fork. */
#include "guest.h"
#include <sys/time.h>

static void left(const char *when)
{
	struct itimerval value;
	MUST(getitimer(ITIMER_REAL, &value));
	say("%s: %s\n", when, value.it_value.tv_sec || value.it_value.tv_usec ? "armed" : "not armed");
}

int main(int argc, char **argv)
{
	struct itimerval minute = {.it_value = {60, 0}, .it_interval = {5, 0}};
	struct itimerspec when = {.it_value = {60, 0}};
	timer_t timer;
	if (argc > 1) {
		left("after exec");
		struct itimerspec now;
		SHOW(syscall(SYS_timer_gettime, atoi(argv[1]), &now));
		SHOW(alarm(0) > 50);
		return 0;
	}
	MUST(setitimer(ITIMER_REAL, &minute, NULL));
	MUST(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	MUST(timer_settime(timer, 0, &when, NULL));
	pid_t pid = fork_child();
	if (!pid) {
		left("after fork");
		struct itimerspec now;
		SHOW(timer_gettime(timer, &now));
		SHOW(alarm(0));
		_exit(0);
	}
	reap("child", pid);
	left("parent");
	char number[20];
	snprintf(number, sizeof number, "%d", (int)(long)timer);
	execl("./time_timers_inherited", "x", number, NULL);
	return 1;
}
