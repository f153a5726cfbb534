/* sendfile and copy_file_range: which offset moves, what they refuse. */
#include "guest.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

int main(void)
{
	char buffer[32] = "";
	int ends[2], sockets[2];
	make_file("in", "0123456789abcdef");
	int in = MUST(open("in", O_RDONLY)), out = MUST(open("out", O_RDWR | O_CREAT, 0644));
	MUST(pipe(ends));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));

	section("sendfile");
	off_t offset = 4;
	SHOW(sendfile(ends[1], in, &offset, 3));
	SHOW(offset);
	SHOW(lseek(in, 0, SEEK_CUR));
	SHOW(read(ends[0], buffer, sizeof buffer));
	SHOW_TEXT(buffer);
	SHOW(sendfile(sockets[0], in, NULL, 5));
	SHOW(lseek(in, 0, SEEK_CUR));
	SHOW(read(sockets[1], buffer, sizeof buffer));
	SHOW(sendfile(out, in, NULL, 100));
	SHOW(sendfile(out, in, NULL, 100));
	show_file("out");
	SHOW(sendfile(out, ends[0], NULL, 1));
	SHOW(sendfile(in, in, NULL, 1));
	SHOW(sendfile(-1, in, NULL, 1));
	offset = -1;
	SHOW(sendfile(out, in, &offset, 1));

	section("copy_file_range");
	off_t from = 2, to = 1;
	SHOW(copy_file_range(in, &from, out, &to, 4, 0));
	SHOW(from);
	SHOW(to);
	show_file("out");
	MUST(lseek(in, 10, SEEK_SET));
	SHOW(copy_file_range(in, NULL, out, NULL, 100, 0));
	show_file("out");
	SHOW(copy_file_range(in, NULL, out, NULL, 1, 7));
	SHOW(copy_file_range(in, NULL, in, NULL, 1, 0));
	SHOW(copy_file_range(in, NULL, ends[1], NULL, 1, 0));
	int append = MUST(open("out", O_WRONLY | O_APPEND));
	MUST(lseek(in, 0, SEEK_SET));
	SHOW(copy_file_range(in, NULL, append, NULL, 1, 0));
	return 0;
}
