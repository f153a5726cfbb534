/* A directory 4,000 deep: made, walked up, renamed, removed from the bottom. */
#include "guest.h"

#define DEPTH 4000

int main(void)
{
	int top = MUST(open(".", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < DEPTH; i++) {
		MUST(mkdir("d", 0755));
		MUST(chdir("d"));
	}
	make_file("bottom", "reached");
	static char up[3 * 1300 + 1], large[4 * DEPTH];
	for (int i = 0; i < 1300; i++)
		memcpy(up + 3 * i, "../", 3);
	SHOW(syscall(SYS_getcwd, large, sizeof large));
	struct stat st;
	SHOW(stat(up, &st));
	SHOW(chdir(up) | chdir(up) | chdir(up));
	for (int i = 0; i < 100; i++)
		MUST(chdir(".."));
	struct stat here;
	MUST(stat(".", &here));
	MUST(fstat(top, &st));
	CHECK(here.st_ino == st.st_ino);
	SHOW(rename("d", "e"));
	SHOW(access("d", F_OK));
	char down[2001];
	for (int i = 0; i < 1000; i++)
		memcpy(down + 2 * i, "d/", 2);
	down[2000] = 0;
	MUST(chdir("e"));
	SHOW(chdir(down) | chdir(down) | chdir(down));
	for (int i = 3001; i < DEPTH; i++)
		MUST(chdir("d"));
	show_file("bottom");
	MUST(unlink("bottom"));
	for (int i = 1; i < DEPTH; i++) {
		MUST(chdir(".."));
		MUST(rmdir("d"));
	}
	MUST(fchdir(top));
	SHOW(rmdir("e"));
	return 0;
}
