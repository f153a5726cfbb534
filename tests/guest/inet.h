/* inet.h - what the cases about AF_INET and AF_INET6 share: loopback sockets without port numbers in the transcript. */
#ifndef INET_H
#define INET_H

#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static inline struct sockaddr_in end4(const char *address, int port)
{
	struct sockaddr_in end = {.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, address, &end.sin_addr);
	return end;
}

static inline struct sockaddr_in6 end6(const char *address, int port)
{
	struct sockaddr_in6 end = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	inet_pton(AF_INET6, address, &end.sin6_addr);
	return end;
}

#define BIND4(fd, address, port)                                                                                       \
	({                                                                                                             \
		struct sockaddr_in end_ = end4(address, port);                                                         \
		bind(fd, (struct sockaddr *)&end_, sizeof end_);                                                       \
	})
#define CONNECT4(fd, address, port)                                                                                    \
	({                                                                                                             \
		struct sockaddr_in end_ = end4(address, port);                                                         \
		connect(fd, (struct sockaddr *)&end_, sizeof end_);                                                    \
	})
#define BIND6(fd, address, port)                                                                                       \
	({                                                                                                             \
		struct sockaddr_in6 end_ = end6(address, port);                                                        \
		bind(fd, (struct sockaddr *)&end_, sizeof end_);                                                       \
	})
#define CONNECT6(fd, address, port)                                                                                    \
	({                                                                                                             \
		struct sockaddr_in6 end_ = end6(address, port);                                                        \
		connect(fd, (struct sockaddr *)&end_, sizeof end_);                                                    \
	})

/* The port a socket is bound to. */
static inline int port_of(int fd)
{
	struct sockaddr_storage end;
	socklen_t size = sizeof end;
	MUST(getsockname(fd, (struct sockaddr *)&end, &size));
	return ntohs(end.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&end)->sin6_port
					       : ((struct sockaddr_in *)&end)->sin_port);
}

/* A listener on 127.0.0.1 with a port of the kernel's choice. */
static inline int listener4(int backlog)
{
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(BIND4(fd, "127.0.0.1", 0));
	MUST(listen(fd, backlog));
	return fd;
}

/* Both ends of a new connection. */
static inline void connection4(int ends[2])
{
	int listener = listener4(1);
	ends[0] = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(CONNECT4(ends[0], "127.0.0.1", port_of(listener)));
	ends[1] = MUST(accept(listener, NULL, NULL));
	close(listener);
}

static inline void show_end(const char *what, const struct sockaddr *end, socklen_t size)
{
	char text[INET6_ADDRSTRLEN] = "?";
	if (end->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)end)->sin_addr, text, sizeof text);
	else if (end->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)end)->sin6_addr, text, sizeof text);
	say("%s: family %d, %s, %u bytes\n", what, end->sa_family, text, size);
}

static inline void show_names(int fd)
{
	struct sockaddr_storage end;
	socklen_t size = sizeof end;
	if (getsockname(fd, (struct sockaddr *)&end, &size))
		say("getsockname: %s\n", error_name(errno));
	else
		show_end("name", (struct sockaddr *)&end, size);
	size = sizeof end;
	if (getpeername(fd, (struct sockaddr *)&end, &size))
		say("getpeername: %s\n", error_name(errno));
	else
		show_end("peer", (struct sockaddr *)&end, size);
}

static inline void show_poll(const char *what, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
	MUST(poll(&poll_fd, 1, 0));
	say("%s:%s%s%s%s%s%s%s\n", what, poll_fd.revents & POLLIN ? " IN" : "", poll_fd.revents & POLLOUT ? " OUT" : "",
	    poll_fd.revents & POLLPRI ? " PRI" : "", poll_fd.revents & POLLERR ? " ERR" : "",
	    poll_fd.revents & POLLHUP ? " HUP" : "", poll_fd.revents & POLLRDHUP ? " RDHUP" : "",
	    poll_fd.revents & POLLNVAL ? " NVAL" : "");
}

static inline int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof value;
	return getsockopt(fd, level, option, &value, &size) ? -errno : value;
}

static inline int option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

#endif
