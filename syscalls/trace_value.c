/* trace_value.c - --strace: arguments that a register holds: numbers, flags and choices by name. See trace_print.h.
 *
 * A value that has no name here is shown as a number. A table of names is there for what people look for, not for all
 * that Linux knows.
 */
#include "sentry/abi/proc.h"
#include "sentry/abi/time.h"
#include "sentry/base/limits.h"
#include "sentry/signal.h"
#include "syscalls/trace_print.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void add_flags(struct text *text, uint64_t value, const struct flag_name *names, size_t count)
{
	const char *separator = "";

	for (size_t i = 0; i < count; i++) {
		if (!names[i].bit || (value & names[i].bit) != names[i].bit)
			continue;
		text_printf(text, "%s%s", separator, names[i].name);
		value &= ~names[i].bit;
		separator = "|";
	}
	if (value || !*separator)
		text_printf(text, "%s%#" PRIx64, separator, value);
}

void add_choice(struct text *text, uint64_t value, const struct flag_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].bit == value) {
			text_add_string(text, names[i].name);
			return;
		}
	text_printf(text, "%" PRIu64, value);
}

void add_signal(struct text *text, int sig)
{
	const char *name = sig > 0 && sig < SIGRTMIN ? sigabbrev_np(sig) : NULL;

	if (name)
		text_printf(text, "SIG%s", name);
	else if (sig >= 32 && sig <= SIGNAL_COUNT)
		text_printf(text, "SIGRT_%d", sig - 32);
	else
		text_printf(text, "%d", sig);
}

void add_sigset(struct text *text, uint64_t set)
{
	bool most = __builtin_popcountll(set) > SIGNAL_COUNT / 2;
	const char *separator = "";

	text_add_string(text, most ? "~[" : "[");
	for (int sig = 1; sig <= SIGNAL_COUNT; sig++) {
		if (!(set & SIGNAL_BIT(sig)) != most)
			continue;
		text_add_string(text, separator);
		add_signal(text, sig);
		separator = " ";
	}
	text_add_char(text, ']');
}

#define PRINTER(name, format, type)                                                                                    \
	void print_##name(const struct shown *arg)                                                                     \
	{                                                                                                              \
		text_printf(arg->text, format, (type)arg->value);                                                      \
	}
PRINTER(dec, "%d", int)
PRINTER(udec, "%u", uint32_t)
PRINTER(dec64, "%" PRId64, int64_t)
PRINTER(udec64, "%" PRIu64, uint64_t)
PRINTER(hex32, "%#x", uint32_t)
PRINTER(id, "%d", int32_t)
PRINTER(mode, "%#o", uint32_t)

void print_hex(const struct shown *arg)
{
	text_printf(arg->text, arg->value ? "%#" PRIx64 : "NULL", arg->value);
}

void print_dirfd(const struct shown *arg)
{
	if ((int)arg->value == AT_FDCWD)
		text_add_string(arg->text, "AT_FDCWD");
	else
		print_dec(arg);
}

void print_sig(const struct shown *arg)
{
	add_signal(arg->text, (int)arg->value);
}

#define FLAGS_PRINTER(name, ...)                                                                                       \
	void print_##name(const struct shown *arg)                                                                     \
	{                                                                                                              \
		static const struct flag_name names[] = {__VA_ARGS__};                                                 \
		add_flags(arg->text, arg->value, names, COUNT(names));                                                 \
	}
#define CHOICE_PRINTER(name, ...)                                                                                      \
	void print_##name(const struct shown *arg)                                                                     \
	{                                                                                                              \
		static const struct flag_name names[] = {__VA_ARGS__};                                                 \
		add_choice(arg->text, (uint32_t)arg->value, names, COUNT(names));                                      \
	}

FLAGS_PRINTER(atflags, FLAG(AT_, SYMLINK_NOFOLLOW), FLAG(AT_, SYMLINK_FOLLOW), FLAG(AT_, EMPTY_PATH),
	      FLAG(AT_, EACCESS), FLAG(AT_, NO_AUTOMOUNT))
