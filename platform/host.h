/* host.h - every host system call that the sentry makes once its jail is closed, one thin function each (rule W3).
 *
 * Each function makes the call of its name, listed in host.def, and nothing else: results are the kernel's own, errors
 * negative errno values, never `errno`. Descriptors are the sentry's. Nothing here parks; what may block the sentry
 * goes through hostio.h. A path is always relative to a directory descriptor, and resolved strictly below it.
 */
#ifndef PLATFORM_HOST_H
#define PLATFORM_HOST_H

#include "sentry/base/types.h"

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

struct pollfd;
struct statx;
struct statfs;
struct msghdr;
struct epoll_event;
struct rusage;

/* ---- the jail's gifts */

/* The proc file system of the sentry's own pid namespace: set by the jail (or by a test) before anything below that
 * needs it. Borrowed for ever. Without it host_proc_open and host_reopen say -ENOENT. */
void host_proc_set(int proc_fd);

/* The root of a tmpfs that only the sandbox's memory files lie on, so that one call says how much they take. Set by the
 * jail; borrowed for ever. Without it they are memfds, and host_memory_used says 0. It must never be full: the sentry
 * writes through mappings. */
void host_memory_set(int root_fd);
/* A new file without a name, empty. */
must_check int host_memory_file(const char *name);
uint64_t host_memory_used(void);

/* Opens a path of that proc, such as "12/mem". */
must_check int host_proc_open(const char *path, int flags);

/* A new open file description of the file behind an O_PATH (or any) descriptor, with these flags (O_NOCTTY and
 * O_CLOEXEC are added). */
must_check int host_reopen(int fd, int flags);

/* fchmod that also takes an O_PATH descriptor. */
must_check int host_chmod(int fd, mode_t mode);

/* ---- files; offset -1 means: at and moving the file's own position */

/* openat2 below dir_fd: no "..", no absolute path, no symbolic link on the way (O_PATH|O_NOFOLLOW opens a last one
 * itself), no magic link. O_CLOEXEC and O_NOCTTY are added. -EXDEV, -ELOOP: it would have left the directory. */
must_check int host_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);
int host_close(int fd);
must_check ssize_t host_read(int fd, void *dst, size_t n);
must_check ssize_t host_write(int fd, const void *src, size_t n);
must_check ssize_t host_pread(int fd, void *dst, size_t n, int64_t offset);
must_check ssize_t host_pwrite(int fd, const void *src, size_t n, int64_t offset);
/* rwf: RWF_* of preadv2(2), such as RWF_NOWAIT. */
must_check ssize_t host_preadv2(int fd, const struct iovec *iov, int count, int64_t offset, int rwf);
must_check ssize_t host_pwritev2(int fd, const struct iovec *iov, int count, int64_t offset, int rwf);
must_check int64_t host_lseek(int fd, int64_t offset, int whence);
must_check int host_ftruncate(int fd, int64_t size);
must_check int host_fallocate(int fd, int mode, int64_t offset, int64_t size);
must_check int host_fsync(int fd);
/* path "" and AT_EMPTY_PATH: the descriptor itself. Always AT_SYMLINK_NOFOLLOW and AT_NO_AUTOMOUNT. path is one name.
 */
must_check int host_statx(int dir_fd, const char *path, unsigned mask, struct statx *out);
must_check int host_fstatfs(int fd, struct statfs *out);
/* The raw records of getdents64(2). */
must_check ssize_t host_getdents64(int fd, void *dst, size_t n);
/* path "": dir_fd is an O_PATH descriptor of the link itself. Not zero-terminated. */
must_check ssize_t host_readlinkat(int dir_fd, const char *path, char *dst, size_t n);
/* name is one component, neither "." nor "..": asserted. */
must_check int host_unlinkat(int dir_fd, const char *name, int flags);
must_check int host_mkdirat(int dir_fd, const char *name, mode_t mode);
must_check int host_renameat2(int old_dir_fd, const char *old_name, int new_dir_fd, const char *new_name,
			      unsigned flags);
/* Another name for the file behind fd; through proc, because AT_EMPTY_PATH needs a capability. */
must_check int host_link(int fd, int new_dir_fd, const char *new_name);
must_check int host_symlinkat(const char *target, int dir_fd, const char *name);
/* fd may be O_PATH. times as utimensat(2), UTIME_OMIT included. */
must_check int host_utimens(int fd, const struct timespec times[2]);
must_check int host_memfd_create(const char *name, unsigned flags);
/* The jail allows F_GETFL, F_SETFD, F_DUPFD_CLOEXEC, F_ADD_SEALS and F_GET_SEALS. */
must_check int host_fcntl(int fd, int command, uint64_t argument);
/* The jail allows the terminal requests of jail.c only. */
must_check int host_ioctl(int fd, unsigned long request, void *argument);

/* ---- memory of the sentry */

/* NULL on failure, with the error in *error when error is not NULL. As mmap(2). */
must_check void *host_mmap(void *at, size_t size, int prot, int flags, int fd, int64_t offset, int *error);
int host_munmap(void *at, size_t size);
must_check int host_mprotect(void *at, size_t size, int prot);
int host_madvise(void *at, size_t size, int advice);

/* ---- sleeping and waking */

/* FUTEX_WAIT until a time of CLOCK_MONOTONIC (DEADLINE_NONE: no limit): 0, -EAGAIN, -ETIMEDOUT, -EINTR. Not private:
 * the word may be shared with stubs. */
int host_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline_ns);
int host_futex_wake(uint32_t *word, unsigned count);
int host_io_uring_enter(int ring_fd, unsigned submit, unsigned wait, unsigned flags, const void *argument, size_t size);
int host_epoll_wait(int epoll_fd, struct epoll_event *events, int count, const struct timespec *timeout);
int host_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event);
int host_poll(struct pollfd *fds, unsigned count, const struct timespec *timeout);
void host_yield(void);
/* pid 0: ourselves. */
must_check int host_set_affinity(pid_t pid, const cpu_set_t *cpus);

/* ---- stubs */

must_check ssize_t host_process_vm_readv(pid_t pid, const struct iovec *local, unsigned locals,
					 const struct iovec *remote, unsigned remotes);
must_check ssize_t host_process_vm_writev(pid_t pid, const struct iovec *local, unsigned locals,
					  const struct iovec *remote, unsigned remotes);
must_check int host_pidfd_open(pid_t pid);
int host_kill(pid_t pid, int sig);
/* usage: NULL, or what the reaped process has used. */
must_check int host_waitid(int type, pid_t id, siginfo_t *out, int options, struct rusage *usage);
must_check ssize_t host_sendmsg(int fd, const struct msghdr *message, int flags);
must_check ssize_t host_recvmsg(int fd, struct msghdr *message, int flags);

/* ---- the rest */

/* By the vDSO where it can. */
must_check int host_clock_gettime(clockid_t clock, struct timespec *out);
uint64_t host_monotonic_ns(void);
/* Fills all of it; does not fail once the host's pool is ready. */
void host_random(void *dst, size_t n);
no_return void host_exit(int status);
/* One line for the person at the command line, best effort. */
void host_stderr(const char *text, size_t n);

/* ---- the list itself */

struct host_call {
	const char *name, *why;
	int nr;
};
/* The rows of host.def, ended by a NULL name. */
extern const struct host_call host_calls[];

/* How many of them have been made by this process. */
uint64_t host_call_count(void);

#endif
