/* Hard links. */
#include "guest.h"

static long links(const char *name)
{
	struct stat st;
	return lstat(name, &st) ? -1 : (long)st.st_nlink;
}

int main(void)
{
	struct stat a, b;
	make_file("a", "text");
	SHOW(link("a", "b"));
	SHOW(links("a"));
	MUST(stat("a", &a));
	MUST(stat("b", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	MUST(truncate("b", 2));
	show_file("a");
	SHOW(chmod("a", 0600));
	MUST(stat("b", &b));
	SHOW((b.st_mode & 0777) == 0600);
	SHOW(unlink("a"));
	SHOW(links("b"));

	section("errors");
	MUST(mkdir("dir", 0755));
	SHOW(link("b", "b"));
	SHOW(link("absent", "c"));
	SHOW(link("dir", "c"));
	SHOW(link("b", "dir"));
	SHOW(link("b", "absent/c"));
	SHOW(link("b", "c/"));
	SHOW(link("b/", "c"));

	section("of symbolic links");
	MUST(symlink("b", "soft"));
	SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard_soft", 0));
	SHOW(links("soft"));
	SHOW(links("b"));
	SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard_b", AT_SYMLINK_FOLLOW));
	SHOW(links("b"));
	SHOW(linkat(AT_FDCWD, "b", AT_FDCWD, "c", 0x8000));
	int fd = MUST(open("b", O_RDONLY));
	SHOW(linkat(fd, "", AT_FDCWD, "by_fd", AT_EMPTY_PATH));
	SHOW(links("b"));
	return 0;
}
