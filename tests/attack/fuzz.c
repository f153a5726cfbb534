/* fuzz.c - hostile arguments to every row of the table (design, rule W4).
 *
 *   fuzz SEED SECONDS [CALL]    all calls, or mostly that one; -: all, and names those that never succeeded
 *
 * Rounds: each starts WORKERS processes of two threads, half of them root, half an ordinary user, which call whatever
 * the table has with random and edge arguments chosen by kind, and ends them all; then the supervisor, which made none
 * of these calls, asks the kernel for ordinary service. The kinds come from syscalls.def itself, so no row is
 * forgotten.
 *
 * The same seed makes the same choices; what comes of them depends on how threads meet. Not tried: signals to processes
 * that are not the caller's own, because the supervisor must live.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "tests/attack/attack.h"

#define WORKERS     4
#define ROUND_MS    1000
#define DATA        0x20000000ul /* what arguments point to; readable and writable at first, with holes behind */
#define DATA_BYTES  0x40000ul
#define PLAY        0x100000000ul /* where memory calls play */
#define PLAY_BYTES  0x4000000ul
#define TRIES_LIMIT 100000

struct row {
	int nr;
	const char *name;
	unsigned count;
	const char *kinds; /* "(KIND, name, ...)" */
};
static const struct row rows[] = {
#define SYSCALL(nr, name, level, returns, count, kinds, note) {nr, #name, count, #kinds},
#define MISSING(nr, name, note)                               {nr, #name, 0, "()"},
#include "syscalls/syscalls.def"
};
#define ROWS (sizeof rows / sizeof *rows)

/* Kinds that are addresses. */
static const char *const addresses[] = {
#define ADDRESS(kind, direction, printer) #kind,
#include "syscalls/kinds.def"
};

static struct shared {
	volatile uint64_t calls, returned[2];
	volatile uint32_t well[1024];       /* by number: calls that succeeded */
	volatile uint64_t good[1024][4][6]; /* arguments with which they did */
} * shared;
static __thread uint64_t state;

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t n)
{
	return (any() >> 11) % n;
}

#define ONE_OF(...)                                                                                                    \
	({                                                                                                             \
		static const uint64_t list_[] = {__VA_ARGS__};                                                         \
		list_[below(sizeof list_ / sizeof *list_)];                                                            \
	})

static uint64_t number(void)
{
	switch (below(6)) {
	case 0:
		return below(8);
	case 1:
		return ONE_OF(0, 1, 2, 63, 64, 65, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 4097, 65535, 65536);
	case 2:
		return ONE_OF(-1ul, -2ul, -100ul, -4095ul, -4096ul, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
			      0x7fffffffffffffff, 0x8000000000000000, 0x7ffffffff000, 0x7ffff000, 1ul << 40);
	case 3:
		return 1ul << below(64);
	case 4:
		return below(1 << 20);
	default:
		return any() >> below(64);
	}
}

static uint64_t fd(void)
{
	switch (below(12)) {
	case 0:
		return (uint64_t)AT_FDCWD;
	case 1:
		return ONE_OF(-1ul, 0x7fffffff, 0x80000000, 1023, 1024, 1048575, 0x100000003);
	default:
		return below(48);
	}
}

/* Descriptors that fit, as open_things made them: the processes of a round have them at the same numbers. */
static struct kept {
	uint64_t first, end;
} sockets, epolls, clocks;

static uint64_t fd_for(int nr)
{
	bool socket_call = (nr >= SYS_connect && nr <= SYS_getsockopt) || nr == SYS_accept4 || nr == SYS_recvmmsg ||
			   nr == SYS_sendmmsg;
	const struct kept *kept =
		socket_call ? &sockets
		: nr == SYS_epoll_ctl || nr == SYS_epoll_wait || nr == SYS_epoll_pwait || nr == SYS_epoll_pwait2
			? &epolls
		: nr == SYS_timerfd_settime || nr == SYS_timerfd_gettime ? &clocks
									 : NULL;

	if (kept && kept->end > kept->first && below(5))
		return kept->first + below(kept->end - kept->first);
	return fd();
}

