/* A thread waits for a record lock while another one closes its descriptor: it gets EBADF and no lock. */
#include "guest.h"
#include <pthread.h>

static int fd, waiting_tid;

static int lock_whole(int at, int command, int type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	return fcntl(at, command, &lock);
}

static void *wait_for_it(void *command)
{
	__atomic_store_n(&waiting_tid, gettid(), __ATOMIC_SEQ_CST);
	int result = lock_whole(fd, (int)(long)command, F_WRLCK);
	say("the waiting thread: %d %s\n", result, result ? strerrorname_np(errno) : "");
	return NULL;
}

/* Until the thread sleeps in its call. */
static void wait_asleep(void)
{
	char path[64], text[256], state = 0;
	int tid;
	while (!(tid = __atomic_load_n(&waiting_tid, __ATOMIC_SEQ_CST)))
		usleep(1000);
	sprintf(path, "/proc/self/task/%d/stat", tid);
	for (int calm = 0; calm < 5; calm = state == 'S' ? calm + 1 : 0) {
		int stat = MUST(open(path, O_RDONLY));
		text[MUST(read(stat, text, sizeof text - 1))] = 0;
		close(stat);
		state = strrchr(text, ')')[2];
		usleep(5000);
	}
}

/* What another process sees of our locks. */
static void look_from_outside(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int status, other;
	pid_t child = MUST(fork());
	if (!child) {
		other = MUST(open("file", O_RDWR));
		MUST(fcntl(other, F_GETLK, &lock));
		say("another process: %s\n", lock.l_type == F_UNLCK ? "free" : "locked");
		_exit(0);
	}
	MUST(waitpid(child, &status, 0));
}

static void scene(const char *title, int command, void (*meanwhile)(void))
{
	int held[2], release[2], status;
	pthread_t thread;
	char byte;
	section(title);
	MUST(pipe(held));
	MUST(pipe(release));
	pid_t holder = MUST(fork());
	if (!holder) {
		int mine = MUST(open("file", O_RDWR));
		MUST(lock_whole(mine, F_SETLK, F_WRLCK));
		MUST(write(held[1], "", 1));
		read(release[0], &byte, 1);
		_exit(0);
	}
	MUST(read(held[0], &byte, 1));
	fd = MUST(open("file", O_RDWR));
	waiting_tid = 0;
	pthread_create(&thread, NULL, wait_for_it, (void *)(long)command);
	wait_asleep();
	meanwhile();
	MUST(write(release[1], "", 1));
	MUST(waitpid(holder, &status, 0));
	pthread_join(thread, NULL);
	look_from_outside();
	close(fd);
	for (int i = 0; i < 2; i++) {
		close(held[i]);
		close(release[i]);
	}
}

static void do_nothing(void) {}

static void close_it(void)
{
	MUST(close(fd));
}

static void replace_it(void)
{
	int other = MUST(open("other", O_RDWR | O_CREAT, 0600));
	MUST(dup2(other, fd));
	close(other);
}

/* The number is the same file's again, but another opening of it. */
static void open_it_anew(void)
{
	MUST(close(fd));
	CHECK(open("file", O_RDWR) == fd);
}

static int kept;

static void keep_a_duplicate(void)
{
	kept = MUST(dup(fd));
	MUST(close(fd));
}

static void put_it_back(void)
{
	keep_a_duplicate();
	MUST(dup2(kept, fd));
	close(kept);
}

int main(void)
{
	close(MUST(open("file", O_RDWR | O_CREAT, 0600)));
	scene("nothing happens", F_SETLKW, do_nothing);
	scene("closed", F_SETLKW, close_it);
	scene("another file in its place", F_SETLKW, replace_it);
	scene("the same file opened anew", F_SETLKW, open_it_anew);
	scene("a duplicate is kept", F_SETLKW, keep_a_duplicate);
	close(kept);
	scene("put back", F_SETLKW, put_it_back);
	scene("an open file description's lock, closed", F_OFD_SETLKW, close_it);
	scene("an open file description's lock, a duplicate is kept", F_OFD_SETLKW, keep_a_duplicate);
	return 0;
}
