/* bomb.c - a guest that takes one thing until it gets no more.
 *
 *   bomb WHAT     one of the table at the end
 *
 * A child takes; the first process waits for its end and says how it came: "WHAT: ERRNO after N" when the child was
 * refused, "WHAT: killed by N" when it was killed. Then it shows that the sandbox still answers ("alive"): a process, a
 * file, a pipe, memory.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB      (1ul << 20)
#define PAGE     4096ul
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char *what;

/* The child's end: refused, after so many. */
static void refused(long count)
{
	const char *name = errno ? strerrorname_np(errno) : "all";

	printf("%s: %s after %ld\n", what, name, count);
	fflush(stdout);
	_exit(0);
}

static void must(int holds, const char *text)
{
	if (!holds) {
		printf("%s: %s: %s\n", what, text, strerror(errno));
		exit(1);
	}
}

static void raise_files(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ------------------------------------------------------------------------------------------------ processes */

static void forks(void)
{
	for (long n = 0;; n++) {
		pid_t pid = fork();
		if (pid < 0)
			refused(n);
		if (!pid)
			pause();
	}
}

/* Everybody forks, for as long as it goes. */
static void fork_tree(void)
{
	alarm(20);
	for (long n = 0;; n++)
		if (fork() < 0) {
			if (getppid() == getpgrp()) /* one generation is enough to tell */
				pause();
			if (getpid() == getpgrp())
				refused(n);
			pause();
		}
}

static void *sleeper(void *unused)
{
	(void)unused;
	pause();
	return NULL;
}

static void threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (long n = 0;; n++) {
		errno = pthread_create(&thread, &attr, sleeper, NULL);
		if (errno)
			refused(n);
	}
}

/* ------------------------------------------------------------------------------------------------ memory */

static void *take(size_t bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

static void memory(void)
{
	for (long n = 0;; n++) {
		char *p = take(MIB, MAP_PRIVATE);
		if (p == MAP_FAILED)
			refused(n);
		memset(p, 1, MIB);
	}
}

static void memory_of_many(void)
{
	for (int i = 0; i < 15; i++)
		if (!fork())
			memory();
	memory();
}

static void copy_on_write(void)
{
	size_t bytes = 64 * MIB;
	char *p = take(bytes, MAP_PRIVATE);

	must(p != MAP_FAILED, "mmap");
	memset(p, 1, bytes);
	for (int i = 0; i < 15; i++)
		if (!fork()) {
			memset(p, 2, bytes);
			pause();
		}
	memory();
}

static void shared_memory(void)
{
	for (long n = 0;; n++) {
		char *p = take(MIB, MAP_SHARED);
		if (p == MAP_FAILED)
			refused(n);
		memset(p, 1, MIB);
	}
}

static void sysv_memory(void)
{
	for (long n = 0;; n++) {
		int id = shmget(IPC_PRIVATE, 4 * MIB, 0600);
		char *p = id < 0 ? (char *)-1 : shmat(id, NULL, 0);
		if (p == (char *)-1)
			refused(n);
		shmctl(id, IPC_RMID, NULL);
		memset(p, 1, 4 * MIB);
	}
}

static void memfds(void)
{
	static char bytes[MIB];

	raise_files();
	memset(bytes, 1, sizeof bytes);
	for (long n = 0;; n++) {
		int fd = memfd_create("bomb", 0);
		if (fd < 0)
			refused(n);
		for (ssize_t put, done = 0; done < (ssize_t)sizeof bytes; done += put) {
			put = write(fd, bytes + done, sizeof bytes - (size_t)done);
			if (put < 0)
				refused(n);
		}
	}
}

/* Next to no pages, but a page table for each two megabytes. */
static void page_tables(void)
{
	size_t bytes = 64ul << 30;

	for (long n = 0;; n++) {
		volatile char *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			refused(n);
		for (size_t at = 0; at < bytes; at += 2 * MIB)
			(void)p[at];
	}
}

static void mappings(void)
{
	for (long n = 0;; n++) {
		/* Every other page: neighbours would become one mapping. */
		char *p = mmap(NULL, PAGE, n % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			refused(n);
	}
}

/* ------------------------------------------------------------------------------------------------ kernel memory */

static void pipes(void)
{
	static char bytes[MIB];
	int fds[2];

	raise_files();
	for (long n = 0;; n++) {
		if (pipe2(fds, O_NONBLOCK))
			refused(n);
		fcntl(fds[1], F_SETPIPE_SZ, MIB);
		while (write(fds[1], bytes, sizeof bytes) > 0)
			;
	}
}

/* Each socket pair holds the one before, full. */
static void sockets(void)
{
	int before[2] = {-1, -1}, pair[2];

	raise_files();
	for (long n = 0;; n++) {
		char control[CMSG_SPACE(sizeof pair)] = {0}, byte = 0;
		struct iovec iov = {&byte, 1};
		struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
			refused(n);
		if (before[0] >= 0) {
			message.msg_control = control;
			message.msg_controllen = sizeof control;
			struct cmsghdr *header = CMSG_FIRSTHDR(&message);
			*header = (struct cmsghdr){CMSG_LEN(sizeof before), SOL_SOCKET, SCM_RIGHTS};
			memcpy(CMSG_DATA(header), before, sizeof before);
			if (sendmsg(pair[0], &message, 0) < 0)
				refused(n);
			close(before[0]);
			close(before[1]);
		}
		memcpy(before, pair, sizeof before);
	}
}

static void descriptors(void)
{
	for (long n = 0;; n++)
		if (open("/dev/null", O_RDONLY) < 0)
			refused(n);
}

/* In the whole system: files, not descriptors. */
static void files_open(void)
{
	raise_files();
	for (long n = 0;; n++)
		if (open("/proc/self/comm", O_RDONLY) < 0)
			refused(n);
}

static void epolls(void)
{
	int poll, event = eventfd(0, 0);

	raise_files();
	for (long n = 0;; n++) {
		poll = epoll_create1(0);
		struct epoll_event entry = {.events = EPOLLIN};
		if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, event, &entry))
			refused(n);
	}
}

