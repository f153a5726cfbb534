/* SOCK_SEQPACKET and SOCK_DGRAM: MSG_TRUNC, MSG_PEEK, SO_PEEK_OFF, shut down in every order. */
#include "unix.h"

static void one(int fd, size_t room, int flags, const char *what)
{
	char bytes[64] = "";
	struct iovec piece = {bytes, room};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	ssize_t n = recvmsg(fd, &message, flags | MSG_DONTWAIT);
	if (n < 0)
		say("%s: %s\n", what, error_name(errno));
	else
		say("%s: %zd, \"%s\", flags %x\n", what, n, bytes, message.msg_flags);
}

static void packets(int type)
{
	int pair[2];
	MUST(socketpair(AF_UNIX, type, 0, pair));
	MUST(send(pair[0], "0123456789", 10, 0));
	MUST(send(pair[0], "", 0, 0));
	MUST(send(pair[0], "abc", 3, MSG_EOR));
	one(pair[1], 4, MSG_PEEK, "peek of 4");
	one(pair[1], 4, MSG_PEEK | MSG_TRUNC, "peek of 4, real size");
	one(pair[1], 0, MSG_PEEK | MSG_TRUNC, "peek of nothing");
	one(pair[1], 4, 0, "4 of 10");
	one(pair[1], 40, MSG_PEEK, "peek of an empty one");
	one(pair[1], 40, 0, "an empty one");
	one(pair[1], 2, MSG_TRUNC, "2 of 3, real size");
	one(pair[1], 40, 0, "none");
	int off = 2, got = -2;
	socklen_t size = sizeof got;
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof off));
	MUST(send(pair[0], "0123456789", 10, 0));
	MUST(send(pair[0], "abcdef", 6, 0));
	one(pair[1], 3, MSG_PEEK, "from 2");
	MUST(getsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &got, &size));
	SHOW(got);
	one(pair[1], 40, 0, "read");
	one(pair[1], 40, 0, "read");
	close(pair[0]);
	one(pair[1], 40, 0, "peer gone");
	SHOW(send(pair[1], "x", 1, MSG_NOSIGNAL));
	close(pair[1]);
}

static void shut(int type, int first, int second)
{
	int pair[2];
	MUST(socketpair(AF_UNIX, type, 0, pair));
	MUST(send(pair[0], "before", 6, 0));
	say("shutdown(%d), then %d\n", first, second);
	MUST(shutdown(pair[0], first));
	SHOW(send(pair[0], "a", 1, MSG_NOSIGNAL));
	SHOW(send(pair[1], "b", 1, MSG_NOSIGNAL));
	say("events %x and %x\n", events_of(pair[0]), events_of(pair[1]));
	one(pair[1], 40, 0, "the other");
	MUST(shutdown(pair[1], second));
	say("events %x and %x\n", events_of(pair[0]), events_of(pair[1]));
	one(pair[1], 40, 0, "the other");
	one(pair[0], 40, 0, "this one");
	SHOW(send(pair[0], "c", 1, MSG_NOSIGNAL));
	SHOW(send(pair[1], "d", 1, MSG_NOSIGNAL));
	SHOW(shutdown(pair[0], first));
	close(pair[0]);
	one(pair[1], 40, 0, "closed");
	SHOW(shutdown(pair[1], SHUT_RDWR));
	close(pair[1]);
}

int main(void)
{
	section("SOCK_SEQPACKET");
	packets(SOCK_SEQPACKET);
	section("SOCK_DGRAM");
	packets(SOCK_DGRAM);
	const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
	for (unsigned t = 0; t < COUNT(types); t++)
		for (int how = 0; how < 9; how++) {
			say("-- type %d\n", types[t]);
			shut(types[t], how / 3, how % 3);
		}
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(shutdown(fd, SHUT_RD));
	SHOW(shutdown(fd, 3));
	SHOW(shutdown(0, SHUT_RD));
	return 0;
}
