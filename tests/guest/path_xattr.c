/* Extended attributes, as cp -a and shutil.copy2 use them. */
#include "guest.h"
#include <sys/xattr.h>

int main(void)
{
	char buffer[64] = "";
	make_file("file", "x");
	SHOW(listxattr("file", buffer, sizeof buffer));
	SHOW(getxattr("file", "user.absent", buffer, sizeof buffer));
	if (setxattr("file", "user.color", "blue", 4, 0) && errno == EOPNOTSUPP)
		skip("no user attributes on this file system");
	SHOW(getxattr("file", "user.color", buffer, sizeof buffer));
	SHOW_TEXT(buffer);
	SHOW(getxattr("file", "user.color", NULL, 0));
	SHOW(getxattr("file", "user.color", buffer, 2));
	SHOW(setxattr("file", "user.color", "red", 3, XATTR_CREATE));
	SHOW(setxattr("file", "user.color", "red", 3, XATTR_REPLACE));
	SHOW(setxattr("file", "user.shape", "round", 5, XATTR_REPLACE));
	SHOW(setxattr("file", "user.shape", "round", 5, XATTR_CREATE));
	SHOW(listxattr("file", NULL, 0));
	SHOW(listxattr("file", buffer, 3));
	int fd = MUST(open("file", O_RDONLY));
	SHOW(fgetxattr(fd, "user.shape", buffer, sizeof buffer));
	SHOW(fsetxattr(fd, "user.empty", "", 0, 0));
	SHOW(fgetxattr(fd, "user.empty", buffer, sizeof buffer));
	SHOW(removexattr("file", "user.color"));
	SHOW(removexattr("file", "user.color"));
	SHOW(setxattr("file", "nonsense.name", "x", 1, 0));
	SHOW(setxattr("file", "user.", "x", 1, 0));
	SHOW(setxattr("file", "", "x", 1, 0));
	MUST(symlink("file", "link"));
	SHOW(lsetxattr("link", "user.x", "x", 1, 0));
	SHOW(getxattr("absent", "user.x", buffer, sizeof buffer));
	return 0;
}
