/* O_TMPFILE: a file without a name, which may get one. */
#include "guest.h"

int main(void)
{
	struct stat st;
	char path[64];
	int fd = open(".", O_RDWR | O_TMPFILE, 0640);
	if (fd < 0 && errno == EOPNOTSUPP)
		skip("no O_TMPFILE on this file system");
	SHOW(fd >= 0);
	SHOW(write(fd, "text", 4));
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(st.st_mode & 07777);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show_file("named");
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));

	section("exclusive: never to be named");
	fd = MUST(open(".", O_RDWR | O_TMPFILE | O_EXCL, 0640));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW));
	section("errors");
	SHOW(open(".", O_RDONLY | O_TMPFILE, 0640));
	SHOW(open("named", O_RDWR | O_TMPFILE, 0640));
	SHOW(open("absent", O_RDWR | O_TMPFILE, 0640));
	return 0;
}
