/* Sparse files: holes, data, sizes, blocks; writes far behind the end. */
#include "guest.h"
#include <sys/uio.h>

#define STEP (1l << 20)

static void walk(int fd)
{
	for (off_t at = 0, end;;) {
		at = lseek(fd, at, SEEK_DATA);
		if (at < 0)
			break;
		end = lseek(fd, at, SEEK_HOLE);
		say("data %ld KiB to %ld KiB\n", (long)at / 1024, (long)end / 1024);
		at = end;
	}
	SHOW(errno);
}

static long blocks(int fd)
{
	struct stat st;
	MUST(fstat(fd, &st));
	return st.st_blocks;
}

int main(void)
{
	static char block[65536];
	memset(block, 'x', sizeof block);
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(pwrite(fd, block, sizeof block, STEP));
	MUST(pwrite(fd, block, sizeof block, 3 * STEP));
	MUST(ftruncate(fd, 5 * STEP));
	walk(fd);
	CHECK(blocks(fd) >= 256 && blocks(fd) < 600);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * STEP, 65536));
	walk(fd);
	char byte;
	SHOW(pread(fd, &byte, 1, 3 * STEP));
	SHOW(byte);
	SHOW(lseek(fd, STEP + 100, SEEK_DATA));
	SHOW(lseek(fd, STEP + 100, SEEK_HOLE));
	SHOW(lseek(fd, 100, SEEK_HOLE));
	SHOW(lseek(fd, 5 * STEP, SEEK_HOLE));
	SHOW(lseek(fd, -1, SEEK_DATA));

	section("three gigabytes");
	fd = MUST(open("huge", O_RDWR | O_CREAT, 0644));
	SHOW(ftruncate(fd, 3l << 30));
	SHOW(pwrite(fd, "end", 3, (3l << 30) - 3));
	SHOW(pwrite(fd, "middle", 6, (2l << 30) - 3));
	CHECK(blocks(fd) < 4000);
	char text[9] = "";
	SHOW(pread(fd, text, 8, (2l << 30) - 4));
	show_bytes("text", text, 8);
	SHOW(lseek(fd, 0, SEEK_DATA) < 2l << 30);
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(pwrite(fd, "x", 1, 5l << 40));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(ftruncate(fd, 10));
	SHOW(pread(fd, text, 8, 0));
	SHOW(unlink("huge"));
	section("zeroes only");
	fd = MUST(open("zero", O_RDWR | O_CREAT, 0644));
	SHOW(fallocate(fd, 0, 0, STEP));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, 100, 100));
	MUST(pwrite(fd, block, 8192, 0));
	SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 10, 4096));
	SHOW(pread(fd, text, 8, 4));
	show_bytes("text", text, 8);
	SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, STEP, 100));
	SHOW(lseek(fd, 0, SEEK_END));
	return 0;
}
