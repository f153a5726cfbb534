/* trace.c - --strace: what a call was given, and what it gave, as one line.
 *
 * The rows of syscalls.def say which kinds a call's arguments have; kinds.def names a printer for each kind; the
 * printers are here. What a call reads is shown before its handler runs (an exec changes the memory), what it wrote
 * afterwards, and the line is printed when the call ends: so lines appear in the order in which calls end, and a call
 * that never ends is shown by trace_print_unfinished.
 *
 * Limits: STRING_SHOWN bytes of a string or buffer, VECTOR_SHOWN elements of an array, TRACE_ARG_BYTES of an argument,
 * LINE_BYTES of a line; longer ones end with "...". Text of the guest is escaped. Lines are written at once, so a
 * reader that does not read holds the sandbox up: --strace is for people who look.
 */
#include "syscalls/trace.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/abi/proc.h"
#include "sentry/abi/signal.h"
#include "sentry/abi/time.h"
#include "sentry/base/limits.h"
#include "sentry/base/text.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include "syscalls/table.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define STRING_SHOWN 48
#define VECTOR_SHOWN 4
#define ARGV_SHOWN   16
#define LINE_BYTES   2048

trace_sink *trace_to;
static struct list unfinished = LIST_INIT(unfinished);

void trace_init(trace_sink *sink)
{
	trace_to = sink;
}

static uint32_t trace_file = HOSTFILE_NONE;

static void write_line(const char *line, size_t size)
{
	if (trace_file == HOSTFILE_NONE)
		host_stderr(line, size);
	else if (host_write(hostfile_fd(trace_file), line, size) < 0)
		trace_to = NULL; /* a full disk, a closed pipe: the sandbox goes on without */
}

void trace_start(uint32_t host_file)
{
	trace_file = host_file;
	trace_init(write_line);
}

/* ------------------------------------------------------------------ pieces */

struct flag_name {
	uint64_t bit;
	const char *name;
};
#define FLAG(prefix, name)                                                                                             \
	{                                                                                                              \
		prefix##name, #prefix #name                                                                            \
	}
#define ABI_FLAG(name)                                                                                                 \
	{                                                                                                              \
		ABI_##name, #name                                                                                      \
	}

/* "A|B|0x40": names of the bits, the rest as a number. */
static void add_flags(struct text *text, uint64_t value, const struct flag_name *names, size_t count)
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

/* One of several values, by name where it has one. */
static void add_choice(struct text *text, uint64_t value, const struct flag_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].bit == value) {
			text_add_string(text, names[i].name);
			return;
		}
	text_printf(text, "%" PRIu64, value);
}

static void add_signal(struct text *text, int sig)
{
	const char *name = sig > 0 && sig < SIGRTMIN ? sigabbrev_np(sig) : NULL;

	if (name)
		text_printf(text, "SIG%s", name);
	else if (sig >= 32 && sig <= SIGNAL_COUNT)
		text_printf(text, "SIGRT_%d", sig - 32);
	else
		text_printf(text, "%d", sig);
}

static void add_sigset(struct text *text, uint64_t set)
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

/* size bytes at addr, of which a few are shown. */
static void add_buffer(struct text *text, struct task *task, uint64_t addr, uint64_t size)
{
	char bytes[STRING_SHOWN];
	size_t shown = MIN(size, (uint64_t)sizeof bytes);

	if (!addr || user_read(task_user(task), bytes, UADDR(addr), shown)) {
		text_printf(text, addr ? "%#" PRIx64 : "NULL", addr);
		return;
	}
	text_add_char(text, '"');
	text_add_escaped(text, bytes, shown);
	text_add_string(text, size > shown ? "\"..." : "\"");
}

static void add_string(struct text *text, struct task *task, uint64_t addr)
{
	char bytes[PATH_LIMIT];
	struct user user = task_user(task);
	ssize_t length = addr ? aspace_read_string(user.as, user.thread, bytes, UADDR(addr), sizeof bytes) : -EFAULT;

	if (length < 0 && length != -ENAMETOOLONG) {
		text_printf(text, addr ? "%#" PRIx64 : "NULL", addr);
		return;
	}
	size_t shown = length < 0 ? STRING_SHOWN : MIN((size_t)length, (size_t)TRACE_ARG_BYTES / 2);
	text_add_char(text, '"');
	text_add_escaped(text, bytes, shown);
	text_add_string(text, length < 0 || (size_t)length > shown ? "\"..." : "\"");
}

