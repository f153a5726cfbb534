/* Renames of what the host's directory has: files, directories with their content, exchanges, replacements. */
#include "guest.h"

static void tree(const char *dir)
{
	char command[100];
	snprintf(command, sizeof command, "find %s -printf '%%p %%y %%n %%s\\n' | grep -v ' d ' | sort", dir);
	MUST(system(command));
	snprintf(command, sizeof command, "find %s -type d -printf '%%p %%n\\n' | sort", dir);
	MUST(system(command));
}

int main(void)
{
	struct stat before, after;
	MUST(stat("d", &before));
	int dir = MUST(open("d/e", O_RDONLY | O_DIRECTORY)), file = MUST(open("d/e/2", O_RDONLY));
	SHOW(rename("d", "moved"));
	MUST(stat("moved", &after));
	CHECK(before.st_ino == after.st_ino && after.st_nlink == before.st_nlink);
	SHOW(open("d/1", O_RDONLY));
	tree("moved");
	char text[8] = "";
	SHOW(read(file, text, 8));
	SHOW_TEXT(text);
	SHOW(faccessat(dir, "f/3", R_OK, 0));
	make_file("moved/e/new", "new");
	SHOW(faccessat(dir, "new", R_OK, 0));
	SHOW(unlink("moved/1"));
	SHOW(mkdir("d", 0755));
	tree("d");
	SHOW(rename("moved", "d"));
	tree("d");
	SHOW(open("moved", O_RDONLY));

	section("deeper");
	SHOW(rename("d/e/f", "empty/f"));
	SHOW(rename("d/e", "empty/f"));
	SHOW(rename("empty", "d/e/in"));
	SHOW(rename("d", "d/e/x"));
	tree("d");
	SHOW(rename("d/e/in/f", "d/e/in/f"));

	section("files");
	SHOW(rename("a", "b"));
	show_file("b");
	MUST(stat("b", &after));
	SHOW(after.st_nlink);
	SHOW(rename("b", "d/hard"));
	show_file("b");
	SHOW(rename("c", "d"));
	SHOW(rename("d", "c"));
	make_file("fresh", "fresh");
	SHOW(rename("fresh", "c"));
	show_file("c");
	SHOW(rename("big", "d/big"));
	MUST(stat("d/big", &after));
	SHOW(after.st_size);
	SHOW(rename("full/007", "full/008"));
	show_file("full/008");

	section("exchange");
	SHOW(renameat2(AT_FDCWD, "full", AT_FDCWD, "d/e", RENAME_EXCHANGE));
	SHOW(access("d/e/123", R_OK));
	SHOW(access("full/new", R_OK));
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "d/e/000", RENAME_EXCHANGE));
	show_file("b");
	show_file("d/e/000");
	SHOW(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE));
	SHOW(renameat2(AT_FDCWD, "way", AT_FDCWD, "way2", RENAME_NOREPLACE));
	MUST(unlink("d/e/000"));
	SHOW(system("ls d/e | wc -l"));
	return 0;
}
