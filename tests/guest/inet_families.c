/* IPv6, and IPv4 through IPv6 sockets. */
#include "inet.h"

static void stream(const char *bound, const char *connected, bool four)
{
	int listener = MUST(socket(AF_INET6, SOCK_STREAM, 0));
	MUST(BIND6(listener, bound, 0));
	MUST(listen(listener, 1));
	int port = port_of(listener), fd = MUST(socket(four ? AF_INET : AF_INET6, SOCK_STREAM, 0));

	say("%s, connect to %s: %s\n", bound, connected,
	    (four ? CONNECT4(fd, connected, port) : CONNECT6(fd, connected, port)) ? error_name(errno) : "connected");
	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	int other = accept(listener, NULL, NULL);
	show_names(fd);
	if (other >= 0) {
		show_names(other);
		SHOW(send(other, "x", 1, 0));
		SHOW(recv(fd, &(char){0}, 1, 0));
		close(other);
	}
	close(fd);
	close(listener);
}

static void datagrams(void)
{
	char bytes[16];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	int six = MUST(socket(AF_INET6, SOCK_DGRAM, 0)), four = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("datagrams between the families");
	MUST(BIND6(six, "::", 0));
	struct sockaddr_in to = end4("127.0.0.1", port_of(six));
	SHOW(sendto(four, "from four", 9, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recvfrom(six, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size));
	show_end("from", (struct sockaddr *)&from, size);
	SHOW(sendto(six, "back", 4, 0, (struct sockaddr *)&from, size));
	SHOW(recv(four, bytes, sizeof bytes, 0));
	struct sockaddr_in6 self = end6("::1", port_of(six));
	SHOW(sendto(six, "self", 4, 0, (struct sockaddr *)&self, sizeof self));
	size = sizeof from;
	SHOW(recvfrom(six, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size));
	show_end("from", (struct sockaddr *)&from, size);
	SHOW(sendto(six, "x", 1, 0, (struct sockaddr *)&self, 20));
}

int main(void)
{
	section("streams");
	stream("::1", "::1", false);
	stream("::", "::1", false);
	stream("::", "127.0.0.1", true);
	stream("::", "::ffff:127.0.0.1", false);
	stream("::ffff:127.0.0.1", "127.0.0.1", true);
	stream("::1", "127.0.0.1", true);
	stream("::", "::", false);
	datagrams();
	return 0;
}
