/* unlink: what it takes away, what it refuses. */
#include "guest.h"

int main(void)
{
	make_file("file", "x");
	MUST(mkdir("dir", 0755));
	MUST(symlink("file", "link"));
	MUST(symlink("dir", "to_dir"));
	SHOW(unlink("absent"));
	SHOW(unlink("dir"));
	SHOW(unlink("dir/"));
	SHOW(unlink("file/"));
	SHOW(unlink("file/x"));
	SHOW(unlink("absent/x"));
	SHOW(unlink(""));
	SHOW(unlink("."));
	SHOW(unlink("/"));
	SHOW(unlink("to_dir/"));
	SHOW(unlink("to_dir"));
	SHOW(exists("dir"));
	SHOW(unlink("link"));
	SHOW(exists("file"));
	SHOW(unlink("file"));
	SHOW(unlink("file"));
	SHOW(remove("dir"));
	SHOW(remove("dir"));

	section("in use");
	MUST(mkdir("held", 0755));
	int fd = MUST(open("held", O_RDONLY));
	SHOW(rmdir("held"));
	SHOW(openat(fd, "new", O_WRONLY | O_CREAT, 0644));
	SHOW(mkdirat(fd, "new", 0755));
	SHOW(openat(fd, ".", O_RDONLY) >= 0);
	struct stat st;
	SHOW(fstat(fd, &st));
	SHOW(st.st_nlink);
	return 0;
}
