/* Hard links that the host's directory has, and new ones to its files. */
#include "guest.h"

static void show_links(const char *name)
{
	struct stat st;
	if (stat(name, &st))
		say("%s: %s\n", name, error_name(errno));
	else
		say("%s: %ld links, %ld bytes\n", name, (long)st.st_nlink, (long)st.st_size);
}

static int same(const char *a, const char *b)
{
	struct stat x, y;
	MUST(stat(a, &x));
	MUST(stat(b, &y));
	return x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

int main(void)
{
	show_links("a");
	CHECK(same("a", "d/hard"));
	int fd = MUST(open("d/hard", O_WRONLY | O_APPEND));
	MUST(write(fd, "through the other", 17));
	show_file("a");
	CHECK(same("a", "d/hard"));
	SHOW(link("a", "third"));
	show_links("d/hard");
	MUST(chmod("third", 0600));
	struct stat st;
	MUST(stat("a", &st));
	SHOW(st.st_mode & 07777);
	SHOW(unlink("a"));
	show_links("third");
	SHOW(rename("third", "d/hard"));
	show_links("third");
	SHOW(unlink("third"));
	show_links("d/hard");
	SHOW(link("d/hard", "a"));
	CHECK(same("a", "d/hard"));
	SHOW(unlink("d/hard") | unlink("a"));
	MUST(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW(write(fd, "still", 5));

	section("an untouched file");
	SHOW(link("b", "b2"));
	show_links("b");
	CHECK(same("b", "b2"));
	SHOW(unlink("b"));
	show_file("b2");
	show_links("b2");
	SHOW(link("b2", "b"));
	SHOW(link("b2", "b"));
	SHOW(link("d", "dd"));
	SHOW(linkat(AT_FDCWD, "way", AT_FDCWD, "way2", 0));
	MUST(lstat("way2", &st));
	CHECK(S_ISLNK(st.st_mode) && st.st_nlink == 2);
	SHOW(linkat(AT_FDCWD, "d/link", AT_FDCWD, "x", AT_SYMLINK_FOLLOW));
	return 0;
}
