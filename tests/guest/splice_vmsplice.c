/* vmsplice: memory into a pipe, and out of one. */
#include "guest.h"
#include <sys/uio.h>

int main(void)
{
	int ends[2];
	char one[] = "one ", two[] = "two", got[32] = "";
	struct iovec parts[] = {{one, 4}, {two, 3}}, into[] = {{got, 2}, {got + 10, 20}};
	MUST(pipe2(ends, O_NONBLOCK));
	SHOW(vmsplice(ends[1], parts, 2, 0));
	SHOW(vmsplice(ends[0], into, 2, 0));
	show_bytes("got", got, 16);
	SHOW(vmsplice(ends[0], into, 2, SPLICE_F_NONBLOCK));
	SHOW(vmsplice(ends[1], parts, 0, 0));
	SHOW(vmsplice(0, parts, 2, 0));
	SHOW(vmsplice(ends[1], (struct iovec *)8, 2, 0));
	parts[1].iov_base = (void *)8;
	SHOW(vmsplice(ends[1], parts + 1, 1, 0));
	SHOW(vmsplice(ends[1], parts, 2, 0x100));
	SHOW(vmsplice(ends[1], parts, 2000, 0));
	return 0;
}
