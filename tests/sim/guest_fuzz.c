/* guest_fuzz.c - a guest that makes calls at random: mostly sensible ones on the names, descriptors and memory that all
 * guests share, sometimes any number with any arguments. It expects nothing of their results; what must hold is checked
 * from outside (check.c).
 *
 * Left out of the blind calls: what would reach into the first program (process_vm_writev, prlimit64).
 */
#include "tests/sim/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define PLACE       0x10000000ull /* where mappings are asked for */
#define PLACE_PAGES 64
#define CROWD       24 /* no more forks from that many threads on */
#define HIGHEST_NR  472
#define PATH_A      (BUF + 0x1000)
#define PATH_B      (BUF + 0x1100)
#define SMALL       (BUF + 0x1200) /* structures */
#define CONTROL     (BUF + 0x1300)

/* What a thread remembers of the descriptors that it has made, by what they are: the last few of each. */
enum kind {
	K_NONE,
	K_FILE,
	K_DIR,
	K_PIPE,
	K_SOCKET,
	K_PAIR,
	K_EPOLL,
	K_EVENT,
	K_TIMER,
	K_SIGNAL,
	K_INOTIFY,
	K_PTY,
	K_PIDFD,
	K_KINDS
};
#define KEPT 4

enum { W_CALLS = W_FIRST, W_LIMIT, W_SIGNAL, W_KEPT, W_KEPT_END = W_KEPT + K_KINDS * KEPT };
static_assert(W_KEPT_END < GUEST_WORDS, "they fit");

static void call(struct cpu *c, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e, uint64_t f, uint64_t g)
{
	guest_call(c, 0, nr, a, b, d, e, f, g);
}
#define CALL(...)      call(c, CALL_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0))
#define CALL_ARGS(...) SYS_ARGS(__VA_ARGS__)

/* ------------------------------------------------------------------------------------------------ arguments */

static uint64_t any_fd(struct cpu *c)
{
	if (!RANDOM(50))
		return RANDOM(2) ? (uint64_t)-1 : 1000;
	return RANDOM(4) ? 3 + RANDOM(10) : RANDOM(32);
}

/* Most likely one of that kind. */
static uint64_t fd_of(struct cpu *c, enum kind kind)
{
	int64_t fd = GET(W_KEPT + kind * KEPT + RANDOM(KEPT));

	return fd > 0 && RANDOM(12) ? (uint64_t)fd : any_fd(c);
}

static uint64_t some_fd(struct cpu *c)
{
	return fd_of(c, (enum kind)(1 + RANDOM(K_KINDS - 1)));
}

static void keep(struct cpu *c, enum kind kind, int64_t fd)
{
	if (kind != K_NONE && fd > 2)
		SET(W_KEPT + kind * KEPT + RANDOM(KEPT), fd);
}

static uint64_t any_pid(struct cpu *c)
{
	switch (RANDOM(8)) {
	case 0:
		return 0;
	case 1:
		return (uint64_t) - (int64_t)(1 + RANDOM(20));
	case 2:
		return c->thread->identity.pid;
	default:
		return 1 + RANDOM(20);
	}
}

static uint64_t any_buffer(struct cpu *c)
{
	if (!RANDOM(30))
		return RANDOM(2) ? 16 : PLACE + RANDOM(PLACE_PAGES * PAGE_SIZE);
	return BUF + RANDOM(0x800);
}

static uint64_t any_size(struct cpu *c)
{
	switch (RANDOM(8)) {
	case 0:
		return 0;
	case 1:
		return 4096;
	case 2:
		return RANDOM(70000);
	default:
		return RANDOM(600);
	}
}

/* harmless: for a call that cannot take a name away. Devices must stay. */
static uint64_t path_for(struct cpu *c, uint64_t at, bool harmless)
{
	static const char *const fixed[] = {"/proc/self/maps",
					    "/proc/self/status",
					    "/proc/self/fd",
					    "/proc/self/fd/3",
					    "/proc/self/task",
					    "/proc/stat",
					    "/proc/mounts",
					    "/proc/self/stat",
					    "/proc/self/exe",
					    "/proc/2/maps",
					    "/proc/3/fd/4",
					    "/proc/4/stat",
					    "/dev/null",
					    "/dev/zero",
					    "/dev/urandom",
					    "/dev/ptmx",
					    "/dev/full",
					    "/dev/fd/5",
					    "/ro/prog",
					    "/ro/link",
					    "/ro",
					    "/ro/script",
					    "/",
					    "/tmp",
					    "..",
					    ".",
					    "/sys/devices",
					    "",
					    "/rw/d0/../f1",
					    "/dev/shm/f1"};
	static const char *const dirs[] = {"/tmp/", "/rw/", "/cow/", "/tmp/d0/", "/rw/d0/", "/cow/d0/", "", "/tmp/d1/"};
	char text[64];

	if (!RANDOM(4)) {
		snprintf(text, sizeof text, "%s", fixed[RANDOM(COUNT(fixed))]);
		if (!harmless && !strncmp(text, "/dev", 4))
			snprintf(text, sizeof text, "/tmp/f0");
	} else {
		const char *dir = dirs[RANDOM(COUNT(dirs))];
		bool sub = !RANDOM(5);
		snprintf(text, sizeof text, "%s%c%lu", dir, sub ? 'd' : 'f', RANDOM(sub ? 2 : 4));
	}
	guest_string(c, at, text);
	return at;
}