FLAGS_PRINTER(mapflags, FLAG(MAP_, SHARED), FLAG(MAP_, PRIVATE), FLAG(MAP_, FIXED), FLAG(MAP_, ANONYMOUS),
	      FLAG(MAP_, GROWSDOWN), FLAG(MAP_, DENYWRITE), FLAG(MAP_, LOCKED), FLAG(MAP_, NORESERVE),
	      FLAG(MAP_, POPULATE), FLAG(MAP_, NONBLOCK), FLAG(MAP_, STACK), FLAG(MAP_, HUGETLB),
	      FLAG(MAP_, FIXED_NOREPLACE))
FLAGS_PRINTER(waitflags, FLAG(W, NOHANG), FLAG(W, UNTRACED), FLAG(W, EXITED), FLAG(W, CONTINUED), FLAG(W, NOWAIT))
CHOICE_PRINTER(whence, FLAG(SEEK_, SET), FLAG(SEEK_, CUR), FLAG(SEEK_, END), FLAG(SEEK_, DATA), FLAG(SEEK_, HOLE))
CHOICE_PRINTER(clock, FLAG(CLOCK_, REALTIME), FLAG(CLOCK_, MONOTONIC), FLAG(CLOCK_, PROCESS_CPUTIME_ID),
	       FLAG(CLOCK_, THREAD_CPUTIME_ID), FLAG(CLOCK_, MONOTONIC_RAW), FLAG(CLOCK_, REALTIME_COARSE),
	       FLAG(CLOCK_, MONOTONIC_COARSE), FLAG(CLOCK_, BOOTTIME))
CHOICE_PRINTER(fcntl, FLAG(F_, DUPFD), FLAG(F_, GETFD), FLAG(F_, SETFD), FLAG(F_, GETFL), FLAG(F_, SETFL),
	       FLAG(F_, GETLK), FLAG(F_, SETLK), FLAG(F_, SETLKW), FLAG(F_, SETOWN), FLAG(F_, GETOWN),
	       FLAG(F_, DUPFD_CLOEXEC), FLAG(F_, OFD_SETLK), FLAG(F_, OFD_GETLK), FLAG(F_, OFD_SETLKW),
	       FLAG(F_, SETPIPE_SZ), FLAG(F_, GETPIPE_SZ), FLAG(F_, ADD_SEALS), FLAG(F_, GET_SEALS))
CHOICE_PRINTER(family, FLAG(AF_, UNSPEC), FLAG(AF_, UNIX), FLAG(AF_, INET), FLAG(AF_, INET6), FLAG(AF_, NETLINK),
	       FLAG(AF_, PACKET))
CHOICE_PRINTER(resource, ABI_FLAG(RLIMIT_CPU), ABI_FLAG(RLIMIT_FSIZE), ABI_FLAG(RLIMIT_DATA), ABI_FLAG(RLIMIT_STACK),
	       ABI_FLAG(RLIMIT_CORE), ABI_FLAG(RLIMIT_NPROC), ABI_FLAG(RLIMIT_NOFILE), ABI_FLAG(RLIMIT_MEMLOCK),
	       ABI_FLAG(RLIMIT_AS))

void print_prot(const struct shown *arg)
{
	static const struct flag_name names[] = {FLAG(PROT_, READ), FLAG(PROT_, WRITE), FLAG(PROT_, EXEC),
						 FLAG(PROT_, GROWSDOWN)};

	if (!(uint32_t)arg->value)
		text_add_string(arg->text, "PROT_NONE");
	else
		add_flags(arg->text, (uint32_t)arg->value, names, COUNT(names));
}

