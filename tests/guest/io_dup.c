/* dup, dup2, dup3, F_DUPFD: the numbers, and what two descriptors of one open file share. */
#include "guest.h"
#include <sys/resource.h>

int main(void)
{
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	int copy = dup(fd);
	CHECK(copy == fd + 1);
	MUST(write(fd, "abc", 3));
	SHOW(lseek(copy, 0, SEEK_CUR));
	SHOW(fcntl(fd, F_SETFL, O_APPEND));
	SHOW(fcntl(copy, F_GETFL) & O_APPEND ? 1 : 0);
	SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
	SHOW(fcntl(copy, F_GETFD));

	section("dup2");
	SHOW(dup2(fd, 50));
	SHOW(dup2(fd, 50));
	SHOW(fcntl(50, F_GETFD));
	SHOW(dup2(fd, fd) == fd);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(dup2(49, 50));
	SHOW(lseek(50, 0, SEEK_CUR));
	SHOW(dup2(49, 49));
	SHOW(dup2(fd, -1));
	SHOW(dup2(fd, 1 << 30));

	section("dup3");
	SHOW(dup3(fd, 51, O_CLOEXEC));
	SHOW(fcntl(51, F_GETFD));
	SHOW(dup3(fd, fd, 0));
	SHOW(dup3(fd, 51, O_APPEND));
	SHOW(dup3(49, 51, 0));

	section("F_DUPFD");
	SHOW(fcntl(fd, F_DUPFD, 51));
	SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 51));
	SHOW(fcntl(53, F_GETFD));
	SHOW(fcntl(fd, F_DUPFD, -1));
	struct rlimit limit;
	MUST(getrlimit(RLIMIT_NOFILE, &limit));
	SHOW(fcntl(fd, F_DUPFD, limit.rlim_cur));
	SHOW(dup2(fd, limit.rlim_cur));

	section("the lowest number is taken first");
	close(fd);
	SHOW(dup(51) == fd);
	SHOW(dup(-1));
	return 0;
}
