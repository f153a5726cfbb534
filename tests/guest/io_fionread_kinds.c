/* FIONREAD (and TIOCOUTQ) of every kind of descriptor. */
#include "guest.h"
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void ask(const char *what, int fd)
{
	int bytes = -77;
	if (ioctl(fd, FIONREAD, &bytes))
		say("%s: FIONREAD %s\n", what, error_name(errno));
	else
		say("%s: %d to be read\n", what, bytes);
}

static void ask_out(const char *what, int fd)
{
	int bytes = -77;
	if (ioctl(fd, TIOCOUTQ, &bytes))
		say("%s: TIOCOUTQ %s\n", what, error_name(errno));
	else
		say("%s: %d on their way\n", what, bytes);
}

static void both(const char *what, int fd)
{
	ask(what, fd);
	ask_out(what, fd);
}

static void sockets(int type, const char *what)
{
	int pair[2];
	char bytes[8];
	say("-- %s\n", what);
	MUST(socketpair(AF_UNIX, type, 0, pair));
	ask("fresh", pair[1]);
	MUST(send(pair[0], "hello", 5, 0));
	MUST(send(pair[0], "world!", 6, 0));
	ask("two", pair[1]);
	int waiting = 0;
	SHOW(ioctl(pair[0], SIOCOUTQ, &waiting));
	CHECK(waiting > 0);
	MUST(recv(pair[1], bytes, 2, MSG_PEEK));
	ask("peeked", pair[1]);
	MUST(recv(pair[1], bytes, 3, 0));
	ask("three read", pair[1]);
	close(pair[0]);
	ask("peer closed", pair[1]);
	close(pair[1]);
}

static void inet(void)
{
	struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int a = MUST(socket(AF_INET, SOCK_DGRAM, 0)), b = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(bind(a, (struct sockaddr *)&address, size));
	MUST(getsockname(a, (struct sockaddr *)&address, &size));
	MUST(sendto(b, "12345", 5, 0, (struct sockaddr *)&address, size));
	MUST(sendto(b, "678", 3, 0, (struct sockaddr *)&address, size));
	struct pollfd wait = {a, POLLIN, 0};
	MUST(poll(&wait, 1, 5000));
	ask("datagrams", a);
	MUST(recv(a, (char[1]){}, 1, 0));
	MUST(poll(&wait, 1, 5000));
	ask("the next", a);
	int server = MUST(socket(AF_INET, SOCK_STREAM, 0)), client = MUST(socket(AF_INET, SOCK_STREAM, 0));
	address.sin_port = 0;
	ask("unconnected", client);
	MUST(bind(server, (struct sockaddr *)&address, size));
	MUST(listen(server, 5));
	ask("listening", server);
	MUST(getsockname(server, (struct sockaddr *)&address, &size));
	MUST(connect(client, (struct sockaddr *)&address, size));
	int got = MUST(accept(server, NULL, NULL));
	MUST(send(client, "stream", 6, 0));
	wait.fd = got;
	MUST(poll(&wait, 1, 5000));
	both("stream", got);
	MUST(shutdown(client, SHUT_WR));
	MUST(recv(got, (char[6]){}, 6, MSG_WAITALL));
	ask("at its end", got);
}

int main(void)
{
	int ends[2];
	section("pipe");
	MUST(pipe(ends));
	ask("empty", ends[0]);
	MUST(write(ends[1], "12345", 5));
	both("reader", ends[0]);
	ask("writer", ends[1]);
	MUST(read(ends[0], (char[2]){}, 2));
	ask("reader", ends[0]);
	sockets(SOCK_STREAM, "stream");
	sockets(SOCK_DGRAM, "datagrams");
	sockets(SOCK_SEQPACKET, "packets");
	section("inet");
	inet();
	section("files");
	make_file("file", "some content");
	int fd = MUST(open("file", O_RDWR));
	both("at the start", fd);
	lseek(fd, 5, SEEK_SET);
	ask("at 5", fd);
	lseek(fd, 50, SEEK_SET);
	ask("behind the end", fd);
	both("directory", MUST(open(".", O_RDONLY)));
	ask("/dev/null", MUST(open("/dev/null", O_RDWR)));
	ask("/dev/zero", MUST(open("/dev/zero", O_RDWR)));
	ask("only a place", MUST(open("file", O_PATH)));
	section("anonymous");
	ask("eventfd", MUST(eventfd(5, 0)));
	ask("timerfd", MUST(timerfd_create(CLOCK_MONOTONIC, 0)));
	sigset_t set = set_of(SIGUSR1);
	ask("signalfd", MUST(signalfd(-1, &set, 0)));
	ask("inotify", MUST(inotify_init1(0)));
	ask("memfd", MUST(memfd_create("m", 0)));
	ask("closed", 99);
	SHOW(ioctl(ends[0], FIONREAD, (int *)8));
	return 0;
}
