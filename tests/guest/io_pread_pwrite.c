/* pread and pwrite leave the file's position alone; what has no position refuses them. */
#include "guest.h"
#include <sys/socket.h>

int main(void)
{
	char buffer[16] = "";
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644)), ends[2];
	SHOW(pwrite(fd, "0123456789", 10, 5));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pread(fd, buffer, 4, 8));
	SHOW_TEXT(buffer);
	SHOW(pread(fd, buffer, 16, 12));
	SHOW(pread(fd, buffer, 16, 15));
	SHOW(pread(fd, buffer, 16, 1000));
	SHOW(pread(fd, buffer, 5, 0));
	show_bytes("the hole", buffer, 5);
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pread(fd, buffer, 1, -1));
	SHOW(pwrite(fd, buffer, 1, -1));
	SHOW(pwrite(fd, buffer, 1, INT64_MAX));

	section("without a position");
	MUST(pipe(ends));
	SHOW(pread(ends[0], buffer, 1, 0));
	SHOW(pwrite(ends[1], buffer, 1, 0));
	SHOW(lseek(ends[0], 0, SEEK_CUR));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	SHOW(pread(ends[0], buffer, 1, 0));
	SHOW(lseek(ends[0], 0, SEEK_SET));
	return 0;
}
