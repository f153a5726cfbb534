/* Extended attributes of each name space, kind of file and size; by whom. */
#include "guest.h"
#include <sys/xattr.h>

static char value[70000], list[70000];

static void as_user(void)
{
	become_user(1000);
	SHOW(setxattr("file", "user.x", "1", 1, 0));
	SHOW(getxattr("file", "user.a", value, 10));
	SHOW(setxattr("open", "user.x", "1", 1, 0));
	SHOW(getxattr("secret", "user.a", value, 10));
	SHOW(setxattr("open", "trusted.x", "1", 1, 0));
	SHOW(getxattr("file", "trusted.t", value, 10));
	SHOW(listxattr("file", list, sizeof list));
	SHOW(setxattr("open", "security.x", "1", 1, 0));
	SHOW(setxattr("sticky", "user.x", "1", 1, 0));
	SHOW(removexattr("file", "user.a"));
}

int main(void)
{
	make_file("file", "");
	if (setxattr("file", "user.a", "A", 1, 0) && errno == EOPNOTSUPP)
		skip("no user attributes here");
	make_file("open", "");
	make_file("secret", "");
	MUST(chmod(".", 0755) | chmod("open", 0666) | chmod("secret", 0600) | chmod("file", 0644));
	MUST(setxattr("secret", "user.a", "A", 1, 0));
	MUST(mkdir("sticky", 0777));
	MUST(chmod("sticky", 01777));
	SHOW(setxattr("file", "trusted.t", "T", 1, 0));
	SHOW(setxattr("file", "security.s", "S", 1, 0));
	SHOW(setxattr("file", "other.o", "O", 1, 0));
	SHOW(setxattr("file", "system.o", "O", 1, 0));
	SHOW(setxattr("file", "", "O", 1, 0));
	SHOW(setxattr("file", "user.empty", NULL, 0, 0));
	SHOW(getxattr("file", "user.empty", value, 10));
	char name[300] = "user.";
	memset(name + 5, 'n', 250);
	SHOW(setxattr("file", name, "n", 1, 0));
	name[255] = 'n';
	SHOW(setxattr("file", name, "n", 1, 0));
	SHOW(setxattr("file", "user.large", value, 2000, 0));
	SHOW(getxattr("file", "user.large", value, 1999));
	SHOW(getxattr("file", "user.large", value, 2000));
	SHOW(setxattr("file", "user.large", value, 65537, 0));
	SHOW(setxattr("file", "user.a", "B", 1, 7));
	SHOW(syscall(SYS_setxattr, "file", "user.a", NULL, 5l, 0));
	MUST(mkfifo("fifo", 0666));
	MUST(symlink("file", "link"));
	SHOW(setxattr("fifo", "user.x", "1", 1, 0));
	SHOW(setxattr("link", "user.via", "1", 1, 0));
	SHOW(getxattr("file", "user.via", value, 5));
	SHOW(lgetxattr("link", "user.via", value, 5));
	SHOW(lsetxattr("link", "trusted.l", "1", 1, 0));
	SHOW(lgetxattr("link", "trusted.l", value, 5));
	SHOW(setxattr("sticky", "user.dir", "1", 1, 0));
	int fd = MUST(open("file", O_RDONLY)), place = MUST(open("file", O_PATH));
	SHOW(fsetxattr(fd, "user.fd", "1", 1, 0));
	SHOW(fgetxattr(place, "user.fd", value, 5));
	SHOW(flistxattr(-1, list, 5));
	SHOW(getxattr("absent", "user.fd", value, 5));
	MUST(link("file", "hard"));
	SHOW(getxattr("hard", "user.fd", value, 5));
	SHOW(unlink("file") | rename("hard", "file"));
	SHOW(fgetxattr(fd, "user.fd", value, 5));
	in_child("user", as_user);
	return 0;
}
