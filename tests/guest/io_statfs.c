/* statfs: only what every file system agrees on. */
#include "guest.h"
#include <sys/statfs.h>
#include <sys/statvfs.h>

int main(void)
{
	struct statfs fs;
	struct statvfs vfs;
	int ends[2];
	SHOW(statfs(".", &fs));
	CHECK(fs.f_bsize >= 512 && (fs.f_bsize & (fs.f_bsize - 1)) == 0);
	CHECK(fs.f_blocks >= fs.f_bfree && fs.f_bfree >= fs.f_bavail);
	CHECK(fs.f_namelen == 255);
	SHOW(fstatfs(MUST(open(".", O_RDONLY)), &fs));
	SHOW(statvfs(".", &vfs));
	CHECK(vfs.f_frsize > 0 && vfs.f_namemax == 255);
	SHOW(statfs("/proc", &fs));
	CHECK(fs.f_type == 0x9fa0);
	MUST(pipe(ends));
	SHOW(fstatfs(ends[0], &fs));
	CHECK(fs.f_type == 0x50495045);
	SHOW(statfs("absent", &fs));
	SHOW(fstatfs(-1, &fs));
	struct {
		int32_t blocks;
		uint64_t inodes;
		char names[16];
	} old;
	struct stat st;
	MUST(stat(".", &st));
	SHOW(syscall(SYS_ustat, (unsigned)st.st_dev, &old));
	SHOW(syscall(SYS_ustat, (unsigned)st.st_dev, (void *)8));
	SHOW(syscall(SYS_ustat, 0x7fffffff, &old));
	return 0;
}
