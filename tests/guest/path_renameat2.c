/* renameat2: RENAME_NOREPLACE and RENAME_EXCHANGE. */
#include "guest.h"

static int rename2(const char *from, const char *to, unsigned flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

int main(void)
{
	make_file("a", "A");
	make_file("b", "B");
	MUST(mkdir("d", 0755));
	make_file("d/x", "X");
	SHOW(rename2("a", "b", RENAME_NOREPLACE));
	SHOW(rename2("a", "c", RENAME_NOREPLACE));
	SHOW(rename2("c", "d", RENAME_NOREPLACE));
	SHOW(rename2("absent", "e", RENAME_NOREPLACE));
	SHOW(rename2("c", "c", RENAME_NOREPLACE));

	section("exchange");
	SHOW(rename2("b", "c", RENAME_EXCHANGE));
	show_file("b");
	show_file("c");
	SHOW(rename2("b", "absent", RENAME_EXCHANGE));
	SHOW(rename2("b", "d", RENAME_EXCHANGE));
	show_file("b/x");
	show_file("d");
	SHOW(rename2("b", "b/x", RENAME_EXCHANGE));
	SHOW(rename2("b/x", "b", RENAME_EXCHANGE));

	section("flags");
	SHOW(rename2("c", "e", RENAME_NOREPLACE | RENAME_EXCHANGE));
	SHOW(rename2("c", "e", 0x100));
	SHOW(renameat2(-1, "c", AT_FDCWD, "e", 0));
	int dir = MUST(open("b", O_RDONLY)), file = MUST(open("c", O_RDONLY));
	SHOW(renameat2(dir, "x", AT_FDCWD, "y", 0));
	SHOW(renameat2(AT_FDCWD, "y", dir, "z", 0));
	SHOW(renameat2(file, "y", dir, "z", 0));
	show_file("b/z");
	return 0;
}
