/* mknod without devices: files, fifos, sockets. */
#include "guest.h"

static void show_type(const char *name)
{
	struct stat st;
	MUST(lstat(name, &st));
	say("%s: %o\n", name, st.st_mode);
}

static void as_user(void)
{
	become_user(1000);
	SHOW(mknod("public/fifo", S_IFIFO | 0644, 0));
	SHOW(mknod("public/null", S_IFCHR | 0644, 0x103));
	SHOW(mknod("closed", S_IFREG | 0644, 0));
}

int main(void)
{
	SHOW(mknod("file", S_IFREG | 0666, 0));
	show_type("file");
	SHOW(mknod("typeless", 0600, 0));
	show_type("typeless");
	SHOW(mknod("fifo", S_IFIFO | 0600, 0));
	show_type("fifo");
	SHOW(mknod("socket", S_IFSOCK | 0600, 0));
	show_type("socket");
	SHOW(open("socket", O_RDWR));
	SHOW(mknod("dir", S_IFDIR | 0755, 0));
	SHOW(mknod("odd", 0170000 | 0644, 0));
	SHOW(mknod("file", S_IFREG | 0644, 0));
	SHOW(mknod("absent/file", S_IFREG | 0644, 0));
	SHOW(mknodat(-1, "x", S_IFREG | 0644, 0));
	MUST(mkdir("public", 0755));
	MUST(chmod("public", 0777));
	in_child("user", as_user);
	return 0;
}
