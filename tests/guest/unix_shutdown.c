/* shutdown: each half, on both ends, and what poll says. */
#include "unix.h"

static int pair[2];

static void both(const char *what)
{
	say("%s: %x %x\n", what, events_of(pair[0]), events_of(pair[1]));
}

static void half(int type, int how)
{
	static const char *const names[] = {"SHUT_RD", "SHUT_WR", "SHUT_RDWR"};
	section(names[how]);
	MUST(socketpair(AF_UNIX, type, 0, pair));
	MUST(send(pair[0], "there", 5, 0));
	MUST(send(pair[1], "here", 4, 0));
	both("before");
	SHOW(shutdown(pair[0], how));
	both("after");
	SHOW(send(pair[0], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	SHOW(send(pair[1], "y", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	show_received(pair[0], 10, 0);
	show_received(pair[0], 10, 0);
	show_received(pair[1], 10, 0);
	show_received(pair[1], 10, 0);
	both("read");
	SHOW(shutdown(pair[1], SHUT_WR));
	both("the other too");
	close(pair[0]);
	say("closed: %x\n", events_of(pair[1]));
	close(pair[1]);
}

static void all(const char *name, int type)
{
	say("== %s\n", name);
	for (int how = SHUT_RD; how <= SHUT_RDWR; how++)
		half(type, how);
}

int main(void)
{
	all("stream", SOCK_STREAM);
	all("datagram", SOCK_DGRAM);
	all("packets", SOCK_SEQPACKET);
	section("errors");
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(shutdown(fd, SHUT_RD));
	SHOW(shutdown(fd, 3));
	SHOW(shutdown(fd, -1));
	SHOW(shutdown(0, SHUT_RD));
	SHOW(shutdown(-1, SHUT_RD));

	section("a listener");
	MUST(bind_to(fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), "@down"));
	MUST(listen(fd, 5));
	say("%x\n", events_of(fd));
	SHOW(shutdown(fd, SHUT_RD));
	say("%x\n", events_of(fd));
	SHOW(accept(fd, NULL, NULL));
	SHOW(connect_to(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), "@down"));

	section("somebody waits");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid_t pid = fork_child();
	if (!pid) {
		char byte;
		// What it got is its status: a line of its own would race with the parent's.
		_exit(recv(pair[1], &byte, 1, 0) == 0 ? 7 : 1);
	}
	nap_ms(30);
	SHOW(shutdown(pair[0], SHUT_WR));
	reap("reader", pid);
	return 0;
}
