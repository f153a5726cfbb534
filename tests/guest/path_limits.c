/* NAME_MAX and PATH_MAX. */
#include "guest.h"

int main(void)
{
	static char path[8192], name[300];
	struct stat st;
	memset(name, 'n', 255);
	SHOW(close(open(name, O_WRONLY | O_CREAT, 0644)));
	SHOW(stat(name, &st));
	SHOW(mkdir(name, 0755));
	name[255] = 'n';
	SHOW(open(name, O_WRONLY | O_CREAT, 0644));
	SHOW(stat(name, &st));
	SHOW(mkdir(name, 0755));
	SHOW(rename("absent", name));
	SHOW(symlink("x", name));
	SHOW(link(name, "x"));

	section("4095 characters are a path, 4096 are not");
	memset(path, '/', 4095);
	SHOW(stat(path, &st));
	path[4095] = '/';
	SHOW(stat(path, &st));
	SHOW(open(path, O_RDONLY));
	SHOW(chdir(path));
	memset(path, 'p', 4096);
	SHOW(symlink(path, "link"));
	path[4095] = 0;
	SHOW(stat(path, &st));
	SHOW(stat("", &st));
	SHOW(open("", O_RDONLY));
	SHOW(chdir(""));

	section("a tree that is deeper than any path");
	for (int i = 0; i < 30; i++) {
		name[200] = 0;
		MUST(mkdir(name, 0755));
		MUST(chdir(name));
	}
	SHOW(getcwd(path, sizeof path) != NULL);
	SHOW(syscall(SYS_getcwd, path, sizeof path));
	make_file("bottom", "reached");
	show_file("bottom");
	unlink("bottom");
	for (int i = 0; i < 30; i++) {
		MUST(chdir(".."));
		MUST(rmdir(name));
	}
	return 0;
}
