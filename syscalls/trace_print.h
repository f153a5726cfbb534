/* trace_print.h - how --strace and --trace show an argument, by its kind (trace_value.c: registers, trace_memory.c:
 * what they point to).
 *
 * Guest memory is read for display only. What cannot be read is shown as its address.
 */
#ifndef SYSCALLS_TRACE_PRINT_H
#define SYSCALLS_TRACE_PRINT_H

#include "sentry/abi/signal.h"
#include "sentry/base/text.h"
#include "syscalls/table.h"

struct task;

#define STRING_SHOWN 48 /* bytes of a string or buffer */
#define VECTOR_SHOWN 4  /* elements of an array */

/* What a printer may look at. */
struct shown {
	struct text *text;
	struct task *task;
	const uint64_t *args; /* all of the call's */
	uint64_t value, next; /* this argument and the one behind it */
	long result;          /* after the call only */
};

/* trace_memory.c. Is the kind shown only when the call has written it? */
bool trace_shown_after(enum syscall_kind kind);
void trace_print(enum syscall_kind kind, const struct shown *arg);
/* What kind of value an argument is to --trace. */
enum trace_form {
	FORM_TEXT,       /* as --strace shows it */
	FORM_NUMBER,     /* --strace shows a decimal number */
	FORM_DIRFD,      /* a number, for some of which --strace has a name */
	FORM_STRING,     /* a zero-terminated string of the guest's */
	FORM_BUFFER,     /* bytes of the guest's, as many as the next argument says */
	FORM_BUFFER_OUT, /* as many as the result says */
};
enum trace_form trace_form(enum syscall_kind kind);
/* "SIGCHLD {code=CLD_EXITED, pid=3, status=0}" */
void trace_add_siginfo(struct text *text, const struct abi_siginfo *info);

/* trace_value.c: print_NAME for each printer that kinds.def names for a register. */
#define SCALAR(kind, type, printer) void print_##printer(const struct shown *arg);
#include "syscalls/kinds.def"

/* Pieces of both. */
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
void add_flags(struct text *text, uint64_t value, const struct flag_name *names, size_t count);
/* One of several values, by name where it has one. */
void add_choice(struct text *text, uint64_t value, const struct flag_name *names, size_t count);
void add_signal(struct text *text, int sig);
void add_sigset(struct text *text, uint64_t set);
void add_clone_flags(struct text *text, uint64_t flags);
void add_open_flags(struct text *text, uint64_t flags);

#endif
