/* An epoll of epolls, with all kinds of descriptors that an event loop has at once. */
#include "epoll.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

enum { TIMER = 1, SIGNAL, EVENT, PIPE, SOCKET, INNER = 50 };

static int inner, outer;

static void look(const char *what)
{
	struct pollfd poll_fd = {outer, POLLIN, 0};
	int ready = poll(&poll_fd, 1, 0);
	say("%s: poll of the outer gives %d, %x\n", what, ready, poll_fd.revents);
	say("outer: ");
	show_ready(outer, 0);
	say("inner: ");
	show_ready(inner, 0);
}

int main(void)
{
	uint64_t value;
	int ends[2], pair[2];
	struct signalfd_siginfo info;
	inner = MUST(epoll_create1(0));
	outer = MUST(epoll_create1(EPOLL_CLOEXEC));
	int timer = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)), event = MUST(eventfd(0, EFD_NONBLOCK));
	sigset_t set = set_of(SIGUSR1);
	block(SIGUSR1);
	int signals = MUST(signalfd(-1, &set, SFD_NONBLOCK));
	MUST(pipe2(ends, O_NONBLOCK));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	MUST(add(inner, timer, EPOLLIN, TIMER));
	MUST(add(inner, signals, EPOLLIN, SIGNAL));
	MUST(add(inner, event, EPOLLIN | EPOLLET, EVENT));
	MUST(add(inner, ends[0], EPOLLIN | EPOLLONESHOT, PIPE));
	MUST(add(inner, pair[0], EPOLLIN | EPOLLRDHUP, SOCKET));
	MUST(add(outer, inner, EPOLLIN, INNER));
	look("nothing");

	section("all at once");
	struct itimerspec soon = {.it_value.tv_nsec = 1};
	MUST(timerfd_settime(timer, 0, &soon, NULL));
	struct pollfd wait_timer = {timer, POLLIN, 0};
	SHOW(poll(&wait_timer, 1, 10000));
	MUST(kill(getpid(), SIGUSR1));
	MUST(eventfd_write(event, 3));
	MUST(write(ends[1], "p", 1));
	MUST(write(pair[1], "s", 1));
	look("all");
	look("again: the edge and the one shot are gone");

	section("one by one");
	SHOW(read(timer, &value, 8));
	SHOW(value);
	look("timer read");
	SHOW(read(signals, &info, sizeof info));
	SHOW(info.ssi_signo == SIGUSR1 && info.ssi_pid == (uint32_t)getpid());
	look("signal read");
	char byte;
	SHOW(read(pair[0], &byte, 1));
	look("socket read");
	MUST(eventfd_write(event, 1));
	look("event added to");
	SHOW(read(event, &value, 8));
	SHOW(value);
	MUST(control(inner, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, PIPE));
	look("pipe armed again");

	section("endings");
	close(pair[1]);
	look("peer closed");
	close(pair[0]);
	close(ends[1]);
	MUST(control(inner, EPOLL_CTL_MOD, ends[0], 0, PIPE));
	look("writer closed");
	close(ends[0]);
	look("pipe closed");

	section("a child wakes the outer");
	pid_t child = fork_child();
	if (!child)
		_exit(eventfd_write(event, 5));
	show_ready(outer, 10000);
	reap("child", child);
	close(inner);
	SHOW(epoll_wait(outer, (struct epoll_event[1]){}, 1, 0));
	return 0;
}
