/* fcntl: which flags F_GETFL shows, which F_SETFL may change. */
#include "guest.h"
#include <sys/socket.h>

static void show_flags(const char *what, int fd)
{
	int flags = MUST(fcntl(fd, F_GETFL));
	say("%s: access %d%s%s%s%s%s\n", what, flags & O_ACCMODE, flags & O_APPEND ? " append" : "",
	    flags & O_NONBLOCK ? " nonblock" : "", flags & O_DIRECTORY ? " directory" : "",
	    flags & O_PATH ? " path" : "", flags & (O_CREAT | O_TRUNC | O_EXCL) ? " CREATION" : "");
}

int main(void)
{
	int ends[2], sockets[2];
	int fd = MUST(open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	show_flags("file", fd);
	show_flags("append", open("file", O_WRONLY | O_APPEND | O_NONBLOCK));
	show_flags("directory", open(".", O_RDONLY | O_DIRECTORY));
	show_flags("path", open("file", O_PATH));
	MUST(pipe2(ends, O_NONBLOCK));
	show_flags("pipe reader", ends[0]);
	show_flags("pipe writer", ends[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets));
	show_flags("socket", sockets[0]);

	section("F_SETFL");
	SHOW(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND | O_WRONLY | O_TRUNC));
	show_flags("file", fd);
	SHOW(fcntl(fd, F_SETFL, 0));
	show_flags("file", fd);

	section("F_GETFD");
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(fd, F_SETFD, 0));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(fd, F_SETFD, 0xfff));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(ends[0], F_GETFD));

	section("errors");
	SHOW(fcntl(fd, 12345, 0));
	SHOW(fcntl(-1, F_GETFL));
	SHOW(fcntl(99, F_GETFD));
	return 0;
}
