/* EPOLLEXCLUSIVE: what may be combined with it, and that somebody is woken. */
#include "epoll.h"

int main(void)
{
	int first = MUST(epoll_create1(0)), second = MUST(epoll_create1(0)), ends[2];
	MUST(pipe(ends));
	SHOW(add(first, ends[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
	SHOW(add(second, ends[0], EPOLLIN | EPOLLEXCLUSIVE, 2));
	SHOW(control(first, EPOLL_CTL_MOD, ends[0], EPOLLIN, 1));
	SHOW(control(first, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
	SHOW(add(first, ends[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
	SHOW(add(first, ends[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLRDHUP, 1));
	SHOW(add(first, ends[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLET, 1));
	SHOW(add(first, second, EPOLLIN | EPOLLEXCLUSIVE, 1));
	SHOW(control(first, EPOLL_CTL_DEL, ends[1], 0, 0));

	int report[2], woken = 0, count = 0;
	MUST(pipe(report));
	pid_t pids[4];
	for (int i = 0; i < 4; i++) {
		pids[i] = fork_child();
		if (!pids[i]) {
			struct epoll_event event;
			int mine = MUST(epoll_create1(0));
			MUST(add(mine, ends[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
			MUST(write(report[1], "r", 1));
			int n = epoll_wait(mine, &event, 1, 300);
			MUST(write(report[1], n > 0 ? "w" : "n", 1));
			_exit(0);
		}
	}
	char byte;
	for (int i = 0; i < 4; i++)
		MUST(read(report[0], &byte, 1));
	nap_ms(30);
	MUST(write(ends[1], "x", 1));
	for (count = 0; count < 4; count++) {
		MUST(read(report[0], &byte, 1));
		woken += byte == 'w';
	}
	CHECK(woken >= 1);
	while (wait(NULL) > 0)
		;
	show_ready(first, 0);
	show_ready(second, 0);
	return 0;
}
