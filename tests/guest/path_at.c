/* The *at calls: what a directory descriptor may be. */
#include "guest.h"

int main(void)
{
	char buffer[32] = "";
	struct stat st;
	MUST(mkdir("dir", 0755));
	make_file("dir/file", "text");
	make_file("plain", "x");
	int dir = MUST(open("dir", O_RDONLY)), file = MUST(open("plain", O_RDONLY));
	SHOW(openat(dir, "file", O_RDONLY) >= 0);
	SHOW(openat(dir, "../plain", O_RDONLY) >= 0);
	SHOW(openat(file, "x", O_RDONLY));
	SHOW(openat(-1, "x", O_RDONLY));
	SHOW(openat(-1, "/usr", O_RDONLY) >= 0);
	SHOW(openat(file, "/usr", O_RDONLY) >= 0);
	SHOW(openat(99, "x", O_RDONLY));
	SHOW(openat(AT_FDCWD, "dir/file", O_RDONLY) >= 0);
	SHOW(openat(dir, "", O_RDONLY));
	SHOW(fstatat(dir, "file", &st, 0));
	SHOW(fstatat(file, "", &st, AT_EMPTY_PATH));
	SHOW(st.st_size);
	SHOW(fstatat(file, "", &st, 0));
	SHOW(fstatat(dir, "file", &st, 0x4000));
	SHOW(symlinkat("file", dir, "link"));
	SHOW(readlinkat(dir, "link", buffer, sizeof buffer));
	SHOW(fchmodat(dir, "file", 0600, 0));
	SHOW(mkdirat(dir, "sub", 0755));
	SHOW(mkdirat(file, "sub", 0755));
	SHOW(unlinkat(dir, "link", 0));
	SHOW(linkat(dir, "file", dir, "again", 0));
	SHOW(renameat(dir, "again", AT_FDCWD, "here"));
	show_file("here");
	MUST(rename("dir", "moved"));
	SHOW(openat(dir, "file", O_RDONLY) >= 0);
	return 0;
}
