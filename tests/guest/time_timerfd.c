/* timerfd_create(2): counts of expirations, absolute times, old values, non-blocking reads, poll, fdinfo; errors. */
#include "guest.h"
#include <poll.h>
#include <sys/timerfd.h>

int main(void)
{
	uint64_t count = 0;
	struct itimerspec value = {.it_value = {0, 10000000}, .it_interval = {0, 10000000}}, now;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	CHECK(fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(read(fd, &count, sizeof count));
	SHOW(timerfd_settime(fd, 0, &value, NULL));
	struct pollfd wait = {fd, POLLIN, 0};
	SHOW(poll(&wait, 1, 5000));
	nap_ms(100);
	SHOW(read(fd, &count, sizeof count));
	CHECK(count >= 8 && count < 1000);
	MUST(timerfd_settime(fd, 0, &(struct itimerspec){.it_value = {100, 0}, .it_interval = {7, 0}}, &now));
	CHECK(now.it_interval.tv_nsec == 10000000);
	SHOW(read(fd, &count, sizeof count));
	MUST(timerfd_gettime(fd, &now));
	CHECK(now.it_value.tv_sec == 99 && now.it_interval.tv_sec == 7);
	SHOW(read(fd, &count, 7));
	SHOW(write(fd, &count, 8));
	SHOW(lseek(fd, 0, SEEK_SET));

	section("blocking, absolute");
	fd = MUST(timerfd_create(CLOCK_REALTIME, 0));
	clock_gettime(CLOCK_REALTIME, &value.it_value);
	value.it_interval = (struct timespec){0, 0};
	value.it_value.tv_sec -= 10;
	SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL));
	SHOW(read(fd, &count, sizeof count));
	SHOW(count);
	MUST(timerfd_gettime(fd, &now));
	say("left %ld %ld\n", now.it_value.tv_sec, now.it_value.tv_nsec);
	pid_t pid = fork_child();
	if (!pid) {
		SHOW(read(fd, &count, sizeof count)); /* shared: armed by the parent */
		SHOW(count);
		_exit(0);
	}
	nap_ms(50);
	MUST(timerfd_settime(fd, 0, &(struct itimerspec){.it_value = {0, 1}}, NULL));
	reap("child", pid);

	section("errors");
	SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	SHOW(timerfd_create(CLOCK_MONOTONIC, 1));
	SHOW(timerfd_create(99, 0));
	value.it_value = (struct timespec){0, 1000000000};
	SHOW(timerfd_settime(fd, 0, &value, NULL));
	SHOW(timerfd_settime(fd, 99, &value, NULL));
	SHOW(timerfd_settime(0, 0, &value, NULL));
	SHOW(timerfd_gettime(99, &now));
	return 0;
}
