/* openat2: RESOLVE_* and its growing structure. */
#include "guest.h"
#include <linux/openat2.h>

static long open2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int main(void)
{
	struct {
		struct open_how how;
		uint64_t more;
	} large = {.how.flags = O_RDONLY};
	struct open_how how = {.flags = O_RDONLY};
	MUST(mkdir("dir", 0755));
	make_file("dir/file", "x");
	make_file("out", "x");
	MUST(symlink("file", "dir/inner"));
	MUST(symlink("../out", "dir/outer"));
	MUST(symlink("/out", "dir/absolute"));
	int dir = MUST(open("dir", O_RDONLY));
	SHOW(open2(dir, "file", O_RDONLY, 0));
	SHOW(open2(dir, "../out", O_RDONLY, RESOLVE_BENEATH));
	SHOW(open2(dir, "/out", O_RDONLY, RESOLVE_BENEATH));
	SHOW(open2(dir, "outer", O_RDONLY, RESOLVE_BENEATH));
	SHOW(open2(dir, "inner", O_RDONLY, RESOLVE_BENEATH));
	SHOW(open2(dir, "./../dir/file", O_RDONLY, RESOLVE_BENEATH));
	SHOW(open2(dir, "outer", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(open2(dir, "/file", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(open2(dir, "../../file", O_RDONLY, RESOLVE_IN_ROOT));
	SHOW(open2(dir, "inner", O_RDONLY, RESOLVE_NO_SYMLINKS));
	SHOW(open2(dir, "file", O_RDONLY, RESOLVE_NO_SYMLINKS));
	SHOW(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	SHOW(open2(AT_FDCWD, "/proc/self/status", O_RDONLY, RESOLVE_NO_XDEV));
	SHOW(open2(dir, "file", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	SHOW(open2(dir, "file", O_RDONLY, 0x100000));
	SHOW(open2(dir, "file", 1ull << 40, 0));
	section("the structure");
	how.mode = 0644;
	SHOW(syscall(SYS_openat2, dir, "file", &how, sizeof how));
	SHOW(syscall(SYS_openat2, dir, "file", &how, 8));
	SHOW(syscall(SYS_openat2, dir, "file", &large, sizeof large) >= 0);
	large.more = 1;
	SHOW(syscall(SYS_openat2, dir, "file", &large, sizeof large));
	SHOW(syscall(SYS_openat2, dir, "file", NULL, sizeof how));
	return 0;
}
