/* linkat with AT_EMPTY_PATH, links of unnamed files, of descriptors, of what has lost its name. */
#include "guest.h"

int main(void)
{
	struct stat st;
	make_file("file", "content");
	int fd = MUST(open("file", O_RDWR)), place = MUST(open("file", O_PATH));
	SHOW(linkat(fd, "", AT_FDCWD, "one", AT_EMPTY_PATH));
	SHOW(linkat(place, "", AT_FDCWD, "two", AT_EMPTY_PATH));
	SHOW(linkat(fd, "", AT_FDCWD, "three", 0));
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(unlink("file") | unlink("one") | unlink("two"));
	SHOW(linkat(fd, "", AT_FDCWD, "one", AT_EMPTY_PATH));
	int unnamed = open(".", O_RDWR | O_TMPFILE, 0600);
	if (unnamed < 0)
		skip("no O_TMPFILE");
	MUST(write(unnamed, "unnamed", 7));
	SHOW(linkat(unnamed, "", AT_FDCWD, "now", AT_EMPTY_PATH));
	show_file("now");
	SHOW(linkat(unnamed, "", AT_FDCWD, "again", AT_EMPTY_PATH));
	SHOW(unlink("now") | unlink("again"));
	SHOW(linkat(unnamed, "", AT_FDCWD, "now", AT_EMPTY_PATH));
	MUST(mkdir("dir", 0755));
	int dir = MUST(open("dir", O_RDONLY));
	SHOW(linkat(dir, "", AT_FDCWD, "x", AT_EMPTY_PATH));
	SHOW(linkat(AT_FDCWD, "dir", AT_FDCWD, "x", 0));
	SHOW(linkat(AT_FDCWD, "dir", dir, "x", 0x100000));
	int ends[2];
	MUST(pipe(ends));
	SHOW(linkat(ends[0], "", AT_FDCWD, "pipe", AT_EMPTY_PATH));
	char name[] = "/tmp/usbx-case-XXXXXX";
	MUST(mkstemp(name));
	int other = MUST(open("/dev/null", O_RDWR));
	SHOW(linkat(other, "", AT_FDCWD, "null", AT_EMPTY_PATH));
	MUST(unlink(name));
	section("names in a removed directory");
	MUST(rmdir("dir"));
	make_file("file", "x");
	SHOW(linkat(AT_FDCWD, "file", dir, "x", 0));
	SHOW(symlinkat("a", dir, "x"));
	SHOW(mkdirat(dir, "x", 0700));
	SHOW(renameat(AT_FDCWD, "file", dir, "x"));
	SHOW(unlinkat(dir, "x", 0));
	return 0;
}
