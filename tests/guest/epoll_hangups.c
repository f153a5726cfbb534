/* EPOLLRDHUP, EPOLLHUP, EPOLLERR: which comes when, asked for or not. */
#include "epoll.h"

static void watch(int type, uint32_t events)
{
	int epoll = MUST(epoll_create1(0)), pair[2];
	MUST(socketpair(AF_UNIX, type, 0, pair));
	MUST(add(epoll, pair[0], events, 1));
	show_ready(epoll, 0);
	MUST(shutdown(pair[1], SHUT_WR));
	show_ready(epoll, 0);
	MUST(shutdown(pair[0], SHUT_WR));
	show_ready(epoll, 0);
	close(pair[1]);
	show_ready(epoll, 0);
	close(pair[0]);
	close(epoll);
}

int main(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	for (unsigned i = 0; i < COUNT(types); i++) {
		say("== type %d\n", types[i]);
		section("nothing");
		watch(types[i], 0);
		section("in");
		watch(types[i], EPOLLIN);
		section("rdhup");
		watch(types[i], EPOLLRDHUP);
		section("all");
		watch(types[i], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI);
	}
	section("pipes");
	int epoll = MUST(epoll_create1(0)), ends[2];
	MUST(pipe(ends));
	MUST(add(epoll, ends[1], 0, 2));
	close(ends[0]);
	show_ready(epoll, 0);
	MUST(pipe(ends));
	MUST(add(epoll, ends[0], 0, 3));
	close(ends[1]);
	show_ready(epoll, 0);
	section("a socket without a connection");
	int lone = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(add(epoll, lone, EPOLLIN | EPOLLOUT, 4));
	show_ready(epoll, 0);
	return 0;
}
