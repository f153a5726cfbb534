/* Which descriptors an executed program has: all but the close-on-exec ones. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int after_exec(void)
{
	for (int fd = 20; fd < 32; fd++)
		say("%d: %s\n", fd, fcntl(fd, F_GETFD) < 0 ? error_name(errno) : "open");
	char byte = 0;
	SHOW(read(20, &byte, 1));
	SHOW(byte);
	return 0;
}

int main(int argc, char **argv)
{
	int ends[2];
	if (argc > 1)
		return after_exec();
	make_file("file", "abc");
	dup2(MUST(open("file", O_RDONLY)), 20);
	dup3(20, 21, O_CLOEXEC);
	dup2(MUST(open("file", O_RDONLY | O_CLOEXEC)), 22); /* a copy does not inherit the flag */
	fcntl(20, F_DUPFD_CLOEXEC, 23);
	MUST(pipe2(ends, O_CLOEXEC));
	fcntl(ends[0], F_DUPFD, 24);
	fcntl(ends[1], F_DUPFD_CLOEXEC, 25);
	dup2(MUST(eventfd(0, 0)), 26);
	dup3(MUST(epoll_create1(0)), 27, O_CLOEXEC);
	dup2(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), 28);
	fcntl(28, F_SETFD, FD_CLOEXEC);
	dup2(20, 29);
	fcntl(29, F_SETFD, FD_CLOEXEC);
	fcntl(29, F_SETFD, 0);
	MUST(read(20, &(char){0}, 1));
	/* A failed exec must not close anything. */
	char *const args[] = {argv[0], "child", NULL};
	SHOW(execv("./absent", args));
	SHOW(fcntl(21, F_GETFD));
	execv(argv[0], args);
	return 1;
}
