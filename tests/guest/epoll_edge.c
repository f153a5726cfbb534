/* Edge-triggered epoll: an event for each change, not for each wait. */
#include "epoll.h"

int main(void)
{
	int epoll = MUST(epoll_create1(0)), ends[2], pair[2];
	char bytes[100];
	MUST(pipe2(ends, O_NONBLOCK));
	MUST(add(epoll, ends[0], EPOLLIN | EPOLLET, 1));
	show_ready(epoll, 0);
	MUST(write(ends[1], "abc", 3));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	MUST(write(ends[1], "d", 1));
	show_ready(epoll, 0);
	MUST(read(ends[0], bytes, 1));
	show_ready(epoll, 0);
	MUST(write(ends[1], "e", 1));
	MUST(write(ends[1], "f", 1));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	MUST(control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET, 2));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	MUST(control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN, 2));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	MUST(control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET, 3));
	show_ready(epoll, 0);
	close(ends[1]);
	show_ready(epoll, 0);
	show_ready(epoll, 0);

	section("a socket, both directions");
	static char much[1 << 20];
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	MUST(add(epoll, pair[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 4));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	MUST(write(pair[1], "x", 1));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	while (write(pair[0], much, sizeof much) > 0)
		;
	show_ready(epoll, 0);
	while (read(pair[1], much, sizeof much) > 0)
		;
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	shutdown(pair[1], SHUT_WR);
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	close(pair[1]);
	show_ready(epoll, 0);

	section("ready before it was added");
	MUST(pipe(ends));
	MUST(write(ends[1], "x", 1));
	MUST(add(epoll, ends[0], EPOLLIN | EPOLLET, 5));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	return 0;
}
