/* TCP: bytes arrive whole and in order, whatever the sizes on both sides; waiting, peeking, urgent bytes. */
#include "inet.h"

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

static void write_bulk(int fd, size_t size, unsigned seed, unsigned sizes)
{
	static unsigned char bytes[200000];
	unsigned data = seed, random = sizes;

	for (size_t done = 0; done < size;) {
		size_t n = 1 + next_random(&random) % (random & 64 ? sizeof bytes : 300);
		if (n > size - done)
			n = size - done;
		for (size_t i = 0; i < n; i++)
			bytes[i] = next_random(&data);
		for (size_t sent = 0; sent < n;)
			sent += MUST(send(fd, bytes + sent, n - sent, 0));
		done += n;
	}
	shutdown(fd, SHUT_WR);
}

static size_t read_bulk(int fd, unsigned seed, unsigned sizes, bool *good)
{
	static unsigned char bytes[150000];
	unsigned data = seed, random = sizes;
	size_t done = 0;

	for (;;) {
		size_t n = 1 + next_random(&random) % (random & 64 ? sizeof bytes : 500);
		ssize_t got = MUST(recv(fd, bytes, n, 0));
		if (!got)
			return done;
		for (ssize_t i = 0; i < got; i++)
			*good &= bytes[i] == (unsigned char)next_random(&data);
		done += got;
	}
}

static void bulk(size_t size, int buffer)
{
	int ends[2];
	bool good = true;

	connection4(ends);
	if (buffer) {
		MUST(option_set(ends[0], SOL_SOCKET, SO_SNDBUF, buffer));
		MUST(option_set(ends[1], SOL_SOCKET, SO_RCVBUF, buffer));
	}
	pid_t child = MUST(fork());
	if (!child) {
		write_bulk(ends[0], size, 7, 11);
		_exit(read_bulk(ends[0], 9, 13, &good) == size && good ? 0 : 1);
	}
	size_t n = read_bulk(ends[1], 7, 17, &good);
	say("buffers %d: %zu bytes, %s\n", buffer, n, good ? "right" : "WRONG");
	write_bulk(ends[1], size, 9, 19);
	int status;
	MUST(waitpid(child, &status, 0));
	say("and back: %d\n", status);
	close(ends[0]);
	close(ends[1]);
}

static void receiving(void)
{
	int ends[2], pending;
	char bytes[32] = "";

	section("ways to receive");
	connection4(ends);
	SHOW(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT));
	struct timeval little = {0, 20000};
	MUST(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &little, sizeof little));
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	MUST(send(ends[0], "abc", 3, 0));
	MUST(send(ends[0], "def", 3, 0));
	SHOW(recv(ends[1], bytes, 6, MSG_WAITALL | MSG_PEEK));
	SHOW(ioctl(ends[1], FIONREAD, &pending));
	SHOW(pending);
	SHOW(recv(ends[1], bytes, 4, MSG_WAITALL));
	SHOW_TEXT(bytes);
	SHOW(recv(ends[1], bytes, sizeof bytes, MSG_WAITALL));
	SHOW(recv(ends[1], NULL, 0, MSG_DONTWAIT));
	MUST(send(ends[0], "discarded", 9, 0));
	SHOW(recv(ends[1], NULL, 5, MSG_TRUNC));
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW(recv(ends[1], (void *)8, 4, MSG_DONTWAIT));
	MUST(send(ends[0], "fault", 5, 0));
	SHOW(recv(ends[1], (void *)8, 4, 0));
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW(send(ends[0], (void *)8, 4, 0));
	SHOW(send(ends[0], "", 0, 0));
	close(ends[0]);
	close(ends[1]);
}

static void urgent(void)
{
	int ends[2];
	char bytes[16] = "";

	section("urgent bytes");
	connection4(ends);
	SHOW(recv(ends[1], bytes, 1, MSG_OOB));
	MUST(send(ends[0], "ab", 2, 0));
	SHOW(send(ends[0], "cU", 2, MSG_OOB));
	MUST(send(ends[0], "de", 2, 0));
	show_poll("receiver", ends[1]);
	memset(bytes, 0, sizeof bytes);
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW_TEXT(bytes);
	int mark;
	SHOW(ioctl(ends[1], SIOCATMARK, &mark));
	SHOW(mark);
	memset(bytes, 0, sizeof bytes);
	SHOW(recv(ends[1], bytes, 1, MSG_OOB));
	SHOW_TEXT(bytes);
	SHOW(recv(ends[1], bytes, 1, MSG_OOB));
	memset(bytes, 0, sizeof bytes);
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW_TEXT(bytes);

	MUST(option_set(ends[1], SOL_SOCKET, SO_OOBINLINE, 1));
	MUST(send(ends[0], "xyU", 3, MSG_OOB));
	MUST(send(ends[0], "z", 1, 0));
	memset(bytes, 0, sizeof bytes);
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW_TEXT(bytes);
	memset(bytes, 0, sizeof bytes);
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
	SHOW_TEXT(bytes);
	SHOW(recv(ends[1], bytes, 1, MSG_OOB));
}

static void full(void)
{
	int ends[2];
	static char bytes[1 << 16];
	ssize_t n, total = 0;

	section("a reader that does not read");
	connection4(ends);
	MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	while ((n = send(ends[0], bytes, sizeof bytes, 0)) > 0)
		total += n;
	say("then: %s\n", error_name(errno));
	CHECK(total > 100000);
	show_poll("full", ends[0]);
	for (ssize_t left = total; left > 0; left -= n)
		n = MUST(recv(ends[1], bytes, sizeof bytes, 0));
	struct pollfd poll_fd = {.fd = ends[0], .events = POLLOUT};
	SHOW(poll(&poll_fd, 1, 5000));
	SHOW(send(ends[0], "more", 4, 0));
	SHOW(recv(ends[1], bytes, sizeof bytes, 0));
}

int main(void)
{
	section("bulk");
	bulk(24 << 20, 0);
	bulk(100000, 5000);
	receiving();
	urgent();
	full();
	return 0;
}
