/* Ranges of OFD locks and of POSIX locks: split, merged, upgraded; compared byte by byte with what others may take. */
#include "guest.h"

static int file, other;

static int lock(int fd, int command, short type, long start, long length)
{
	struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	return fcntl(fd, command, &request) ? -errno : 0;
}

/* What another open file would meet at each of the first bytes: . nothing, r a read lock, W a write lock. */
static void picture(const char *what)
{
	char text[41] = "";
	for (int i = 0; i < 40; i++) {
		if (!lock(other, F_OFD_SETLK, F_WRLCK, i, 1))
			text[i] = '.';
		else
			text[i] = lock(other, F_OFD_SETLK, F_RDLCK, i, 1) ? 'W' : 'r';
		lock(other, F_OFD_SETLK, F_UNLCK, i, 1);
	}
	say("%-12s %s\n", what, text);
}

static void first(const char *what, short type, long start, long length)
{
	struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	MUST(fcntl(other, F_OFD_GETLK, &request));
	if (request.l_type == F_UNLCK)
		say("%s: free\n", what);
	else
		say("%s: type %d at %ld, length %ld, pid %d\n", what, request.l_type, (long)request.l_start,
		    (long)request.l_len, request.l_pid == getpid() ? 1 : request.l_pid);
}

static void ranges(int set)
{
	lock(file, set, F_WRLCK, 5, 20);
	picture("write 5-24");
	lock(file, set, F_RDLCK, 10, 5);
	picture("read 10-14");
	lock(file, set, F_UNLCK, 12, 1);
	picture("not 12");
	lock(file, set, F_WRLCK, 12, 1);
	picture("write 12");
	lock(file, set, F_RDLCK, 0, 30);
	picture("read 0-29");
	first("asked for all to write", F_WRLCK, 0, 0);
	first("asked for all to read", F_RDLCK, 0, 0);
	lock(file, set, F_WRLCK, 35, 0);
	picture("write 35-");
	first("asked behind 30", F_RDLCK, 30, 0);
	lock(file, set, F_UNLCK, 37, 0);
	picture("not 37-");
	lock(file, set, F_WRLCK, 30, 5);
	picture("write 30-34");
	first("merged", F_RDLCK, 0, 0);
	lock(file, set, F_WRLCK, 29, -9);
	picture("write 20-28");
	for (int i = 0; i < 40; i += 3)
		lock(file, set, F_UNLCK, i, 1);
	picture("every third");
	lock(file, set, F_WRLCK, 0, 0);
	first("all", F_RDLCK, 20, 1);
	lock(file, set, F_UNLCK, 0, 0);
	picture("none");
	SHOW(lock(file, set, F_WRLCK, 5, -6));
	SHOW(lock(file, set, F_WRLCK, -1, 1));
	SHOW(lock(file, set, F_WRLCK, 0x7fffffffffffffff, 1));
	SHOW(lock(file, set, F_WRLCK, 0x7fffffffffffffff, 2));
	SHOW(lock(file, set, 77, 0, 1));
	SHOW(lock(file, set, F_UNLCK, 0, 0));
}

int main(void)
{
	file = MUST(open("file", O_RDWR | O_CREAT, 0600));
	other = MUST(open("file", O_RDWR));
	section("OFD");
	ranges(F_OFD_SETLK);
	section("POSIX");
	ranges(F_SETLK);
	section("both kinds on one open file");
	SHOW(lock(file, F_SETLK, F_WRLCK, 0, 10));
	SHOW(lock(file, F_OFD_SETLK, F_WRLCK, 5, 10));
	SHOW(lock(file, F_OFD_SETLK, F_WRLCK, 10, 10));
	SHOW(lock(other, F_SETLK, F_WRLCK, 10, 1));
	SHOW(lock(other, F_SETLK, F_WRLCK, 0, 10));
	pid_t child = fork_child();
	if (!child) {
		SHOW(lock(file, F_SETLK, F_RDLCK, 0, 1));
		SHOW(lock(file, F_OFD_SETLK, F_RDLCK, 10, 1));
		_exit(0);
	}
	reap("child", child);
	picture("then");
	section("closing another descriptor drops POSIX locks only");
	close(MUST(open("file", O_RDONLY)));
	picture("then");
	return 0;
}