/* ------------------------------------------------------------------ printers of registers */

/* What a printer may look at. */
struct shown {
	struct text *text;
	struct task *task;
	uint64_t value, next; /* this argument and the one behind it */
	long result;          /* after the call only */
};

#define PRINTER(name, format, type)                                                                                    \
	static void print_##name(const struct shown *arg)                                                              \
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

static void print_hex(const struct shown *arg)
{
	text_printf(arg->text, arg->value ? "%#" PRIx64 : "NULL", arg->value);
}

static void print_dirfd(const struct shown *arg)
{
	if ((int)arg->value == AT_FDCWD)
		text_add_string(arg->text, "AT_FDCWD");
	else
		print_dec(arg);
}

static void print_sig(const struct shown *arg)
{
	add_signal(arg->text, (int)arg->value);
}

#define FLAGS_PRINTER(name, ...)                                                                                       \
	static void print_##name(const struct shown *arg)                                                              \
	{                                                                                                              \
		static const struct flag_name names[] = {__VA_ARGS__};                                                 \
		add_flags(arg->text, arg->value, names, COUNT(names));                                                 \
	}
#define CHOICE_PRINTER(name, ...)                                                                                      \
	static void print_##name(const struct shown *arg)                                                              \
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

static void print_prot(const struct shown *arg)
{
	static const struct flag_name names[] = {FLAG(PROT_, READ), FLAG(PROT_, WRITE), FLAG(PROT_, EXEC),
						 FLAG(PROT_, GROWSDOWN)};

	if (!(uint32_t)arg->value)
		text_add_string(arg->text, "PROT_NONE");
	else
		add_flags(arg->text, (uint32_t)arg->value, names, COUNT(names));
}

static void print_oflags(const struct shown *arg)
{
	static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	static const struct flag_name names[] = {
		FLAG(O_, CREAT),     FLAG(O_, EXCL),     FLAG(O_, NOCTTY),  FLAG(O_, TRUNC),   FLAG(O_, APPEND),
		FLAG(O_, NONBLOCK),  FLAG(O_, SYNC),     FLAG(O_, TMPFILE), FLAG(O_, DSYNC),   FLAG(O_, DIRECT),
		FLAG(O_, DIRECTORY), FLAG(O_, NOFOLLOW), FLAG(O_, NOATIME), FLAG(O_, CLOEXEC), FLAG(O_, PATH),
	};
	uint32_t rest = (uint32_t)arg->value & ~(uint32_t)O_ACCMODE;

	text_add_string(arg->text, access[arg->value & O_ACCMODE]);
	if (rest) {
		text_add_char(arg->text, '|');
		add_flags(arg->text, rest, names, COUNT(names));
	}
}

static void print_cloneflags(const struct shown *arg)
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

	add_flags(arg->text, arg->value & ~ABI_CSIGNAL, names, COUNT(names));
	if (arg->value & ABI_CSIGNAL) {
		text_add_char(arg->text, '|');
		add_signal(arg->text, (int)(arg->value & ABI_CSIGNAL));
	}
}

static void print_futexop(const struct shown *arg)
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

static void print_socktype(const struct shown *arg)
{
	static const struct flag_name types[] = {FLAG(SOCK_, STREAM), FLAG(SOCK_, DGRAM), FLAG(SOCK_, RAW),
						 FLAG(SOCK_, SEQPACKET)};

	add_choice(arg->text, arg->value & 0xf, types, COUNT(types));
	if (arg->value & SOCK_CLOEXEC)
		text_add_string(arg->text, "|SOCK_CLOEXEC");
	if (arg->value & SOCK_NONBLOCK)
		text_add_string(arg->text, "|SOCK_NONBLOCK");
}

/* ------------------------------------------------------------------ printers of memory whose size a call's rules say
 */

static void print_buffer(const struct shown *arg)
{
	add_buffer(arg->text, arg->task, arg->value, arg->next);
}

