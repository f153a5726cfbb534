/* Slashes behind a link to a link: they are followed to the end by calls that do not follow links otherwise. */
#include "guest.h"

static void look(const char *name)
{
	struct stat st;
	char text[100];
	if (lstat(name, &st))
		say("lstat %s: %s\n", name, error_name(errno));
	else
		say("lstat %s: %s\n", name, S_ISLNK(st.st_mode) ? "link" : S_ISDIR(st.st_mode) ? "directory" : "other");
	ssize_t n = readlink(name, text, sizeof text);
	say("readlink %s: %s\n", name, n < 0 ? error_name(errno) : "a link");
	int fd = open(name, O_RDONLY | O_NOFOLLOW);
	say("open %s: %s\n", name, fd < 0 ? error_name(errno) : "open");
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	MUST(mkdir("dir", 0755));
	make_file("file", "x");
	MUST(symlink("dir", "one"));
	MUST(symlink("one", "two"));
	MUST(symlink("two/", "three"));
	MUST(symlink("file", "to_file"));
	MUST(symlink("to_file", "to_to_file"));
	MUST(symlink("none", "to_none"));
	static const char *names[] = {"one",      "one/",        "two",      "two/",  "two//",  "three",   "three/",
				      "to_file/", "to_to_file/", "to_none/", "two/.", "two/..", "three/./"};
	for (unsigned i = 0; i < COUNT(names); i++)
		look(names[i]);
	SHOW(unlink("two/"));
	SHOW(rmdir("two/"));
	SHOW(rename("two/", "moved"));
	SHOW(mkdir("to_none/", 0755));
	SHOW(unlink("two"));
	return 0;
}
