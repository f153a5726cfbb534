/* fallocate: the modes that every common file system has. */
#include "guest.h"

static long size_of(int fd)
{
	struct stat st;
	MUST(fstat(fd, &st));
	return st.st_size;
}

int main(void)
{
	char buffer[8193];
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644)), ends[2];
	SHOW(fallocate(fd, 0, 0, 20000));
	SHOW(size_of(fd));
	SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 90000));
	SHOW(size_of(fd));
	SHOW(posix_fallocate(fd, 20000, 10000));
	SHOW(size_of(fd));
	SHOW(fallocate(fd, 0, 10, 10));
	SHOW(size_of(fd));

	section("punch a hole");
	memset(buffer, 'x', sizeof buffer);
	MUST(ftruncate(fd, 0));
	MUST(pwrite(fd, buffer, sizeof buffer, 0));
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 5000));
	SHOW(size_of(fd));
	SHOW(pread(fd, buffer, sizeof buffer, 0));
	CHECK(buffer[99] == 'x' && buffer[100] == 0 && buffer[4096] == 0 && buffer[5099] == 0 && buffer[5100] == 'x');
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));

	section("errors");
	MUST(pipe(ends));
	int reader = MUST(open("file", O_RDONLY));
	SHOW(fallocate(fd, 0, -1, 10));
	SHOW(fallocate(fd, 0, 0, 0));
	SHOW(fallocate(fd, 0, 0, -1));
	SHOW(fallocate(fd, 0x4000, 0, 10));
	SHOW(fallocate(fd, 0, INT64_MAX, 10));
	SHOW(fallocate(reader, 0, 0, 10));
	SHOW(fallocate(ends[1], 0, 0, 10));
	SHOW(fallocate(-1, 0, 0, 10));
	return 0;
}
