/* net.c - what the network costs: streams and round trips of one byte, over TCP.
 *
 *     net loop STREAMS MS            bytes a second over loopback, each stream between two processes
 *     net echo MS                    nanoseconds of a byte there and back over loopback, between two processes
 *     net serve PORT                 the other side of those below, until it is killed
 *     net in|out ADDRESS PORT MS     bytes a second from and to there
 *
 * All sockets use Reno, which every Linux has: the host may have set another algorithm, and two would be compared.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIECE (128 << 10)

static char bytes[PIECE];

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one))
		err(1, "socket");
	return fd;
}

static int listen_at(in_addr_t address, uint16_t port, struct sockaddr_in *out)
{
	int fd = new_socket();
	socklen_t size = sizeof *out;

	*out = (struct sockaddr_in){AF_INET, htons(port), {address}, {0}};
	if (bind(fd, (struct sockaddr *)out, sizeof *out) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)out, &size))
		err(1, "listen");
	return fd;
}

static int connect_to(const struct sockaddr_in *address)
{
	int fd = new_socket();

	if (connect(fd, (const struct sockaddr *)address, sizeof *address))
		err(1, "connect");
	return fd;
}

static void send_until(int fd, uint64_t end_ns)
{
	while (now_ns() < end_ns && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
		;
}

/* How many bytes came before the end of the stream or of the time. */
static uint64_t receive_until(int fd, uint64_t end_ns)
{
	uint64_t total = 0;
	ssize_t n;

	while (now_ns() < end_ns && (n = read(fd, bytes, sizeof bytes)) > 0)
		total += (uint64_t)n;
	return total;
}

/* Both ends of a connection, each in a process of its own: other(fd, ns) runs in a child. */
static int pair_with(void (*other)(int fd, uint64_t end_ns), uint64_t end_ns)
{
	struct sockaddr_in address;
	int listener = listen_at(htonl(INADDR_LOOPBACK), 0, &address);
	int near = connect_to(&address), far = accept(listener, NULL, NULL), one = 1;

	setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	close(listener);
	if (!fork()) {
		close(near);
		other(far, end_ns);
		_exit(0);
	}
	close(far);
	return near;
}

static void answer_until(int fd, uint64_t end_ns)
{
	char byte;

	(void)end_ns;
	while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
		;
}

static uint64_t echo(uint64_t ns)
{
	uint64_t start = now_ns(), rounds = 0, now;
	int fd = pair_with(answer_until, 0);
	char byte = 0;

	do {
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			err(1, "echo");
		rounds++;
		now = now_ns();
	} while (now - start < ns);
	return (now - start) / rounds;
}

static uint64_t loop(unsigned streams, uint64_t ns)
{
	uint64_t *totals =
		mmap(NULL, streams * sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t sum = 0, end_ns = now_ns() + ns;

	if (totals == MAP_FAILED)
		err(1, "mmap");
	for (unsigned i = 0; i < streams; i++) {
		int fd = pair_with(send_until, end_ns);
		if (!fork()) {
			totals[i] = receive_until(fd, end_ns);
			_exit(0);
		}
		close(fd);
	}
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < streams; i++)
		sum += totals[i];
	return sum * 1000 / (ns / 1000000);
}

/* The client's first byte says which way the others go. */
static void serve(uint16_t port)
{
	struct sockaddr_in address;
	int listener = listen_at(htonl(INADDR_ANY), port, &address), fd;
	char way;

	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (!fork()) {
			if (read(fd, &way, 1) == 1 && way == 'i')
				send_until(fd, UINT64_MAX);
			else
				receive_until(fd, UINT64_MAX);
			_exit(0);
		}
		close(fd);
	}
}

static uint64_t client(const char *way, const char *host, uint16_t port, uint64_t ns)
{
	struct sockaddr_in address = {AF_INET, htons(port), {inet_addr(host)}, {0}};
	int fd = connect_to(&address);
	uint64_t total = 0, end_ns = now_ns() + ns;
	ssize_t n;

	if (write(fd, way, 1) != 1)
		err(1, "write");
	if (*way == 'i')
		return receive_until(fd, end_ns) * 1000 / (ns / 1000000);
	while (now_ns() < end_ns && (n = write(fd, bytes, sizeof bytes)) > 0)
		total += (uint64_t)n;
	return total * 1000 / (ns / 1000000);
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";
	uint64_t ns = count > 2 ? strtoull(words[count - 1], NULL, 10) * 1000000 : 0, result;

	if (!strcmp(what, "serve") && count == 3) {
		serve((uint16_t)atoi(words[2]));
		return 1;
	}
	if (!strcmp(what, "loop") && count == 4)
		result = loop((unsigned)atoi(words[2]), ns);
	else if (!strcmp(what, "echo") && count == 3)
		result = echo(ns);
	else if ((!strcmp(what, "in") || !strcmp(what, "out")) && count == 5)
		result = client(what, words[2], (uint16_t)atoi(words[3]), ns);
	else
		errx(2, "see the head of net.c");
	printf("%llu\n", (unsigned long long)result);
	return 0;
}
