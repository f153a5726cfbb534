/* getcwd, chdir, fchdir. */
#include "guest.h"

/* The working directory relative to where the program started. */
static char start[4096];

static void show_cwd(void)
{
	char path[4096];
	if (!getcwd(path, sizeof path))
		say("cwd: %s\n", error_name(errno));
	else
		say("cwd: %s\n", strncmp(path, start, strlen(start)) ? path : path + strlen(start));
}

static void child(void)
{
	MUST(chdir("/usr"));
	show_cwd();
}

int main(void)
{
	char small[4], path[4096];
	MUST(getcwd(start, sizeof start) ? 0 : -1);
	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	make_file("file", "x");
	MUST(symlink("a/b", "link"));
	int here = MUST(open(".", O_RDONLY));
	SHOW(chdir("a"));
	show_cwd();
	SHOW(chdir("../link"));
	show_cwd();
	SHOW(chdir(".."));
	show_cwd();
	SHOW(fchdir(here));
	show_cwd();
	SHOW(chdir("file"));
	SHOW(chdir("absent"));
	SHOW(fchdir(MUST(open("file", O_RDONLY))));
	SHOW(fchdir(-1));
	SHOW(getcwd(small, sizeof small) ? 0 : -1);
	SHOW(syscall(SYS_getcwd, small, sizeof small));
	SHOW(syscall(SYS_getcwd, path, sizeof path) == (long)strlen(start) + 1);
	SHOW(syscall(SYS_getcwd, (void *)8, 4096));
	in_child("child", child);
	show_cwd();

	section("moved and removed");
	MUST(chdir("a/b"));
	MUST(rename("../../a", "../../c"));
	show_cwd();
	MUST(rmdir("../b"));
	show_cwd();
	SHOW(open("new", O_WRONLY | O_CREAT, 0644));
	SHOW(mkdir("new", 0755));
	SHOW(chdir("."));
	SHOW(chdir(".."));
	show_cwd();
	SHOW(chdir("/"));
	show_cwd();
	return 0;
}
