/* MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, MSG_OOB, SO_PEEK_OFF, on each type. */
#include "unix.h"

static void timed(const char *name, int type)
{
	int pair[2];
	say("== %s\n", name);
	MUST(socketpair(AF_UNIX, type, 0, pair));
	show_received(pair[1], 10, 0);
	show_received(pair[1], 10, MSG_PEEK);
	MUST(send(pair[0], "abcdef", 6, 0));
	MUST(send(pair[0], "ghi", 3, 0));
	show_received(pair[1], 4, MSG_PEEK);
	show_received(pair[1], 20, MSG_PEEK);
	show_received(pair[1], 4, MSG_PEEK | MSG_TRUNC);
	show_received(pair[1], 4, MSG_TRUNC);
	show_received(pair[1], 4, 0);
	show_received(pair[1], 4, 0);
	MUST(send(pair[0], "xyz", 3, 0));
	int value = 1;
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &value, sizeof value));
	show_received(pair[1], 1, MSG_PEEK);
	show_received(pair[1], 1, MSG_PEEK);
	show_received(pair[1], 2, 0);
	socklen_t size = sizeof value;
	SHOW(getsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &value, &size));
	SHOW(value);
	value = -1;
	SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &value, sizeof value));
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	int pair[2];
	char bytes[16];
	timed("stream", SOCK_STREAM);
	timed("datagram", SOCK_DGRAM);
	timed("packets", SOCK_SEQPACKET);

	section("MSG_WAITALL");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid_t pid = fork_child();
	if (!pid) {
		for (int i = 0; i < 3; i++) {
			nap_ms(20);
			MUST(send(pair[0], "abc", 3, 0));
		}
		_exit(0);
	}
	SHOW(recv(pair[1], bytes, 7, MSG_WAITALL));
	show_bytes("bytes", bytes, 7);
	SHOW(recv(pair[1], bytes, 2, MSG_WAITALL));
	reap("sender", pid);
	MUST(send(pair[0], "end", 3, 0));
	close(pair[0]);
	SHOW(recv(pair[1], bytes, 7, MSG_WAITALL));
	SHOW(recv(pair[1], bytes, 7, MSG_WAITALL));

	section("nonsense");
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	SHOW(recv(pair[1], bytes, 1, MSG_OOB));
	SHOW(send(pair[0], bytes, 1, MSG_OOB));
	SHOW(recv(pair[1], (void *)8, 1, MSG_DONTWAIT));
	SHOW(send(pair[0], (void *)8, 1, MSG_DONTWAIT));
	SHOW(recv(0, bytes, 1, 0));
	SHOW(recv(-1, bytes, 1, 0));
	return 0;
}