void add_open_flags(struct text *text, uint64_t flags)
{
	static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	static const struct flag_name names[] = {
		FLAG(O_, CREAT),     FLAG(O_, EXCL),     FLAG(O_, NOCTTY),  FLAG(O_, TRUNC),   FLAG(O_, APPEND),
		FLAG(O_, NONBLOCK),  FLAG(O_, SYNC),     FLAG(O_, TMPFILE), FLAG(O_, DSYNC),   FLAG(O_, DIRECT),
		FLAG(O_, DIRECTORY), FLAG(O_, NOFOLLOW), FLAG(O_, NOATIME), FLAG(O_, CLOEXEC), FLAG(O_, PATH),
	};
	uint64_t rest = flags & ~(uint64_t)O_ACCMODE;

	text_add_string(text, access[flags & O_ACCMODE]);
	if (rest) {
		text_add_char(text, '|');
		add_flags(text, rest, names, COUNT(names));
	}
}

void print_oflags(const struct shown *arg)
{
	add_open_flags(arg->text, (uint32_t)arg->value);
}

void add_clone_flags(struct text *text, uint64_t flags)
{
	static const struct flag_name names[] = {
		ABI_FLAG(CLONE_VM),
		ABI_FLAG(CLONE_FS),
		ABI_FLAG(CLONE_FILES),
		ABI_FLAG(CLONE_SIGHAND),
		ABI_FLAG(CLONE_PIDFD),
		ABI_FLAG(CLONE_VFORK),
		ABI_FLAG(CLONE_PARENT),
		ABI_FLAG(CLONE_THREAD),
		ABI_FLAG(CLONE_SYSVSEM),
		ABI_FLAG(CLONE_SETTLS),
		ABI_FLAG(CLONE_PARENT_SETTID),
		ABI_FLAG(CLONE_CHILD_CLEARTID),
		ABI_FLAG(CLONE_DETACHED),
		ABI_FLAG(CLONE_CHILD_SETTID),
	};

	add_flags(text, flags & ~ABI_CSIGNAL, names, COUNT(names));
	if (flags & ABI_CSIGNAL) {
		text_add_char(text, '|');
		add_signal(text, (int)(flags & ABI_CSIGNAL));
	}
}

void print_cloneflags(const struct shown *arg)
{
	add_clone_flags(arg->text, arg->value);
}

void print_futexop(const struct shown *arg)
{
	static const char *const names[] = {"WAIT",           "WAKE",        "FD",          "REQUEUE",
					    "CMP_REQUEUE",    "WAKE_OP",     "LOCK_PI",     "UNLOCK_PI",
					    "TRYLOCK_PI",     "WAIT_BITSET", "WAKE_BITSET", "WAIT_REQUEUE_PI",
					    "CMP_REQUEUE_PI", "LOCK_PI2"};
	uint32_t op = (uint32_t)arg->value & ~(ABI_FUTEX_PRIVATE_FLAG | ABI_FUTEX_CLOCK_REALTIME);

	if (op < COUNT(names))
		text_printf(arg->text, "FUTEX_%s", names[op]);
	else
		text_printf(arg->text, "%#x", op);
	if (arg->value & ABI_FUTEX_PRIVATE_FLAG)
		text_add_string(arg->text, "_PRIVATE");
	if (arg->value & ABI_FUTEX_CLOCK_REALTIME)
		text_add_string(arg->text, "|FUTEX_CLOCK_REALTIME");
}

void print_socktype(const struct shown *arg)
{
	static const struct flag_name types[] = {FLAG(SOCK_, STREAM), FLAG(SOCK_, DGRAM), FLAG(SOCK_, RAW),
						 FLAG(SOCK_, SEQPACKET)};

	add_choice(arg->text, arg->value & 0xf, types, COUNT(types));
	if (arg->value & SOCK_CLOEXEC)
		text_add_string(arg->text, "|SOCK_CLOEXEC");
	if (arg->value & SOCK_NONBLOCK)
		text_add_string(arg->text, "|SOCK_NONBLOCK");
}

