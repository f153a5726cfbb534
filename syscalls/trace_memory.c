/* trace_memory.c - --strace: what an argument points to: strings, buffers, structures; and which printer a kind has.
 * See trace_print.h.
 *
 * Limits: STRING_SHOWN bytes of a string or buffer, VECTOR_SHOWN elements of an array. Text of the guest is escaped.
 */
#include "sentry/abi/fcntl.h"
#include "sentry/abi/poll.h"
#include "sentry/abi/proc.h"
#include "sentry/abi/socket.h"
#include "sentry/abi/time.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include "syscalls/trace.h"
#include "syscalls/trace_print.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define ARGV_SHOWN 16

/* ------------------------------------------------------------------ pieces */

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

static void add_code(struct text *text, const struct abi_siginfo *info)
{
	static const struct flag_name kill_codes[] = {FLAG(SI_, USER),  FLAG(SI_, KERNEL), FLAG(SI_, QUEUE),
						      FLAG(SI_, TIMER), FLAG(SI_, TKILL),  FLAG(SI_, SIGIO)},
				      child_codes[] = {FLAG(CLD_, EXITED),  FLAG(CLD_, KILLED),  FLAG(CLD_, DUMPED),
						       FLAG(CLD_, TRAPPED), FLAG(CLD_, STOPPED), FLAG(CLD_, CONTINUED)},
				      segv_codes[] = {FLAG(SEGV_, MAPERR), FLAG(SEGV_, ACCERR)},
				      bus_codes[] = {FLAG(BUS_, ADRALN), FLAG(BUS_, ADRERR)};
	uint32_t code = (uint32_t)info->si_code;

	text_add_string(text, "code=");
	for (size_t i = 0; i < COUNT(kill_codes); i++)
		if ((uint32_t)kill_codes[i].bit == code) {
			text_add_string(text, kill_codes[i].name);
			return;
		}
	if (info->si_signo == SIGCHLD)
		add_choice(text, code, child_codes, COUNT(child_codes));
	else if (info->si_signo == SIGSEGV)
		add_choice(text, code, segv_codes, COUNT(segv_codes));
	else if (info->si_signo == SIGBUS)
		add_choice(text, code, bus_codes, COUNT(bus_codes));
	else
		text_printf(text, "%d", info->si_code);
}

void trace_add_siginfo(struct text *text, const struct abi_siginfo *info)
{
	add_signal(text, info->si_signo);
	text_add_string(text, " {");
	add_code(text, info);
	if (info->si_code == ABI_SI_TIMER)
		text_printf(text, ", timer=%d, overrun=%d}", info->timer.id, info->timer.overrun);
	else if (info->si_signo == SIGCHLD && info->si_code > 0)
		text_printf(text, ", pid=%d, status=%d}", info->child.pid, info->child.status);
	else if (info->si_code > 0 && info->si_code < SI_KERNEL)
		text_printf(text, ", addr=%#" PRIx64 "}", info->fault.addr);
	else
		text_printf(text, ", pid=%d, uid=%u}", info->kill.pid, info->kill.uid);
}

