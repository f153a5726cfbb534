/* O_APPEND: every write goes to the end, even pwrite (a known departure of Linux from POSIX). */
#include "guest.h"

int main(void)
{
	make_file("file", "base:");
	int fd = MUST(open("file", O_RDWR | O_APPEND)), other = MUST(open("file", O_WRONLY | O_APPEND));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(write(fd, "a", 1));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(write(other, "b", 1));
	SHOW(write(fd, "c", 1));
	show_file("file");
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(write(fd, "d", 1));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwrite(fd, "e", 1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	show_file("file");

	section("switched off and on");
	SHOW(fcntl(fd, F_SETFL, 0));
	SHOW(pwrite(fd, "B", 1, 0));
	SHOW(fcntl(fd, F_GETFL) & O_APPEND ? 1 : 0);
	SHOW(fcntl(fd, F_SETFL, O_APPEND));
	SHOW(write(fd, "f", 1));
	show_file("file");

	section("two processes");
	pid_t pid = fork_child();
	if (!pid) {
		for (int i = 0; i < 100; i++)
			MUST(write(other, "child", 5));
		_exit(0);
	}
	for (int i = 0; i < 100; i++)
		MUST(write(fd, "adult", 5));
	reap("child", pid);
	SHOW(lseek(fd, 0, SEEK_END));
	return 0;
}