static void watches(void)
{
	char name[64];
	int fd = inotify_init();

	mkdir("/dev/shm/watched", 0700);
	for (long n = 0;; n++) {
		snprintf(name, sizeof name, "/dev/shm/watched/%ld", n);
		if (mkdir(name, 0700) || inotify_add_watch(fd, name, IN_ALL_EVENTS) < 0)
			refused(n);
	}
}

static void timers(void)
{
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	for (long n = 0;; n++)
		if (timer_create(CLOCK_MONOTONIC, &none, &timer))
			refused(n);
}

static void signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (long n = 0;; n++)
		if (sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}))
			refused(n);
}

/* ------------------------------------------------------------------------------------------------ files */

static void fill(const char *path)
{
	static char bytes[MIB];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	long n = 0;

	memset(bytes, 1, sizeof bytes);
	must(fd >= 0, path);
	while (write(fd, bytes, sizeof bytes) > 0)
		n++;
	printf("%s: %s in %s\n", what, strerrorname_np(errno), path);
	close(fd);
}

static void disk(void)
{
	fill("/tmp/a");
	fill("/tmp/b");
	fill("/dev/shm/c");
	fill("in-the-working-directory");
	unlink("/tmp/a");
	unlink("/tmp/b");
	unlink("/dev/shm/c");
	unlink("in-the-working-directory");
	errno = 0;
	refused(4);
}

/* A file that is full of holes, written to through memory: no call tells the kernel. */
static void holes(void)
{
	int fd = open("/tmp/holes", O_CREAT | O_RDWR, 0600);
	size_t bytes = 1ul << 30;

	must(fd >= 0 && !ftruncate(fd, (off_t)bytes), "ftruncate");
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		refused(0);
	unlink("/tmp/holes");
	memset(p, 1, bytes);
	errno = 0;
	refused(1);
}

