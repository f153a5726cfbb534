/* Pipes: order, end of file, SIGPIPE, what each end may do. */
#include "guest.h"
#include <poll.h>
#include <sys/ioctl.h>

static volatile sig_atomic_t pipes;

static void note(int sig)
{
	(void)sig;
	pipes++;
}

static void killed(void)
{
	int ends[2];
	MUST(pipe(ends));
	close(ends[0]);
	(void)!write(ends[1], "x", 1);
}

static int ends[2], n;
static char bytes[16];

static void rest(void)
{
	section("goodbyes");
	MUST(write(ends[1], "last", 4));
	int again = dup(ends[1]);
	close(ends[1]);
	MUST(write(again, "!", 1));
	close(again);
	SHOW(read(ends[0], bytes, sizeof bytes));
	SHOW(read(ends[0], bytes, sizeof bytes));
	SHOW(read(ends[0], bytes, sizeof bytes));
	close(ends[0]);
	in_child("a writer", killed);
	handle(SIGPIPE, note, 0);
	MUST(pipe(ends));
	close(ends[0]);
	SHOW(write(ends[1], "x", 1));
	SHOW(pipes);
	SHOW(write(ends[1], "x", 0));
	SHOW(pipes);

	section("making them");
	SHOW(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	SHOW(fcntl(ends[0], F_GETFD));
	SHOW(fcntl(ends[1], F_GETFL));
	SHOW(pipe2(ends, O_APPEND));
	SHOW(pipe2(ends, 1));
	int *nowhere = (int *)8;
	int lowest = lowest_fd();
	SHOW(syscall(SYS_pipe, nowhere));
	CHECK(lowest == lowest_fd());
}

int main(void)
{
	SHOW(pipe(ends));
	SHOW(write(ends[1], "abc", 3));
	SHOW(write(ends[1], "", 0));
	SHOW(write(ends[1], "defg", 4));
	SHOW(ioctl(ends[0], FIONREAD, &n));
	SHOW(n);
	SHOW(ioctl(ends[1], FIONREAD, &n));
	SHOW(read(ends[0], bytes, 0));
	SHOW(read(ends[0], bytes, 5));
	show_bytes("bytes", bytes, 5);
	SHOW(read(ends[0], bytes, sizeof bytes));
	show_bytes("bytes", bytes, 2);

	section("the wrong end");
	SHOW(write(ends[0], "x", 1));
	SHOW(read(ends[1], bytes, 1));
	SHOW(lseek(ends[0], 0, SEEK_CUR));
	SHOW(pread(ends[0], bytes, 1, 0));
	SHOW(pwrite(ends[1], bytes, 1, 0));
	SHOW(ftruncate(ends[1], 0));
	SHOW(fsync(ends[1]));
	SHOW(fcntl(ends[0], F_GETFL));
	SHOW(fcntl(ends[1], F_GETFL));

	section("attributes");
	struct stat a, b;
	SHOW(fstat(ends[0], &a));
	SHOW(fstat(ends[1], &b));
	CHECK(S_ISFIFO(a.st_mode) && a.st_ino == b.st_ino);
	SHOW(a.st_mode & 07777);
	SHOW(a.st_size);
	SHOW(a.st_nlink);
	SHOW(a.st_blksize);
	SHOW(fchmod(ends[0], 0640));
	fstat(ends[1], &b);
	SHOW(b.st_mode & 07777);
	char link[64], path[64];
	sprintf(path, "/proc/self/fd/%d", ends[0]);
	n = readlink(path, link, sizeof link);
	CHECK(n > 6 && !memcmp(link, "pipe:[", 6));

	rest();
	return 0;
}
