/* Record locks: ranges that split and join, what others see, waits, deadlocks, what ends them. */
#include "guest.h"

static int fd;

static int lock(int type, int command, long start, long length)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	return fcntl(fd, command, &lock);
}

static void look(void)
{
	fd = MUST(open("file", O_RDWR));
	char line[300];
	size_t used = 0;
	for (long at = 0; at < 40;) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 0};
		MUST(fcntl(fd, F_GETLK, &lock));
		if (lock.l_type == F_UNLCK)
			break;
		used += sprintf(line + used, " %c[%ld,%ld)", lock.l_type == F_RDLCK ? 'r' : 'w', (long)lock.l_start,
				(long)lock.l_len ? (long)(lock.l_start + lock.l_len) : -1l);
		if (!lock.l_len)
			break;
		at = lock.l_start + lock.l_len;
	}
	line[used] = 0;
	say("locks:%s\n", line);
}

#define STEP(call)                                                                                                     \
	do {                                                                                                           \
		SHOW(call);                                                                                            \
		in_child("look", look);                                                                                \
	} while (0)

static void refused(void)
{
	fd = MUST(open("file", O_RDWR));
	SHOW(lock(F_WRLCK, F_SETLK, 0, 1));
	SHOW(lock(F_RDLCK, F_SETLK, 0, 1));
	SHOW(lock(F_WRLCK, F_SETLK, 1000, 1));
	SHOW(lock(F_UNLCK, F_SETLK, 0, 0));
}

static void other_descriptor(void)
{
	SHOW(lock(F_WRLCK, F_SETLK, 0, 10));
	close(MUST(open("file", O_RDONLY)));
	in_child("after another descriptor's close", look);
}

static void deadlock(void)
{
	int ends[2];
	MUST(pipe(ends));
	MUST(lock(F_WRLCK, F_SETLK, 100, 1));
	pid_t child = fork_child();
	if (!child) {
		MUST(lock(F_WRLCK, F_SETLK, 200, 1));
		tell(ends[1]);
		int got = lock(F_WRLCK, F_SETLKW, 100, 1);
		_exit(got ? errno == EDEADLK ? 3 : 4 : 0);
	}
	await(ends[0]);
	nap_ms(200);
	SHOW(lock(F_WRLCK, F_SETLKW, 200, 1));
	SHOW(lock(F_UNLCK, F_SETLK, 100, 1));
	reap("child", child);
	SHOW(lock(F_WRLCK, F_SETLKW, 200, 1));
	lock(F_UNLCK, F_SETLK, 0, 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void interrupted(void)
{
	fd = MUST(open("file", O_RDWR));
	handle(SIGALRM, on_alarm, 0);
	ualarm(50000, 50000);
	SHOW(lock(F_WRLCK, F_SETLKW, 0, 1));
}

int main(void)
{
	fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	STEP(lock(F_WRLCK, F_SETLK, 0, 30));
	STEP(lock(F_UNLCK, F_SETLK, 10, 5));
	STEP(lock(F_RDLCK, F_SETLK, 5, 3));
	STEP(lock(F_RDLCK, F_SETLK, 8, 4));
	STEP(lock(F_WRLCK, F_SETLK, 0, 12));
	STEP(lock(F_WRLCK, F_SETLK, 12, 0));
	STEP(lock(F_UNLCK, F_SETLK, 20, 0));
	in_child("other process", refused);
	in_child("waits and is interrupted", interrupted);
	STEP(lock(F_UNLCK, F_SETLK, 0, 0));
	in_child("closing", other_descriptor);
	section("deadlock");
	deadlock();
	section("errors");
	SHOW(lock(9, F_SETLK, 0, 1));
	SHOW(lock(F_WRLCK, F_SETLK, -1, 1));
	SHOW(lock(F_WRLCK, F_SETLK, 10, -10));
	SHOW(lock(F_WRLCK, F_SETLK, 5, -6));
	SHOW(lock(F_UNLCK, F_GETLK, 0, 1));
	int writer = MUST(open("file", O_WRONLY)), reader = MUST(open("file", O_RDONLY)), keep = fd;
	fd = reader;
	SHOW(lock(F_WRLCK, F_SETLK, 0, 1));
	fd = writer;
	SHOW(lock(F_RDLCK, F_SETLK, 0, 1));
	fd = keep;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1, .l_len = 0};
	SHOW(fcntl(fd, F_SETLK, &lock));
	MUST(ftruncate(fd, 50));
	SHOW(fcntl(fd, F_SETLK, &lock));
	lock.l_whence = 7;
	SHOW(fcntl(fd, F_SETLK, &lock));
	SHOW(fcntl(fd, F_SETLK, NULL));
	return 0;
}
