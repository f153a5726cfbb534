/* The file position belongs to the open file: fork and dup share it, a second open does not. */
#include "guest.h"

static int fd, own;

static void child(void)
{
	char buffer[4] = "";
	SHOW(read(fd, buffer, 3));
	SHOW_TEXT(buffer);
	MUST(lseek(fd, 8, SEEK_SET));
	SHOW(read(own, buffer, 2));
	close(own);
}

int main(void)
{
	char buffer[4] = "";
	make_file("file", "0123456789");
	fd = MUST(open("file", O_RDONLY));
	own = MUST(open("file", O_RDONLY));
	MUST(read(fd, buffer, 2));
	in_child("child", child);
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(read(fd, buffer, 3));
	SHOW(lseek(own, 0, SEEK_CUR));
	int other = MUST(open("file", O_RDONLY));
	SHOW(lseek(other, 0, SEEK_CUR));
	return 0;
}
