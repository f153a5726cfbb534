/* UDP: sendto and recvfrom, connected sockets, what is cut off, errors that come back. */
#include "inet.h"

static void sizes(int one, int two, const struct sockaddr_in *to)
{
	char bytes[64];

	section("sizes");
	SHOW(sendto(two, "", 0, 0, (const struct sockaddr *)to, sizeof *to));
	SHOW(recv(one, bytes, sizeof bytes, 0));
	MUST(sendto(two, "0123456789", 10, 0, (const struct sockaddr *)to, sizeof *to));
	int pending;
	SHOW(ioctl(one, FIONREAD, &pending));
	SHOW(pending);
	SHOW(recv(one, bytes, 4, MSG_PEEK));
	SHOW(recv(one, bytes, 4, MSG_PEEK | MSG_TRUNC));
	struct iovec part = {bytes, 4};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	SHOW(recvmsg(one, &message, 0));
	SHOW(message.msg_flags == MSG_TRUNC);
	SHOW(recv(one, bytes, 4, MSG_DONTWAIT));
	static char big[70000];
	SHOW(sendto(two, big, 65507, 0, (const struct sockaddr *)to, sizeof *to));
	SHOW(recv(one, big, sizeof big, 0));
	SHOW(sendto(two, big, 65508, 0, (const struct sockaddr *)to, sizeof *to));
}

int main(void)
{
	char bytes[64];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	int one = MUST(socket(AF_INET, SOCK_DGRAM, 0)), two = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(BIND4(one, "127.0.0.1", 0));
	struct sockaddr_in to = end4("127.0.0.1", port_of(one));

	section("there");
	SHOW(send(two, "x", 1, 0));
	SHOW(sendto(two, "hello", 5, 0, (struct sockaddr *)&to, sizeof to));
	show_names(two);
	show_poll("receiver", one);
	SHOW(recvfrom(one, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size));
	show_end("from", (struct sockaddr *)&from, size);
	CHECK(((struct sockaddr_in *)&from)->sin_port == htons(port_of(two)));
	SHOW(recv(one, bytes, sizeof bytes, MSG_DONTWAIT));

	sizes(one, two, &to);
	section("connected");
	SHOW(connect(two, (struct sockaddr *)&to, sizeof to));
	show_names(two);
	SHOW(send(two, "direct", 6, 0));
	SHOW(recv(one, bytes, sizeof bytes, 0));
	int third = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to_two = end4("127.0.0.1", port_of(two));
	SHOW(sendto(third, "stranger", 8, 0, (struct sockaddr *)&to_two, sizeof to_two));
	SHOW(recv(two, bytes, sizeof bytes, MSG_DONTWAIT));
	SHOW(sendto(one, "friend", 6, 0, (struct sockaddr *)&to_two, sizeof to_two));
	SHOW(recv(two, bytes, sizeof bytes, 0));
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	SHOW(connect(two, &none, sizeof none));
	SHOW(send(two, "x", 1, 0));

	section("nobody there");
	int gone = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(BIND4(gone, "127.0.0.1", 0));
	to = end4("127.0.0.1", port_of(gone));
	close(gone);
	SHOW(sendto(two, "x", 1, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(two, bytes, sizeof bytes, MSG_DONTWAIT));
	MUST(connect(two, (struct sockaddr *)&to, sizeof to));
	SHOW(send(two, "x", 1, 0));
	show_poll("after", two);
	SHOW(recv(two, bytes, sizeof bytes, 0));
	SHOW(send(two, "x", 1, 0));
	SHOW(send(two, "x", 1, 0));
	SHOW(option_of(two, SOL_SOCKET, SO_ERROR));

	section("calls that are not for datagrams");
	SHOW(listen(one, 1));
	SHOW(accept(one, NULL, NULL));
	SHOW(send(two, "x", 1, MSG_OOB));
	SHOW(shutdown(one, SHUT_RD));
	struct sockaddr_in broadcast = end4("255.255.255.255", 9);
	SHOW(sendto(one, "x", 1, 0, (struct sockaddr *)&broadcast, sizeof broadcast));
	to = end4("127.0.0.1", 0);
	SHOW(sendto(one, "x", 1, 0, (struct sockaddr *)&to, sizeof to));
	return 0;
}
