/* TCP: the ways in which a connection ends, as both sides see it. */
#include "inet.h"

static void half_close(void)
{
	int ends[2];
	char bytes[16];

	section("shutdown of one direction");
	connection4(ends);
	MUST(send(ends[0], "last", 4, 0));
	SHOW(shutdown(ends[0], SHUT_WR));
	SHOW(send(ends[0], "x", 1, MSG_NOSIGNAL));
	show_poll("reader", ends[1]);
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW(send(ends[1], "answer", 6, 0));
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	SHOW(shutdown(ends[1], SHUT_WR));
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	show_poll("first", ends[0]);
	show_poll("second", ends[1]);
	SHOW(shutdown(ends[0], 3));
	close(ends[0]);
	close(ends[1]);
}

static void reset_by_unread(void)
{
	int ends[2];
	char bytes[16];

	section("closed with bytes unread: reset");
	connection4(ends);
	MUST(send(ends[0], "unread", 6, 0));
	close(ends[1]);
	show_poll("other", ends[0]);
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	SHOW(send(ends[0], "x", 1, MSG_NOSIGNAL));
	close(ends[0]);
}

static void reset_by_linger(void)
{
	int ends[2];
	char bytes[16];
	struct linger now = {.l_onoff = 1};

	section("closed with linger 0: reset");
	connection4(ends);
	MUST(send(ends[1], "data", 4, 0));
	MUST(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now));
	close(ends[1]);
	SHOW(option_of(ends[0], SOL_SOCKET, SO_ERROR));
	SHOW(option_of(ends[0], SOL_SOCKET, SO_ERROR));
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	close(ends[0]);
}

static void write_after_close(void)
{
	int ends[2];
	char bytes[16];

	section("writing to who has closed");
	connection4(ends);
	close(ends[1]);
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	SHOW(send(ends[0], "one", 3, MSG_NOSIGNAL));
	usleep(10000);
	SHOW(send(ends[0], "two", 3, MSG_NOSIGNAL));
	SHOW(send(ends[0], "three", 5, MSG_NOSIGNAL));
	SHOW(recv(ends[0], bytes, sizeof bytes, 0));
	show_poll("after", ends[0]);
	close(ends[0]);
}

static void broken_pipe(void)
{
	int ends[2];

	section("SIGPIPE");
	connection4(ends);
	pid_t child = MUST(fork());
	if (!child) {
		shutdown(ends[0], SHUT_WR);
		send(ends[0], "x", 1, 0);
		_exit(1);
	}
	int status;
	MUST(waitpid(child, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	close(ends[0]);
	close(ends[1]);
}

static void again_on_the_port(void)
{
	section("the port after the server closed first");
	int listener = listener4(1), port = port_of(listener);
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(CONNECT4(fd, "127.0.0.1", port));
	int other = MUST(accept(listener, NULL, NULL));
	close(other);
	char byte;
	MUST(recv(fd, &byte, 1, 0));
	close(fd);
	close(listener);
	int again = MUST(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(BIND4(again, "127.0.0.1", port));
	MUST(option_set(again, SOL_SOCKET, SO_REUSEADDR, 1));
	SHOW(BIND4(again, "127.0.0.1", port));
	SHOW(listen(again, 1));
}

int main(void)
{
	half_close();
	reset_by_unread();
	reset_by_linger();
	write_after_close();
	broken_pipe();
	again_on_the_port();
	return 0;
}
