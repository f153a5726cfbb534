/* preadv2 and pwritev2: positions, flags known and unknown. */
#include "guest.h"
#include <sys/uio.h>

int main(void)
{
	char a[5] = "", b[8] = "";
	struct iovec parts[2] = {{a, 4}, {b, 6}}, out[2] = {{"one", 3}, {"two", 3}}, none = {a, 0};
	make_file("file", "0123456789abcdef");
	int fd = MUST(open("file", O_RDWR));
	SHOW(preadv2(fd, parts, 2, 2, 0));
	SHOW_TEXT(a);
	SHOW_TEXT(b);
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(preadv2(fd, parts, 2, -1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(preadv2(fd, parts, 2, -2, 0));
	SHOW(preadv2(fd, parts, 2, 0, RWF_HIPRI));
	SHOW(preadv2(fd, parts, 2, 0, 0x8000));
	SHOW(pwritev2(fd, out, 2, 1, 0));
	show_file("file");
	SHOW(pwritev2(fd, out, 2, 0, RWF_DSYNC | RWF_SYNC));
	SHOW(pwritev2(fd, out, 1, 0, RWF_APPEND));
	show_file("file");
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwritev2(fd, out, 1, -1, RWF_APPEND));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(preadv2(fd, &none, 1, 0, 0));
	SHOW(preadv2(fd, parts, 0, 0, 0));
	SHOW(syscall(SYS_preadv2, fd, parts, -1l, 0l, 0l, 0));
	SHOW(syscall(SYS_preadv2, fd, parts, 2000l, 0l, 0l, 0));
	SHOW(syscall(SYS_preadv2, fd, NULL, 1l, 0l, 0l, 0));
	SHOW(preadv2(MUST(open("file", O_WRONLY)), parts, 2, 0, 0));
	int ends[2];
	MUST(pipe(ends));
	SHOW(pwritev2(ends[1], out, 2, -1, 0));
	SHOW(pwritev2(ends[1], out, 2, 0, 0));
	SHOW(preadv2(ends[0], parts, 2, -1, RWF_NOWAIT));
	SHOW(preadv2(ends[0], parts, 2, -1, RWF_NOWAIT));
	return 0;
}
