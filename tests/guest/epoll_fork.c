/* epoll and descriptors: duplicates, forks, closing one of two. */
#include "epoll.h"

int main(void)
{
	int epoll = MUST(epoll_create1(0)), ends[2];
	char byte;
	MUST(pipe(ends));
	MUST(add(epoll, ends[0], EPOLLIN, 1));
	int copy = MUST(dup(ends[0]));
	SHOW(add(epoll, copy, EPOLLIN, 2));
	MUST(write(ends[1], "x", 1));
	show_ready(epoll, 0);
	SHOW(control(epoll, EPOLL_CTL_DEL, copy, 0, 0));
	show_ready(epoll, 0);
	int number = ends[0];
	close(ends[0]);
	show_ready(epoll, 0);
	SHOW(control(epoll, EPOLL_CTL_DEL, number, 0, 0));
	MUST(dup2(copy, number));
	SHOW(control(epoll, EPOLL_CTL_MOD, number, EPOLLIN, 3));
	show_ready(epoll, 0);
	close(number);
	close(copy);
	show_ready(epoll, 0);

	section("a child");
	MUST(pipe(ends));
	MUST(add(epoll, ends[0], EPOLLIN, 4));
	int go[2];
	MUST(pipe(go));
	pid_t pid = fork_child();
	if (!pid) {
		MUST(write(ends[1], "y", 1));
		show_ready(epoll, 0);
		int more[2];
		MUST(pipe(more));
		MUST(write(more[1], "z", 1));
		MUST(add(epoll, more[0], EPOLLIN, 5));
		await(go[0]);
		_exit(0);
	}
	nap_ms(60);
	show_ready(epoll, 0);
	tell(go[1]);
	reap("child", pid);
	show_ready(epoll, 0);
	MUST(read(ends[0], &byte, 1));
	show_ready(epoll, 0);

	section("two epolls, one file");
	int other = MUST(epoll_create1(0));
	MUST(add(other, ends[0], EPOLLIN, 6));
	MUST(write(ends[1], "w", 1));
	show_ready(epoll, 0);
	show_ready(other, 0);
	close(epoll);
	show_ready(other, 0);
	return 0;
}
