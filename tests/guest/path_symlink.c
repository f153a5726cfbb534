/* Symbolic links: following, loops, truncated readlink. */
#include "guest.h"

int main(void)
{
	char buffer[64] = "";
	struct stat st;
	make_file("file", "text");
	MUST(mkdir("dir", 0755));
	SHOW(symlink("file", "link"));
	SHOW(symlink("other", "link"));
	SHOW(symlink("", "empty"));
	SHOW(symlink("x", ""));
	SHOW(symlink("x", "absent/link"));
	SHOW(symlink("../file", "dir/up"));
	show_file("dir/up");
	MUST(lstat("link", &st));
	SHOW(S_ISLNK(st.st_mode));
	SHOW(st.st_mode & 0777);
	SHOW(st.st_size);
	MUST(stat("link", &st));
	SHOW(S_ISREG(st.st_mode));

	section("readlink");
	SHOW(readlink("link", buffer, sizeof buffer));
	SHOW_TEXT(buffer);
	SHOW(readlink("link", buffer, 2));
	SHOW(readlink("link", buffer, 0));
	SHOW(readlink("file", buffer, sizeof buffer));
	SHOW(readlink("dir", buffer, sizeof buffer));
	SHOW(readlink("absent", buffer, sizeof buffer));
	SHOW(readlink("link/", buffer, sizeof buffer));

	section("loops");
	MUST(symlink("loop_b", "loop_a"));
	MUST(symlink("loop_a", "loop_b"));
	MUST(symlink("self/x", "self"));
	SHOW(open("loop_a", O_RDONLY));
	SHOW(stat("loop_a/x", &st));
	SHOW(lstat("loop_a", &st));
	SHOW(open("self", O_RDONLY));
	SHOW(readlink("loop_a", buffer, sizeof buffer));
	char name[16] = "file", next[16];
	for (int i = 1; i <= 41; i++) {
		snprintf(next, sizeof next, "chain%d", i);
		MUST(symlink(name, next));
		strcpy(name, next);
	}
	SHOW(stat("chain40", &st));
	SHOW(stat("chain41", &st));

	section("through a link");
	MUST(symlink("dir", "to_dir"));
	make_file("to_dir/inside", "1");
	SHOW(exists("dir/inside"));
	SHOW(lstat("to_dir/", &st));
	SHOW(S_ISDIR(st.st_mode));
	SHOW(unlink("to_dir/up"));
	return 0;
}
