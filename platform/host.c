/* host.c - the wrappers of host.h.
 *
 * Theory: the C library's functions set errno and are cancellation points, and some make other calls than their name
 * says (its fstat is newfstatat, its read is read). The jail allows 45 calls by number, so every wrapper makes exactly
 * the call that host.def lists. This is the only file of the product that knows errno (the fallbacks of vDSO and
 * syscall(2)).
 *
 * Limits: x86-64.
 */
#include "platform/host.h"
#include "platform/rawcall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#define STDERR_PATIENCE_S 10

static int proc = -1, memory = -1;
static uint64_t calls_made;

/* Every call of this file is counted. */
#undef CALL
#define CALL(name, a, b, c, d, e, f)                                                                                   \
	(calls_made++, call6(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))

uint64_t host_call_count(void)
{
	return calls_made;
}

const struct host_call host_calls[] = {
#define HOST(name, why) {#name, why, SYS_##name},
#include "platform/host.def"
#undef HOST
	{NULL, NULL, 0},
};

#define HOST(name, why) +1
static_assert(0
#include "platform/host.def"
		      <= 45,
	      "rule W3: the sentry makes do with 45 host calls");
#undef HOST

static bool is_one_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

void host_proc_set(int proc_fd)
{
	proc = proc_fd;
}

static int open_how(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode & 07777 : 0,
		.resolve = resolve,
	};

	if (!(flags & O_PATH)) /* openat2 refuses what O_PATH ignores */
		how.flags |= O_NOCTTY;
	return (int)CALL4(openat2, dir_fd, path, &how, sizeof how);
}