static uint64_t any_path(struct cpu *c, uint64_t at)
{
	return path_for(c, at, true);
}

static uint64_t any_place(struct cpu *c)
{
	return PLACE + PAGE_SIZE * RANDOM(PLACE_PAGES);
}

static uint64_t any_pages(struct cpu *c)
{
	return PAGE_SIZE * (1 + RANDOM(RANDOM(5) ? 4 : 24));
}

static uint64_t any_signal(struct cpu *c)
{
	static const int common[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGTERM,
				     SIGSTOP, SIGCONT, SIGSEGV, SIGTSTP, SIGPIPE};

	if (!RANDOM(40))
		return SIGKILL;
	return RANDOM(3) ? (uint64_t)common[RANDOM(COUNT(common))] : RANDOM(65);
}

static uint64_t small_time(struct cpu *c)
{
	struct timespec time = {0, (long)RANDOM(20 * NS_PER_MS)};

	guest_write(c, SMALL, &time, sizeof time);
	return SMALL;
}

static uint64_t interval(struct cpu *c, bool microseconds)
{
	uint64_t words[4] = {0, RANDOM(3) ? 0 : RANDOM(10 * NS_PER_MS), 0, RANDOM(30 * NS_PER_MS)};

	if (microseconds) {
		words[1] /= 1000;
		words[3] /= 1000;
	}
	guest_write(c, SMALL, words, sizeof words);
	return SMALL;
}

/* ------------------------------------------------------------------------------------------------ descriptors, data */

static uint64_t vectors(struct cpu *c, unsigned *count)
{
	struct iovec iov[4];

	*count = 1 + (unsigned)RANDOM(4);
	for (unsigned i = 0; i < *count; i++)
		iov[i] = (struct iovec){(void *)any_buffer(c), any_size(c)};
	guest_write(c, SMALL, iov, *count * sizeof *iov);
	return SMALL;
}

static void op_data(struct cpu *c)
{
	unsigned count;
	uint64_t iov = vectors(c, &count), fd = some_fd(c);

	switch (RANDOM(9)) {
	case 0:
		CALL(SYS_pread64, fd, any_buffer(c), any_size(c), RANDOM(100000));
		break;
	case 1:
		CALL(SYS_pwrite64, fd, any_buffer(c), any_size(c), RANDOM(100000));
		break;
	case 2:
		CALL(SYS_readv, fd, iov, count);
		break;
	case 3:
		CALL(SYS_writev, fd, iov, count);
		break;
	case 4:
		CALL(SYS_lseek, fd, RANDOM(100000), RANDOM(6));
		break;
	case 5:
	case 6:
		CALL(SYS_read, fd, any_buffer(c), any_size(c));
		break;
	default:
		CALL(SYS_write, fd, any_buffer(c), any_size(c));
		break;
	}
}

static void op_size(struct cpu *c)
{
	switch (RANDOM(5)) {
	case 0:
		CALL(SYS_ftruncate, fd_of(c, K_FILE), RANDOM(200000));
		break;
	case 1:
		CALL(SYS_fallocate, fd_of(c, K_FILE), RANDOM(4), RANDOM(100000), RANDOM(100000));
		break;
	case 2:
		CALL(SYS_fsync, fd_of(c, K_FILE));
		break;
	case 3:
		CALL(SYS_truncate, any_path(c, PATH_A), RANDOM(200000));
		break;
	default:
		CALL(SYS_getdents64, fd_of(c, K_DIR), any_buffer(c), any_size(c));
		break;
	}
}

static void op_open(struct cpu *c)
{
	static const int flags[] = {O_RDONLY,
				    O_WRONLY,
				    O_RDWR,
				    O_RDWR | O_CREAT,
				    O_RDWR | O_CREAT | O_TRUNC,
				    O_DIRECTORY,
				    O_PATH,
				    O_RDWR | O_CREAT | O_EXCL,
				    O_WRONLY | O_APPEND | O_CREAT,
				    O_RDWR | O_TMPFILE};
	int how = flags[RANDOM(COUNT(flags))];

	c->r.r14 = how & O_DIRECTORY && !(how & O_TMPFILE & ~O_DIRECTORY) ? K_DIR : K_FILE;
	CALL(SYS_openat, AT_FDCWD, path_for(c, PATH_A, how & O_CREAT ? false : true),
	     how | (RANDOM(3) ? 0 : O_NONBLOCK) | (RANDOM(3) ? 0 : O_CLOEXEC), 0644);
}

