/* hoard.c - a guest that takes as much of everything as it is given (design, W4: every count has a limit).
 *
 *   hoard WHAT COUNT [PROGRAM ...]    files, directories, xattrs, messages, maps, timers, locks, watches, pipes,
 * symlinks, processes, signals, keys
 *
 * Says how many it got and what the first refusal was. Then it ends, or executes the program, which finds the kernel
 * with next to no memory of its own left.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tests/attack/attack.h"

static char name[64];

static const char *numbered(const char *format, long i)
{
	snprintf(name, sizeof name, format, i);
	return name;
}

static long file(long i)
{
	int fd = open(numbered("/tmp/h/%ld", i), O_CREAT | O_WRONLY, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long directory(long i)
{
	return mkdir(numbered("/tmp/h/d%ld", i), 0700);
}

static long xattr(long i)
{
	static char value[60000];
	int fd = open(numbered("/tmp/h/x%ld", i / 4), O_CREAT | O_WRONLY, 0600);
	long ret = fd < 0 ? -1 : fsetxattr(fd, numbered("user.%ld", i % 4), value, sizeof value, 0);

	close(fd);
	return ret;
}

static long message(long i)
{
	static int pair[2];
	static char bytes[100000];

	if (i % 2 == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	return send(pair[i % 2], bytes, sizeof bytes, MSG_DONTWAIT);
}

static long map(long i)
{
	return (long)mmap((void *)(0x100000000 + i * 8192), 4096, i % 2 ? PROT_READ : PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static long timer(long i)
{
	timer_t id;

	(void)i;
	return timer_create(CLOCK_MONOTONIC, NULL, &id);
}

static long lock(long i)
{
	static int fd;
	struct flock one = {.l_type = F_WRLCK, .l_start = i * 2, .l_len = 1};

	if (!fd)
		fd = open("/tmp/h/lock", O_CREAT | O_RDWR, 0600);
	return fcntl(fd, F_SETLK, &one);
}

static long watch(long i)
{
	static int event;
	struct epoll_event want = {.events = EPOLLIN};

	if (!event)
		event = eventfd(0, 0);
	int epoll = epoll_create1(0);
	(void)i;
	return epoll < 0 ? -1 : epoll_ctl(epoll, EPOLL_CTL_ADD, event, &want);
}

static long pipes(long i)
{
	int fds[2];

	(void)i;
	if (pipe(fds))
		return -1;
	fcntl(fds[0], F_SETPIPE_SZ, 1 << 20);
	return 0;
}

static long symbolic(long i)
{
	static char long_name[4000];

	memset(long_name, 'x', sizeof long_name - 1);
	return symlink(long_name, numbered("/tmp/h/l%ld", i));
}

static long process(long i)
{
	pid_t pid = fork();

	(void)i;
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static long signals(long i)
{
	union sigval value = {.sival_int = (int)i};

	return sigqueue(getpid(), SIGRTMIN, value);
}

/* Keyrings that each link all of the ones after them, a deep chain, many users; and a search, and a look at them all,
 * now and then. */
static long keys(long i)
{
	static long rings[16], chain = KEY_SPEC_SESSION_KEYRING;
	static char text[32767];
	long number = i % 4;

	if (!i)
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (number == 0 && i < 4096) {
		long ring =
			syscall(SYS_add_key, "keyring", numbered("chain %ld", i), NULL, 0, KEY_SPEC_SESSION_KEYRING);
		syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f3f3f3f); /* so deep down nothing is possessed */
		syscall(SYS_keyctl, KEYCTL_LINK, ring, chain);
		if (i)
			syscall(SYS_keyctl, KEYCTL_UNLINK, ring, KEY_SPEC_SESSION_KEYRING);
		chain = ring;
		return ring;
	}
	if (number == 1) {
		long ring = syscall(SYS_add_key, "keyring", numbered("ring %ld", i), NULL, 0, KEY_SPEC_SESSION_KEYRING);
		for (int j = 0; j < 16; j++)
			syscall(SYS_keyctl, KEYCTL_LINK, rings[j], ring);
		rings[i / 4 % 16] = ring;
		return ring;
	}
	if (number == 2)
		syscall(SYS_setfsuid, i);
	long key = syscall(SYS_add_key, "user", numbered("key %ld", i), text, 1 + i % 300, KEY_SPEC_SESSION_KEYRING);
	if (number == 2)
		syscall(SYS_setfsuid, 0);
	if (i % 1024 == 3) {
		int fd = open("/proc/keys", O_RDONLY);
		syscall(SYS_request_key, "user", "none", NULL, 0);
		(void)!read(fd, text, sizeof text);
		close(fd);
	}
	return key;
}

static const struct {
	const char *name;
	long (*take)(long);
} all[] = {{"files", file},  {"directories", directory}, {"xattrs", xattr},      {"messages", message},
	   {"maps", map},    {"timers", timer},          {"locks", lock},        {"watches", watch},
	   {"pipes", pipes}, {"symlinks", symbolic},     {"processes", process}, {"signals", signals},
	   {"keys", keys}};

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 100000, got = 0;
	struct rlimit most = {1048576, 1048576};
	sigset_t set;
	int error = 0;

	attack_require_sandbox();
	signal(SIGSEGV, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, &most);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	mkdir("/tmp/h", 0700);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (argc > 1 && !strcmp(argv[1], all[i].name))
			for (errno = 0; got < count && all[i].take(got) >= 0; got++)
				;
	error = errno;
	printf("%s: got %ld%s%s\n", argv[1], got, got < count ? ", then " : "", got < count ? strerror(error) : "");
	/* A little room: pages for attributes come back, where objects' stay with their kind. */
	for (long i = 0; argc > 3 && i < 8; i++)
		unlink(numbered("/tmp/h/x%ld", got / 4 - i));
	if (argc > 3)
		execv(argv[3], argv + 3);
	do
		kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0);
	puts("done");
	return 0;
}
