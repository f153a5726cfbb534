/* TCP: how connect, listen and accept begin a connection, and how they refuse. */
#include "inet.h"

static void refused(void)
{
	section("nobody listens");
	int closed = listener4(1), port = port_of(closed);
	close(closed);
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	show_poll("after", fd);
	SHOW(option_of(fd, SOL_SOCKET, SO_ERROR));
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	SHOW(recv(fd, &(char){0}, 1, 0));
	close(fd);

	section("nobody listens, and the caller does not wait");
	fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	show_names(fd);
	show_poll("after", fd);
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	SHOW(option_of(fd, SOL_SOCKET, SO_ERROR));
	SHOW(option_of(fd, SOL_SOCKET, SO_ERROR));
	close(fd);

	section("somebody listens, and the caller does not wait");
	int listener = listener4(1);
	fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	SHOW(CONNECT4(fd, "127.0.0.1", port_of(listener)));
	show_poll("after", fd);
	SHOW(CONNECT4(fd, "127.0.0.1", port_of(listener)));
	SHOW(CONNECT4(fd, "127.0.0.1", port_of(listener)));
	SHOW(option_of(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
	close(listener);
}

static void states(void)
{
	char bytes[8];
	int listener = listener4(2), port = port_of(listener);
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));

	section("a new socket");
	show_names(fd);
	show_poll("new", fd);
	SHOW(recv(fd, bytes, sizeof bytes, 0));
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	SHOW(shutdown(fd, SHUT_WR));
	SHOW(accept(fd, NULL, NULL));

	section("a listener");
	show_names(listener);
	show_poll("idle", listener);
	SHOW(option_of(listener, SOL_SOCKET, SO_ACCEPTCONN));
	SHOW(CONNECT4(listener, "127.0.0.1", port));
	SHOW(recv(listener, bytes, sizeof bytes, 0));
	SHOW(send(listener, "x", 1, MSG_NOSIGNAL));
	SHOW(listen(listener, 5));
	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	SHOW(accept(listener, NULL, NULL));

	section("connected");
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	show_poll("listener", listener);
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	SHOW(listen(fd, 1));
	SHOW(BIND4(fd, "127.0.0.1", 0));
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	int other = MUST(accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC));
	show_end("accepted", (struct sockaddr *)&peer, size);
	CHECK(ntohs(((struct sockaddr_in *)&peer)->sin_port) == port_of(fd));
	CHECK(port_of(other) == port);
	SHOW(fcntl(other, F_GETFD));
	SHOW(fcntl(other, F_GETFL) == O_RDWR);
	show_names(fd);
	show_names(other);
	show_poll("connected", fd);
	close(other);
	close(fd);

	section("the listener closes on who waits");
	fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(CONNECT4(fd, "127.0.0.1", port));
	close(listener);
	SHOW(recv(fd, bytes, sizeof bytes, 0));
	close(fd);
}

static void addresses(void)
{
	struct sockaddr_in end = end4("127.0.0.1", 9);
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));

	section("bad addresses");
	SHOW(connect(fd, (struct sockaddr *)&end, 4));
	end.sin_family = AF_INET6;
	SHOW(connect(fd, (struct sockaddr *)&end, sizeof end));
	end.sin_family = 77;
	SHOW(connect(fd, (struct sockaddr *)&end, sizeof end));
	SHOW(bind(fd, (struct sockaddr *)&end, sizeof end));
	SHOW(BIND4(fd, "8.8.8.8", 0));
	SHOW(socket(AF_INET, SOCK_SEQPACKET, 0));
	SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	SHOW(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}));

	section("anywhere in 127.0.0.0/8, and 0.0.0.0, lead here");
	int listener = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(BIND4(listener, "0.0.0.0", 0));
	MUST(listen(listener, 4));
	SHOW(CONNECT4(fd, "127.3.2.1", port_of(listener)));
	show_names(fd);
	close(fd);
	fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(CONNECT4(fd, "0.0.0.0", port_of(listener)));
	show_names(fd);
}

int main(void)
{
	refused();
	states();
	addresses();
	return 0;
}
