/* lseek, and holes: their edges are on megabytes, so that every file system sees the same ones. */
#include "guest.h"

#define MIB (1l << 20)

int main(void)
{
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(write(fd, "0123456789", 10));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, -3, SEEK_END));
	SHOW(lseek(fd, -3, SEEK_CUR));
	SHOW(lseek(fd, -5, SEEK_CUR));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(lseek(fd, -1, SEEK_SET));
	SHOW(lseek(fd, -11, SEEK_END));
	SHOW(lseek(fd, 0, 77));
	SHOW(lseek(fd, 100, SEEK_END));
	SHOW(write(fd, "x", 1));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(lseek(-1, 0, SEEK_SET));

	section("holes");
	int holes = MUST(open("holes", O_RDWR | O_CREAT, 0644));
	char block[4096];
	memset(block, 'x', sizeof block);
	MUST(pwrite(holes, block, sizeof block, 4 * MIB));
	MUST(ftruncate(holes, 8 * MIB));
	SHOW(lseek(holes, 0, SEEK_DATA) / MIB);
	SHOW(lseek(holes, 0, SEEK_HOLE));
	SHOW(lseek(holes, 4 * MIB, SEEK_DATA) / MIB);
	SHOW(lseek(holes, 4 * MIB + 5, SEEK_DATA) - 4 * MIB);
	SHOW(lseek(holes, 5 * MIB, SEEK_DATA));
	SHOW(lseek(holes, 5 * MIB, SEEK_HOLE) / MIB);
	SHOW(lseek(holes, 8 * MIB, SEEK_HOLE));
	SHOW(lseek(holes, 9 * MIB, SEEK_DATA));
	SHOW(lseek(holes, 0, SEEK_CUR) >= 0);

	section("a file without holes ends in one");
	SHOW(lseek(fd, 0, SEEK_HOLE) >= 11);
	return 0;
}
