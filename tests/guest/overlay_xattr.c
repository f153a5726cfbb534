/* Attributes put on files of the host, which go where the file goes. */
#include "guest.h"
#include <sys/xattr.h>

static void show_value(const char *name, const char *attribute)
{
	char value[64];
	ssize_t size = getxattr(name, attribute, value, sizeof value);
	if (size < 0)
		say("%s %s: %s\n", name, attribute, error_name(errno));
	else
		show_bytes(attribute, value, size);
}

int main(void)
{
	static char list[70000];
	SHOW(listxattr("a", NULL, 0));
	if (setxattr("a", "user.color", "red", 3, 0) && errno == EOPNOTSUPP)
		skip("no user attributes here");
	show_value("a", "user.color");
	show_value("d/hard", "user.color");
	SHOW(setxattr("a", "user.color", "blue", 4, XATTR_CREATE));
	SHOW(setxattr("a", "user.none", "x", 1, XATTR_REPLACE));
	SHOW(setxattr("a", "user.color", "blue", 4, XATTR_REPLACE));
	SHOW(setxattr("a", "user.second", "", 0, 0));
	SHOW(listxattr("a", list, sizeof list));
	SHOW(listxattr("a", list, 3));
	SHOW(getxattr("a", "user.color", list, 2));
	SHOW(getxattr("a", "user.color", NULL, 0));
	MUST(rename("a", "d/moved"));
	show_value("d/moved", "user.color");
	show_value("d/moved", "user.second");
	int fd = MUST(open("d/moved", O_RDONLY));
	SHOW(fremovexattr(fd, "user.color"));
	show_value("d/hard", "user.color");
	SHOW(setxattr("d", "user.dir", "yes", 3, 0));
	show_value("d", "user.dir");
	SHOW(lsetxattr("way", "user.link", "x", 1, 0));
	SHOW(setxattr("b", "nonsense", "x", 1, 0));
	SHOW(setxattr("b", "user.", "x", 1, 0));
	SHOW(setxattr("b", "user.big", list, 70000, 0));
	SHOW(removexattr("b", "user.absent"));
	show_file("d/moved");
	return 0;
}
