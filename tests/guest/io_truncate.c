/* truncate and ftruncate: growing gives zeros, shrinking forgets, also what was cut off and grown again. */
#include "guest.h"

int main(void)
{
	char buffer[16] = "";
	struct stat st;
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(write(fd, "0123456789", 10));
	SHOW(ftruncate(fd, 4));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(ftruncate(fd, 8));
	SHOW(pread(fd, buffer, 16, 0));
	show_bytes("grown again", buffer, 8);
	SHOW(write(fd, "x", 1));
	SHOW((fstat(fd, &st), st.st_size));
	SHOW(truncate("file", 100000));
	SHOW((fstat(fd, &st), st.st_size));
	SHOW(pread(fd, buffer, 4, 99998));
	SHOW(truncate("file", 0));
	SHOW((fstat(fd, &st), st.st_size));

	section("errors");
	int reader = MUST(open("file", O_RDONLY)), ends[2];
	MUST(mkdir("dir", 0755));
	MUST(pipe(ends));
	SHOW(ftruncate(fd, -1));
	SHOW(truncate("file", -1));
	SHOW(ftruncate(reader, 1));
	SHOW(truncate("dir", 0));
	SHOW(truncate("absent", 0));
	SHOW(truncate("file/x", 0));
	SHOW(ftruncate(ends[1], 0));
	SHOW(ftruncate(-1, 0));
	MUST(chmod("file", 0444));
	SHOW(ftruncate(fd, 3));
	return 0;
}
