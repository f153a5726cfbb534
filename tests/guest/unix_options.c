/* Options that all sockets have, as Unix ones answer them. */
#include "unix.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>

static void show_option(int fd, const char *name, int option)
{
	int value = -77;
	socklen_t size = sizeof value;
	if (getsockopt(fd, SOL_SOCKET, option, &value, &size))
		say("%s: %s\n", name, error_name(errno));
	else
		say("%s: %d, %u bytes\n", name, value, size);
}

static void set_option(int fd, const char *name, int option, int value)
{
	int result = setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
	say("%s = %d: %s\n", name, value, result ? error_name(errno) : "0");
	show_option(fd, name, option);
}

#define GET(option)        show_option(fd, #option, option)
#define SET(option, value) set_option(fd, #option, option, value)

int main(void)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	GET(SO_TYPE);
	GET(SO_DOMAIN);
	GET(SO_PROTOCOL);
	GET(SO_ERROR);
	GET(SO_ACCEPTCONN);
	GET(SO_SNDBUF);
	GET(SO_RCVBUF);
	GET(SO_REUSEADDR);
	GET(SO_KEEPALIVE);
	GET(SO_BROADCAST);
	GET(SO_LINGER);
	GET(SO_PASSCRED);
	GET(SO_PRIORITY);
	GET(SO_RCVLOWAT);
	GET(SO_SNDLOWAT);
	GET(SO_OOBINLINE);
	GET(9999);
	SET(SO_SNDBUF, 10000);
	SET(SO_SNDBUF, 1);
	SET(SO_RCVBUF, 100000);
	SET(SO_RCVBUF, 0);
	SET(SO_SNDBUFFORCE, 1000000);
	GET(SO_SNDBUF);
	SET(SO_REUSEADDR, 7);
	SET(SO_KEEPALIVE, 1);
	SET(SO_BROADCAST, 1);
	SET(SO_TYPE, 1);
	SET(SO_RCVLOWAT, 100);
	SET(SO_PRIORITY, 3);
	SET(9999, 1);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, "x", 1));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, (void *)8, 4));
	SHOW(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, (void *)8, &(socklen_t){4}));
	SHOW(getsockopt(fd, 77, 1, &(int){0}, &(socklen_t){4}));
	SHOW(setsockopt(fd, 77, 1, &(int){0}, 4));
	unsigned char small = 0;
	socklen_t size = 1;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, &small, &size));
	say("%u bytes: %d\n", size, small);
	size = -1;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, &small, &size));
	struct linger linger = {1, 5};
	SHOW(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	SHOW(getsockopt(0, SOL_SOCKET, SO_TYPE, &small, &size));
	int n = -1;
	SHOW(ioctl(fd, SIOCINQ, &n));
	int pair[2];
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	MUST(send(pair[0], "abc", 3, 0));
	MUST(send(pair[0], "de", 2, 0));
	SHOW(ioctl(pair[1], SIOCINQ, &n));
	SHOW(n);
	return 0;
}
