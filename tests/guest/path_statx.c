/* statx: the mask, the flags, agreement with stat. */
#include "guest.h"

int main(void)
{
	struct statx x;
	struct stat st;
	make_file("file", "text");
	MUST(symlink("file", "link"));
	SHOW(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &x));
	CHECK((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	MUST(stat("file", &st));
	CHECK(x.stx_ino == st.st_ino && x.stx_size == st.st_size && x.stx_mode == st.st_mode);
	CHECK(x.stx_nlink == st.st_nlink && x.stx_uid == st.st_uid && x.stx_gid == st.st_gid);
	CHECK(x.stx_mtime.tv_sec == st.st_mtim.tv_sec && x.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
	CHECK(x.stx_blksize == st.st_blksize && x.stx_blocks == st.st_blocks);
	SHOW(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	SHOW(S_ISLNK(x.stx_mode));
	SHOW(statx(AT_FDCWD, "link", AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &x));
	SHOW(S_ISREG(x.stx_mode));
	int fd = MUST(open("file", O_RDONLY));
	SHOW(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x));
	SHOW(x.stx_size);
	SHOW(statx(fd, "", 0, STATX_SIZE, &x));
	SHOW(statx(fd, "x", 0, STATX_SIZE, &x));
	SHOW(statx(-1, "x", 0, STATX_SIZE, &x));
	SHOW(statx(AT_FDCWD, "absent", 0, STATX_SIZE, &x));
	SHOW(statx(AT_FDCWD, "file", 0x10000, STATX_SIZE, &x));
	SHOW(statx(AT_FDCWD, "file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &x));
	SHOW(statx(AT_FDCWD, "file", 0, 0x80000000u, &x));
	SHOW(statx(AT_FDCWD, "file", 0, 0, &x));
	SHOW(syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_SIZE, (void *)8));
	return 0;
}
