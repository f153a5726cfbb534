/* UDP-Lite (udplite(7), RFC 3828): how much the checksum covers, who takes what is covered less, IPv6, errors. */
#include "inet.h"

#define SEND_CSCOV 10
#define RECV_CSCOV 11

static int one, two;

static void coverage_options(int fd, const char *what)
{
	static const int values[] = {0, 1, 8, 20, 70000, -1};

	section(what);
	SHOW(option_of(fd, IPPROTO_UDPLITE, SEND_CSCOV));
	SHOW(option_of(fd, IPPROTO_UDPLITE, RECV_CSCOV));
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		say("%d: ", values[i]);
		SHOW(option_set(fd, IPPROTO_UDPLITE, SEND_CSCOV, values[i]));
		SHOW(option_of(fd, IPPROTO_UDPLITE, SEND_CSCOV));
	}
	SHOW(option_set(fd, IPPROTO_UDP, RECV_CSCOV, 12));
	SHOW(option_of(fd, IPPROTO_UDP, RECV_CSCOV));
	SHOW(setsockopt(fd, IPPROTO_UDPLITE, SEND_CSCOV, &one, 2));
	SHOW(option_set(fd, IPPROTO_UDPLITE, 77, 1));
	SHOW(option_of(fd, IPPROTO_UDPLITE, 77));
}

static void try(int sent, int wanted)
{
	char bytes[32];

	if (sent >= 0)
		MUST(option_set(two, IPPROTO_UDPLITE, SEND_CSCOV, sent));
	if (wanted >= 0)
		MUST(option_set(one, IPPROTO_UDPLITE, RECV_CSCOV, wanted));
	MUST(send(two, "twelve bytes", 12, 0));
	ssize_t n = recv(one, bytes, sizeof bytes, MSG_DONTWAIT);
	say("covered %d, wanted %d: %zd\n", sent, wanted, n);
}

static void coverage(void)
{
	section("coverage");
	try(-1, -1);
	try(8, -1);
	try(8, 0);
	try(0, 0);
	try(8, 8);
	try(8, 12);
	try(12, 12);
	try(20, 12);
	try(20, 30);
	try(65535, 30);
	try(0, 65535);
}

static void not_udp(int lite)
{
	int udp = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	char bytes[32];

	section("a protocol of its own");
	MUST(BIND4(udp, "127.0.0.1", port_of(lite)));
	MUST(CONNECT4(udp, "127.0.0.1", port_of(lite)));
	SHOW(send(udp, "to itself", 9, 0));
	SHOW(recv(lite, bytes, sizeof bytes, MSG_DONTWAIT));
	SHOW(recv(udp, bytes, sizeof bytes, MSG_DONTWAIT));
	coverage_options(udp, "UDP has no coverage");
	close(udp);
}

static void refused(void)
{
	char byte;
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE)), port = port_of(two);

	section("nobody there");
	close(two);
	MUST(CONNECT4(fd, "127.0.0.1", port));
	SHOW(send(fd, "x", 1, 0));
	SHOW(recv(fd, &byte, 1, 0));
	SHOW(shutdown(fd, SHUT_WR));
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static void v6(void)
{
	int a = MUST(socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE)),
	    b = MUST(socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE));
	char bytes[32];

	section("IPv6");
	MUST(BIND6(a, "::1", 0));
	MUST(option_set(b, IPPROTO_UDPLITE, SEND_CSCOV, 10));
	MUST(CONNECT6(b, "::1", port_of(a)));
	SHOW(option_of(b, SOL_SOCKET, SO_PROTOCOL));
	SHOW(option_of(b, SOL_SOCKET, SO_TYPE));
	SHOW(send(b, "more", 4, MSG_MORE));
	SHOW(send(b, " and end", 8, 0));
	SHOW(recv(a, bytes, sizeof bytes, 0));
	MUST(option_set(a, IPPROTO_UDPLITE, RECV_CSCOV, 11));
	SHOW(send(b, "refused", 7, 0));
	SHOW(recv(a, bytes, sizeof bytes, MSG_DONTWAIT));
	close(a);
	close(b);
}

int main(void)
{
	section("socket");
	SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDPLITE));
	one = MUST(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE));
	two = MUST(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE));
	MUST(BIND4(one, "127.0.0.1", 0));
	MUST(CONNECT4(two, "127.0.0.1", port_of(one)));
	int options = MUST(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE));
	coverage_options(options, "coverage's options");
	close(options);
	coverage();
	not_udp(one);
	refused();
	v6();
	return 0;
}
