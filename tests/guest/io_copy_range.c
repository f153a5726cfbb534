/* copy_file_range, and sendfile between files. */
#include "guest.h"
#include <sys/sendfile.h>

int main(void)
{
	make_file("from", "0123456789");
	make_file("to", "abcdefghijklmnop");
	int from = MUST(open("from", O_RDONLY)), to = MUST(open("to", O_RDWR)),
	    append = MUST(open("to", O_WRONLY | O_APPEND));
	loff_t in = 2, out = 4;
	SHOW(copy_file_range(from, &in, to, &out, 3, 0));
	say("%ld %ld\n", (long)in, (long)out);
	show_file("to");
	SHOW(copy_file_range(from, NULL, to, NULL, 100, 0));
	show_file("to");
	SHOW(lseek(from, 0, SEEK_CUR));
	SHOW(lseek(to, 0, SEEK_CUR));
	SHOW(copy_file_range(from, NULL, to, NULL, 100, 0));
	in = 0, out = 20;
	SHOW(copy_file_range(from, &in, to, &out, 5, 0));
	SHOW(lseek(to, 0, SEEK_END));
	show_file("to");
	in = 0;
	SHOW(copy_file_range(from, &in, to, &out, 0, 0));
	SHOW(copy_file_range(from, &in, to, &out, 5, 1));
	SHOW(copy_file_range(from, &in, append, NULL, 5, 0));
	SHOW(copy_file_range(to, &in, from, NULL, 5, 0));
	in = 0, out = 3;
	int same = MUST(open("from", O_RDWR));
	SHOW(copy_file_range(from, &in, same, &out, 5, 0));
	in = 0, out = 8;
	SHOW(copy_file_range(from, &in, same, &out, 5, 0));
	show_file("from");
	in = -1;
	SHOW(copy_file_range(from, &in, to, &out, 5, 0));
	in = 1000;
	SHOW(copy_file_range(from, &in, to, &out, 5, 0));
	int ends[2], dir = MUST(open(".", O_RDONLY));
	MUST(pipe(ends));
	in = 0;
	SHOW(copy_file_range(from, &in, ends[1], NULL, 5, 0));
	SHOW(copy_file_range(dir, NULL, to, NULL, 5, 0));
	SHOW(copy_file_range(-1, NULL, to, NULL, 5, 0));
	SHOW(copy_file_range(from, &in, MUST(open("to", O_PATH)), NULL, 5, 0));

	section("a large one");
	char block[65536];
	memset(block, 'q', sizeof block);
	int big = MUST(open("big", O_RDWR | O_CREAT, 0644)), copy = MUST(open("copy", O_RDWR | O_CREAT, 0644));
	for (int i = 0; i < 64; i++)
		MUST(write(big, block, sizeof block));
	lseek(big, 0, SEEK_SET);
	long total = 0, got;
	while ((got = copy_file_range(big, NULL, copy, NULL, 1 << 30, 0)) > 0)
		total += got;
	SHOW(total);
	MUST(ftruncate(copy, 0));
	MUST(lseek(copy, 0, SEEK_SET));
	off_t offset = 100;
	for (total = 0; (got = sendfile(copy, big, &offset, 1 << 30)) > 0;)
		total += got;
	SHOW(total);
	SHOW(offset);
	SHOW(lseek(big, 0, SEEK_CUR));
	return 0;
}
