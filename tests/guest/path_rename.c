/* rename: what may replace what, and what stays open. */
#include "guest.h"

int main(void)
{
	struct stat before, after;
	make_file("a", "content of a");
	make_file("b", "content of b");
	MUST(stat("a", &before));
	int old_b = MUST(open("b", O_RDONLY));
	SHOW(rename("a", "b"));
	MUST(stat("b", &after));
	CHECK(before.st_ino == after.st_ino);
	SHOW(exists("a"));
	show_file("b");
	char buffer[32] = "";
	SHOW(read(old_b, buffer, sizeof buffer));
	SHOW_TEXT(buffer);
	SHOW(rename("b", "b"));
	SHOW(rename("absent", "c"));
	SHOW(rename("b", "absent/c"));
	SHOW(rename("b", ""));

	section("directories");
	MUST(mkdir("d", 0755));
	MUST(mkdir("d/e", 0755));
	MUST(mkdir("empty", 0755));
	MUST(mkdir("full", 0755));
	make_file("full/x", "");
	SHOW(rename("d", "d/e/f"));
	SHOW(rename("d/e", "d"));
	SHOW(rename("d", "full"));
	SHOW(rename("d", "empty"));
	SHOW(exists("empty/e"));
	SHOW(rename("b", "empty"));
	SHOW(rename("empty", "b"));
	SHOW(rename("empty/", "moved/"));
	SHOW(rename("b/", "c"));
	SHOW(rename("b", "c/"));
	SHOW(rename("moved/.", "c"));
	SHOW(rename("moved", "moved/.."));
	SHOW(rename("moved/e", "e"));
	SHOW(rename("b", "e/b"));

	section("hard and symbolic links");
	make_file("one", "1");
	MUST(link("one", "two"));
	SHOW(rename("one", "two"));
	SHOW(exists("one"));
	MUST(symlink("one", "soft"));
	SHOW(rename("soft", "one"));
	SHOW(exists("soft"));
	SHOW(readlink("one", buffer, sizeof buffer));
	SHOW(rename("two", "one"));
	show_file("one");
	return 0;
}
