/* The ends of connections: resets, SIGPIPE, MSG_NOSIGNAL, readers and writers that wait. */
#include "unix.h"

static volatile sig_atomic_t signals;

static void note(int sig)
{
	(void)sig;
	signals++;
}

static int pair[2];
static char bytes[16], much[1 << 20];

static void rest(void)
{
	section("datagrams");
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	MUST(send(pair[1], "unread", 6, 0));
	close(pair[0]);
	say("%x\n", events_of(pair[1]));
	SHOW(recv(pair[1], bytes, sizeof bytes, MSG_DONTWAIT));
	SHOW(send(pair[1], "x", 1, 0));
	SHOW(send(pair[1], "x", 1, 0));
	SHOW(signals);

	section("throughput");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid_t pid = fork_child();
	if (!pid) {
		close(pair[1]);
		for (size_t i = 0; i < sizeof much; i++)
			much[i] = i % 253;
		SHOW(write(pair[0], much, sizeof much));
		_exit(0);
	}
	close(pair[0]);
	size_t sum = 0;
	bool right = true;
	for (ssize_t n; (n = read(pair[1], much, 33333)) > 0; sum += n)
		for (ssize_t i = 0; i < n; i++)
			right = right && (unsigned char)much[i] == (sum + i) % 253;
	reap("writer", pid);
	SHOW(sum);
	CHECK(right);
}

int main(void)
{
	handle(SIGPIPE, note, 0);
	section("with unread data");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(send(pair[1], "unread", 6, 0));
	MUST(send(pair[0], "last", 4, 0));
	close(pair[0]);
	say("%x\n", events_of(pair[1]));
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	SHOW(send(pair[1], "x", 1, 0));
	SHOW(signals);
	SHOW(send(pair[1], "x", 1, MSG_NOSIGNAL));
	SHOW(signals);
	SHOW(write(pair[1], "x", 1));
	SHOW(signals);
	close(pair[1]);

	section("without");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pair[0]);
	say("%x\n", events_of(pair[1]));
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	int error = -1;
	socklen_t size = sizeof error;
	SHOW(getsockopt(pair[1], SOL_SOCKET, SO_ERROR, &error, &size));
	SHOW(error);
	close(pair[1]);

	section("a writer waits");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid_t pid = fork_child();
	if (!pid) {
		close(pair[1]);
		ssize_t n = send(pair[0], much, sizeof much, MSG_NOSIGNAL);
		CHECK(n > 0 && n < (ssize_t)sizeof much);
		n = send(pair[0], much, 1, MSG_NOSIGNAL);
		CHECK(n < 0 && (errno == EPIPE || errno == ECONNRESET));
		_exit(0);
	}
	close(pair[0]);
	nap_ms(40);
	close(pair[1]);
	reap("writer", pid);

	rest();
	return 0;
}