static void print_buffer_out(const struct shown *arg)
{
	if (arg->result >= 0)
		add_buffer(arg->text, arg->task, arg->value, MIN((uint64_t)arg->result, arg->next));
	else
		print_hex(arg);
}

static void print_strings(const struct shown *arg)
{
	const char *separator = "[";
	uint64_t pointer;

	for (unsigned i = 0; i < ARGV_SHOWN; i++, separator = ", ") {
		if (user_read(task_user(arg->task), &pointer, UADDR(arg->value + i * sizeof pointer), sizeof pointer)) {
			print_hex(arg);
			return;
		}
		if (!pointer) {
			text_add_string(arg->text, i ? "]" : "[]");
			return;
		}
		text_add_string(arg->text, separator);
		add_string(arg->text, arg->task, pointer);
	}
	text_add_string(arg->text, ", ...]");
}

static void add_iov(const struct shown *arg, uint64_t left)
{
	struct {
		uint64_t base, size;
	} part;
	const char *separator = "";

	text_add_char(arg->text, '[');
	for (uint64_t i = 0; i < arg->next && left; i++, separator = ", ") {
		if (i == VECTOR_SHOWN) {
			text_add_string(arg->text, ", ...");
			break;
		}
		if (user_read(task_user(arg->task), &part, UADDR(arg->value + i * sizeof part), sizeof part)) {
			text_printf(arg->text, "%s?", separator);
			break;
		}
		text_add_string(arg->text, separator);
		add_buffer(arg->text, arg->task, part.base, MIN(part.size, left));
		left -= MIN(part.size, left);
	}
	text_add_char(arg->text, ']');
}

static void print_iov(const struct shown *arg)
{
	add_iov(arg, UINT64_MAX);
}

static void print_iov_out(const struct shown *arg)
{
	if (arg->result >= 0)
		add_iov(arg, (uint64_t)arg->result);
	else
		print_hex(arg);
}

static void print_sockaddr(const struct shown *arg)
{
	union {
		struct sockaddr any;
		struct sockaddr_un unix_name;
		struct sockaddr_in inet;
		char bytes[sizeof(struct sockaddr_un)];
	} name;
	size_t size = MIN(arg->next, (uint64_t)sizeof name);

	memset(&name, 0, sizeof name);
	if (size < sizeof name.any.sa_family || user_read(task_user(arg->task), &name, UADDR(arg->value), size)) {
		print_hex(arg);
		return;
	}
	text_add_string(arg->text, "{");
	print_family(&(struct shown){.text = arg->text, .value = name.any.sa_family});
	if (name.any.sa_family == AF_UNIX) {
		size_t length = size - offsetof(struct sockaddr_un, sun_path);
		bool abstract = length && !name.unix_name.sun_path[0];
		text_add_string(arg->text, abstract ? ", @\"" : ", \"");
		text_add_escaped(arg->text, name.unix_name.sun_path + abstract,
				 abstract ? length - 1 : strnlen(name.unix_name.sun_path, length));
		text_add_string(arg->text, "\"");
	} else if (name.any.sa_family == AF_INET) {
		const uint8_t *ip = (const uint8_t *)&name.inet.sin_addr;
		text_printf(arg->text, ", %u.%u.%u.%u:%u", ip[0], ip[1], ip[2], ip[3], ntohs(name.inet.sin_port));
	}
	text_add_string(arg->text, "}");
}

/* ------------------------------------------------------------------ printers of structures */

static void show_bytes(struct text *text, const void *bytes)
{
	(void)bytes;
	text_add_string(text, "{...}");
}

static void show_int(struct text *text, const void *bytes)
{
	text_printf(text, "[%d]", *(const int32_t *)bytes);
}

static void show_uint(struct text *text, const void *bytes)
{
	text_printf(text, "[%u]", *(const uint32_t *)bytes);
}

static void show_long(struct text *text, const void *bytes)
{
	text_printf(text, "[%" PRId64 "]", *(const int64_t *)bytes);
}

static void show_hex(struct text *text, const void *bytes)
{
	text_printf(text, "[%#" PRIx64 "]", *(const uint64_t *)bytes);
}