static void op_descriptor(struct cpu *c)
{
	switch (RANDOM(8)) {
	case 0:
		CALL(SYS_dup, some_fd(c));
		break;
	case 1:
		CALL(SYS_dup2, some_fd(c), any_fd(c));
		break;
	case 2:
		CALL(SYS_dup3, some_fd(c), any_fd(c), RANDOM(2) ? O_CLOEXEC : 0);
		break;
	case 3:
		CALL(SYS_fcntl, some_fd(c), RANDOM(2) ? F_SETFL : F_DUPFD, RANDOM(2) ? O_NONBLOCK : RANDOM(20));
		break;
	case 4:
		CALL(SYS_fcntl, some_fd(c), RANDOM(12), RANDOM(2) ? RANDOM(20) : any_buffer(c));
		break;
	case 5:
		CALL(SYS_close_range, 4 + RANDOM(20), 4 + RANDOM(30), RANDOM(3) ? 0 : 4);
		break;
	default:
		CALL(SYS_close, RANDOM(3) ? some_fd(c) : any_fd(c));
		break;
	}
}

static void op_make(struct cpu *c)
{
	switch (RANDOM(8)) {
	case 0:
	case 1:
		c->r.r14 = K_PIPE;
		CALL(SYS_pipe2, SMALL, RANDOM(2) ? O_NONBLOCK : 0);
		break;
	case 2:
	case 3:
		c->r.r14 = K_PAIR;
		CALL(SYS_socketpair, AF_UNIX,
		     (RANDOM(2)   ? SOCK_STREAM
		      : RANDOM(2) ? SOCK_DGRAM
				  : SOCK_SEQPACKET) |
			     (RANDOM(2) ? SOCK_NONBLOCK : 0),
		     0, SMALL);
		break;
	case 4:
		c->r.r14 = K_EVENT;
		CALL(SYS_eventfd2, RANDOM(3), RANDOM(2) ? EFD_NONBLOCK : EFD_SEMAPHORE);
		break;
	case 5:
		c->r.r14 = K_TIMER;
		CALL(SYS_timerfd_create, CLOCK_MONOTONIC, RANDOM(2) ? TFD_NONBLOCK : 0);
		break;
	case 6:
		guest_string(c, SMALL, "name");
		c->r.r14 = K_FILE;
		CALL(SYS_memfd_create, SMALL, RANDOM(4));
		break;
	default:
		guest_store(c, SMALL, RANDOM(0));
		c->r.r14 = K_SIGNAL;
		CALL(SYS_signalfd4, RANDOM(3) ? (uint64_t)-1 : fd_of(c, K_SIGNAL), SMALL, 8,
		     RANDOM(2) ? O_NONBLOCK : 0);
		break;
	}
}

