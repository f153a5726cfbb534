/* statx: masks, flags, what each kind of file says. */
#include "guest.h"
#include <sys/sysmacros.h>

static void look(const char *name, int flags, unsigned mask)
{
	struct statx x;
	memset(&x, 0x55, sizeof x);
	int result = statx(AT_FDCWD, name, flags, mask, &x);
	if (result) {
		say("%s %x %x: %s\n", name, flags, mask, error_name(errno));
		return;
	}
	say("%s %x %x: mode %o, links %u, size %llu, owner %u:%u, device %u:%u\n", name, flags, mask, x.stx_mode,
	    S_ISDIR(x.stx_mode) ? 0 : x.stx_nlink, S_ISREG(x.stx_mode) ? (unsigned long long)x.stx_size : 0, x.stx_uid,
	    x.stx_gid, x.stx_rdev_major, x.stx_rdev_minor);
	if ((mask & STATX_BASIC_STATS) != STATX_BASIC_STATS)
		return; /* what was not asked for may be missing */
	if ((x.stx_mask & STATX_BASIC_STATS) != STATX_BASIC_STATS)
		say("NO: mask %x\n", x.stx_mask);
	struct stat st;
	if (!fstatat(AT_FDCWD, name, &st, flags & AT_SYMLINK_NOFOLLOW))
		CHECK(st.st_ino == x.stx_ino && st.st_dev == makedev(x.stx_dev_major, x.stx_dev_minor) &&
		      st.st_mtim.tv_nsec == x.stx_mtime.tv_nsec && st.st_blocks == (blkcnt_t)x.stx_blocks);
}

int main(void)
{
	make_file("file", "12345");
	MUST(symlink("file", "link"));
	MUST(mkfifo("fifo", 0600));
	MUST(mkdir("dir", 0711));
	static const char *const names[] = {"file",      "link",      "fifo",   "dir",
					    "/dev/null", "/dev/zero", "absent", "file/x"};
	for (unsigned i = 0; i < COUNT(names); i++) {
		look(names[i], 0, STATX_BASIC_STATS);
		look(names[i], AT_SYMLINK_NOFOLLOW, STATX_ALL);
	}
	look("file", 0, 0);
	look("file", 0, STATX_SIZE);
	look("file", AT_STATX_DONT_SYNC, STATX_TYPE);
	look("file", AT_STATX_FORCE_SYNC, STATX_BTIME);
	look("file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_TYPE);
	look("file", AT_NO_AUTOMOUNT, STATX_TYPE);
	look("file", 0x10000, STATX_TYPE);
	look("file", 0, 0x80000000);
	struct statx x;
	int fd = MUST(open("file", O_RDONLY));
	SHOW(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &x));
	SHOW(statx(fd, "", 0, STATX_ALL, &x));
	SHOW(statx(fd, "x", 0, STATX_ALL, &x));
	SHOW(syscall(SYS_statx, fd, NULL, AT_EMPTY_PATH, STATX_ALL, &x));
	SHOW(syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_ALL, NULL));
	SHOW(statx(-1, "/dev/null", 0, STATX_ALL, &x));
	SHOW(statx(-1, "file", 0, STATX_ALL, &x));
	MUST(statx(AT_FDCWD, "file", 0, STATX_ALL, &x));
	CHECK(x.stx_mask & STATX_BTIME);
	CHECK(x.stx_btime.tv_sec <= x.stx_ctime.tv_sec && x.stx_btime.tv_sec > 1600000000);
	CHECK(x.stx_mask & STATX_MNT_ID);
	CHECK(x.stx_blksize >= 512);
	return 0;
}
