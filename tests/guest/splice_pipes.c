/* splice, tee: between pipes and files; offsets, flags, errors. */
#include "guest.h"

static int a[2], b[2], file;
static char bytes[200000];

static void drain(const char *name, int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	ssize_t n = read(fd, bytes, sizeof bytes);
	if (n < 0)
		say("%s: %s\n", name, error_name(errno));
	else
		show_bytes(name, bytes, n);
}

int main(void)
{
	MUST(pipe(a));
	MUST(pipe(b));
	make_file("file", "0123456789");
	file = MUST(open("file", O_RDWR));

	section("file to pipe");
	off_t offset = 3;
	SHOW(splice(file, &offset, a[1], NULL, 4, 0));
	SHOW(offset);
	SHOW(lseek(file, 0, SEEK_CUR));
	SHOW(splice(file, NULL, a[1], NULL, 2, 0));
	SHOW(lseek(file, 0, SEEK_CUR));
	drain("pipe", a[0]);
	offset = 10;
	SHOW(splice(file, &offset, a[1], NULL, 4, 0));
	SHOW(splice(file, NULL, a[1], NULL, 0, 0));

	section("pipe to pipe");
	MUST(write(a[1], "abcdef", 6));
	SHOW(tee(a[0], b[1], 4, 0));
	drain("tee", b[0]);
	SHOW(splice(a[0], NULL, b[1], NULL, 2, 0));
	drain("moved", b[0]);
	drain("left", a[0]);
	SHOW(splice(a[0], NULL, b[1], NULL, 2, SPLICE_F_NONBLOCK));
	SHOW(tee(a[0], b[1], 2, SPLICE_F_NONBLOCK));
	SHOW(tee(a[0], b[1], 0, 0));

	section("pipe to file");
	MUST(write(a[1], "XYZ!", 4));
	offset = 8;
	SHOW(splice(a[0], NULL, file, &offset, 3, 0));
	SHOW(offset);
	SHOW(splice(a[0], NULL, file, NULL, 10, 0));
	show_file("file");

	section("errors");
	MUST(write(a[1], "q", 1));
	SHOW(splice(file, NULL, file, NULL, 1, 0));
	SHOW(splice(a[0], &offset, b[1], NULL, 1, 0));
	SHOW(splice(a[0], NULL, a[1], NULL, 1, 0));
	SHOW(tee(a[0], a[1], 1, 0));
	SHOW(tee(a[0], file, 1, 0));
	SHOW(splice(a[1], NULL, b[1], NULL, 1, 0));
	SHOW(splice(a[0], NULL, b[0], NULL, 1, 0));
	SHOW(splice(-1, NULL, b[1], NULL, 1, 0));
	SHOW(splice(a[0], NULL, b[1], NULL, 1, 0x100));
	SHOW(splice(a[0], (off_t *)8, file, NULL, 1, 0));
	SHOW(splice(a[0], NULL, file, (off_t *)8, 1, 0));
	offset = -1;
	SHOW(splice(a[0], NULL, file, &offset, 1, 0));
	int append = MUST(open("file", O_WRONLY | O_APPEND)), readonly = MUST(open("file", O_RDONLY));
	SHOW(splice(a[0], NULL, append, NULL, 1, 0));
	SHOW(splice(a[0], NULL, readonly, NULL, 1, 0));
	SHOW(splice(append, NULL, a[1], NULL, 1, 0));
	int dir = MUST(open(".", O_RDONLY));
	SHOW(splice(dir, NULL, a[1], NULL, 1, 0));

	section("goodbyes");
	drain("left", a[0]);
	close(a[1]);
	SHOW(splice(a[0], NULL, file, NULL, 5, 0));
	SHOW(splice(a[0], NULL, b[1], NULL, 5, 0));
	signal(SIGPIPE, SIG_IGN);
	close(b[0]);
	SHOW(splice(file, NULL, b[1], NULL, 5, 0));
	return 0;
}