static void op_move(struct cpu *c)
{
	switch (RANDOM(5)) {
	case 0:
		CALL(SYS_splice, RANDOM(2) ? fd_of(c, K_PIPE) : some_fd(c), 0,
		     RANDOM(2) ? fd_of(c, K_PIPE) : some_fd(c), 0, any_size(c), RANDOM(4));
		break;
	case 1:
		CALL(SYS_tee, fd_of(c, K_PIPE), fd_of(c, K_PIPE), any_size(c), RANDOM(4));
		break;
	case 2:
		CALL(SYS_sendfile, some_fd(c), fd_of(c, K_FILE), 0, any_size(c));
		break;
	case 3:
		CALL(SYS_copy_file_range, fd_of(c, K_FILE), 0, fd_of(c, K_FILE), 0, any_size(c), 0);
		break;
	default:
		CALL(SYS_flock, fd_of(c, K_FILE), RANDOM(16));
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ names */

static void op_name(struct cpu *c)
{
	uint64_t a = path_for(c, PATH_A, false), b = path_for(c, PATH_B, false);

	switch (RANDOM(14)) {
	case 0:
		CALL(SYS_unlink, a);
		break;
	case 1:
		CALL(SYS_rmdir, a);
		break;
	case 2:
		CALL(SYS_mkdir, a, 0755);
		break;
	case 3:
		CALL(SYS_link, a, b);
		break;
	case 4:
		CALL(SYS_symlink, a, b);
		break;
	case 5:
	case 6:
		CALL(SYS_rename, a, b);
		break;
	case 7:
		CALL(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RANDOM(4));
		break;
	case 8:
		CALL(SYS_mknod, a, RANDOM(2) ? S_IFIFO | 0600 : S_IFREG | 0600, 0);
		break;
	case 9:
		CALL(SYS_linkat, fd_of(c, K_DIR), b, AT_FDCWD, a, AT_EMPTY_PATH);
		break;
	case 10:
		CALL(SYS_unlinkat, fd_of(c, K_DIR), a, RANDOM(2) ? AT_REMOVEDIR : 0);
		break;
	case 11:
		CALL(SYS_chmod, a, RANDOM(01000));
		break;
	default:
		CALL(SYS_utimensat, AT_FDCWD, a, 0, 0);
		break;
	}
}

static void op_look(struct cpu *c)
{
	uint64_t a = any_path(c, PATH_A);

	switch (RANDOM(9)) {
	case 0:
		CALL(SYS_stat, a, SMALL);
		break;
	case 1:
		CALL(SYS_lstat, a, SMALL);
		break;
	case 2:
		CALL(SYS_fstat, some_fd(c), SMALL);
		break;
	case 3:
		CALL(SYS_statx, AT_FDCWD, a, 0, 0xfff, BUF);
		break;
	case 4:
		CALL(SYS_readlink, a, BUF, RANDOM(200));
		break;
	case 5:
		CALL(SYS_getcwd, BUF, RANDOM(200));
		break;
	case 6:
		CALL(SYS_chdir, a);
		break;
	case 7:
		CALL(SYS_fchdir, fd_of(c, K_DIR));
		break;
	default:
		CALL(SYS_access, a, RANDOM(8));
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ sockets */

static uint64_t address(struct cpu *c, uint64_t *size)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "name%lu", RANDOM(4));
	if (RANDOM(2)) {
		snprintf(un.sun_path, sizeof un.sun_path, "/tmp/f%lu", 5 + RANDOM(3));
		*size = sizeof un;
	} else {
		*size = offsetof(struct sockaddr_un, sun_path) + 6;
	}
	guest_write(c, PATH_A, &un, sizeof un);
	return PATH_A;
}

/* A message with descriptors in it, or room for some. */
static uint64_t message(struct cpu *c, bool sending)
{
	unsigned count, fds = (unsigned)RANDOM(4);
	uint64_t iov = vectors(c, &count);
	struct msghdr header = {.msg_iov = (void *)iov, .msg_iovlen = count};
	char control[CMSG_SPACE(4 * sizeof(int))] = {0};
	struct cmsghdr *cmsg = (void *)control;

	if (fds) {
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fds * sizeof(int));
		for (unsigned i = 0; i < fds; i++)
			((int *)CMSG_DATA(cmsg))[i] = (int)some_fd(c);
		guest_write(c, CONTROL, control, sizeof control);
		header.msg_control = (void *)CONTROL;
		header.msg_controllen = sending ? CMSG_LEN(fds * sizeof(int)) : RANDOM(sizeof control + 1);
	}
	guest_write(c, CONTROL + 0x80, &header, sizeof header);
	return CONTROL + 0x80;
}

static void op_socket(struct cpu *c)
{
	uint64_t size, at = address(c, &size), fd = fd_of(c, K_SOCKET), pair = fd_of(c, K_PAIR),
		       flags = RANDOM(2) ? MSG_DONTWAIT : 0;

	switch (RANDOM(12)) {
	case 0:
		c->r.r14 = K_SOCKET;
		CALL(SYS_socket, RANDOM(4) ? AF_UNIX : AF_INET,
		     RANDOM(2)   ? SOCK_STREAM
		     : RANDOM(2) ? SOCK_DGRAM
				 : SOCK_SEQPACKET,
		     0);
		break;
	case 1:
		CALL(SYS_bind, fd, at, size);
		break;
	case 2:
		CALL(SYS_listen, fd, RANDOM(4));
		break;
	case 3:
		CALL(SYS_connect, fd, at, size);
		break;
	case 4:
		c->r.r14 = K_PAIR;
		CALL(SYS_accept4, fd, 0, 0, RANDOM(2) ? SOCK_NONBLOCK : 0);
		break;
	case 5:
	case 6:
		CALL(SYS_sendmsg, RANDOM(5) ? pair : fd, message(c, true), flags | MSG_NOSIGNAL);
		break;
	case 7:
	case 8:
		CALL(SYS_recvmsg, RANDOM(5) ? pair : fd, message(c, false), flags | (RANDOM(5) ? 0 : MSG_PEEK));
		break;
	case 9:
		CALL(SYS_shutdown, pair, RANDOM(3));
		break;
	case 10:
		CALL(SYS_sendto, RANDOM(3) ? pair : fd, BUF, any_size(c), flags, RANDOM(2) ? at : 0, size);
		break;
	default:
		CALL(SYS_recvfrom, pair, BUF, any_size(c), flags, 0, 0);
		break;
	}
}

static void op_poll(struct cpu *c)
{
	struct epoll_event event = {(uint32_t)RANDOM(32) | (RANDOM(2) ? EPOLLET : 0) | (RANDOM(4) ? 0 : EPOLLONESHOT),
				    {0}};
	struct pollfd polls[4];

	switch (RANDOM(6)) {
	case 0:
		c->r.r14 = K_EPOLL;
		CALL(SYS_epoll_create1, 0);
		break;
	case 1:
	case 2:
		guest_write(c, SMALL, &event, sizeof event);
		CALL(SYS_epoll_ctl, fd_of(c, K_EPOLL), RANDOM(2) ? 1 : 1 + RANDOM(3), some_fd(c), SMALL);
		break;
	case 3:
		CALL(SYS_epoll_wait, fd_of(c, K_EPOLL), BUF, 1 + RANDOM(4), RANDOM(20));
		break;
	case 4:
		for (unsigned i = 0; i < COUNT(polls); i++)
			polls[i] = (struct pollfd){.fd = (int)some_fd(c), .events = (short)RANDOM(32)};
		guest_write(c, SMALL, polls, sizeof polls);
		CALL(SYS_poll, SMALL, RANDOM(COUNT(polls) + 1), RANDOM(20));
		break;
	default:
		guest_store(c, SMALL + 64, RANDOM(0));
		CALL(SYS_timerfd_settime, fd_of(c, K_TIMER), 0, interval(c, false), 0);
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ memory */

static void op_map(struct cpu *c)
{
	uint64_t type = RANDOM(2) ? MAP_PRIVATE : MAP_SHARED, fixed = RANDOM(3) ? MAP_FIXED : 0;

	if (!RANDOM(8))
		fixed = MAP_FIXED_NOREPLACE;
	if (!RANDOM(8))
		type |= RANDOM(2) ? MAP_NORESERVE : MAP_POPULATE;
	if (RANDOM(2))
		CALL(SYS_mmap, any_place(c), any_pages(c), RANDOM(8), type | fixed | MAP_ANONYMOUS, -1, 0);
	else
		CALL(SYS_mmap, any_place(c), any_pages(c), RANDOM(8), type | fixed, fd_of(c, K_FILE),
		     PAGE_SIZE * RANDOM(4));
}

static void op_memory(struct cpu *c)
{
	uint64_t at = any_place(c), size = any_pages(c);

	switch (RANDOM(10)) {
	case 0:
	case 1:
		CALL(SYS_munmap, at, size);
		break;
	case 2:
	case 3:
		CALL(SYS_mprotect, at, size, RANDOM(8));
		break;
	case 4:
	case 5:
		CALL(SYS_mremap, at, size, any_pages(c), RANDOM(8), any_place(c));
		break;
	case 6:
		CALL(SYS_madvise, at, size, RANDOM(3) ? 4 : RANDOM(25));
		break;
	case 7:
		CALL(SYS_brk, GUEST_DATA + GUEST_DATA_SIZE + RANDOM(40 * PAGE_SIZE));
		break;
	case 8:
		CALL(RANDOM(2) ? SYS_mlock : SYS_munlock, at, size);
		break;
	default:
		CALL(RANDOM(2) ? SYS_msync : SYS_mincore, at, size, RANDOM(2) ? BUF : RANDOM(8));
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ tasks */

static bool crowded(void)
{
	struct uthread *thread;
	unsigned count = 0;

	list_for_each (thread, &sim.threads, all_node)
		count++;
	return count >= CROWD;
}

#define THREAD_FLAGS                                                                                                   \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)

static void op_task(struct cpu *c)
{
	uint64_t block, choice = crowded() ? 4 + RANDOM(3) : RANDOM(7), n = 1 + RANDOM(GUEST_BLOCKS - 1);

	if (!RANDOM(20))
		choice = 7;
	switch (choice) {
	case 0:
	case 1:
		CALL(SYS_fork);
		break;
	case 2:
		CALL(SYS_vfork);
		break;
	case 3:
		block = guest_block(c, (unsigned)n);
		for (unsigned i = W_KEPT; i < W_KEPT_END; i++)
			guest_store(c, block + 8 * i, (uint64_t)GET(i));
		CALL(SYS_clone, THREAD_FLAGS, block + GUEST_BLOCK, 0, block + 8 * (GUEST_WORDS - 1), 0);
		break;
	case 4:
		CALL(SYS_wait4, RANDOM(3) ? (uint64_t)-1 : any_pid(c), SMALL, RANDOM(4) ? WNOHANG : RANDOM(16), 0);
		break;
	case 5:
		CALL(SYS_waitid, RANDOM(4), any_pid(c), SMALL, RANDOM(16) | WNOHANG, 0);
		break;
	case 6:
		guest_string(c, PATH_A, RANDOM(4) ? "/ro/prog" : "/ro/script");
		guest_string(c, PATH_A + 32, "1");
		guest_store(c, SMALL, PATH_A);
		guest_store(c, SMALL + 8, PATH_A + 32);
		guest_store(c, SMALL + 16, 0);
		CALL(SYS_execve, PATH_A, SMALL, SMALL + 16);
		break;
	default:
		CALL(RANDOM(4) ? SYS_exit : SYS_exit_group, RANDOM(300));
		break;
	}
}

static void write_action(struct cpu *c)
{
	struct abi_sigaction action = {.flags = ABI_SA_RESTORER, .restorer = guest_address(guest_restorer)};

	action.handler = RANDOM(8) ? guest_address(guest_handler) : RANDOM(2);
	action.flags |= (RANDOM(2) ? ABI_SA_RESTART : 0) | (RANDOM(8) ? 0 : ABI_SA_RESETHAND) |
			(RANDOM(4) ? 0 : ABI_SA_ONSTACK) | (RANDOM(8) ? 0 : ABI_SA_NOCLDWAIT);
	action.mask = RANDOM(3) ? ~0ull : RANDOM(0);
	guest_write(c, SMALL, &action, sizeof action);
}

static void op_signal(struct cpu *c)
{

	switch (RANDOM(10)) {
	case 0:
	case 1:
		write_action(c);
		CALL(SYS_rt_sigaction, any_signal(c), SMALL, 0, 8);
		break;
	case 2:
		guest_store(c, SMALL, RANDOM(3) ? 1ull << RANDOM(64) : RANDOM(0));
		CALL(SYS_rt_sigprocmask, RANDOM(3), SMALL, 0, 8);
		break;
	case 3:
		guest_store(c, SMALL + 64, RANDOM(0));
		CALL(SYS_rt_sigtimedwait, SMALL + 64, 0, small_time(c), 8);
		break;
	case 4:
		CALL(SYS_tgkill, any_pid(c), any_pid(c), any_signal(c));
		break;
	case 5:
		CALL(SYS_alarm, RANDOM(2));
		break;
	case 6:
		CALL(SYS_setitimer, RANDOM(3), interval(c, true), 0);
		break;
	case 7:
		c->r.r14 = K_PIDFD;
		CALL(SYS_pidfd_open, any_pid(c), 0);
		break;
	default:
		CALL(SYS_kill, any_pid(c), any_signal(c));
		break;
	}
}

static void op_time(struct cpu *c)
{
	switch (RANDOM(6)) {
	case 0:
	case 1:
		CALL(SYS_nanosleep, small_time(c), 0);
		break;
	case 2:
		CALL(SYS_timer_create, RANDOM(4), 0, SMALL);
		break;
	case 3:
		CALL(SYS_timer_settime, RANDOM(4), 0, interval(c, false), 0);
		break;
	case 4:
		CALL(SYS_timer_delete, RANDOM(4));
		break;
	default:
		CALL(SYS_futex, SHARED(RANDOM(4)), RANDOM(13) | (RANDOM(2) ? FUTEX_PRIVATE_FLAG : 0), RANDOM(2),
		     small_time(c), SHARED(RANDOM(4)), RANDOM(3));
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ the rest */

static void op_system_v(struct cpu *c)
{
	struct {
		uint16_t number;
		int16_t change, flags;
	} operation = {0, (int16_t)((int)RANDOM(5) - 2), (int16_t)(RANDOM(3) ? IPC_NOWAIT : SEM_UNDO)};

	switch (RANDOM(9)) {
	case 0:
		CALL(SYS_semget, RANDOM(3), 1 + RANDOM(2), IPC_CREAT | 0600);
		break;
	case 1:
	case 2:
		guest_write(c, SMALL, &operation, sizeof operation);
		CALL(SYS_semop, RANDOM(6), SMALL, 1);
		break;
	case 3:
		CALL(SYS_msgget, RANDOM(3), IPC_CREAT | 0600);
		break;
	case 4:
		guest_store(c, SMALL, 1 + RANDOM(3));
		CALL(SYS_msgsnd, RANDOM(6), SMALL, RANDOM(200), RANDOM(2) ? IPC_NOWAIT : 0);
		break;
	case 5:
		CALL(SYS_msgrcv, RANDOM(6), SMALL, RANDOM(200), (uint64_t)((int64_t)RANDOM(4) - 1),
		     RANDOM(2) ? IPC_NOWAIT : 0);
		break;
	case 6:
		CALL(SYS_shmget, RANDOM(3), PAGE_SIZE * (1 + RANDOM(4)), IPC_CREAT | 0600);
		break;
	case 7:
		CALL(SYS_shmat, RANDOM(6), RANDOM(2) ? any_place(c) : 0, RANDOM(2) ? SHM_REMAP : 0);
		break;
	default:
		CALL(SYS_shmdt, any_place(c));
		break;
	}
}

static void op_attribute(struct cpu *c)
{
	uint64_t path = path_for(c, PATH_A, false);

	guest_string(c, PATH_B, RANDOM(2) ? "user.a" : "user.b");
	switch (RANDOM(8)) {
	case 0:
	case 1:
		CALL(SYS_setxattr, path, PATH_B, BUF, RANDOM(300), 0);
		break;
	case 2:
		CALL(SYS_getxattr, path, PATH_B, BUF, RANDOM(300));
		break;
	case 3:
		CALL(SYS_listxattr, path, BUF, RANDOM(300));
		break;
	case 4:
		CALL(SYS_removexattr, path, PATH_B);
		break;
	case 5:
		CALL(SYS_statfs, path, SMALL);
		break;
	case 6:
		c->r.r14 = K_INOTIFY;
		CALL(SYS_inotify_init1, RANDOM(2) ? O_NONBLOCK : 0);
		break;
	default:
		CALL(SYS_inotify_add_watch, fd_of(c, K_INOTIFY), path, RANDOM(4096));
		break;
	}
}

static void op_terminal(struct cpu *c)
{
	static const int requests[] = {0x5401, 0x5402,     0x5410,     0x540f, 0x540e, 0x5413,
				       0x5414, 0x80045430, 0x40045431, 0x541b, 0x5422, 0x540b};
	char text[32];

	guest_store(c, SMALL, 0);
	switch (RANDOM(5)) {
	case 0:
		c->r.r14 = K_PTY;
		guest_string(c, PATH_A, "/dev/ptmx");
		CALL(SYS_openat, AT_FDCWD, PATH_A, O_RDWR | O_NONBLOCK, 0);
		break;
	case 1:
		c->r.r14 = K_PTY;
		snprintf(text, sizeof text, "/dev/pts/%lu", RANDOM(4));
		guest_string(c, PATH_A, text);
		CALL(SYS_openat, AT_FDCWD, PATH_A, O_RDWR | (RANDOM(2) ? O_NONBLOCK : 0), 0);
		break;
	case 2:
		CALL(SYS_ioctl, fd_of(c, K_PTY), 0x40045431, SMALL); /* TIOCSPTLCK: unlock */
		break;
	case 3:
		CALL(SYS_setsid);
		break;
	default:
		CALL(SYS_ioctl, fd_of(c, K_PTY), requests[RANDOM(COUNT(requests))], SMALL);
		break;
	}
}

static void op_thread(struct cpu *c)
{
	struct abi_stack stack = {.ss_sp = PLACE, .ss_size = 0x4000};
	uint64_t word = SHARED(4 + RANDOM(3));

	switch (RANDOM(9)) {
	case 0:
		guest_write(c, SMALL, &stack, sizeof stack);
		CALL(SYS_sigaltstack, SMALL, 0);
		break;
	case 1: /* a list of one lock, whose word may be ours when we die */
		guest_store(c, SMALL + 0x40, SMALL + 0x40);
		guest_store(c, SMALL + 0x48, 0);
		guest_store(c, SMALL + 0x50, 0);
		CALL(SYS_set_robust_list, SMALL + 0x40, 24);
		break;
	case 2:
		CALL(SYS_futex, word, FUTEX_LOCK_PI, 0, 0, 0, 0);
		break;
	case 3:
	case 4:
		CALL(SYS_futex, word, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
		break;
	case 5:
		CALL(SYS_futex, word, FUTEX_TRYLOCK_PI, 0, 0, 0, 0);
		break;
	case 6:
		CALL(SYS_pidfd_send_signal, fd_of(c, K_PIDFD), any_signal(c), 0, 0);
		break;
	case 7:
		guest_store(c, SMALL, ~(1ull << (SIGALRM - 1)));
		CALL(SYS_rt_sigprocmask, SIG_UNBLOCK, SMALL, 0, 8);
		break;
	default:
		CALL(SYS_prctl, RANDOM(60), RANDOM(5), 0, 0, 0);
		break;
	}
}

static uint64_t any_argument(struct cpu *c)
{
	switch (RANDOM(9)) {
	case 0:
		return path_for(c, PATH_A, false);
	case 1:
		return any_fd(c);
	case 2:
		return any_place(c);
	case 3:
		return (uint64_t)-1;
	case 4:
		return 1ull << RANDOM(40);
	case 5:
	case 6:
		return any_buffer(c);
	default:
		return RANDOM(10);
	}
}

static void op_any(struct cpu *c)
{
	uint64_t nr = RANDOM(HIGHEST_NR), a = any_argument(c), b = any_argument(c), d = any_argument(c);

	if (nr == SYS_process_vm_writev || nr == SYS_prlimit64 || nr == SYS_rt_sigreturn ||
	    (crowded() && (nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone)) || nr == SYS_clone ||
	    nr == SYS_clone3)
		nr = SYS_getpid;
	if (nr == SYS_fallocate)
		b = 1;
	CALL(nr, a, b, d, any_argument(c), any_argument(c), any_argument(c));
}

static void choose(struct cpu *c)
{
	static void (*const ops[])(struct cpu * c) = {
		op_data,   op_data, op_data, op_size,     op_open,      op_open,     op_descriptor, op_make,   op_move,
		op_name,   op_name, op_look, op_socket,   op_socket,    op_poll,     op_map,        op_memory, op_task,
		op_signal, op_time, op_any,  op_system_v, op_attribute, op_terminal, op_thread};

	c->r.r14 = K_NONE;
	ops[RANDOM(COUNT(ops))](c);
}

/* The first program must live: no signals for it. */
static void spare_first(struct cpu *c)
{
	int32_t pid = (int32_t)c->r.rdi;

	switch (c->r.rax) {
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_pidfd_open:
		if (pid == -1 || pid == GUEST_FIRST_PID || pid == -GUEST_FIRST_PID ||
		    (int32_t)c->r.rsi == GUEST_FIRST_PID)
			c->r.rax = SYS_getpid;
		break;
	case SYS_setpgid: /* into its group */
		if ((int32_t)c->r.rsi == GUEST_FIRST_PID)
			c->r.rax = SYS_getpid;
		break;
	default:
		break;
	}
}

/* A call has come back: what has it made? */
static void take_result(struct cpu *c)
{
	enum kind kind = (enum kind)c->r.r14;

	if (RESULT < 0 || kind == K_NONE || kind >= K_KINDS)
		return;
	if (c->r.r12 != SYS_pipe2 && c->r.r12 != SYS_socketpair) {
		keep(c, kind, RESULT);
		return;
	}
	keep(c, kind, (int32_t)guest_load32(c, SMALL));
	keep(c, kind, (int32_t)guest_load32(c, SMALL + 4));
}

/* A new thread finds its block by its stack; a copy gets random numbers of its own. */
static void begin_again(struct cpu *c)
{
	if (c->r.r12 == SYS_clone)
		c->r.rbx = c->r.rsp - GUEST_BLOCK;
	SET(W_RANDOM, (uint64_t)GET(W_RANDOM) * 6364136223846793005ull + c->thread->identity.tid);
	SET(W_LIMIT, 20 + RANDOM(100));
}

static void touch_place(struct cpu *c)
{
	uint64_t at = PLACE + RANDOM(PLACE_PAGES * PAGE_SIZE - 8);

	if (RANDOM(2))
		guest_store(c, at, RANDOM(0));
	else
		guest_load(c, at);
}

void guest_handler(struct cpu *c)
{
	BEGIN;
	if (c->thread->fp[0] || c->thread->fp[1])
		guest_complain(c, __LINE__, "a handler does not begin with clean vector registers");
	SYS(SYS_getpid);
	LEAVE;
	END;
}

/* Faults would go on for ever without: the page is mapped, or that ends it. */
void guest_fuzz(struct cpu *c)
{
	BEGIN;
	SET(W_LIMIT, 100 + RANDOM(3000));
	for (SET(W_SIGNAL, 1); GET(W_SIGNAL) < 32; SET(W_SIGNAL, GET(W_SIGNAL) + 1)) {
		write_action(c);
		if (RANDOM(10))
			SYS(SYS_rt_sigaction, GET(W_SIGNAL), SMALL, 0, 8);
	}
	for (SET(W_CALLS, 0); GET(W_CALLS) < GET(W_LIMIT); SET(W_CALLS, GET(W_CALLS) + 1)) {
		if (!RANDOM(40)) {
			SYS(SYS_mmap, PLACE, PAGE_SIZE * 8, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			touch_place(c);
			STEP;
		}
		choose(c);
		spare_first(c);
		c->r.r12 = c->r.rax;
		c->r.r13 = c->thread->identity.tid;
		MAKE_CALL;
		if (c->r.r13 != c->thread->identity.tid)
			begin_again(c);
		take_result(c);
	}
	EXIT(0);
	END;
}
