/* Datagram sockets: names of senders, sizes, connecting and no longer. */
#include "unix.h"

static void show_from(int fd, size_t room, int flags)
{
	char bytes[64];
	struct sockaddr_un from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(fd, bytes, room, flags | MSG_DONTWAIT, (struct sockaddr *)&from, &size);
	if (n < 0) {
		say("recvfrom: %s\n", error_name(errno));
		return;
	}
	say("recvfrom: %zd\n", n);
	show_bytes("bytes", bytes, (size_t)n < room ? (size_t)n : room);
	show_address("from", &from, size);
}

int main(void)
{
	int server = MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), client = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SHOW(send(client, "x", 1, 0));
	SHOW(send_to(client, "box", "x"));
	SHOW(bind_to(server, "box"));
	SHOW(listen(server, 1));
	SHOW(accept(server, NULL, NULL));
	SHOW(send_to(client, "box", "from nobody"));
	SHOW(bind_to(client, "@client"));
	SHOW(send_to(client, "box", "with a name"));
	SHOW(send_to(client, "box", ""));
	show_from(server, 4, MSG_PEEK);
	show_from(server, 4, MSG_PEEK | MSG_TRUNC);
	show_from(server, 64, 0);
	show_from(server, 4, 0);
	show_from(server, 64, 0);
	show_from(server, 64, 0);

	section("connected");
	SHOW(connect_to(client, "box"));
	SHOW(send(client, "plain", 5, 0));
	SHOW(send_to(client, "box", "with address"));
	show_name(client, true);
	show_received(server, 64, 0);
	show_received(server, 64, 0);
	int other = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	SHOW(connect_to(server, "@client"));
	SHOW(send_to(other, "box", "from a stranger"));
	SHOW(send(server, "back", 4, 0));
	show_from(client, 64, 0);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	SHOW(connect(server, &none, sizeof none));
	SHOW(send_to(other, "box", "from a stranger"));
	SHOW(send(server, "x", 1, 0));
	SHOW(connect_to(other, "@nobody"));

	section("how many");
	fcntl(other, F_SETFL, O_NONBLOCK);
	int count = 0;
	while (send_to(other, "box", "x") > 0)
		count++;
	SHOW(errno == EAGAIN);
	SHOW(count);
	say("%x\n", events_of(server));
	SHOW(connect_to(other, "box"));
	say("%x\n", events_of(other) & POLLOUT);
	show_received(server, 64, 0);
	say("%x\n", events_of(other) & POLLOUT);

	section("gone");
	close(server);
	SHOW(send(client, "x", 1, 0));
	SHOW(send(client, "x", 1, 0));
	SHOW(send_to(client, "box", "x"));
	int wrong = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(connect_to(wrong, "@client"));
	SHOW(connect_to(client, "@client"));
	SHOW(send(client, "to myself", 9, 0));
	show_from(client, 64, 0);
	static char big[300000];
	SHOW(send(client, big, sizeof big, 0));
	return 0;
}
