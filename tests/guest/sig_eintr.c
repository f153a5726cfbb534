/* Calls that a handler always interrupts, SA_RESTART or not, and what is left of the time. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile sig_atomic_t hits;

static void hit(int sig)
{
	hits++;
}

/* One signal in 40 ms. */
static void soon(void)
{
	struct itimerval timer = {{0, 0}, {0, 40000}};
	MUST(setitimer(ITIMER_REAL, &timer, NULL));
}

static bool between_ms(long long start, long low, long high)
{
	long long past = now_ns(CLOCK_MONOTONIC) - start;
	return past >= low * 1000000ll && past < high * 1000000ll;
}

int main(void)
{
	int ends[2];
	struct timespec left = {0, 0}, second = {1, 0};
	MUST(pipe(ends));
	handle(SIGALRM, hit, SA_RESTART);
	long long start = now_ns(CLOCK_MONOTONIC);
	soon();
	SHOW(nanosleep(&second, &left));
	CHECK(left.tv_sec == 0 && left.tv_nsec > 300000000 && left.tv_nsec < 970000000);
	soon();
	SHOW_ERR(clock_nanosleep(CLOCK_MONOTONIC, 0, &second, &left));
	soon();
	struct pollfd poller = {ends[0], POLLIN};
	SHOW(poll(&poller, 1, 1000));
	soon();
	SHOW(ppoll(&poller, 1, &second, NULL));
	soon();
	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	struct timeval timeout = {1, 0};
	SHOW(select(ends[0] + 1, &set, NULL, NULL, &timeout));
	CHECK(timeout.tv_sec == 0 && timeout.tv_usec > 300000);
	soon();
	int epoll = MUST(epoll_create1(0));
	struct epoll_event event = {.events = EPOLLIN};
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
	SHOW(epoll_wait(epoll, &event, 1, 1000));
	soon();
	SHOW(pause());
	soon();
	sigset_t other = set_of(SIGUSR2);
	SHOW(sigtimedwait(&other, NULL, &second));
	SHOW(hits);
	CHECK(between_ms(start, 300, 3000));
	section("a full pipe");
	char block[65536];
	memset(block, 0, sizeof block);
	MUST(write(ends[1], block, sizeof block));
	handle(SIGALRM, hit, 0);
	soon();
	SHOW(write(ends[1], block, 10));
	MUST(read(ends[0], block, 4096));
	soon();
	SHOW(write(ends[1], block, 8192));
	return 0;
}
