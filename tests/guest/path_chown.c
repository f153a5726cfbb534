/* chown: who may, and what -1 leaves alone. */
#include "guest.h"
#include <grp.h>

static void show_owner(const char *name)
{
	struct stat st;
	MUST(lstat(name, &st));
	say("%s belongs to %d:%d\n", name, st.st_uid, st.st_gid);
}

static void as_user(void)
{
	gid_t extra[] = {50};
	MUST(setgroups(1, extra));
	become_user(1000);
	SHOW(chown("file", 1000, 1000));
	SHOW(chown("own", 1000, 1000));
	SHOW(chown("own", -1, 50));
	show_owner("own");
	SHOW(chown("own", -1, 51));
	SHOW(chown("own", 1001, -1));
	SHOW(chown("own", -1, -1));
	SHOW(chown("file", -1, -1));
	close(MUST(open("public/new", O_WRONLY | O_CREAT, 0644)));
	show_owner("public/new");
}

int main(void)
{
	make_file("file", "x");
	show_owner("file");
	SHOW(chown("file", 12, 34));
	show_owner("file");
	SHOW(chown("file", -1, 56));
	show_owner("file");
	SHOW(chown("file", 78, -1));
	show_owner("file");
	int fd = MUST(open("file", O_RDONLY));
	SHOW(fchown(fd, 0, 0));
	show_owner("file");
	MUST(symlink("file", "link"));
	SHOW(lchown("link", 9, 9));
	show_owner("link");
	show_owner("file");
	SHOW(chown("link", 8, 8));
	show_owner("link");
	show_owner("file");
	SHOW(fchownat(AT_FDCWD, "link", 7, 7, AT_SYMLINK_NOFOLLOW));
	show_owner("link");
	SHOW(fchownat(fd, "", 6, 6, AT_EMPTY_PATH));
	show_owner("file");
	SHOW(fchownat(AT_FDCWD, "file", 0, 0, 0x8000));
	SHOW(chown("file", 4000000000u, 4000000000u));
	show_owner("file");
	SHOW(chown("absent", 0, 0));
	section("user");
	make_file("own", "");
	MUST(chown("own", 1000, 1000));
	MUST(mkdir("public", 0777));
	MUST(chmod("public", 0777));
	in_child("user", as_user);
	return 0;
}