int host_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
	return open_how(dir_fd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int host_proc_open(const char *path, int flags)
{
	if (proc < 0)
		return -ENOENT;
	return open_how(proc, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

/* "self/fd/N": the magic link to one of our own descriptors. */
static void own_fd_path(char path[32], int fd)
{
	snprintf(path, 32, "self/fd/%d", fd);
}

void host_memory_set(int root_fd)
{
	memory = root_fd;
}

int host_memory_file(const char *name)
{
	if (memory < 0)
		return host_memfd_create(name, MFD_CLOEXEC);
	return open_how(memory, ".", O_TMPFILE | O_RDWR, 0600, RESOLVE_BENEATH);
}

uint64_t host_memory_used(void)
{
	struct statfs now;

	if (memory < 0 || host_fstatfs(memory, &now))
		return 0;
	return (uint64_t)(now.f_blocks - now.f_bfree) * (uint64_t)now.f_bsize;
}

int host_reopen(int fd, int flags)
{
	char path[32];

	if (proc < 0)
		return -ENOENT;
	own_fd_path(path, fd);
	return open_how(proc, path, flags & ~O_NOFOLLOW, 0, 0);
}

int host_chmod(int fd, mode_t mode)
{
	char path[32];

	if (proc < 0)
		return -ENOENT;
	own_fd_path(path, fd);
	return (int)CALL3(fchmodat, proc, path, mode & 07777);
}

int host_close(int fd)
{
	return (int)CALL3(close, fd, 0, 0);
}

ssize_t host_preadv2(int fd, const struct iovec *iov, int count, int64_t offset, int rwf)
{
	return CALL(preadv2, fd, iov, count, offset, 0, rwf);
}

ssize_t host_pwritev2(int fd, const struct iovec *iov, int count, int64_t offset, int rwf)
{
	return CALL(pwritev2, fd, iov, count, offset, 0, rwf);
}

ssize_t host_pread(int fd, void *dst, size_t n, int64_t offset)
{
	return host_preadv2(fd, &(struct iovec){dst, n}, 1, offset, 0);
}

ssize_t host_pwrite(int fd, const void *src, size_t n, int64_t offset)
{
	return host_pwritev2(fd, &(struct iovec){(void *)src, n}, 1, offset, 0);
}

ssize_t host_read(int fd, void *dst, size_t n)
{
	return host_pread(fd, dst, n, -1);
}

ssize_t host_write(int fd, const void *src, size_t n)
{
	return host_pwrite(fd, src, n, -1);
}

int64_t host_lseek(int fd, int64_t offset, int whence)
{
	return CALL3(lseek, fd, offset, whence);
}

int host_ftruncate(int fd, int64_t size)
{
	return (int)CALL3(ftruncate, fd, size, 0);
}

int host_fallocate(int fd, int mode, int64_t offset, int64_t size)
{
	return (int)CALL4(fallocate, fd, mode, offset, size);
}

int host_fsync(int fd)
{
	return (int)CALL3(fsync, fd, 0, 0);
}

int host_statx(int dir_fd, const char *path, unsigned mask, struct statx *out)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);

	assert(!*path || is_one_name(path));
	return (int)CALL(statx, dir_fd, path, flags, mask, out, 0);
}

int host_fstatfs(int fd, struct statfs *out)
{
	return (int)CALL3(fstatfs, fd, out, 0);
}

ssize_t host_getdents64(int fd, void *dst, size_t n)
{
	return CALL3(getdents64, fd, dst, n);
}

ssize_t host_readlinkat(int dir_fd, const char *path, char *dst, size_t n)
{
	assert(!*path || is_one_name(path));
	return CALL4(readlinkat, dir_fd, path, dst, n);
}

int host_unlinkat(int dir_fd, const char *name, int flags)
{
	assert(is_one_name(name));
	return (int)CALL3(unlinkat, dir_fd, name, flags);
}

int host_mkdirat(int dir_fd, const char *name, mode_t mode)
{
	assert(is_one_name(name));
	return (int)CALL3(mkdirat, dir_fd, name, mode);
}

int host_renameat2(int old_dir_fd, const char *old_name, int new_dir_fd, const char *new_name, unsigned flags)
{
	assert(is_one_name(old_name) && is_one_name(new_name));
	return (int)CALL(renameat2, old_dir_fd, old_name, new_dir_fd, new_name, flags, 0);
}

int host_link(int fd, int new_dir_fd, const char *new_name)
{
	char path[32];

	assert(is_one_name(new_name));
	if (proc < 0)
		return -ENOENT;
	own_fd_path(path, fd);
	return (int)CALL(linkat, proc, path, new_dir_fd, new_name, AT_SYMLINK_FOLLOW, 0);
}

int host_symlinkat(const char *target, int dir_fd, const char *name)
{
	assert(is_one_name(name));
	return (int)CALL3(symlinkat, target, dir_fd, name);
}

int host_utimens(int fd, const struct timespec times[2])
{
	return (int)CALL4(utimensat, fd, "", times, AT_EMPTY_PATH);
}

int host_memfd_create(const char *name, unsigned flags)
{
	return (int)CALL3(memfd_create, name, flags, 0);
}

int host_fcntl(int fd, int command, uint64_t argument)
{
	return (int)CALL3(fcntl, fd, command, argument);
}

int host_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)CALL3(ioctl, fd, request, argument);
}

void *host_mmap(void *at, size_t size, int prot, int flags, int fd, int64_t offset, int *error)
{
	long result = CALL(mmap, at, size, prot, flags, fd, offset);

	if (result >= -4095 && result < 0) {
		if (error)
			*error = (int)result;
		return NULL;
	}
	return (void *)result;
}

int host_munmap(void *at, size_t size)
{
	return (int)CALL3(munmap, at, size, 0);
}

int host_mprotect(void *at, size_t size, int prot)
{
	return (int)CALL3(mprotect, at, size, prot);
}

int host_madvise(void *at, size_t size, int advice)
{
	return (int)CALL3(madvise, at, size, advice);
}

static struct timespec timespec_of_ns(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

int host_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
	struct timespec deadline = timespec_of_ns(deadline_ns);

	/* FUTEX_WAIT_BITSET takes an absolute time. */
	return (int)CALL(futex, word, FUTEX_WAIT_BITSET, expected, deadline_ns == DEADLINE_NONE ? NULL : &deadline,
			 NULL, FUTEX_BITSET_MATCH_ANY);
}

