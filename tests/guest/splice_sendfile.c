/* sendfile and splice to and from sockets. */
#include "guest.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

int main(void)
{
	int pair[2], ends[2];
	char bytes[64];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(pipe(ends));
	make_file("file", "0123456789");
	int file = MUST(open("file", O_RDWR));
	off_t offset = 2;
	SHOW(sendfile(pair[0], file, &offset, 5));
	SHOW(offset);
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	show_bytes("bytes", bytes, 5);
	SHOW(sendfile(pair[0], file, NULL, 100));
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	SHOW(sendfile(pair[0], file, NULL, 100));
	SHOW(sendfile(ends[1], file, &(off_t){4}, 3));
	SHOW(read(ends[0], bytes, sizeof bytes));
	SHOW(sendfile(pair[0], pair[1], NULL, 1));
	SHOW(sendfile(pair[0], ends[0], NULL, 1));

	section("splice");
	SHOW(send(pair[0], "to a pipe", 9, 0));
	SHOW(splice(pair[1], NULL, ends[1], NULL, 100, 0));
	SHOW(read(ends[0], bytes, sizeof bytes));
	show_bytes("bytes", bytes, 9);
	SHOW(write(ends[1], "to a socket", 11));
	SHOW(splice(ends[0], NULL, pair[0], NULL, 100, 0));
	SHOW(recv(pair[1], bytes, sizeof bytes, 0));
	show_bytes("bytes", bytes, 11);
	SHOW(splice(pair[1], NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
	SHOW(splice(pair[1], &offset, ends[1], NULL, 100, 0));
	close(pair[0]);
	SHOW(splice(pair[1], NULL, ends[1], NULL, 100, 0));
	return 0;
}