static void show_siginfo(struct text *text, const void *bytes)
{
	trace_add_siginfo(text, bytes);
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
	static const struct flag_name names[] = {
		FLAG(EPOLL, IN),    FLAG(EPOLL, PRI),     FLAG(EPOLL, OUT), FLAG(EPOLL, ERR),       FLAG(EPOLL, HUP),
		FLAG(EPOLL, RDHUP), FLAG(EPOLL, ONESHOT), FLAG(EPOLL, ET),  FLAG(EPOLL, EXCLUSIVE),
	};
	struct abi_epoll_event event;

	memcpy(&event, bytes, sizeof event);
	text_add_char(text, '{');
	add_flags(text, event.events, names, COUNT(names));
	text_printf(text, ", %#" PRIx64 "}", event.data);
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

/* [3, 4]: what pipe(2) and socketpair(2) gave. */
static void print_fd_pair(const struct shown *arg)
{
	int32_t fds[2];

	if (arg->result < 0 || user_read(task_user(arg->task), fds, UADDR(arg->value), sizeof fds))
		print_hex(arg);
	else
		text_printf(arg->text, "[%d, %d]", fds[0], fds[1]);
}

static void add_wait_status(struct text *text, int status)
{
	if (WIFEXITED(status)) {
		text_printf(text, "exited %d", WEXITSTATUS(status));
	} else if (WIFCONTINUED(status)) {
		text_add_string(text, "continued");
	} else {
		text_add_string(text, WIFSTOPPED(status) ? "stopped by " : "killed by ");
		add_signal(text, WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
	}
}

static void print_wait_status(const struct shown *arg)
{
	int32_t status;

	if (arg->result <= 0 || !arg->value ||
	    user_read(task_user(arg->task), &status, UADDR(arg->value), sizeof status)) {
		print_hex(arg);
		return;
	}
	text_add_char(arg->text, '[');
	add_wait_status(arg->text, status);
	text_add_char(arg->text, ']');
}

static void add_poll_events(struct text *text, uint32_t events)
{
	static const struct flag_name names[] = {FLAG(POLL, IN),  FLAG(POLL, PRI),  FLAG(POLL, OUT),  FLAG(POLL, ERR),
						 FLAG(POLL, HUP), FLAG(POLL, NVAL), FLAG(POLL, RDHUP)};

	add_flags(text, events, names, COUNT(names));
}

/* What was waited for, and what happened. */
static void print_pollfds(const struct shown *arg)
{
	struct abi_pollfd poll;

	text_add_char(arg->text, '[');
	for (uint64_t i = 0; i < (uint32_t)arg->next; i++) {
		text_add_string(arg->text, i ? ", " : "");
		if (i == VECTOR_SHOWN ||
		    user_read(task_user(arg->task), &poll, UADDR(arg->value + i * sizeof poll), sizeof poll)) {
			text_add_string(arg->text, i == VECTOR_SHOWN ? "..." : "?");
			break;
		}
		text_printf(arg->text, "{%d, ", poll.fd);
		add_poll_events(arg->text, (uint16_t)poll.events);
		if (arg->result > 0 && poll.revents) {
			text_add_string(arg->text, " -> ");
			add_poll_events(arg->text, (uint16_t)poll.revents);
		}
		text_add_char(arg->text, '}');
	}
	text_add_char(arg->text, ']');
}

static void print_epoll_events(const struct shown *arg)
{
	struct abi_epoll_event event;

	if (arg->result < 0) {
		print_hex(arg);
		return;
	}
	text_add_char(arg->text, '[');
	for (long i = 0; i < arg->result; i++) {
		text_add_string(arg->text, i ? ", " : "");
		if (i == VECTOR_SHOWN || user_read(task_user(arg->task), &event,
						   UADDR(arg->value + (uint64_t)i * sizeof event), sizeof event)) {
			text_add_string(arg->text, i == VECTOR_SHOWN ? "..." : "?");
			break;
		}
		show_epoll_event(arg->text, &event);
	}
	text_add_char(arg->text, ']');
}

/* Structures that a call copies by itself. */
#define POINTER_PRINTER(name, type, show)                                                                              \
	static void print_##name(const struct shown *arg)                                                              \
	{                                                                                                              \
		type bytes;                                                                                            \
                                                                                                                       \
		if (!arg->value || user_read(task_user(arg->task), &bytes, UADDR(arg->value), sizeof bytes))           \
			print_hex(arg);                                                                                \
		else                                                                                                   \
			show(arg->text, &bytes);                                                                       \
	}
POINTER_PRINTER(timespec_ptr, struct abi_timespec, show_timespec)
POINTER_PRINTER(timeval_ptr, struct abi_timeval, show_timeval)
POINTER_PRINTER(sigset_ptr, uint64_t, show_sigset)
POINTER_PRINTER(epoll_event_ptr, struct abi_epoll_event, show_epoll_event)

static void print_clone_args(const struct shown *arg)
{
	struct abi_clone_args args;

	if (arg->next < ABI_CLONE_ARGS_SIZE_VER0 ||
	    user_read(task_user(arg->task), &args, UADDR(arg->value), ABI_CLONE_ARGS_SIZE_VER0)) {
		print_hex(arg);
		return;
	}
	text_add_char(arg->text, '{');
	add_clone_flags(arg->text, args.flags | args.exit_signal);
	text_printf(arg->text, ", stack=%#" PRIx64 "+%#" PRIx64 ", tls=%#" PRIx64 "}", args.stack, args.stack_size,
		    args.tls);
}

static void print_open_how(const struct shown *arg)
{
	static const struct flag_name names[] = {ABI_FLAG(RESOLVE_NO_XDEV),     ABI_FLAG(RESOLVE_NO_MAGICLINKS),
						 ABI_FLAG(RESOLVE_NO_SYMLINKS), ABI_FLAG(RESOLVE_BENEATH),
						 ABI_FLAG(RESOLVE_IN_ROOT),     ABI_FLAG(RESOLVE_CACHED)};
	struct abi_open_how how;

	if (arg->next < sizeof how || user_read(task_user(arg->task), &how, UADDR(arg->value), sizeof how)) {
		print_hex(arg);
		return;
	}
	text_add_char(arg->text, '{');
	add_open_flags(arg->text, how.flags);
	text_printf(arg->text, ", %#" PRIo64 ", ", how.mode);
	add_flags(arg->text, how.resolve, names, COUNT(names));
	text_add_char(arg->text, '}');
}

/* left: so many bytes of the parts hold data. */
static void add_message(const struct shown *arg, uint64_t left)
{
	struct abi_msghdr header;

	if (user_read(task_user(arg->task), &header, UADDR(arg->value), sizeof header)) {
		print_hex(arg);
		return;
	}
	text_add_char(arg->text, '{');
	if (header.name && header.name_size) {
		print_sockaddr(&(struct shown){arg->text, arg->task, arg->args, header.name, header.name_size, 0});
		text_add_string(arg->text, ", ");
	}
	add_iov(&(struct shown){arg->text, arg->task, arg->args, header.parts, header.part_count, 0}, left);
	if (header.control && header.control_size)
		text_printf(arg->text, ", %" PRIu64 " bytes of control data", header.control_size);
	text_add_char(arg->text, '}');
}

static void print_msghdr(const struct shown *arg)
{
	add_message(arg, UINT64_MAX);
}

static void print_msghdr_out(const struct shown *arg)
{
	if (arg->result < 0)
		print_hex(arg);
	else
		add_message(arg, (uint64_t)arg->result);
}

/* The next argument points to its size. */
static void print_sockaddr_out(const struct shown *arg)
{
	uint32_t size;

	if (arg->result < 0 || !arg->value || user_read(task_user(arg->task), &size, UADDR(arg->next), sizeof size))
		print_hex(arg);
	else
		print_sockaddr(&(struct shown){arg->text, arg->task, arg->args, arg->value, size, arg->result});
}

/* select(2): the numbers in a set, of which the first argument says how many there may be. */
static void print_fd_set(const struct shown *arg)
{
	uint64_t word = 0, count = MIN((uint32_t)arg->args[0], (uint32_t)FD_SETSIZE);
	const char *separator = "";

	if (!arg->value) {
		text_add_string(arg->text, "NULL");
		return;
	}
	text_add_char(arg->text, '[');
	for (uint64_t fd = 0; fd < count; fd++) {
		if (fd % 64 == 0 && user_read(task_user(arg->task), &word, UADDR(arg->value + fd / 8), sizeof word))
			break;
		if (word >> fd % 64 & 1) {
			text_printf(arg->text, "%s%" PRIu64, separator, fd);
			separator = " ";
		}
	}
	text_add_char(arg->text, ']');
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

bool trace_shown_after(enum syscall_kind kind)
{
	switch (kind) {
	case KIND_IOV_OUT:
	case KIND_FD_PAIR:
	case KIND_WAIT_STATUS:
	case KIND_POLLFDS:
	case KIND_EPOLL_EVENTS:
	case KIND_MSGHDR_OUT:
	case KIND_SOCKADDR_OUT:
		return true;
	default:
		return printers[kind].class == CLASS_OUT || printers[kind].class == CLASS_ADDRESS_OUT;
	}
}

enum trace_form trace_form(enum syscall_kind kind)
{
	const struct kind_printer *printer = &printers[kind];

	if (printer->class == CLASS_STRING)
		return FORM_STRING;
	if (printer->print == print_dec || printer->print == print_udec || printer->print == print_dec64 ||
	    printer->print == print_udec64 || printer->print == print_id)
		return FORM_NUMBER;
	if (printer->print == print_dirfd)
		return FORM_DIRFD;
	if (printer->print == print_buffer)
		return FORM_BUFFER;
	return printer->print == print_buffer_out ? FORM_BUFFER_OUT : FORM_TEXT;
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

void trace_print(enum syscall_kind kind, const struct shown *arg)
{
	const struct kind_printer *printer = &printers[kind];

	assert(kind < KIND_COUNT);
	if (!arg->task->mm)
		print_hex(arg);
	else if (printer->class == CLASS_STRING)
		add_string(arg->text, arg->task, arg->value);
	else if (printer->class == CLASS_IN || printer->class == CLASS_OUT)
		print_struct(printer, arg);
	else
		printer->print(arg);
}
