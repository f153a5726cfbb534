/* Level-triggered epoll: adding, changing, removing, closing, many at once, errors. */
#include "epoll.h"

static void *volatile nowhere = (void *)8;
static volatile int minus = -1;

int main(void)
{
	int epoll = MUST(epoll_create1(EPOLL_CLOEXEC)), ends[2], pair[2];
	SHOW(fcntl(epoll, F_GETFD));
	MUST(pipe(ends));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	SHOW(add(epoll, ends[0], EPOLLIN, 1));
	SHOW(add(epoll, ends[1], EPOLLOUT, 2));
	SHOW(add(epoll, pair[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP, 3));
	show_ready(epoll, 0);
	MUST(write(ends[1], "x", 1));
	MUST(write(pair[1], "y", 1));
	show_ready(epoll, 0);
	show_ready(epoll, 0);
	SHOW(control(epoll, EPOLL_CTL_MOD, ends[1], 0, 2));
	SHOW(control(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN, 11));
	show_ready(epoll, 0);
	SHOW(control(epoll, EPOLL_CTL_DEL, pair[0], 0, 0));
	show_ready(epoll, 0);
	char byte;
	MUST(read(ends[0], &byte, 1));
	show_ready(epoll, 0);
	close(ends[0]);
	show_ready(epoll, 0);

	section("errors");
	SHOW(add(epoll, ends[1], EPOLLIN, 9));
	SHOW(control(epoll, EPOLL_CTL_DEL, pair[0], 0, 0));
	SHOW(control(epoll, EPOLL_CTL_MOD, pair[0], 0, 0));
	SHOW(control(epoll, 77, pair[0], 0, 0));
	SHOW(add(epoll, -1, EPOLLIN, 0));
	SHOW(add(-1, pair[0], EPOLLIN, 0));
	SHOW(add(pair[0], pair[1], EPOLLIN, 0));
	SHOW(add(epoll, epoll, EPOLLIN, 0));
	make_file("file", "");
	SHOW(add(epoll, MUST(open("file", O_RDONLY)), EPOLLIN, 0));
	SHOW(add(epoll, MUST(open(".", O_RDONLY)), EPOLLIN, 0));
	SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], NULL));
	SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], NULL));
	struct epoll_event event;
	SHOW(epoll_wait(epoll, &event, 0, 0));
	SHOW(epoll_wait(epoll, &event, minus, 0));
	SHOW(epoll_wait(pair[0], &event, 1, 0));
	SHOW(epoll_create1(1));
	SHOW(epoll_create(0));
	MUST(add(epoll, pair[0], EPOLLIN, 5));
	SHOW(epoll_wait(epoll, nowhere, 1, 0));
	show_ready(epoll, 0);

	section("more than asked for");
	for (int i = 0; i < 5; i++) {
		int more[2];
		MUST(pipe(more));
		MUST(write(more[1], "x", 1));
		MUST(add(epoll, more[0], EPOLLIN, 20 + i));
	}
	struct epoll_event two[2];
	int seen[100] = {0};
	for (int i = 0; i < 3; i++) {
		SHOW(epoll_wait(epoll, two, 2, 0));
		seen[two[0].data.u64]++;
		seen[two[1].data.u64]++;
	}
	bool fair = true;
	for (int i = 20; i < 25; i++)
		fair = fair && seen[i] == 1;
	CHECK(fair && seen[5] == 1);
	return 0;
}
