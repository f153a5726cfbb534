/* Renames that would make a directory its own ancestor, or lose one; and the links counts that right ones leave. */
#include "guest.h"

static void links(const char *name)
{
	struct stat st;
	MUST(stat(name, &st));
	say("%s: %ld\n", name, (long)st.st_nlink);
}

int main(void)
{
	MUST(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/c", 0755) | mkdir("z", 0755));
	make_file("file", "f");
	SHOW(rename("a", "a/x"));
	SHOW(rename("a", "a/b/c/d"));
	SHOW(rename("a/b/c", "a"));
	SHOW(rename("a/b/c", "a/b"));
	SHOW(rename("a", "a"));
	SHOW(rename("a/.", "y"));
	SHOW(rename("a/..", "y"));
	SHOW(rename("a", "z/."));
	SHOW(rename(".", "z/x"));
	SHOW(rename("file", "a"));
	SHOW(rename("a", "file"));
	SHOW(rename("file", "z/file/"));
	SHOW(rename("z", "a"));
	links("a");
	SHOW(rename("a/b/c", "z"));
	links("z");
	links("a/b");
	SHOW(rename("a/b", "z/b"));
	links("a");
	links("z");
	links("z/b");
	SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "z/b", RENAME_EXCHANGE));
	links("z");
	links(".");
	SHOW(renameat2(AT_FDCWD, "z", AT_FDCWD, "z/b", RENAME_EXCHANGE));
	SHOW(renameat2(AT_FDCWD, "z/b", AT_FDCWD, "z", RENAME_EXCHANGE));
	SHOW(renameat2(AT_FDCWD, "file", AT_FDCWD, "z/b", RENAME_EXCHANGE));
	links("z");
	links(".");
	SHOW(renameat2(AT_FDCWD, "file", AT_FDCWD, "z/b", RENAME_EXCHANGE | RENAME_NOREPLACE));
	SHOW(renameat2(AT_FDCWD, "file", AT_FDCWD, "z/b", 64));
	section("a directory that is somewhere else's current one");
	MUST(mkdir("home", 0755));
	pid_t child = fork_child();
	int ends[2];
	MUST(pipe(ends));
	if (!child) {
		MUST(chdir("home"));
		nap_ms(150);
		SHOW(access("../moved", F_OK));
		SHOW(mkdir("inside", 0755));
		_exit(0);
	}
	nap_ms(60);
	SHOW(rename("home", "z/moved"));
	reap("child", child);
	SHOW(access("z/moved/inside", F_OK));
	return 0;
}
