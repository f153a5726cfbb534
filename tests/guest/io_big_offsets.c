/* Offsets beyond 32 bits: a sparse file of a tebibyte. */
#include "guest.h"

#define FAR (1l << 40)

int main(void)
{
	struct stat st;
	char buffer[8] = "";
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	SHOW(pwrite(fd, "far", 3, FAR));
	MUST(fstat(fd, &st));
	SHOW(st.st_size);
	CHECK(st.st_blocks * 512 < 1 << 20);
	SHOW(pread(fd, buffer, 8, FAR - 2));
	show_bytes("around", buffer, 5);
	SHOW(lseek(fd, -2, SEEK_END));
	SHOW(read(fd, buffer, 8));
	SHOW(pread(fd, buffer, 8, (1l << 32) + 1));
	SHOW(lseek(fd, (1l << 32) + 7, SEEK_SET));
	SHOW(write(fd, "x", 1));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(ftruncate(fd, (1l << 33) + 1));
	MUST(stat("file", &st));
	SHOW(st.st_size);
	SHOW(ftruncate(fd, 0));
	return 0;
}
