/* chroot: the root changes, the working directory does not; an ordinary user may not. */
#include "guest.h"

static void confined(void)
{
	struct stat st;
	char path[256] = "";
	SHOW(chroot("dir"));
	SHOW(stat("/inside", &st));
	SHOW(stat("/usr", &st));
	SHOW(chdir("/"));
	SHOW(getcwd(path, sizeof path) != NULL);
	SHOW_TEXT(path);
	SHOW(stat("../../../inside", &st));
	SHOW(stat("absolute", &st));
	SHOW(stat("/sub/up", &st));
}

static void as_user(void)
{
	become_user(1000);
	SHOW(chroot("dir"));
}

int main(void)
{
	MUST(mkdir("dir", 0755));
	MUST(mkdir("dir/sub", 0755));
	make_file("dir/inside", "x");
	make_file("outside", "x");
	MUST(symlink("/inside", "dir/absolute"));
	MUST(symlink("../../../inside", "dir/sub/up"));
	in_child("confined", confined);
	in_child("user", as_user);
	SHOW(chroot("outside"));
	SHOW(chroot("absent"));
	return 0;
}