static void show_int_pair(struct text *text, const void *bytes)
{
	const struct abi_int_pair *pair = bytes;

	text_printf(text, "[%d, %d]", pair->v[0], pair->v[1]);
}

static void show_sigset(struct text *text, const void *bytes)
{
	add_sigset(text, *(const uint64_t *)bytes);
}

static void show_timespec(struct text *text, const void *bytes)
{
	const struct abi_timespec *time = bytes;

	text_printf(text, "{%" PRId64 ".%09" PRId64 "}", time->tv_sec, time->tv_nsec);
}

static void show_timespec_pair(struct text *text, const void *bytes)
{
	const struct abi_timespec *times = bytes;

	show_timespec(text, &times[0]);
	show_timespec(text, &times[1]);
}

static void show_timeval(struct text *text, const void *bytes)
{
	const struct abi_timeval *time = bytes;

	text_printf(text, "{%" PRId64 ".%06" PRId64 "}", time->tv_sec, time->tv_usec);
}

static void show_timeval_pair(struct text *text, const void *bytes)
{
	const struct abi_timeval *times = bytes;

	show_timeval(text, &times[0]);
	show_timeval(text, &times[1]);
}

static void show_rlimit(struct text *text, const void *bytes)
{
	const struct abi_rlimit *limit = bytes;

	text_printf(text, "{%" PRId64 ", %" PRId64 "}", (int64_t)limit->rlim_cur, (int64_t)limit->rlim_max);
}

static void add_file_mode(struct text *text, uint32_t mode)
{
	static const struct flag_name types[] = {FLAG(S_, IFREG), FLAG(S_, IFDIR), FLAG(S_, IFLNK), FLAG(S_, IFCHR),
						 FLAG(S_, IFBLK), FLAG(S_, IFIFO), FLAG(S_, IFSOCK)};

	add_choice(text, mode & S_IFMT, types, COUNT(types));
	text_printf(text, "|%#o", mode & ~(uint32_t)S_IFMT);
}

static void show_stat(struct text *text, const void *bytes)
{
	const struct stat *st = bytes; /* glibc's is the kernel's on x86-64 */

	text_add_char(text, '{');
	add_file_mode(text, st->st_mode);
	text_printf(text, ", size=%" PRId64 ", ino=%" PRIu64 "}", (int64_t)st->st_size, (uint64_t)st->st_ino);
}

static void show_statx(struct text *text, const void *bytes)
{
	const struct statx *st = bytes;

	text_add_char(text, '{');
	add_file_mode(text, st->stx_mode);
	text_printf(text, ", size=%" PRIu64 ", ino=%" PRIu64 "}", (uint64_t)st->stx_size, (uint64_t)st->stx_ino);
}

static void show_sigaction(struct text *text, const void *bytes)
{
	const struct abi_sigaction *action = bytes;

	if (action->handler <= ABI_SIG_IGN)
		text_add_string(text, action->handler == ABI_SIG_DFL ? "{SIG_DFL, " : "{SIG_IGN, ");
	else
		text_printf(text, "{%#" PRIx64 ", ", action->handler);
	add_sigset(text, action->mask);
	text_printf(text, ", %#" PRIx64 "}", action->flags);
}

static void show_siginfo(struct text *text, const void *bytes)
{
	const struct abi_siginfo *info = bytes;

	text_add_char(text, '{');
	add_signal(text, info->si_signo);
	text_printf(text, ", code=%d, pid=%d}", info->si_code, info->kill.pid);
}

static void show_utsname(struct text *text, const void *bytes)
{
	const struct abi_utsname *name = bytes;

	text_add_string(text, "{\"");
	text_add_escaped(text, name->nodename, strnlen(name->nodename, sizeof name->nodename));
	text_add_string(text, "\", ...}");
}

static void show_epoll_event(struct text *text, const void *bytes)
{
	struct {
		uint32_t events;
		uint64_t data;
	} __attribute__((packed)) event;

	memcpy(&event, bytes, sizeof event);
	text_printf(text, "{%#x, %#" PRIx64 "}", event.events, event.data);
}

/* ------------------------------------------------------------------ kinds */

