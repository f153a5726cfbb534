/* Locks on a file of the host hold across its first write, and for every name of it. */
#include "guest.h"
#include <sys/file.h>

static void try(void)
{
	int fd = MUST(open("d/hard", O_RDWR));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 4};
	SHOW(flock(fd, LOCK_EX | LOCK_NB));
	SHOW(flock(fd, LOCK_SH | LOCK_NB));
	SHOW(fcntl(fd, F_SETLK, &lock));
	lock.l_start = 4;
	SHOW(fcntl(fd, F_SETLK, &lock));
	lock.l_start = 0;
	MUST(fcntl(fd, F_GETLK, &lock));
	say("type %d, start %ld, length %ld, parent's: %d\n", lock.l_type, (long)lock.l_start, (long)lock.l_len,
	    lock.l_pid == getppid());
}

int main(void)
{
	int reader = MUST(open("a", O_RDONLY));
	MUST(flock(reader, LOCK_EX));
	int writer = MUST(open("a", O_RDWR));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 4};
	MUST(fcntl(writer, F_SETLK, &lock));
	in_child("before the write", try);
	MUST(write(writer, "x", 1));
	in_child("after the write", try);
	MUST(rename("a", "other"));
	MUST(flock(reader, LOCK_UN));
	MUST(close(MUST(open("other", O_RDONLY))));
	in_child("unlocked by a close", try);
	return 0;
}
