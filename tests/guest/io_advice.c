/* readahead, posix_fadvise, sync_file_range, syncfs: accepted where Linux accepts, refused where it refuses. */
#include "guest.h"

int main(void)
{
	int ends[2];
	make_file("file", "some text");
	int fd = MUST(open("file", O_RDWR)), writer = MUST(open("file", O_WRONLY)), dir = MUST(open(".", O_RDONLY)),
	    place = MUST(open("file", O_PATH));
	MUST(pipe(ends));
	for (int advice = 0; advice <= 6; advice++)
		SHOW_ERR(posix_fadvise(fd, 0, 0, advice));
	SHOW_ERR(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(fd, -5, 10, POSIX_FADV_DONTNEED));
	SHOW_ERR(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(dir, 0, 0, POSIX_FADV_WILLNEED));
	SHOW_ERR(posix_fadvise(place, 0, 0, POSIX_FADV_NORMAL));
	SHOW_ERR(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL));
	section("readahead");
	SHOW(readahead(fd, 0, 4096));
	SHOW(readahead(fd, 1 << 20, 4096));
	SHOW(readahead(writer, 0, 4096));
	SHOW(readahead(ends[0], 0, 4096));
	SHOW(readahead(dir, 0, 4096));
	SHOW(readahead(-1, 0, 4096));
	section("sync_file_range");
	SHOW(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
	SHOW(sync_file_range(fd, 0, 0, 7));
	SHOW(sync_file_range(fd, 0, 0, 8));
	SHOW(sync_file_range(fd, -1, 10, 1));
	SHOW(sync_file_range(fd, 10, -1, 1));
	SHOW(sync_file_range(ends[0], 0, 0, 1));
	SHOW(sync_file_range(dir, 0, 0, 1));
	SHOW(syncfs(fd));
	SHOW(syncfs(-1));
	SHOW(fdatasync(dir));
	SHOW(fsync(ends[0]));
	SHOW(fsync(place));
	section("F_GETLEASE and friends");
	SHOW(fcntl(fd, F_GETLEASE) == F_UNLCK);
	SHOW(fcntl(ends[0], F_SETLEASE, F_RDLCK));
	SHOW(fcntl(fd, 12345));
	SHOW(fcntl(fd, F_SETFD, 77) | (fcntl(fd, F_GETFD) << 8));
	return 0;
}
