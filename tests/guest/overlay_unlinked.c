/* Files of the host that lose their names while they are open: content, writes, links, the name's next life. */
#include "guest.h"

static void show_fd(const char *what, int fd)
{
	char text[64] = "";
	MUST(pread(fd, text, sizeof text - 1, 0));
	say("%s: \"%s\"\n", what, text);
}

int main(void)
{
	struct stat st;
	char path[64];
	int reader = MUST(open("b", O_RDONLY)), writer = MUST(open("c", O_RDWR));
	SHOW(unlink("b") | unlink("c"));
	show_fd("b", reader);
	MUST(write(writer, "late", 4));
	show_fd("c", writer);
	snprintf(path, sizeof path, "/proc/self/fd/%d", reader);
	int again = MUST(open(path, O_RDWR));
	MUST(write(again, "LOWER", 5));
	show_fd("b", reader);
	make_file("b", "another");
	show_fd("old b", reader);
	show_file("b");
	MUST(fstat(reader, &st));
	SHOW(st.st_nlink);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
	SHOW(fchmod(reader, 0700));
	SHOW(ftruncate(writer, 2));
	show_fd("c", writer);

	section("directories");
	int dir = MUST(open("empty", O_RDONLY | O_DIRECTORY));
	SHOW(rmdir("empty"));
	MUST(fstat(dir, &st));
	SHOW(st.st_nlink);
	SHOW(openat(dir, ".", O_RDONLY) >= 0);
	SHOW(openat(dir, "x", O_CREAT | O_RDWR, 0600));
	SHOW(mkdirat(dir, "x", 0700));
	MUST(mkdir("empty", 0755));
	make_file("empty/x", "");
	SHOW(faccessat(dir, "x", F_OK, 0));
	MUST(fchdir(dir));
	char *cwd = getcwd(path, sizeof path);
	CHECK(!cwd);
	SHOW(errno);
	SHOW(chdir(".."));
	return 0;
}
