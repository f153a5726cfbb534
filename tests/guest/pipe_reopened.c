/* /proc/self/fd of a pipe opened anew: another end of the same pipe. */
#include "guest.h"

int main(void)
{
	int ends[2];
	char path[64], bytes[16];
	MUST(pipe(ends));
	sprintf(path, "/proc/self/fd/%d", ends[0]);
	int writer = open(path, O_WRONLY);
	CHECK(writer >= 0);
	SHOW(write(writer, "through another", 15));
	SHOW(read(ends[0], bytes, sizeof bytes));
	close(ends[1]);
	SHOW(write(writer, "still open", 10));
	close(writer);
	SHOW(read(ends[0], bytes, sizeof bytes));
	SHOW(read(ends[0], bytes, sizeof bytes));
	int both = open(path, O_RDWR);
	CHECK(both >= 0);
	SHOW(write(both, "x", 1));
	SHOW(read(ends[0], bytes, sizeof bytes));
	int reader = open(path, O_RDONLY | O_NONBLOCK);
	CHECK(reader >= 0);
	SHOW(read(reader, bytes, 1));
	SHOW(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
	struct stat a, b;
	fstat(reader, &a);
	stat(path, &b);
	CHECK(a.st_ino == b.st_ino);
	return 0;
}
