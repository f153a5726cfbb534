/* table.h - the system call table: what the rows of syscalls.def say, and the one way from a stop to a handler.
 */
#ifndef SYSCALLS_TABLE_H
#define SYSCALLS_TABLE_H

#include "sentry/base/types.h"

struct task;

/* PARKS. Answers the system call that task->stop holds and returns its result: a value, -errno, or a restart code.
 * Borrowed arguments are released before it returns. Called on the task's own fiber. */
long syscall_dispatch(struct task *task);

/* Once at start, after sentry_init: from then on the tasks' system calls come here. */
void syscalls_init(void);

enum syscall_level { LEVEL_NONE /* no such call in Linux */, LEVEL_MISSING, LEVEL_PARTIAL, LEVEL_FULL };

/* How a result is shown. */
enum syscall_return { RETURN_INT, RETURN_FD, RETURN_SIZE, RETURN_OFF, RETURN_PTR, RETURN_PID, RETURN_HEX, RETURN_NONE };

/* KIND_x for every kind of kinds.def. */
#define SCALAR(kind, type, printer)       KIND_##kind,
#define ADDRESS(kind, direction, printer) KIND_##kind,
#define HANDLE(kind, path)                KIND_##kind,
#define STRING(kind, optional)            KIND_##kind,
#define STRUCT(name, type, bytes, printer)                                                                             \
	KIND_IN_##name, KIND_IN_OPT_##name, KIND_OUT_##name, KIND_OUT_OPT_##name, KIND_INOUT_##name,                   \
		KIND_INOUT_OPT_##name,
enum syscall_kind {
	KIND_NONE,
#include "syscalls/kinds.def"
	KIND_COUNT
};

#define SYSCALL_ARGS 6

struct syscall_row {
	const char *name; /* NULL: no such call in Linux */
	const char *note; /* what lacks, or why the call is missing */
	uint8_t level, result, argc;
	uint8_t kinds[SYSCALL_ARGS];     /* enum syscall_kind */
	const char *args[SYSCALL_ARGS];  /* their names */
	const char *types[SYSCALL_ARGS]; /* their kinds' names */
};

/* The row of a number; NULL when Linux has no call of this number. Static. */
const struct syscall_row *syscall_row(uint64_t nr);
/* How often the sentry was asked for the call of this number. What the gate answers by itself is not counted. */
uint64_t syscall_count(uint64_t nr);
/* One more than the highest number that has a row. */
unsigned syscall_row_count(void);

/* The table for people: `usbx syscalls` as aligned text, or docs/syscalls.md as markdown. write gets pieces of it in
 * order. */
void syscalls_print(void (*write)(void *context, const char *text, size_t size), void *context, bool markdown);

#endif