static uint64_t size(void)
{
	return below(4) ? ONE_OF(0, 1, 2, 3, 4, 7, 8, 12, 16, 24, 32, 64, 100, 128, 144, 256, 512, 4096, 8192, 65536)
			: number();
}

/* Places that no honest program points to. */
static uint64_t bad_pointer(void)
{
	return ONE_OF(0, 1, 8, 4095, 0xffff, DATA + DATA_BYTES, DATA + DATA_BYTES - 1, DATA + DATA_BYTES - 4, DATA - 1,
		      GATE_CODE, GATE_CMD, GATE_BELL, GATE_BLOCK0, GATE_END, 0xffe00000000, 0xffe00000000 - 4,
		      0xfffffffffff, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffffff600000, -1ul,
		      -4096ul, 0x4000000000000000);
}

/* Words that mean something in many structures. */
static uint64_t word(void)
{
	switch (below(8)) {
	case 0:
		return DATA + (below(DATA_BYTES) & ~7ul);
	case 1:
		return bad_pointer();
	case 2:
		return number();
	case 3:
		return fd() | below(48) << 32;
	case 4:
		return below(1000000);
	default:
		return below(64);
	}
}

static uint64_t path(void)
{
	static const char *const list[] = {"",
					   "/",
					   ".",
					   "..",
					   "/tmp",
					   "/tmp/f",
					   "/tmp/d",
					   "/tmp/d/e",
					   "f",
					   "/tmp/l",
					   "/tmp/d/../f",
					   "/proc/self/fd/3",
					   "/proc",
					   "/proc/self/maps",
					   "/proc/self/exe",
					   "/proc/self/mem",
					   "/proc/self/stat",
					   "/proc/self/status",
					   "/dev/null",
					   "/dev/zero",
					   "/dev/ptmx",
					   "/dev/pts/0",
					   "/dev/tty",
					   "/dev/shm/x",
					   "/sys",
					   "/etc/passwd",
					   "/bin/true",
					   "/bin/sh",
					   "/proc/self/task",
					   "/proc/self/oom_score_adj",
					   "/tmp/s",
					   "/tmp/p",
					   "/no/such",
					   "/tmp/f/x",
					   "/proc/self/cwd",
					   "/usr/lib",
					   "user.x",
					   "trusted.y",
					   "security.capability",
					   "tmpfs",
					   "proc",
					   "overlay",
					   "/proc/self/root/tmp/f",
					   "/proc/meminfo",
					   "/proc/1/maps",
					   "/proc/sys/kernel/pid_max",
					   "/proc/self/fdinfo/3",
					   "/proc/self/ns/pid"};
	char *at = (char *)DATA + below(DATA_BYTES - 8192);

	if (!below(12))
		return bad_pointer();
	if (!below(20)) { /* long, or full of slashes, or without an end before the hole */
		at = (char *)DATA + DATA_BYTES - 5000 + below(4900);
		memset(at, below(2) ? 'x' : '/', (char *)DATA + DATA_BYTES - at);
		return (uint64_t)at;
	}
	strcpy(at, list[below(below(3) ? sizeof list / sizeof *list : 10)]);
	if (!below(10))
		at[below(8)] = (char)any();
	return (uint64_t)at;
}

static uint64_t pointer(void)
{
	uint64_t *at = (uint64_t *)(DATA + (below(DATA_BYTES - 4096) & ~7ul));

	if (!below(8))
		return bad_pointer();
	if (!below(16))
		return DATA + DATA_BYTES - below(256);
	for (unsigned i = 0, n = 2 + below(30); i < n; i++)
		at[i] = word();
	return (uint64_t)at + (below(16) ? 0 : below(8));
}

/* Short times, mostly: what sleeps is interrupted late. */
static uint64_t times(void)
{
	uint64_t *at = (uint64_t *)pointer();

	if ((uint64_t)at < DATA || (uint64_t)at > DATA + DATA_BYTES - 64 || !below(4))
		return (uint64_t)at;
	for (int i = 0; i < 4; i += 2) {
		at[i] = 0;
		at[i + 1] = below(2) ? below(100000) : ONE_OF(0, 999999999, 1000000000, 999999, -1ul);
	}
	return (uint64_t)at;
}