/* The flags with which calls make a descriptor: pipe2, dup3, eventfd2, epoll_create1, accept4 have them in common. */
FLAGS_PRINTER(fdflags, FLAG(O_, CLOEXEC), FLAG(O_, NONBLOCK), FLAG(O_, DIRECT))
FLAGS_PRINTER(msgflags, FLAG(MSG_, OOB), FLAG(MSG_, PEEK), FLAG(MSG_, DONTROUTE), FLAG(MSG_, CTRUNC), FLAG(MSG_, TRUNC),
	      FLAG(MSG_, DONTWAIT), FLAG(MSG_, EOR), FLAG(MSG_, WAITALL), FLAG(MSG_, NOSIGNAL), FLAG(MSG_, MORE),
	      FLAG(MSG_, WAITFORONE), FLAG(MSG_, CMSG_CLOEXEC))
CHOICE_PRINTER(sighow, FLAG(SIG_, BLOCK), FLAG(SIG_, UNBLOCK), FLAG(SIG_, SETMASK))
CHOICE_PRINTER(epollop, FLAG(EPOLL_CTL_, ADD), FLAG(EPOLL_CTL_, DEL), FLAG(EPOLL_CTL_, MOD))
CHOICE_PRINTER(advice, FLAG(MADV_, NORMAL), FLAG(MADV_, RANDOM), FLAG(MADV_, SEQUENTIAL), FLAG(MADV_, WILLNEED),
	       FLAG(MADV_, DONTNEED), FLAG(MADV_, FREE), FLAG(MADV_, REMOVE), FLAG(MADV_, DONTFORK),
	       FLAG(MADV_, DOFORK), FLAG(MADV_, HUGEPAGE), FLAG(MADV_, NOHUGEPAGE), FLAG(MADV_, DONTDUMP),
	       FLAG(MADV_, DODUMP), FLAG(MADV_, COLD), FLAG(MADV_, PAGEOUT))
CHOICE_PRINTER(prctl, FLAG(PR_, SET_NAME), FLAG(PR_, GET_NAME), FLAG(PR_, SET_PDEATHSIG), FLAG(PR_, GET_PDEATHSIG),
	       FLAG(PR_, SET_DUMPABLE), FLAG(PR_, GET_DUMPABLE), FLAG(PR_, SET_KEEPCAPS), FLAG(PR_, GET_KEEPCAPS),
	       FLAG(PR_, SET_CHILD_SUBREAPER), FLAG(PR_, GET_CHILD_SUBREAPER), FLAG(PR_, SET_NO_NEW_PRIVS),
	       FLAG(PR_, GET_NO_NEW_PRIVS), FLAG(PR_, CAPBSET_READ), FLAG(PR_, CAPBSET_DROP), FLAG(PR_, SET_SECCOMP),
	       FLAG(PR_, GET_SECCOMP), FLAG(PR_, SET_VMA), FLAG(PR_, CAP_AMBIENT), FLAG(PR_, SET_SECUREBITS),
	       FLAG(PR_, GET_SECUREBITS), FLAG(PR_, SET_TIMERSLACK), FLAG(PR_, GET_TIMERSLACK))
CHOICE_PRINTER(ioctl, FLAG(TC, GETS), FLAG(TC, SETS), FLAG(TC, SETSW), FLAG(TC, SETSF), FLAG(TC, SBRK), FLAG(TC, FLSH),
	       FLAG(TIOC, GPGRP), FLAG(TIOC, SPGRP), FLAG(TIOC, GWINSZ), FLAG(TIOC, SWINSZ), FLAG(TIOC, SCTTY),
	       FLAG(TIOC, NOTTY), FLAG(TIOC, OUTQ), FLAG(TIOC, GSID), FLAG(TIOC, GPTN), FLAG(TIOC, SPTLCK),
	       FLAG(TIOC, GPTPEER), FLAG(TIOC, STI), FLAG(FIO, NREAD), FLAG(FIO, NBIO), FLAG(FIO, CLEX),
	       FLAG(FIO, NCLEX), FLAG(FIO, ASYNC))

void print_access(const struct shown *arg)
{
	static const struct flag_name names[] = {FLAG(, R_OK), FLAG(, W_OK), FLAG(, X_OK)};

	if (!(uint32_t)arg->value)
		text_add_string(arg->text, "F_OK");
	else
		add_flags(arg->text, (uint32_t)arg->value, names, COUNT(names));
}
