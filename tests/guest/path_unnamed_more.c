/* O_TMPFILE through every step of its life: writes, links, replacing by rename, several processes. */
#include "guest.h"

int main(void)
{
	char path[64], text[16] = "";
	int fd = open(".", O_WRONLY | O_TMPFILE, 0600);
	if (fd < 0)
		skip("no O_TMPFILE");
	MUST(write(fd, "first", 5));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int reader = MUST(open(path, O_RDONLY));
	SHOW(read(reader, text, sizeof text));
	SHOW_TEXT(text);
	ssize_t size = MUST(readlink(path, text, sizeof text));
	SHOW(size > 0);
	char target[300] = "";
	MUST(readlink(path, target, sizeof target - 1));
	CHECK(strstr(target, " (deleted)"));
	pid_t child = fork_child();
	if (!child) {
		MUST(write(fd, ", second", 8));
		SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "file.new", AT_SYMLINK_FOLLOW));
		_exit(0);
	}
	reap("child", child);
	make_file("file", "old");
	SHOW(rename("file.new", "file"));
	show_file("file");
	MUST(ftruncate(fd, 3));
	show_file("file");
	struct stat st, named;
	MUST(fstat(fd, &st));
	MUST(stat("file", &named));
	CHECK(st.st_ino == named.st_ino && st.st_nlink == 1);
	SHOW(st.st_mode & 07777);
	section("in /tmp");
	fd = MUST(open("/tmp", O_RDWR | O_TMPFILE, 0644));
	MUST(write(fd, "there", 5));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	snprintf(target, sizeof target, "/tmp/usbx-case-%d", getpid());
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, target, AT_SYMLINK_FOLLOW));
	SHOW(access(target, R_OK));
	SHOW(unlink(target));
	SHOW(openat(MUST(open(".", O_PATH)), "", O_RDWR | O_TMPFILE, 0600));
	SHOW(open(".", O_RDWR | O_TMPFILE | O_CREAT, 0600));
	SHOW(system("ls | grep -v path_") != 0);
	return 0;
}
