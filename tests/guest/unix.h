/* unix.h - what the cases about Unix domain sockets share. */
#ifndef GUEST_UNIX_H
#define GUEST_UNIX_H

#include "guest.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An address: a path, or an abstract name where text begins with '@'. */
static struct sockaddr_un name_of(const char *text, socklen_t *size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(text);
	memcpy(address.sun_path, text, length);
	*size = offsetof(struct sockaddr_un, sun_path) + length + (text[0] != '@');
	if (text[0] == '@')
		address.sun_path[0] = 0;
	return address;
}

__attribute__((unused)) static int bind_to(int fd, const char *text)
{
	socklen_t size;
	struct sockaddr_un address = name_of(text, &size);
	return bind(fd, (struct sockaddr *)&address, size);
}

__attribute__((unused)) static int connect_to(int fd, const char *text)
{
	socklen_t size;
	struct sockaddr_un address = name_of(text, &size);
	return connect(fd, (struct sockaddr *)&address, size);
}

__attribute__((unused)) static ssize_t send_to(int fd, const char *text, const char *data)
{
	socklen_t size;
	struct sockaddr_un address = name_of(text, &size);
	return sendto(fd, data, strlen(data), 0, (struct sockaddr *)&address, size);
}

__attribute__((unused)) static void show_address(const char *what, const struct sockaddr_un *address, socklen_t size)
{
	if (size <= sizeof address->sun_family)
		say("%s: no name, %u bytes\n", what, size);
	else
		show_bytes(what, address->sun_path, size - offsetof(struct sockaddr_un, sun_path));
}

__attribute__((unused)) static void show_name(int fd, bool peer)
{
	struct sockaddr_un address;
	socklen_t size = sizeof address;
	int error = peer ? getpeername(fd, (struct sockaddr *)&address, &size)
			 : getsockname(fd, (struct sockaddr *)&address, &size);
	if (error)
		say("%s: %s\n", peer ? "peer" : "name", error_name(errno));
	else
		show_address(peer ? "peer" : "name", &address, size);
}

__attribute__((unused)) static void show_received(int fd, size_t size, int flags)
{
	char bytes[4096];
	ssize_t n = recv(fd, bytes, size, flags | MSG_DONTWAIT);
	if (n < 0) {
		say("recv: %s\n", error_name(errno));
	} else {
		say("recv: %zd, ", n);
		show_bytes("bytes", bytes, (size_t)n < size ? (size_t)n : size);
	}
}

__attribute__((unused)) static int events_of(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
	MUST(poll(&poll_fd, 1, 0));
	return poll_fd.revents;
}

/* A message with control data; control may be NULL. */
__attribute__((unused)) static ssize_t send_control(int fd, const char *text, int type, const void *control,
						    size_t size)
{
	char buffer[4096] = {0};
	struct iovec part = {(void *)text, strlen(text)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (control) {
		message.msg_control = buffer;
		message.msg_controllen = CMSG_SPACE(size);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = type;
		header->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(header), control, size);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* What came with a message. Files that came are left in files, their number is returned. */
__attribute__((unused)) static int show_message(int fd, size_t room, int flags, int files[])
{
	char bytes[256], buffer[4096];
	int count = 0;
	struct iovec part = {bytes, sizeof bytes};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = buffer, .msg_controllen = room};
	ssize_t n = recvmsg(fd, &message, flags | MSG_DONTWAIT);
	if (n < 0) {
		say("recvmsg: %s\n", error_name(errno));
		return 0;
	}
	show_bytes("message", bytes, n);
	say("flags %x, control %zu\n", message.msg_flags, message.msg_controllen);
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_type == SCM_RIGHTS) {
			count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			say("%d files\n", count);
			if (files)
				memcpy(files, CMSG_DATA(header), count * sizeof(int));
			for (int i = 0; !files && i < count; i++)
				close(((int *)CMSG_DATA(header))[i]);
		} else if (header->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(header), sizeof who);
			say("pid %s, uid %d, gid %d\n",
			    who.pid == getpid()    ? "ours"
			    : who.pid == getppid() ? "the parent's"
			    : who.pid              ? "another"
						   : "0",
			    (int)who.uid, (int)who.gid);
		} else {
			say("control %d\n", header->cmsg_type);
		}
	}
	return count;
}

#endif
