/* timerfd: once, again and again, absolute, disarmed; poll; settings. */
#include "guest.h"
#include <poll.h>
#include <sys/timerfd.h>

static int arm(int fd, int flags, long first_ms, long again_ms)
{
	struct itimerspec time = {.it_value = {first_ms / 1000, first_ms % 1000 * 1000000},
				  .it_interval = {again_ms / 1000, again_ms % 1000 * 1000000}};
	return timerfd_settime(fd, flags, &time, NULL);
}

static void show_poll(int fd, int timeout_ms)
{
	struct pollfd poll_fd = {fd, POLLIN | POLLOUT, 0};
	MUST(poll(&poll_fd, 1, timeout_ms));
	say("poll: %x\n", poll_fd.revents);
}

static uint64_t count;

static void rest(void)
{
	int fd = -1;
	struct itimerspec now = {0};
	section("absolute");
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
	for (int i = 0; i < 3; i++) {
		fd = MUST(timerfd_create(clocks[i], 0));
		long long at = now_ns(clocks[i]) + 30000000;
		struct itimerspec time = {.it_value = {at / 1000000000, at % 1000000000}};
		SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL));
		SHOW(read(fd, &count, 8));
		CHECK(now_ns(clocks[i]) >= at);
		time.it_value.tv_sec = 1;
		SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL));
		show_poll(fd, 100);
	}

	section("errors");
	SHOW(timerfd_create(99, 0));
	SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	SHOW(timerfd_create(CLOCK_MONOTONIC, 0x100));
	SHOW(arm(fd, 0x100, 1, 0));
	SHOW(arm(0, 0, 1, 0));
	SHOW(arm(-1, 0, 1, 0));
	now.it_value.tv_nsec = 1000000000;
	SHOW(timerfd_settime(fd, 0, &now, NULL));
	SHOW(timerfd_settime(fd, 0, NULL, NULL));
	SHOW(timerfd_gettime(fd, NULL));
	SHOW(write(fd, &count, 8));
	SHOW(lseek(fd, 0, SEEK_CUR));
}

int main(void)
{
	char bytes[16];
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(read(fd, &count, 8));
	show_poll(fd, 0);
	SHOW(arm(fd, 0, 30, 0));
	SHOW(read(fd, &count, 8));
	show_poll(fd, 5000);
	SHOW(read(fd, bytes, 7));
	SHOW(read(fd, &count, 8));
	SHOW(count);
	SHOW(read(fd, &count, 8));
	struct itimerspec now;
	SHOW(timerfd_gettime(fd, &now));
	say("%ld %ld, %ld %ld\n", now.it_value.tv_sec, now.it_value.tv_nsec, now.it_interval.tv_sec,
	    now.it_interval.tv_nsec);

	section("again and again");
	SHOW(arm(fd, 0, 10, 20));
	nap_ms(100);
	SHOW(read(fd, &count, 8));
	CHECK(count >= 4);
	fcntl(fd, F_SETFL, 0);
	SHOW(read(fd, &count, 8));
	CHECK(count >= 1);
	SHOW(timerfd_gettime(fd, &now));
	CHECK(now.it_interval.tv_nsec == 20000000 && now.it_value.tv_nsec <= 20000000);
	struct itimerspec old, off = {0};
	SHOW(timerfd_settime(fd, 0, &off, &old));
	CHECK(old.it_interval.tv_nsec == 20000000);
	SHOW(timerfd_gettime(fd, &now));
	CHECK(!now.it_value.tv_nsec && !now.it_value.tv_sec);
	fcntl(fd, F_SETFL, O_NONBLOCK);

	section("set anew before it was read");
	SHOW(arm(fd, 0, 5, 0));
	nap_ms(20);
	show_poll(fd, 0);
	SHOW(arm(fd, 0, 10000, 0));
	show_poll(fd, 0);
	SHOW(read(fd, &count, 8));

	rest();
	return 0;
}
