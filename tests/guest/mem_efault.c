/* System calls on buffers that are partly or wholly out of reach. */
#include "fault.h"
#include <sys/socket.h>
#include <sys/uio.h>

int main(void)
{
	int ends[2];
	char *memory = map_anonymous(3 * PAGE), *edge = memory + PAGE;
	MUST(pipe(ends));
	memset(memory, 'm', PAGE);
	MUST(mprotect(edge, PAGE, PROT_NONE));
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644)), zero = MUST(open("/dev/zero", O_RDONLY));

	SHOW(write(ends[1], edge, 10));
	SHOW(write(fd, edge, 10));
	SHOW(write(fd, edge - 10, 10));
	SHOW(pwrite(fd, memory, PAGE, 0));
	SHOW(pread(fd, edge, 10, 0));
	SHOW(pread(fd, edge - 10, 10, 0));
	SHOW(read(zero, edge, 10));
	SHOW(read(fd, memory + 2 * PAGE, 10));
	static char *const bad[] = {NULL, (char *)8, (char *)-1, (char *)(1ul << 62)};
	for (size_t i = 0; i < COUNT(bad); i++)
		SHOW(write(ends[1], bad[i], 10));

	section("read-only memory");
	MUST(mprotect(edge, PAGE, PROT_READ));
	SHOW(write(ends[1], edge, 10));
	SHOW(read(ends[0], edge, 10));
	SHOW(pread(fd, edge, 10, 0));
	SHOW(read(zero, (void *)"constant", 4));

	section("a string at the edge of a page");
	MUST(mprotect(edge, PAGE, PROT_NONE));
	strcpy(edge - 5, "file");
	SHOW(access(edge - 5, F_OK));
	memcpy(edge - 4, "file", 4);
	SHOW(access(edge - 4, F_OK));
	SHOW(access(edge, F_OK));

	section("a structure across it");
	SHOW(fstat(fd, (struct stat *)(edge - 8)));
	SHOW(pipe((int *)(edge - 4)));
	SHOW(readv(fd, (struct iovec *)(edge - 8), 1));
	return 0;
}