/* struct iovec and struct msghdr have about the same shape: pointer, length. */
static uint64_t vectors(void)
{
	uint64_t *at = (uint64_t *)(DATA + (below(DATA_BYTES - 4096) & ~7ul));

	if (!below(12))
		return bad_pointer();
	for (int i = 0; i < 8; i += 2) {
		at[i] = below(6) ? pointer() : number();
		at[i + 1] = size();
	}
	return (uint64_t)at;
}

static uint64_t address(void)
{
	struct sockaddr_un *at = (struct sockaddr_un *)(DATA + (below(DATA_BYTES - 4096) & ~7ul));

	if (!below(4))
		return pointer();
	if (below(2)) { /* ports from a few, so that they meet; 127.0.0.1, ::1 and what there may be besides */
		uint16_t *words = (uint16_t *)at;
		memset(at, 0, 28);
		words[0] = (uint16_t)ONE_OF(AF_INET, AF_INET, AF_INET6, AF_NETLINK);
		words[1] = (uint16_t)(below(4) ? 0x1100 + below(4) : any());
		words[2] = below(4) ? 0x7f : (uint16_t)any();
		words[3] = words[0] == AF_INET ? 0x100 : 0;
		words[11] = words[0] == AF_INET6 ? 0x100 : 0;
		return (uint64_t)at;
	}
	at->sun_family = below(6) ? AF_UNIX : (sa_family_t)below(50);
	strcpy(at->sun_path, below(2) ? "/tmp/s" : "xabstract");
	if (at->sun_path[0] == 'x')
		at->sun_path[0] = 0;
	return (uint64_t)at;
}

static uint64_t strings(void)
{
	uint64_t *at = (uint64_t *)(DATA + (below(DATA_BYTES - 4096) & ~7ul));
	unsigned n = below(6);

	if (!below(4))
		return pointer();
	for (unsigned i = 0; i < n; i++)
		at[i] = path();
	at[n] = 0;
	return (uint64_t)at;
}

static uint64_t place(void)
{
	if (!below(10))
		return word();
	return PLAY + (below(PLAY_BYTES) & ~(below(20) ? 4095ul : 0ul));
}

static uint64_t process(void)
{
	return below(4) ? (uint64_t)getpid() : ONE_OF(0, 0x7fffffff, 4194305, 0x80000000, 12345678);
}

static int is(const char *kind, const char *name)
{
	return !strcmp(kind, name);
}

static int begins(const char *kind, const char *name)
{
	return !strncmp(kind, name, strlen(name));
}

static uint64_t command(void)
{
	return below(4) ? 0x5400 + below(0x60)
			: ONE_OF(0x5441, 0x80045430, 0x40045431, 0x80045432, 0x5450, 0x5451, 0x541b, 0x8912, 0x8913,
				 0x8927, 0x40049409, 0x80086601, 0x0, -1ul);
}

static bool is_address(const char *kind)
{
	for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++)
		if (is(kind, addresses[i]))
			return true;
	return begins(kind, "IN_") || begins(kind, "OUT_") || begins(kind, "INOUT_");
}

