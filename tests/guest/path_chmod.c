/* chmod and friends; set-id bits that a write or a chown takes away. */
#include "guest.h"

static long mode_of(const char *name)
{
	struct stat st;
	MUST(lstat(name, &st));
	return st.st_mode & 07777;
}

#define SHOW_MODE(name) say("mode of %s: %lo\n", (name), mode_of(name))

static void as_user(void)
{
	become_user(1000);
	SHOW(chmod("file", 0777));
	SHOW(chmod("own", 06755));
	SHOW_MODE("own");
	int fd = MUST(open("own", O_WRONLY));
	MUST(write(fd, "x", 1));
	SHOW_MODE("own");
	SHOW(chmod("foreign_group", 02755));
	SHOW_MODE("foreign_group");
}

int main(void)
{
	make_file("file", "x");
	SHOW(chmod("file", 0123));
	SHOW_MODE("file");
	SHOW(chmod("file", 0107777));
	SHOW_MODE("file");
	int fd = MUST(open("file", O_RDWR));
	SHOW(fchmod(fd, 0640));
	SHOW_MODE("file");
	SHOW(fchmodat(AT_FDCWD, "file", 0600, 0));
	SHOW_MODE("file");
	MUST(symlink("file", "link"));
	SHOW(chmod("link", 0444));
	SHOW_MODE("file");
	SHOW_MODE("link");
	MUST(mkdir("dir", 0755));
	SHOW(chmod("dir", 02775));
	SHOW_MODE("dir");
	SHOW(chmod("absent", 0644));
	SHOW(fchmod(-1, 0644));

	section("set-id bits");
	MUST(chmod("file", 06755));
	SHOW(chown("file", 0, 0));
	SHOW_MODE("file");
	MUST(chmod("file", 06755));
	SHOW(write(fd, "y", 1));
	SHOW_MODE("file");
	MUST(chmod("file", 02644));
	SHOW(chown("file", 5, 5));
	SHOW_MODE("file");

	section("user");
	make_file("own", "");
	make_file("foreign_group", "");
	MUST(chown("own", 1000, 1000));
	MUST(chown("foreign_group", 1000, 5));
	in_child("user", as_user);

	section("a set-group-id directory hands its group on");
	MUST(chown("dir", 0, 77));
	MUST(chmod("dir", 02775));
	make_file("dir/new", "");
	MUST(mkdir("dir/sub", 0755));
	struct stat st;
	MUST(stat("dir/new", &st));
	SHOW(st.st_gid);
	MUST(stat("dir/sub", &st));
	SHOW(st.st_gid);
	SHOW_MODE("dir/sub");
	return 0;
}
