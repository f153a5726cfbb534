/* mkdir and rmdir, and what the last component may be. */
#include "guest.h"

int main(void)
{
	struct stat st;
	SHOW(mkdir("dir", 0750));
	SHOW(mkdir("dir", 0750));
	MUST(stat("dir", &st));
	SHOW(st.st_mode == (S_IFDIR | 0750));
	SHOW(mkdir("slash/", 0755));
	SHOW(mkdir("absent/dir", 0755));
	SHOW(mkdir("dir/.", 0755));
	SHOW(mkdir("dir/..", 0755));
	SHOW(mkdir("/", 0755));
	SHOW(mkdir("", 0755));
	make_file("file", "x");
	SHOW(mkdir("file", 0755));
	SHOW(mkdir("file/dir", 0755));
	MUST(symlink("nowhere", "dangling"));
	SHOW(mkdir("dangling", 0755));
	SHOW(mkdir("sticky", 07777) || stat("sticky", &st) ? -1 : (long)(st.st_mode & 07777) == 01755);

	section("rmdir");
	MUST(mkdir("dir/inner", 0755));
	SHOW(rmdir("dir"));
	SHOW(rmdir("dir/inner/"));
	SHOW(rmdir("dir/."));
	SHOW(rmdir("dir/.."));
	SHOW(rmdir("."));
	SHOW(rmdir("/"));
	SHOW(rmdir("file"));
	SHOW(rmdir("absent"));
	SHOW(rmdir("dir"));
	SHOW(rmdir("dir"));
	MUST(symlink("slash", "link"));
	SHOW(rmdir("link"));
	SHOW(rmdir("link/"));
	SHOW(exists("slash"));

	section("at");
	int here = MUST(open(".", O_RDONLY));
	SHOW(mkdirat(here, "new", 0755));
	SHOW(unlinkat(here, "new", 0));
	SHOW(unlinkat(here, "new", AT_REMOVEDIR));
	SHOW(unlinkat(here, "file", AT_REMOVEDIR));
	SHOW(unlinkat(here, "file", 1));
	return 0;
}