enum kind_class {
	CLASS_VALUE,
	CLASS_ADDRESS_NONE,
	CLASS_ADDRESS_IN,
	CLASS_ADDRESS_OUT,
	CLASS_STRING,
	CLASS_IN,
	CLASS_OUT
};

struct kind_printer {
	enum kind_class class;
	uint16_t bytes;
	void (*print)(const struct shown *arg);
	void (*show)(struct text *text, const void *bytes);
};

static const struct kind_printer printers[KIND_COUNT] = {
	[KIND_NONE] = {CLASS_VALUE, 0, print_hex, NULL},
#define SCALAR(kind, type, printer)       [KIND_##kind] = {CLASS_VALUE, 0, print_##printer, NULL},
#define ADDRESS(kind, direction, printer) [KIND_##kind] = {CLASS_ADDRESS_##direction, 0, print_##printer, NULL},
#define HANDLE(kind, path)                [KIND_##kind] = {CLASS_VALUE, 0, print_dec, NULL},
#define STRING(kind, optional)            [KIND_##kind] = {CLASS_STRING, 0, NULL, NULL},
#define STRUCT(name, type, size, printer)                                                                              \
	[KIND_IN_##name] = {CLASS_IN, size, NULL, show_##printer},                                                     \
	[KIND_IN_OPT_##name] = {CLASS_IN, size, NULL, show_##printer},                                                 \
	[KIND_OUT_##name] = {CLASS_OUT, size, NULL, show_##printer},                                                   \
	[KIND_OUT_OPT_##name] = {CLASS_OUT, size, NULL, show_##printer},                                               \
	[KIND_INOUT_##name] = {CLASS_IN, size, NULL, show_##printer},                                                  \
	[KIND_INOUT_OPT_##name] = {CLASS_IN, size, NULL, show_##printer},
#include "syscalls/kinds.def"
};

#define STRUCT_LIMIT 512
/* What the headers of sentry/abi define has the size that kinds.def says; the others' authors assert it themselves. */
#define STRUCT_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), #type)
STRUCT_SIZE(abi_timespec, 16);
STRUCT_SIZE(abi_timeval, 16);
STRUCT_SIZE(abi_timezone, 8);
STRUCT_SIZE(abi_itimerval, 32);
STRUCT_SIZE(abi_itimerspec, 32);
STRUCT_SIZE(abi_timex, 208);
STRUCT_SIZE(abi_tms, 32);
STRUCT_SIZE(abi_sigaction, 32);
STRUCT_SIZE(abi_siginfo, 128);
STRUCT_SIZE(abi_stack, 24);
STRUCT_SIZE(abi_sigevent, 64);
STRUCT_SIZE(abi_rusage, 144);
STRUCT_SIZE(abi_rlimit, 16);
STRUCT_SIZE(abi_utsname, 390);
STRUCT_SIZE(abi_sysinfo, 112);
STRUCT_SIZE(abi_sched_param, 4);
STRUCT_SIZE(abi_cap_header, 8);
STRUCT_SIZE(stat, 144);
STRUCT_SIZE(statx, 256);

/* Shown only once the call has written it? */
static bool shown_after(enum syscall_kind kind)
{
	return printers[kind].class == CLASS_OUT || printers[kind].class == CLASS_ADDRESS_OUT || kind == KIND_IOV_OUT;
}

static void print_struct(const struct kind_printer *printer, const struct shown *arg)
{
	_Alignas(16) unsigned char bytes[STRUCT_LIMIT];

	assert(printer->bytes <= sizeof bytes);
	if (!arg->value || arg->result < 0 || user_read(task_user(arg->task), bytes, UADDR(arg->value), printer->bytes))
		print_hex(arg);
	else
		printer->show(arg->text, bytes);
}

static void print_arg(struct trace_call *call, unsigned index, long result)
{
	enum syscall_kind kind = call->row ? call->row->kinds[index] : KIND_NONE;
	const struct kind_printer *printer = &printers[kind];
	struct text text;
	struct shown arg = {.text = &text,
			    .task = call->task,
			    .value = call->args[index],
			    .next = index + 1 < SYSCALL_ARGS ? call->args[index + 1] : 0,
			    .result = result};

	assert(kind < KIND_COUNT);
	text_init(&text, call->text[index], sizeof call->text[index]);
	if (!call->task->mm)
		print_hex(&arg);
	else if (printer->class == CLASS_STRING)
		add_string(&text, call->task, arg.value);
	else if (printer->class == CLASS_IN || printer->class == CLASS_OUT)
		print_struct(printer, &arg);
	else
		printer->print(&arg);
	if (text.truncated)
		memcpy(text.data + text.length - 3, "...", 3);
}

/* ------------------------------------------------------------------ lines */

/* How many arguments a line shows: of a call that we do not have, as many as there are registers. */
static unsigned argc_of(const struct trace_call *call)
{
	return call->row && call->row->level != LEVEL_MISSING ? call->row->argc : SYSCALL_ARGS;
}

static void add_result(struct text *text, const struct trace_call *call, long result)
{
	if (result >= 0 || result < -4095) {
		bool hex = call->row && (call->row->result == RETURN_PTR || call->row->result == RETURN_HEX);
		text_printf(text, hex && result ? "%#lx" : "%ld", result);
		return;
	}
	switch (-result) {
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		text_add_string(text, "? (interrupted, to be restarted or EINTR)");
		return;
	}
	const char *name = strerrorname_np((int)-result);
	text_printf(text, "-1 %s (%s)", name ? name : "?", name ? strerrordesc_np((int)-result) : "?");
}

static void print_line(const struct trace_call *call, const char *ending, long result)
{
	char line[LINE_BYTES];
	struct text text;
	unsigned argc = argc_of(call);

	text_init(&text, line, sizeof line - 1);
	text_printf(&text, "[pid %d] ", call->tid);
	if (call->row)
		text_printf(&text, "%s(", call->row->name);
	else
		text_printf(&text, "syscall_%#" PRIx64 "(", call->nr);
	for (unsigned i = 0; i < argc; i++)
		text_printf(&text, i ? ", %s" : "%s", call->text[i]);
	text_add_string(&text, ending ? ending : ") = ");
	if (!ending)
		add_result(&text, call, result);
	line[text.length] = '\n';
	trace_to(line, text.length + 1);
}

void trace_call_begin(struct trace_call *call, struct task *task, const struct stop *stop)
{
	task_get(task);
	*call = (struct trace_call){
		.task = task, .row = stop->foreign ? NULL : syscall_row(stop->nr), .nr = stop->nr, .tid = task->tid};
	memcpy(call->args, stop->args, sizeof call->args);
	list_push_back(&unfinished, &call->node);
	for (unsigned i = 0; i < argc_of(call); i++) {
		if (call->row && shown_after(call->row->kinds[i]))
			snprintf(call->text[i], sizeof call->text[i], "%#" PRIx64, call->args[i]);
		else
			print_arg(call, i, 0);
	}
	if (call->row && call->row->result == RETURN_NONE)
		print_line(call, ") = ?", 0);
}

void trace_call_end(struct trace_call *call, long result)
{
	for (unsigned i = 0; i < argc_of(call); i++)
		if (call->row && shown_after(call->row->kinds[i]))
			print_arg(call, i, result);
	if (!call->row || call->row->result != RETURN_NONE)
		print_line(call, NULL, result);
	list_remove(&call->node);
	task_put(call->task);
}

void trace_event(const struct task *task, const char *format, ...)
{
	char line[LINE_BYTES];
	struct text text;
	va_list args;

	if (!trace_is_on())
		return;
	text_init(&text, line, sizeof line - 1);
	text_printf(&text, "[pid %d] ", task->tid);
	va_start(args, format);
	int length = vsnprintf(line + text.length, sizeof line - 1 - text.length, format, args);
	va_end(args);
	assert(length >= 0);
	size_t end = MIN(text.length + (size_t)length, sizeof line - 2);
	line[end] = '\n';
	trace_to(line, end + 1);
}

void trace_print_unfinished(void)
{
	const struct trace_call *call;

	if (!trace_is_on())
		return;
	list_for_each (call, &unfinished, node)
		print_line(call, " <unfinished ...>", 0);
}
