/* Sequenced packets: connected, and each message whole. */
#include "unix.h"

int main(void)
{
	int pair[2];
	SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	SHOW(send(pair[0], "one", 3, 0));
	SHOW(send(pair[0], "two two", 7, 0));
	SHOW(send(pair[0], "", 0, 0));
	SHOW(send(pair[0], "three", 5, MSG_EOR));
	show_received(pair[1], 64, 0);
	show_received(pair[1], 3, 0);
	show_received(pair[1], 64, 0);
	show_message(pair[1], 100, 0, NULL);
	show_received(pair[1], 64, 0);
	SHOW(write(pair[0], "by write", 8));
	char bytes[16];
	SHOW(read(pair[1], bytes, 2));
	SHOW(recv(pair[1], bytes, 2, MSG_DONTWAIT));

	section("by name");
	int listener = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0)), client = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	SHOW(bind_to(listener, "@seq"));
	SHOW(send_to(client, "@seq", "x"));
	SHOW(send(client, "x", 1, 0));
	SHOW(listen(listener, 5));
	SHOW(connect_to(client, "@seq"));
	int server = MUST(accept(listener, NULL, NULL));
	SHOW(send_to(client, "@seq", "with an address"));
	show_received(server, 64, 0);
	SHOW(send(server, "last", 4, 0));
	close(server);
	show_received(client, 64, 0);
	show_received(client, 64, 0);
	signal(SIGPIPE, SIG_IGN);
	SHOW(send(client, "x", 1, 0));
	int stream = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(connect_to(stream, "@seq"));
	static char big[300000];
	SHOW(send(pair[0], big, sizeof big, MSG_DONTWAIT));
	SHOW(send(pair[0], big, 100000, MSG_DONTWAIT));
	return 0;
}
