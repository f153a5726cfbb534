/* nanosleep(2) and clock_nanosleep(2): how long, what is left after a signal, absolute times, errors. */
#include "guest.h"

static volatile int caught;

static void on_alarm(int sig)
{
	(void)sig;
	caught++;
}

static void in_ms(timer_t timer, long ms)
{
	struct itimerspec when = {.it_value = {ms / 1000, ms % 1000 * 1000000}};
	MUST(timer_settime(timer, 0, &when, NULL));
}

static long slept_ms(clockid_t clock, int flags, const struct timespec *time, struct timespec *rest, int *result)
{
	long long before = now_ns(CLOCK_MONOTONIC);
	*result = clock_nanosleep(clock, flags, time, rest);
	return (now_ns(CLOCK_MONOTONIC) - before) / 1000000;
}

int main(void)
{
	struct timespec time = {0, 50000000}, rest = {7, 7};
	timer_t timer;
	int result;
	long ms = slept_ms(CLOCK_MONOTONIC, 0, &time, &rest, &result);
	say("%d, at least 50 ms: %d, rest untouched: %d\n", result, ms >= 50, rest.tv_sec == 7);
	ms = slept_ms(CLOCK_REALTIME, 0, &time, NULL, &result);
	say("%d, at least 50 ms: %d\n", result, ms >= 50);
	ms = slept_ms(CLOCK_BOOTTIME, 0, &time, NULL, &result);
	say("%d, at least 50 ms: %d\n", result, ms >= 50);

	section("absolute");
	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_nsec += 60000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	ms = slept_ms(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL, &result);
	say("%d, about 60 ms: %d\n", result, ms >= 55);
	ms = slept_ms(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL, &result);
	say("in the past: %d, at once: %d\n", result, ms < 40);

	section("interrupted");
	handle(SIGALRM, on_alarm, SA_RESTART);
	MUST(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	in_ms(timer, 100);
	time = (struct timespec){30, 0};
	errno = 0;
	SHOW(nanosleep(&time, &rest));
	say("left between 29 and 30 s: %d, handlers %d\n", rest.tv_sec == 29, caught);
	in_ms(timer, 100);
	rest.tv_sec = 7;
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &rest));
	say("left between 29 and 30 s: %d\n", rest.tv_sec == 29);
	in_ms(timer, 100);
	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += 30;
	rest.tv_sec = 7;
	SHOW_ERR(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, &rest));
	say("rest untouched: %d\n", rest.tv_sec == 7);
	in_ms(timer, 100);
	time = (struct timespec){30, 0};
	SHOW(syscall(SYS_nanosleep, &time, NULL));

	section("errors");
	time = (struct timespec){0, 1000000000};
	SHOW(nanosleep(&time, NULL));
	time = (struct timespec){-1, 0};
	SHOW(nanosleep(&time, NULL));
	time = (struct timespec){0, -1};
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL));
	time = (struct timespec){0, 1};
	SHOW_ERR(clock_nanosleep(99, 0, &time, NULL));
	SHOW_ERR(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL));
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &time, NULL));
	SHOW(syscall(SYS_nanosleep, 8, NULL));
	return 0;
}
