/* fsync and its family, and the advice calls: which descriptors they take. */
#include "guest.h"

int main(void)
{
	int ends[2];
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644)), dir = MUST(open(".", O_RDONLY));
	MUST(pipe(ends));
	MUST(write(fd, "data", 4));
	SHOW(fsync(fd));
	SHOW(fdatasync(fd));
	SHOW(fsync(dir));
	SHOW(fsync(ends[0]));
	SHOW(fdatasync(ends[1]));
	SHOW(fsync(-1));
	SHOW(syncfs(fd));
	SHOW(syncfs(-1));
	SHOW(sync_file_range(fd, 0, 4, SYNC_FILE_RANGE_WRITE));
	SHOW(sync_file_range(fd, 0, 4, 0x100));
	SHOW(sync_file_range(fd, -1, 4, 0));
	SHOW(sync_file_range(ends[0], 0, 4, 0));
	section("advice");
	SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	SHOW_ERR(posix_fadvise(fd, 0, 0, 99));
	SHOW_ERR(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL));
	SHOW(readahead(fd, 0, 4096));
	SHOW(readahead(ends[0], 0, 4096));
	return 0;
}