int host_futex_wake(uint32_t *word, unsigned count)
{
	return (int)CALL3(futex, word, FUTEX_WAKE, count);
}

int host_io_uring_enter(int ring_fd, unsigned submit, unsigned wait, unsigned flags, const void *argument, size_t size)
{
	return (int)CALL(io_uring_enter, ring_fd, submit, wait, flags, argument, size);
}

int host_epoll_wait(int epoll_fd, struct epoll_event *events, int count, const struct timespec *timeout)
{
	/* In whole milliseconds, rounded up: epoll_pwait2 would need Linux 5.11 and another row. */
	int64_t ms = timeout ? timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000 : -1;

	return (int)CALL(epoll_pwait, epoll_fd, events, count, MIN(ms, (int64_t)INT32_MAX), NULL, 8);
}

int host_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
	return (int)CALL4(epoll_ctl, epoll_fd, op, fd, event);
}

int host_poll(struct pollfd *fds, unsigned count, const struct timespec *timeout)
{
	struct timespec left = timeout ? *timeout : (struct timespec){0, 0}; /* the kernel writes to it */

	return (int)CALL(ppoll, fds, count, timeout ? &left : NULL, NULL, 8, 0);
}

void host_yield(void)
{
	CALL3(sched_yield, 0, 0, 0);
}

int host_set_affinity(pid_t pid, const cpu_set_t *cpus)
{
	return (int)CALL3(sched_setaffinity, pid, sizeof *cpus, cpus);
}

ssize_t host_process_vm_readv(pid_t pid, const struct iovec *local, unsigned locals, const struct iovec *remote,
			      unsigned remotes)
{
	return CALL(process_vm_readv, pid, local, locals, remote, remotes, 0);
}

ssize_t host_process_vm_writev(pid_t pid, const struct iovec *local, unsigned locals, const struct iovec *remote,
			       unsigned remotes)
{
	return CALL(process_vm_writev, pid, local, locals, remote, remotes, 0);
}

int host_pidfd_open(pid_t pid)
{
	return (int)CALL3(pidfd_open, pid, 0, 0);
}

int host_kill(pid_t pid, int sig)
{
	assert(pid > 1); /* never a group, never ourselves */
	return (int)CALL3(kill, pid, sig, 0);
}

int host_waitid(int type, pid_t id, siginfo_t *out, int options, struct rusage *usage)
{
	return (int)CALL(waitid, type, id, out, options, usage, 0);
}

ssize_t host_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return CALL3(sendmsg, fd, message, flags);
}

ssize_t host_recvmsg(int fd, struct msghdr *message, int flags)
{
	return CALL3(recvmsg, fd, message, flags);
}

int host_clock_gettime(clockid_t clock, struct timespec *out)
{
	/* The C library's is the vDSO's, with the system call of the same name behind it. */
	return clock_gettime(clock, out) ? -errno : 0;
}

uint64_t host_monotonic_ns(void)
{
	struct timespec now = {0, 0};

	if (host_clock_gettime(CLOCK_MONOTONIC, &now))
		assert(!"CLOCK_MONOTONIC is always there");
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void host_random(void *dst, size_t n)
{
	char *at = dst;

	while (n) {
		long got = CALL3(getrandom, at, n, 0);
		assert(got > 0 || got == -EINTR);
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		}
	}
}

void host_exit(int status)
{
	for (;;)
		CALL3(exit_group, status, 0, 0);
}

/* What guests share with us may be non-blocking; who reads it gets STDERR_PATIENCE for what we have to say. */
void host_stderr(const char *text, size_t n)
{
	struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
	const struct timespec patience = {STDERR_PATIENCE_S, 0};

	while (n) {
		ssize_t done = host_write(STDERR_FILENO, text, n);
		if (done == -EINTR)
			continue;
		if (done == -EAGAIN && host_poll(&writable, 1, &patience) > 0)
			continue;
		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}
