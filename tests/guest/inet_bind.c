/* Who may have a port beside whom: SO_REUSEADDR, SO_REUSEPORT, wildcard addresses, both families. */
#include "inet.h"

static void pair(const char *what, int type, int option, int listens)
{
	int one = MUST(socket(AF_INET, type, 0)), two = MUST(socket(AF_INET, type, 0));

	if (option) {
		MUST(option_set(one, SOL_SOCKET, option, 1));
		MUST(option_set(two, SOL_SOCKET, option, 1));
	}
	MUST(BIND4(one, "127.0.0.1", 0));
	if (listens)
		MUST(listen(one, 1));
	int port = port_of(one);
	say("%s: same address %s", what, BIND4(two, "127.0.0.1", port) ? error_name(errno) : "shared");
	close(two);
	two = MUST(socket(AF_INET, type, 0));
	if (option)
		MUST(option_set(two, SOL_SOCKET, option, 1));
	say(", wildcard %s", BIND4(two, "0.0.0.0", port) ? error_name(errno) : "shared");
	close(two);
	two = MUST(socket(AF_INET, type, 0));
	say(", other address %s\n", BIND4(two, "127.0.0.2", port) ? error_name(errno) : "shared");
	close(two);
	close(one);
}

static void families(void)
{
	section("both families");
	for (int only = 0; only < 2; only++) {
		int six = MUST(socket(AF_INET6, SOCK_STREAM, 0)), four = MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(option_set(six, IPPROTO_IPV6, IPV6_V6ONLY, only));
		MUST(BIND6(six, "::", 0));
		MUST(listen(six, 1));
		say("v6only %d: 0.0.0.0 %s\n", only,
		    BIND4(four, "0.0.0.0", port_of(six)) ? error_name(errno) : "shared");
		SHOW(option_set(six, IPPROTO_IPV6, IPV6_V6ONLY, 0));
		close(four);
		close(six);
	}
	int six = MUST(socket(AF_INET6, SOCK_STREAM, 0)), four = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(BIND6(six, "::1", 0));
	SHOW(BIND4(four, "127.0.0.1", port_of(six)));
}

int main(void)
{
	pair("stream", SOCK_STREAM, 0, 0);
	pair("stream, reuse address", SOCK_STREAM, SO_REUSEADDR, 0);
	pair("stream, reuse address, listening", SOCK_STREAM, SO_REUSEADDR, 1);
	pair("stream, reuse port, listening", SOCK_STREAM, SO_REUSEPORT, 1);
	pair("datagram", SOCK_DGRAM, 0, 0);
	pair("datagram, reuse address", SOCK_DGRAM, SO_REUSEADDR, 0);
	pair("datagram, reuse port", SOCK_DGRAM, SO_REUSEPORT, 0);
	families();

	section("twice, and without bind");
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(BIND4(fd, "127.0.0.1", 0));
	SHOW(BIND4(fd, "127.0.0.1", 0));
	int free_listener = MUST(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(listen(free_listener, 1));
	CHECK(port_of(free_listener) != 0);
	show_names(free_listener);
	return 0;
}