static uint64_t argument(const char *kind, const char *name, int nr)
{
	int memory = nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_madvise ||
		     nr == SYS_mremap || nr == SYS_msync || nr == SYS_mincore || nr == SYS_mlock || nr == SYS_munlock ||
		     nr == SYS_remap_file_pages || nr == SYS_mlock2;

	if (memory &&
	    (begins(name, "addr") || begins(name, "old_addr") || begins(name, "new_addr") || begins(name, "start")))
		return place();
	if (memory && (is(kind, "SIZE") || is(kind, "ULONG")))
		return below(4) ? below(64) * 4096 : number();
	if (begins(kind, "FILE") || is(kind, "FD") || is(kind, "DIRFD"))
		return is(name, "fd") && nr == SYS_epoll_ctl ? fd() : fd_for(nr);
	if (begins(kind, "PATH") && is(name, "name") && below(3))
		return (uint64_t)strcpy((char *)DATA + below(DATA_BYTES - 64), "user.x"); /* of an attribute */
	if (begins(kind, "PATH"))
		return path();
	if (is(kind, "SIZE") && (nr == SYS_signalfd || nr == SYS_signalfd4 || nr == SYS_rt_sigsuspend))
		return 8;
	if (is(kind, "SIZE"))
		return begins(name, "set") || begins(name, "mask") || begins(name, "sigset") ? 8 : size();
	if (is(kind, "PID"))
		return process();
	if (is(kind, "EPOLLOP"))
		return below(5);
	if (begins(kind, "IOV") || begins(kind, "MSGHDR") ||
	    (nr == SYS_sendmsg || nr == SYS_recvmsg || nr == SYS_sendmmsg || nr == SYS_recvmmsg))
		return vectors();
	if (is(kind, "SOCKADDR"))
		return address();
	if (is(kind, "STRV"))
		return strings();
	if (strstr(kind, "TIME") || strstr(kind, "TIMER"))
		return times();
	if (is_address(kind))
		return pointer();
	if (is(kind, "HEX"))
		return below(2) ? pointer() : number();
	if (is(kind, "CMD") || is(kind, "IOCTL"))
		return below(2) ? command() : number();
	if (is(kind, "FCNTL"))
		return below(2) ? below(18) : 1024 + below(18);
	if (is(kind, "SIG"))
		return below(70);
	if (is(kind, "FAMILY"))
		return below(8) ? ONE_OF(AF_UNIX, AF_INET, AF_INET6, AF_NETLINK) : below(50);
	if (is(kind, "MAPFLAGS"))
		return below(3) ? ONE_OF(0x22, 0x32, 0x2, 0x1, 0x21, 0x12, 0x11, 0x100022, 0x8022, 0x4022) : number();
	if (is(kind, "FUTEXOP"))
		return below(16) | (below(2) ? 0x80 : 0) | (below(4) ? 0 : 0x100);
	if (is(kind, "PROT"))
		return below(8);
	if (is(kind, "SOCKTYPE"))
		return ONE_OF(1, 2, 5, 1, 2, 5, 3, 0) | ONE_OF(0, 0, 0x800, 0x80000, 0x10000);
	if (is(kind, "WAITFLAGS"))
		return below(3) ? ONE_OF(1, 3, 5, 0x40000001, 0x80000001, 0x1000005) : number();
	if (nr == SYS_mremap && is(kind, "FLAGS"))
		return below(10) ? ONE_OF(0, 1, 3, 5, 7) : number();
	if (strstr(kind, "FLAGS"))
		return below(3) == 0 ? number()
				     : ONE_OF(0, 0, 0, 1, 2, 4, 0x40, 0x42, 0x100, 0x800, 0x1000, 0x10000, 0x80000,
					      0x80800, 0x200000, 0x410000);
	return below(3) ? below(40) : number();
}

/* The n-th pair of "(KIND, name, KIND, name)". */
static int pair(const char *kinds, unsigned n, char kind[32], char name[32])
{
	const char *at = kinds + 1;

	for (unsigned i = 0; i < n; i++) {
		at = strchr(at, ',');
		at = at ? strchr(at + 1, ',') : NULL;
		if (!at)
			return 0;
		at += 2;
	}
	return sscanf(at, "%31[A-Z_0-9], %31[a-z_0-9]", kind, name) == 2;
}

/* The attacker must not hit its own supervisor, which is in a session of its own and has another number. */
static int spare(int nr, uint64_t arg[6])
{
	switch (nr) {
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
		arg[0] = (uint64_t)getpid();
		return nr == SYS_tkill || below(4);
	case SYS_exit:
	case SYS_exit_group:
		return below(30) != 0;
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
	case SYS_prlimit64:
	case SYS_pidfd_open:
		arg[0] = below(2) ? (uint64_t)getpid() : 0x7ffffff;
		return 0;
	default:
		return 0;
	}
}

