/* RLIMIT_NOFILE bounds the numbers of new descriptors, not those that are open. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/socket.h>

int main(void)
{
	int ends[2], first = lowest_fd();
	MUST(dup2(STDOUT_FILENO, 60));
	MUST(setrlimit(RLIMIT_NOFILE, &(struct rlimit){first + 3, first + 3}));
	SHOW(dup(STDOUT_FILENO) == first);
	SHOW(open("/", O_RDONLY) == first + 1);
	SHOW(pipe(ends));
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	CHECK(lowest_fd() == first + 2);
	SHOW(open("new", O_WRONLY | O_CREAT, 0644) == first + 2);
	SHOW(dup(STDOUT_FILENO));
	SHOW(open("/", O_RDONLY));
	SHOW(open("newer", O_WRONLY | O_CREAT, 0644));
	CHECK(exists("new") && !exists("newer"));
	SHOW(socket(AF_UNIX, SOCK_STREAM, 0));
	SHOW(fcntl(1, F_DUPFD, 0));
	SHOW(dup2(1, 60));
	SHOW(dup2(1, first + 1) == first + 1);
	SHOW(fcntl(60, F_GETFD));
	SHOW(close(60));
	return 0;
}
