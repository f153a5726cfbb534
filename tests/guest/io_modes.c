/* How open creates: O_CREAT, O_EXCL, O_TRUNC together, and the mode it gives. */
#include "guest.h"

static void show_mode(const char *name)
{
	struct stat st;
	MUST(lstat(name, &st));
	say("%s: mode %o, %ld bytes\n", name, st.st_mode & 07777, (long)st.st_size);
}

int main(void)
{
	umask(0);
	close(MUST(open("a", O_WRONLY | O_CREAT, 0754)));
	show_mode("a");
	close(MUST(open("b", O_WRONLY | O_CREAT, 07777)));
	show_mode("b");
	umask(027);
	close(MUST(open("c", O_WRONLY | O_CREAT, 0666)));
	show_mode("c");
	close(MUST(creat("d", 0777)));
	show_mode("d");

	section("a new file may be written whatever its mode");
	int fd = MUST(open("e", O_RDWR | O_CREAT, 0));
	SHOW(write(fd, "12345", 5));
	show_mode("e");

	section("an existing one keeps mode and content");
	close(MUST(open("e", O_WRONLY | O_CREAT, 0777)));
	show_mode("e");
	close(MUST(open("e", O_WRONLY | O_CREAT | O_TRUNC, 0777)));
	show_mode("e");
	MUST(pwrite(fd, "123", 3, 0));
	SHOW(open("e", O_WRONLY | O_CREAT | O_EXCL | O_TRUNC, 0777));
	show_mode("e");
	MUST(symlink("f", "dangling"));
	SHOW(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
	SHOW(close(open("dangling", O_WRONLY | O_CREAT, 0644)));
	show_mode("f");
	SHOW(open("g/", O_WRONLY | O_CREAT, 0644));
	SHOW(open("absent/g", O_WRONLY | O_CREAT, 0644));
	SHOW(open("a/g", O_WRONLY | O_CREAT, 0644));
	return 0;
}
