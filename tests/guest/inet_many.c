/* Many connections at once, a full backlog, self-connection, waiting in poll and in several processes. */
#include "inet.h"
#include <sys/epoll.h>

#define MANY 300

static void many(void)
{
	static int clients[MANY], servers[MANY];
	struct epoll_event event;
	int listener = listener4(MANY), port = port_of(listener), epoll = MUST(epoll_create1(0)), sum = 0;

	section("many");
	for (int i = 0; i < MANY; i++) {
		clients[i] = MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(CONNECT4(clients[i], "127.0.0.1", port));
		servers[i] = MUST(accept(listener, NULL, NULL));
		event = (struct epoll_event){.events = EPOLLIN, .data.u32 = i};
		MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, servers[i], &event));
	}
	for (int i = 0; i < MANY; i++)
		MUST(send(clients[i], &i, sizeof i, 0));
	for (int i = 0; i < MANY; i++) {
		int value = -1;
		MUST(epoll_wait(epoll, &event, 1, 5000));
		MUST(recv(servers[event.data.u32], &value, sizeof value, 0));
		sum += value == (int)event.data.u32;
	}
	say("%d of %d\n", sum, MANY);
	for (int i = 0; i < MANY; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	close(listener);
	close(epoll);
}

static void short_lived(void)
{
	int listener = listener4(16), port = port_of(listener), served = 0;

	section("one after the other, from two processes");
	pid_t child = MUST(fork());
	if (!child) {
		for (int i = 0; i < MANY; i++) {
			char byte;
			int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
			MUST(CONNECT4(fd, "127.0.0.1", port));
			MUST(send(fd, "q", 1, 0));
			MUST(recv(fd, &byte, 1, 0));
			close(fd);
		}
		_exit(0);
	}
	while (served < MANY) {
		char byte;
		int fd = MUST(accept(listener, NULL, NULL));
		MUST(recv(fd, &byte, 1, 0));
		MUST(send(fd, "a", 1, 0));
		close(fd);
		served++;
	}
	int status;
	MUST(waitpid(child, &status, 0));
	say("%d served, %d\n", served, status);
	close(listener);
}

static void self(void)
{
	char bytes[8];
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));

	section("to itself");
	MUST(BIND4(fd, "127.0.0.1", 0));
	SHOW(CONNECT4(fd, "127.0.0.1", port_of(fd)));
	SHOW(send(fd, "echo", 4, 0));
	SHOW(recv(fd, bytes, sizeof bytes, 0));
	SHOW(shutdown(fd, SHUT_WR));
	SHOW(recv(fd, bytes, sizeof bytes, 0));
	close(fd);
}

static void disconnected(void)
{
	int listener = listener4(2), port = port_of(listener);
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	section("taken apart and used again");
	MUST(CONNECT4(fd, "127.0.0.1", port));
	SHOW(connect(fd, &none, sizeof none));
	show_names(fd);
	SHOW(CONNECT4(fd, "127.0.0.1", port));
	SHOW(send(fd, "again", 5, 0));
	close(fd);
	close(listener);
}

int main(void)
{
	many();
	short_lived();
	self();
	disconnected();
	return 0;
}