/* New ones, or what has worked before with something changed. */
static void arguments(const struct row *row, uint64_t arg[6])
{
	char kind[32], name[32];
	bool known = row->nr >= 0 && row->nr < 1024 && shared->well[row->nr] && below(3) == 0;
	uint64_t fresh = known ? 1ul << below(6) | 1ul << below(6) : ~0ul;

	for (unsigned i = 0; i < 6; i++)
		if (!(fresh >> i & 1))
			arg[i] = shared->good[row->nr][below(4)][i];
		else if (i < row->count && pair(row->kinds, i, kind, name))
			arg[i] = argument(kind, name, row->nr);
		else
			arg[i] = word();
}

static void count(const struct row *row, const uint64_t arg[6], long ret)
{
	__atomic_add_fetch(&shared->calls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&shared->returned[ret < 0], 1, __ATOMIC_RELAXED);
	if (ret < 0 || row->nr < 0 || row->nr >= 1024)
		return;
	unsigned which = shared->well[row->nr]++ % 4;
	for (int i = 0; i < 6; i++)
		shared->good[row->nr][which][i] = arg[i];
}

static void one(const struct row *row)
{
	uint64_t arg[6];
	long ret;

	arguments(row, arg);
	if (spare(row->nr, arg))
		return;
	pid_t self = (pid_t)syscall(SYS_getpid);
	ret = syscall(row->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	if (syscall(SYS_getpid) != self)
		syscall(SYS_exit_group, 0); /* a child of a fork that succeeded */
	count(row, arg, ret);
}

static void nothing(int sig)
{
	(void)sig;
}

static void lay_ground(void)
{
	mmap((void *)DATA, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* A call has taken the ground away: lay it again, some times. */
static void fell(int sig)
{
	static volatile int falls;

	(void)sig;
	if (++falls > 200)
		_exit(1);
	lay_ground();
}

static int only = -1;

/* Any row; those that have not succeeded yet more often. */
static unsigned pick(void)
{
	unsigned row = below(ROWS);

	for (int i = 0; i < 8 && (!rows[row].count || shared->well[rows[row].nr]); i++)
		row = below(ROWS);
	return below(3) ? below(ROWS) : row;
}

static void *play(void *seed)
{
	state = (uint64_t)seed;
	for (unsigned i = 0; i < TRIES_LIMIT; i++) {
		if (!below(64)) { /* the ground again, if a call has taken it away */
			mmap((void *)DATA, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			     -1, 0);
			mmap((void *)(PLAY + below(64) * 65536), 65536, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		}
		if (only >= 0 && below(4)) {
			one(&rows[only]);
		} else if (below(50)) {
			one(&rows[pick()]);
		} else {
			struct row unknown = {(int)(below(2) ? below(700) : any()), "", 0, "()"};
			if (unknown.nr != SYS_kill && unknown.nr != SYS_exit_group)
				one(&unknown);
		}
	}
	return NULL;
}

static void open_things(void)
{
	int pair[2];

	open("/tmp/f", O_RDWR | O_CREAT, 0666);
	mkdir("/tmp/d", 0777);
	open("/tmp/d", O_RDONLY | O_DIRECTORY);
	open("/tmp", O_PATH);
	open("/proc/self/maps", O_RDONLY);
	open("/proc/self", O_RDONLY | O_DIRECTORY);
	open("/dev/zero", O_RDWR);
	open("/dev/ptmx", O_RDWR | O_NOCTTY);
	open("/usr/lib", O_RDONLY | O_DIRECTORY);
	open("/bin/true", O_RDONLY);
	if (pipe(pair) == 0)
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
	sockets.first = (uint64_t)dup(0);
	close((int)sockets.first);
	for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++)
		if (type <= SOCK_DGRAM || type == SOCK_SEQPACKET)
			socketpair(AF_UNIX, type, 0, pair);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
		socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		socket(AF_INET, type | SOCK_NONBLOCK, 0);
		socket(AF_INET6, type | SOCK_NONBLOCK, 0);
	}
	sockets.end = epolls.first = (uint64_t)epoll_create1(0);
	epoll_create1(0);
	epolls.end = (uint64_t)eventfd(1, EFD_NONBLOCK);
	clocks.first = (uint64_t)timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	clocks.end = clocks.first + 1;
	memfd_create("m", MFD_ALLOW_SEALING);
	syscall(SYS_pidfd_open, getpid(), 0);
	sigset_t set;
	sigfillset(&set);
	signalfd(-1, &set, SFD_NONBLOCK);
}

static void worker(unsigned number_, uint64_t seed)
{
	struct sigaction sa = {.sa_handler = nothing};
	struct itimerval often = {{0, 5000}, {0, 5000}};
	pthread_t thread;

	setsid();
	close(1);
	close(2);
	open("/dev/null", O_RDWR);
	open("/dev/null", O_RDWR);
	open_things();
	if (number_ % 2 && (setgid(1000) || setuid(1000)))
		_exit(1);
	for (int sig = 1; sig < 32; sig++)
		if (sig == SIGALRM || below(2))
			sigaction(sig, &sa, NULL);
	sa.sa_handler = fell;
	sa.sa_flags = SA_NODEFER;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	lay_ground();
	setitimer(ITIMER_REAL, &often, NULL);
	pthread_create(&thread, NULL, play, (void *)(seed * 31 + 7));
	play((void *)(seed | 1));
	_exit(0);
}

static void must(int holds, const char *what)
{
	if (holds)
		return;
	printf("failed after a round: %s (errno %d)\n", what, errno);
	exit(1);
}

/* What any program expects still works. */
static void service(void)
{
	int fds[2], status, fd = memfd_create("check", 0);
	char byte = 0;
	pid_t pid;
	void *p;

	must(pipe(fds) == 0 && write(fds[1], "x", 1) == 1 && read(fds[0], &byte, 1) == 1 && byte == 'x', "a pipe");
	must(fd >= 0 && pwrite(fd, "y", 1, 5000) == 1 && pread(fd, &byte, 1, 5000) == 1 && byte == 'y',
	     "a file in memory");
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(p != MAP_FAILED && (*(volatile char *)p = 1), "memory");
	munmap(p, 1 << 20);
	close(fds[0]);
	close(fds[1]);
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(7);
	must(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child");
}

static uint64_t spawned;

static pid_t spawn(unsigned number_, uint64_t seed)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0) {
		state = ((seed * 1000003 + ++spawned) * 0x9e3779b97f4a7c15ul) | 1;
		worker(number_, state);
	}
	spawned++;
	return pid;
}

static void one_round(uint64_t seed)
{
	uint64_t end = attack_now_ms() + ROUND_MS;
	pid_t worker_pid[WORKERS], pid;

	for (unsigned i = 0; i < WORKERS; i++)
		worker_pid[i] = spawn(i, seed);
	while (attack_now_ms() < end) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			for (unsigned i = 0; i < WORKERS; i++)
				if (worker_pid[i] == pid)
					worker_pid[i] = spawn(i, seed);
		usleep(3000);
	}
	do
		kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0);
	service();
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, rounds = 0;
	uint64_t end = attack_now_ms() + 1000 * (argc > 2 ? strtoull(argv[2], NULL, 0) : 10);
	struct rlimit few = {256, 256};

	attack_require_sandbox();
	signal(SIGSEGV, SIG_DFL);
	for (unsigned i = 0; argc > 3 && i < ROWS; i++)
		if (!strcmp(rows[i].name, argv[3]))
			only = (int)i;
	setrlimit(RLIMIT_NPROC, &few);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "shared memory");
	while (attack_now_ms() < end) {
		printf("round %lu\n", seed + rounds);
		fflush(stdout);
		one_round(seed + rounds++);
	}
	for (unsigned i = 0; argc > 3 && i < ROWS; i++)
		if (rows[i].count && !shared->well[rows[i].nr])
			printf("%s ", rows[i].name);
	printf("%lu calls in %lu rounds: %lu succeeded, %lu failed\ndone\n", shared->calls, rounds, shared->returned[0],
	       shared->returned[1]);
	return 0;
}
