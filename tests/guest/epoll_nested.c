/* An epoll in an epoll, loops and depth. */
#include "epoll.h"
#include <poll.h>

int main(void)
{
	int inner = MUST(epoll_create1(0)), outer = MUST(epoll_create1(0)), ends[2];
	char byte;
	MUST(pipe(ends));
	SHOW(add(inner, ends[0], EPOLLIN, 1));
	SHOW(add(outer, inner, EPOLLIN, 2));
	show_ready(outer, 0);
	MUST(write(ends[1], "x", 1));
	show_ready(outer, 0);
	show_ready(outer, 0);
	show_ready(inner, 0);
	struct pollfd poll_fd = {.fd = outer, .events = POLLIN | POLLOUT};
	SHOW(poll(&poll_fd, 1, 0));
	SHOW(poll_fd.revents);
	MUST(read(ends[0], &byte, 1));
	show_ready(outer, 0);
	SHOW(poll(&poll_fd, 1, 0));

	section("edges");
	MUST(control(outer, EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLET, 3));
	MUST(write(ends[1], "x", 1));
	show_ready(outer, 0);
	show_ready(outer, 0);
	MUST(write(ends[1], "y", 1));
	show_ready(outer, 0);
	show_ready(inner, 0);

	section("waking through both");
	MUST(read(ends[0], &byte, 1));
	MUST(read(ends[0], &byte, 1));
	MUST(control(outer, EPOLL_CTL_MOD, inner, EPOLLIN, 4));
	pid_t pid = fork_child();
	if (!pid) {
		nap_ms(40);
		MUST(write(ends[1], "z", 1));
		_exit(0);
	}
	show_ready(outer, 5000);
	reap("writer", pid);

	section("loops");
	SHOW(add(inner, outer, EPOLLIN, 5));
	int chain[8];
	for (int i = 0; i < 8; i++) {
		chain[i] = MUST(epoll_create1(0));
		if (i)
			say("%d: %s\n", i, add(chain[i], chain[i - 1], EPOLLIN, 1) ? error_name(errno) : "0");
	}
	SHOW(add(chain[0], chain[4], EPOLLIN, 1));

	section("closed");
	close(inner);
	show_ready(outer, 0);
	SHOW(control(outer, EPOLL_CTL_DEL, inner, 0, 0));
	return 0;
}
