/* readv, writev and their kin over memory that ends in the middle: what was moved counts, files and pipes alike. */
#include "fault.h"
#include <sys/socket.h>
#include <sys/uio.h>

#define NOWHERE ((void *)nowhere)

static volatile uintptr_t nowhere = 8;
static char *memory; /* one page, and nothing behind it */
static struct iovec pieces[3];

static void aim(size_t first, size_t last)
{
	pieces[0] = (struct iovec){memory, first};
	pieces[1] = (struct iovec){memory + PAGE - last, last + 10};
	pieces[2] = (struct iovec){memory + 100, 5};
}

static void regular(void)
{
	int fd = MUST(open("file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	memset(memory, 'm', PAGE);
	aim(8, 0);
	SHOW(writev(fd, pieces, 3));
	SHOW(lseek(fd, 0, SEEK_CUR));
	aim(0, 0);
	SHOW(writev(fd, pieces, 3));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(write(fd, memory + PAGE, 5));
	SHOW(pwrite(fd, NOWHERE, 5, 3));
	SHOW(lseek(fd, 0, SEEK_END));
	MUST(ftruncate(fd, 0));
	MUST(pwrite(fd, "0123456789abcdefghij", 20, 0));
	section("read");
	lseek(fd, 0, SEEK_SET);
	aim(8, 0);
	SHOW(readv(fd, pieces, 3));
	SHOW(lseek(fd, 0, SEEK_CUR));
	show_bytes("memory", memory, 8);
	SHOW(read(fd, memory + PAGE, 5));
	SHOW(lseek(fd, 0, SEEK_CUR));
	lseek(fd, 20, SEEK_SET);
	SHOW(read(fd, memory + PAGE, 5));
	SHOW(read(fd, NOWHERE, 5));
	SHOW(read(fd, memory + PAGE, 0));
	section("read-only memory");
	MUST(mprotect(memory, PAGE, PROT_READ));
	lseek(fd, 0, SEEK_SET);
	SHOW(read(fd, memory, 5));
	SHOW(write(fd, memory, 5));
	MUST(mprotect(memory, PAGE, PROT_NONE));
	SHOW(write(fd, memory, 5));
	MUST(mprotect(memory, PAGE, PROT_READ | PROT_WRITE));
	close(fd);
}

static void stream(const char *what, int in, int out)
{
	char bytes[64];
	section(what);
	memset(memory, 'm', PAGE);
	SHOW(write(out, memory + PAGE, 5));
	SHOW(write(out, NOWHERE, 5));
	SHOW(read(in, bytes, sizeof bytes));
	MUST(write(out, "0123456789", 10));
	SHOW(read(in, memory + PAGE, 5));
	SHOW(read(in, NOWHERE, 5));
	ssize_t n = read(in, bytes, sizeof bytes);
	show_bytes("still there", bytes, n < 0 ? 0 : n);
	pieces[0] = (struct iovec){memory, 4};
	pieces[1] = (struct iovec){memory + PAGE, 10};
	MUST(write(out, "abcdefghij", 10));
	SHOW(readv(in, pieces, 1));
	show_bytes("memory", memory, 4);
	SHOW(readv(in, pieces + 1, 1));
	while (read(in, bytes, sizeof bytes) > 0)
		;
	SHOW(writev(out, pieces + 1, 1));
	SHOW(read(in, bytes, sizeof bytes));
	SHOW(write(out, memory + PAGE, 0));
}

int main(void)
{
	int ends[2];
	fault_catch();
	memory = map_anonymous(2 * PAGE);
	MUST(munmap(memory + PAGE, PAGE));
	section("a file");
	regular();
	MUST(pipe2(ends, O_NONBLOCK));
	stream("a pipe", ends[0], ends[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	stream("a socket", ends[0], ends[1]);
	section("devices");
	int zero = MUST(open("/dev/zero", O_RDWR)), null = MUST(open("/dev/null", O_RDWR));
	SHOW(read(zero, memory + PAGE, 5));
	SHOW(write(null, memory + PAGE, 5));
	SHOW(read(null, memory + PAGE, 5));
	section("vectors");
	SHOW(writev(null, NOWHERE, 1));
	SHOW(readv(null, (struct iovec *)(memory + PAGE - 16), 2));
	return 0;
}
