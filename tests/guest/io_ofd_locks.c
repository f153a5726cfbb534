/* Open-file-description locks: owned by the description, not by the process. */
#include "guest.h"
#include <sys/file.h>

static int set(int fd, int type, long start, long length, int command)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	return fcntl(fd, command, &lock);
}

int main(void)
{
	int a = MUST(open("file", O_RDWR | O_CREAT, 0644)), b = MUST(open("file", O_RDWR)), copy = MUST(dup(a));
	SHOW(set(a, F_WRLCK, 0, 10, F_OFD_SETLK));
	SHOW(set(b, F_WRLCK, 5, 10, F_OFD_SETLK));
	SHOW(set(copy, F_WRLCK, 5, 10, F_OFD_SETLK));
	SHOW(set(b, F_RDLCK, 0, 1, F_OFD_SETLK));
	SHOW(set(b, F_WRLCK, 0, 1, F_SETLK));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	MUST(fcntl(b, F_OFD_GETLK, &lock));
	say("type %d start %ld length %ld pid %d\n", lock.l_type, (long)lock.l_start, (long)lock.l_len, lock.l_pid);
	lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 5};
	SHOW(fcntl(a, F_OFD_SETLK, &lock));
	close(a);
	SHOW(set(b, F_WRLCK, 0, 1, F_OFD_SETLK));
	pid_t child = fork_child();
	if (!child) {
		SHOW(set(copy, F_UNLCK, 0, 3, F_OFD_SETLK));
		_exit(0);
	}
	reap("child unlocks", child);
	SHOW(set(b, F_WRLCK, 0, 3, F_OFD_SETLK));
	SHOW(set(b, F_WRLCK, 3, 3, F_OFD_SETLK));
	close(copy);
	SHOW(set(b, F_WRLCK, 3, 3, F_OFD_SETLK));

	section("no deadlock is looked for; the other goes on when we let go");
	a = MUST(open("file", O_RDWR));
	child = fork_child();
	if (!child)
		_exit(set(a, F_WRLCK, 0, 1, F_OFD_SETLKW) ? 1 : 6);
	nap_ms(100);
	SHOW(set(b, F_UNLCK, 0, 0, F_OFD_SETLK));
	reap("waiter", child);
	section("with flock they do not meet");
	SHOW(flock(b, LOCK_EX | LOCK_NB));
	SHOW(flock(a, LOCK_EX | LOCK_NB));
	SHOW(flock(a, 77));
	return 0;
}
