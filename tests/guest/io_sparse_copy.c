/* Copying a sparse file by its data and holes, as cp and tar do: each way gives the same content. */
#include "guest.h"
#include <sys/sendfile.h>

#define SIZE (4 << 20)

static unsigned sum_of(int fd)
{
	static unsigned char block[65536];
	unsigned sum = 0;
	ssize_t n;
	for (off_t at = 0; (n = pread(fd, block, sizeof block, at)) > 0; at += n)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 33 + block[i];
	return sum;
}

static void write_at(int fd, off_t at, size_t size)
{
	static char block[200000];
	for (size_t i = 0; i < size; i++)
		block[i] = 'a' + (at + i * 7) % 26;
	MUST(pwrite(fd, block, size, at));
}

static void by_seeking(int from, int to)
{
	static char block[300000];
	off_t data = 0, hole;
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		hole = MUST(lseek(from, data, SEEK_HOLE));
		for (off_t at = data; at < hole;) {
			size_t rest = hole - at < (off_t)sizeof block ? hole - at : (off_t)sizeof block;
			ssize_t n = MUST(pread(from, block, rest, at));
			MUST(pwrite(to, block, n, at));
			at += n;
		}
		data = hole;
	}
	SHOW(errno == ENXIO);
	MUST(ftruncate(to, lseek(from, 0, SEEK_END)));
}

static void by_range(int from, int to)
{
	off_t in = 0, out = 0, total = 0;
	ssize_t n;
	while ((n = copy_file_range(from, &in, to, &out, SIZE, 0)) > 0)
		total += n;
	SHOW(n);
	SHOW(total);
}

static void by_sendfile(int from, int to)
{
	off_t in = 0;
	ssize_t n;
	MUST(lseek(to, 0, SEEK_SET));
	while ((n = sendfile(to, from, &in, 1000003)) > 0)
		;
	SHOW(n);
	SHOW(in);
}

static void copy(const char *how, int from, void (*function)(int, int))
{
	section(how);
	struct stat a, b;
	int to = MUST(open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600));
	function(from, to);
	MUST(fstat(from, &a));
	MUST(fstat(to, &b));
	CHECK(a.st_size == b.st_size);
	CHECK(sum_of(from) == sum_of(to));
	if (function == by_seeking)
		CHECK(b.st_blocks * 512 < SIZE / 2);
	close(to);
}

int main(void)
{
	int fd = MUST(open("sparse", O_RDWR | O_CREAT, 0600));
	write_at(fd, 0, 100);
	write_at(fd, 1 << 20, 200000);
	write_at(fd, (2 << 20) + 12345, 1);
	MUST(ftruncate(fd, SIZE));
	struct stat st;
	MUST(fstat(fd, &st));
	CHECK(st.st_blocks * 512 < SIZE / 2);
	SHOW(lseek(fd, 0, SEEK_DATA));
	SHOW(lseek(fd, 3 << 20, SEEK_DATA));
	SHOW(lseek(fd, 3 << 20, SEEK_HOLE) == 3 << 20);
	SHOW(lseek(fd, SIZE, SEEK_HOLE));
	SHOW(lseek(fd, SIZE - 1, SEEK_HOLE) == SIZE - 1);
	SHOW(lseek(fd, -1, SEEK_DATA));
	copy("by seeking", fd, by_seeking);
	copy("copy_file_range", fd, by_range);
	copy("sendfile", fd, by_sendfile);
	section("a hole punched, one zeroed, a part collapsed into nothing");
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (1 << 20) + 65536, 65536));
	SHOW(lseek(fd, (1 << 20) + 65536, SEEK_DATA) == (1 << 20) + 131072);
	SHOW(lseek(fd, 1 << 20, SEEK_HOLE) == (1 << 20) + 65536);
	copy("by seeking", fd, by_seeking);
	SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 20));
	char bytes[40];
	MUST(pread(fd, bytes, sizeof bytes, 0));
	show_bytes("around the hole", bytes, sizeof bytes);
	copy("copy_file_range", fd, by_range);
	section("a range onto itself");
	off_t in = 0, out = 50;
	SHOW(copy_file_range(fd, &in, fd, &out, 100, 0));
	out = 100;
	SHOW(copy_file_range(fd, &in, fd, &out, 100, 0));
	SHOW(in);
	SHOW(out);
	return 0;
}
