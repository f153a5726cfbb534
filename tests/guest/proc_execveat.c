/* execveat and fexecve: programs by descriptor, also one that only lives in memory. */
#include "guest.h"
#include <sys/mman.h>

static char *const args[] = {"by descriptor", "child", NULL}, *const none[] = {NULL};
static int fd, dir;
static const char *name;

static void by_fd(void)
{
	SHOW(fexecve(fd, args, none));
}
static void by_empty_path(void)
{
	SHOW(execveat(fd, "", args, none, AT_EMPTY_PATH));
}
static void by_dir(void)
{
	SHOW(execveat(dir, name, args, none, 0));
}
static void by_dir_no_follow(void)
{
	SHOW(execveat(dir, "link", args, none, AT_SYMLINK_NOFOLLOW));
}

int main(int argc, char **argv)
{
	char block[65536], line[4096];
	if (argc > 1) {
		say("%s: running\n", argv[0]);
		return 8;
	}
	dir = MUST(open(".", O_RDONLY));
	name = strrchr(argv[0], '/') + 1;
	MUST(symlink(name, "link"));
	fd = MUST(open(argv[0], O_RDONLY | O_CLOEXEC));
	in_child("file", by_fd);
	in_child("empty path", by_empty_path);
	in_child("in directory", by_dir);
	in_child("link", by_dir_no_follow);
	fd = MUST(open(argv[0], O_PATH | O_CLOEXEC));
	in_child("place", by_empty_path);

	section("in memory");
	int from = MUST(open(argv[0], O_RDONLY));
	fd = MUST(memfd_create("program", MFD_CLOEXEC));
	for (ssize_t size; (size = MUST(read(from, block, sizeof block))) > 0;)
		MUST(write(fd, block, size));
	fchmod(fd, 0755);
	in_child("memory, open for writing", by_empty_path);
	snprintf(line, sizeof line, "/proc/self/fd/%d", fd);
	fd = MUST(open(line, O_RDONLY | O_CLOEXEC));
	SHOW(execveat(fd, "", args, none, 0));
	SHOW(execveat(fd, "", args, none, 0x10000));
	SHOW(execveat(-1, "x", args, none, 0));
	return 0;
}
