/* Paths up to PATH_MAX, names up to NAME_MAX, and one more of each. */
#include "guest.h"
#include <limits.h>

int main(void)
{
	static char path[PATH_MAX + 100], name[300];
	memset(name, 'n', 255);
	SHOW(mkdir(name, 0755));
	name[255] = 'n';
	SHOW(mkdir(name, 0755));
	SHOW(open(name, O_CREAT | O_RDWR, 0644));
	SHOW(access(name, F_OK));
	name[255] = 0;
	/* many slashes are one */
	memset(path, '/', sizeof path);
	memcpy(path, "./", 2);
	strcpy(path + PATH_MAX - 1 - 255, name);
	SHOW(strlen(path));
	SHOW(access(path, F_OK));
	SHOW(rmdir(path));
	strcpy(path + PATH_MAX - 255, name);
	SHOW(strlen(path));
	SHOW(mkdir(path, 0755));

	section("components of 200 bytes");
	memset(name, 'd', 200);
	name[200] = 0;
	path[0] = 0;
	int depth = 0;
	while (strlen(path) + 202 < PATH_MAX) {
		strcat(strcat(path, name), "/");
		MUST(mkdir(path, 0755));
		depth++;
	}
	SHOW(depth);
	size_t length = strlen(path);
	memset(path + length, 'f', PATH_MAX - 1 - length);
	path[PATH_MAX - 1] = 0;
	SHOW(close(open(path, O_CREAT | O_RDWR, 0644)));
	struct stat st;
	SHOW(stat(path, &st));
	path[PATH_MAX - 1] = 'f', path[PATH_MAX] = 0;
	SHOW(stat(path, &st));
	path[PATH_MAX - 1] = 0;
	SHOW(rename(path, "short"));
	SHOW(symlink(path, "link"));
	SHOW(readlink("link", path, sizeof path));
	SHOW(stat("link", &st));
	SHOW(rename("short", path));
	SHOW(stat("link", &st));
	path[length] = 0;
	SHOW(chdir(path));
	char *cwd = getcwd(name, sizeof name);
	CHECK(!cwd);
	SHOW(errno);
	static char large[2 * PATH_MAX];
	/* deeper than any path can say */
	memset(name, 'e', 200);
	for (int i = 0; i < 30; i++) {
		MUST(mkdir(name, 0755));
		MUST(chdir(name));
	}
	SHOW(syscall(SYS_getcwd, large, sizeof large));
	for (int i = 0; i < 30; i++) {
		MUST(chdir(".."));
		MUST(rmdir(name));
	}
	cwd = getcwd(large, sizeof large);
	CHECK(cwd);
	return 0;
}
