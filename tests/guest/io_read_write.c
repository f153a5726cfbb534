/* The plain life of a file: create, write, read back, end of file, the errors of a wrong direction. */
#include "guest.h"

int main(void)
{
	char buffer[32] = "";
	SHOW(open("absent", O_RDONLY));
	int fd = MUST(open("file", O_RDWR | O_CREAT | O_EXCL, 0644));
	SHOW(open("file", O_RDWR | O_CREAT | O_EXCL, 0644));
	SHOW(write(fd, "hello, world", 12));
	SHOW(read(fd, buffer, sizeof buffer));
	SHOW(lseek(fd, 7, SEEK_SET));
	SHOW(read(fd, buffer, sizeof buffer));
	SHOW_TEXT(buffer);
	SHOW(read(fd, buffer, sizeof buffer));
	SHOW(read(fd, buffer, 0));
	SHOW(write(fd, NULL, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));

	section("the wrong direction");
	int reader = MUST(open("file", O_RDONLY)), writer = MUST(open("file", O_WRONLY));
	SHOW(write(reader, "x", 1));
	SHOW(read(writer, buffer, 1));
	SHOW(write(writer, "J", 1));
	SHOW(read(reader, buffer, 5));
	SHOW_TEXT(buffer);

	section("after close");
	SHOW(close(fd));
	SHOW(close(fd));
	SHOW(read(fd, buffer, 1));
	SHOW(write(fd, buffer, 1));
	SHOW(open("file", O_RDONLY) == fd);
	return 0;
}
