/* O_PATH: a place in the tree, not an open file. */
#include "guest.h"
#include <sys/ioctl.h>

int main(void)
{
	char buffer[16] = "", link[64];
	struct stat st;
	MUST(mkdir("dir", 0755));
	make_file("dir/file", "text");
	MUST(symlink("file", "dir/link"));
	int dir = MUST(open("dir", O_PATH)), file = MUST(open("dir/file", O_PATH));
	int symbolic = MUST(open("dir/link", O_PATH | O_NOFOLLOW));

	SHOW(read(file, buffer, 1));
	SHOW(write(file, "x", 1));
	SHOW(lseek(file, 0, SEEK_SET));
	SHOW(fchmod(file, 0600));
	SHOW(fchown(file, 0, 0));
	SHOW(ftruncate(file, 0));
	SHOW(fcntl(file, F_SETFL, 0));
	SHOW(ioctl(file, 0x5401, buffer));
	SHOW(fstat(file, &st));
	SHOW(st.st_size);
	SHOW(fcntl(file, F_GETFD));
	SHOW(dup2(file, 40));

	section("as a directory");
	SHOW(openat(dir, "file", O_RDONLY) >= 0);
	SHOW(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW));
	SHOW(fchdir(dir));
	SHOW(fchdir(file));
	SHOW(syscall(SYS_getdents64, dir, buffer, sizeof buffer));

	section("the link itself");
	SHOW(fstat(symbolic, &st));
	SHOW(S_ISLNK(st.st_mode));
	SHOW(readlinkat(symbolic, "", buffer, sizeof buffer));

	section("opened in earnest");
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	int real = MUST(open(link, O_RDWR));
	SHOW(write(real, "T", 1));
	show_file("file");
	return 0;
}
