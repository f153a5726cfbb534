/* guest.h - what every differential guest program shares.
 *
 * A guest program prints a transcript that must be the same under Linux and under usbx. So nothing that may differ
 * between two correct kernels is printed (pids, addresses, times, inode numbers, free space): print how two such values
 * relate instead. Every line goes out by one write, at once, so that lines of parents and children never mix as long
 * as the program itself orders them, and nothing is printed twice after a fork.
 *
 * A program that cannot run here (a CPU feature is missing, say) calls skip(), which is exit status 77.
 */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUEST_SKIP   77
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The value of an expression, with the name of the error where it is -1. */
#define SHOW(expr)                                                                                                     \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long show_value_ = (long)(expr);                                                                       \
		show_result(#expr, show_value_, errno);                                                                \
	} while (0)

/* The same for functions that return the error number itself, as pthread_* do. */
#define SHOW_ERR(expr) show_error(#expr, (expr))

/* Something that holds on Linux; "NO" in a native transcript is a mistake of the program. */
#define CHECK(cond) say("%s: %s\n", (cond) ? "yes" : "NO", #cond)

/* A step that the case needs but is not about: the transcript says only if it failed. */
#define MUST(expr)                                                                                                     \
	({                                                                                                             \
		long must_value_ = (long)(expr);                                                                       \
		if (must_value_ == -1)                                                                                 \
			give_up(#expr, errno);                                                                         \
		must_value_;                                                                                           \
	})

#define SHOW_TEXT(text) show_bytes(#text, (text), strlen(text))

__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...)
{
	char line[1024]; /* not vdprintf: it allocates, which shows in cases about memory */
	va_list args;
	va_start(args, format);
	int size = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (size >= (int)sizeof line)
		size = sizeof line - 1;
	for (ssize_t done = 0, count; done < size; done += count)
		if ((count = write(STDOUT_FILENO, line + done, size - done)) < 0 && errno != EINTR)
			_exit(99);
		else if (count < 0)
			count = 0;
}

static inline void section(const char *title)
{
	say("-- %s\n", title);
}

static inline const char *error_name(int error)
{
	const char *name = strerrorname_np(error);
	return name ? name : "unknown error";
}

static inline const char *signal_name(int sig)
{
	static char real_time[16];
	if (sig >= SIGRTMIN && sig <= SIGRTMAX) {
		snprintf(real_time, sizeof real_time, "RT%d", sig - SIGRTMIN);
		return real_time;
	}
	const char *name = sigabbrev_np(sig);
	return name ? name : "unknown signal";
}

static inline void show_result(const char *text, long value, int error)
{
	if (value == -1)
		say("%s = -1 %s\n", text, error_name(error));
	else
		say("%s = %ld\n", text, value);
}

static inline void show_error(const char *text, int error)
{
	say("%s = %s\n", text, error ? error_name(error) : "0");
}

/* At most 60 bytes of data, the unprintable ones in hexadecimal. */
static inline void show_bytes(const char *text, const void *data, size_t size)
{
	char line[300];
	size_t used = 0, shown = size < 60 ? size : 60;
	for (size_t i = 0; i < shown; i++) {
		unsigned char byte = ((const unsigned char *)data)[i];
		used += sprintf(line + used, byte >= ' ' && byte < 127 ? "%c" : "\\x%02x", byte);
	}
	line[used] = 0;
	say("%s = \"%s\"%s\n", text, line, shown < size ? "..." : "");
}

__attribute__((noreturn)) static inline void skip(const char *reason)
{
	say("skip: %s\n", reason);
	_exit(GUEST_SKIP);
}

__attribute__((noreturn)) static inline void give_up(const char *text, int error)
{
	say("NO: %s gave %s, giving up\n", text, error_name(error));
	_exit(1);
}

static inline void show_status(const char *who, int status)
{
	if (WIFEXITED(status))
		say("%s: exited %d\n", who, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s: killed by %s\n", who, signal_name(WTERMSIG(status)));
	else if (WIFSTOPPED(status))
		say("%s: stopped by %s\n", who, signal_name(WSTOPSIG(status)));
	else
		say("%s: %s\n", who, WIFCONTINUED(status) ? "continued" : "unknown status");
}

/* fork whose child cannot outlive this program. */
static inline pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = MUST(fork());
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
	}
	return pid;
}

static inline void reap(const char *who, pid_t pid)
{
	int status = 0;
	MUST(waitpid(pid, &status, 0));
	show_status(who, status);
}

/* Runs a function in a child and tells how the child ended. */
static inline void in_child(const char *who, void (*function)(void))
{
	pid_t pid = fork_child();
	if (!pid) {
		function();
		_exit(0);
	}
	reap(who, pid);
}

static inline void nap_ms(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static inline long long now_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static inline void make_file(const char *name, const char *content)
{
	int fd = MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	MUST(write(fd, content, strlen(content)));
	close(fd);
}

static inline void show_file(const char *name)
{
	char content[4096];
	int fd = open(name, O_RDONLY);
	if (fd < 0) {
		say("%s: %s\n", name, error_name(errno));
		return;
	}
	ssize_t size = read(fd, content, sizeof content);
	close(fd);
	show_bytes(name, content, size < 0 ? 0 : size);
}

static inline bool exists(const char *name)
{
	struct stat st;
	return !lstat(name, &st);
}

/* The lowest free descriptor: the same before and after a step that must not leak one. */
static inline int lowest_fd(void)
{
	int fd = MUST(dup(STDOUT_FILENO));
	close(fd);
	return fd;
}

static inline void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	MUST(sigaction(sig, &action, NULL));
}

static inline void handle_info(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
	MUST(sigaction(sig, &action, NULL));
}

static inline sigset_t set_of(int sig)
{
	sigset_t set;
	sigemptyset(&set);
	if (sig)
		sigaddset(&set, sig);
	return set;
}

static inline void block(int sig)
{
	sigset_t set = set_of(sig);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

static inline void unblock(int sig)
{
	sigset_t set = set_of(sig);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

/* From here on an ordinary user, as most programs are; there is no way back. */
static inline void become_user(uid_t id)
{
	MUST(setresgid(id, id, id));
	MUST(setresuid(id, id, id));
}

/* One byte through a pipe: how parent and child take turns. */
static inline void tell(int fd)
{
	MUST(write(fd, "!", 1));
}

static inline void await(int fd)
{
	char byte;
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

#endif
