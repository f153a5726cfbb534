/* How a path is walked: dots, slashes, what is not a directory. */
#include "guest.h"

static void look(const char *path)
{
	struct stat st;
	say("%s: %s\n", path, stat(path, &st) ? error_name(errno) : S_ISDIR(st.st_mode) ? "directory" : "file");
}

int main(void)
{
	struct stat a, b;
	MUST(mkdir("dir", 0755));
	MUST(mkdir("dir/sub", 0755));
	make_file("dir/file", "x");
	MUST(symlink("sub", "dir/link"));
	look("dir/./sub/../file");
	look("dir//sub///..//file");
	look("./././dir");
	look("dir/file/");
	look("dir/file/.");
	look("dir/file/..");
	look("dir/file/../file");
	look("dir/absent/..");
	look("dir/absent/../file");
	look("dir/link/../file");
	look("dir/sub/");
	look("dir/sub/.");
	look("/..");
	look("/../../usr/../usr/bin");
	look("//usr//bin//");
	look(".");
	look("dir/..");
	look("...");
	look(" ");

	MUST(stat("/", &a));
	MUST(stat("/../..", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	MUST(stat("dir", &a));
	MUST(stat("dir/sub/..", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);

	section("names are bytes");
	make_file("\xff\x01 \n", "odd");
	SHOW(exists("\xff\x01 \n"));
	make_file("Case", "");
	SHOW(exists("case"));
	return 0;
}