#define DEPTH 4000

static void deep(void)
{
	long n;

	must(!mkdir("/tmp/deep", 0700) && !chdir("/tmp/deep"), "mkdir");
	for (n = 0; n < DEPTH; n++)
		if (mkdir("d", 0700) || chdir("d"))
			refused(n);
	must(!getcwd((char[64]){0}, 64) && errno == ERANGE, "getcwd");
	for (; n; n--)
		must(!chdir("..") && !rmdir("d"), "rmdir");
	errno = 0;
	refused(DEPTH);
}

#define FILES 100000

static void wide(void)
{
	char name[32];
	long n, seen = 0;

	must(!mkdir("/tmp/wide", 0700) && !chdir("/tmp/wide"), "mkdir");
	for (n = 0; n < FILES; n++) {
		snprintf(name, sizeof name, "file-%ld", n);
		int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0)
			refused(n);
		close(fd);
	}
	DIR *dir = opendir(".");
	for (struct dirent *entry; (entry = readdir(dir));)
		seen += *entry->d_name != '.' && !unlink(entry->d_name);
	must(seen == FILES && !chdir("/") && !rmdir("/tmp/wide"), "removed");
	errno = 0;
	refused(seen);
}

/* ------------------------------------------------------------------------------------------------ endless ones */

static void output(void)
{
	char line[80];

	memset(line, 'x', sizeof line);
	for (;;)
		(void)!write(1, line, sizeof line);
}

static void spin(void)
{
	for (;;)
		if (fork() < 0)
			for (;;)
				;
}

static const struct {
	const char *name;
	void (*run)(void);
} bombs[] = {
	{"forks", forks},
	{"fork-tree", fork_tree},
	{"threads", threads},
	{"memory", memory},
	{"many", memory_of_many},
	{"cow", copy_on_write},
	{"shared", shared_memory},
	{"sysv", sysv_memory},
	{"memfds", memfds},
	{"page-tables", page_tables},
	{"mappings", mappings},
	{"pipes", pipes},
	{"sockets", sockets},
	{"descriptors", descriptors},
	{"files", files_open},
	{"epolls", epolls},
	{"watches", watches},
	{"timers", timers},
	{"signals", signals},
	{"disk", disk},
	{"holes", holes},
	{"deep", deep},
	{"wide", wide},
	{"output", output},
	{"spin", spin},
};

/* ------------------------------------------------------------------------------------------------ afterwards */

static void answers(void)
{
	int fds[2], status, fd;
	char byte = 0;
	pid_t pid = 0;

	/* Those who were killed may still be on their way out. */
	for (int i = 0; i < 500 && (pid = fork()) < 0; i++)
		usleep(10000);
	must(pid >= 0, "fork");
	if (!pid)
		_exit(7);
	must(waitpid(pid, &status, 0) == pid && status == 7 << 8, "waitpid");
	must(!pipe(fds) && write(fds[1], "x", 1) == 1 && read(fds[0], &byte, 1) == 1 && byte == 'x', "pipe");
	fd = open("/tmp/still", O_CREAT | O_RDWR, 0600);
	must(fd >= 0 && write(fd, "y", 1) == 1, "file");
	char *p = take(4 * MIB, MAP_PRIVATE);
	must(p != MAP_FAILED, "memory");
	memset(p, 1, 4 * MIB);
	printf("alive\n");
}

int main(int argc, char **argv)
{
	int status, unused;
	unsigned i = 0;

	what = argc > 1 ? argv[1] : "";
	while (i < COUNT(bombs) && strcmp(bombs[i].name, what))
		i++;
	must(i < COUNT(bombs), "no such bomb");
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		setpgid(0, 0);
		bombs[i].run();
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (WIFSIGNALED(status))
		printf("%s: killed by %d\n", what, WTERMSIG(status));
	kill(-pid, SIGKILL);
	while (waitpid(-1, &unused, WNOHANG) > 0)
		;
	answers();
	return 0;
}
