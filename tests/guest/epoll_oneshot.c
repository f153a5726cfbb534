/* EPOLLONESHOT: silent after one event, until it is armed again. */
#include "epoll.h"

static void with(uint32_t flags)
{
	int epoll = MUST(epoll_create1(0)), ends[2];
	char byte;
	MUST(pipe(ends));
	MUST(add(epoll, ends[0], EPOLLIN | EPOLLONESHOT | flags, 1));
	show_ready(epoll, 0);
	MUST(write(ends[1], "ab", 2));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	MUST(write(ends[1], "c", 1));
	show_ready(epoll, 0);
	SHOW(add(epoll, ends[0], EPOLLIN, 1));
	SHOW(control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT | flags, 2));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	close(ends[1]);
	show_ready(epoll, 0);
	MUST(read(ends[0], &byte, 1));
	SHOW(control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLONESHOT | flags, 3));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	close(ends[0]);
	show_ready(epoll, 0);
	close(epoll);
}

int main(void)
{
	section("level");
	with(0);
	section("edge");
	with(EPOLLET);
	return 0;
}
