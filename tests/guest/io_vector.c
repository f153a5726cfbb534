/* readv, writev, preadv, pwritev2: the order of the pieces, the limits of the vector. */
#include "guest.h"
#include <sys/uio.h>

int main(void)
{
	char a[4] = "", b[8] = "", c[8] = "";
	struct iovec out[] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}, {"g", 1}};
	struct iovec in[] = {{a, 3}, {b, 1}, {c, 7}};
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));

	SHOW(writev(fd, out, 4));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(readv(fd, in, 3));
	SHOW_TEXT(a);
	SHOW_TEXT(b);
	SHOW_TEXT(c);
	SHOW(preadv(fd, in, 2, 2));
	SHOW_TEXT(a);
	SHOW(pwritev(fd, out, 3, 10));
	SHOW(lseek(fd, 0, SEEK_CUR));

	section("version 2: offset -1 is the position");
	SHOW(pwritev2(fd, out, 1, -1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(preadv2(fd, in, 1, 0, 0));
	SHOW(preadv2(fd, in, 1, -2, 0));
	SHOW(preadv2(fd, in, 1, 0, 0x40000000));
	SHOW(pwritev2(fd, out, 1, 0, RWF_APPEND));
	SHOW(lseek(fd, 0, SEEK_END));

	section("limits");
	SHOW(readv(fd, in, 0));
	SHOW(syscall(SYS_readv, fd, in, -1));
	SHOW(syscall(SYS_readv, fd, in, 1025));
	SHOW(syscall(SYS_readv, fd, NULL, 1));
	SHOW(syscall(SYS_writev, -1, out, 1));
	struct iovec negative[] = {{a, 1}, {b, -1}};
	SHOW(readv(fd, negative, 2));
	MUST(lseek(fd, 0, SEEK_SET));
	struct iovec bad_tail[] = {{a, 2}, {(void *)8, 4}};
	SHOW(readv(fd, bad_tail, 2));
	return 0;
}
