/* handlers.h - the prototype of every handler, made from syscalls.def.
 *
 * A handler is called on the fiber of task (which is task_current()) with plain C values: it borrows them all. It
 * returns the result or a negative errno; restart codes (sentry/base/types.h) too. It may park.
 *
 * Structures of OUT_ kinds arrive zeroed and are copied to the guest when the result is not negative; if that copy
 * fails the call's result becomes -EFAULT, so a handler that has made something by then (a descriptor) takes UPTR
 * instead and copies itself, to be able to undo it.
 */
#ifndef SYSCALLS_HANDLERS_H
#define SYSCALLS_HANDLERS_H

#include "sentry/base/types.h"
#include "syscalls/pairs.h"

struct task;
struct file;

/* The two ends of pipe(2) and socketpair(2). */
struct abi_int_pair {
	int32_t v[2];
};

/* arg_KIND: the C type that a handler sees for a kind. Structures need no definition here. */
#define SCALAR(kind, type, printer)       typedef type arg_##kind;
#define ADDRESS(kind, direction, printer) typedef struct uaddr arg_##kind;
#define HANDLE(kind, path)                typedef struct file *arg_##kind;
#define STRING(kind, optional)            typedef const char *arg_##kind;
#define STRUCT(name, type, bytes, printer)                                                                             \
	typedef const type *arg_IN_##name, *arg_IN_OPT_##name;                                                         \
	typedef type *arg_OUT_##name, *arg_OUT_OPT_##name, *arg_INOUT_##name, *arg_INOUT_OPT_##name;
#include "syscalls/kinds.def"

#define HANDLER_PARAMETER(index, kind, name) , arg_##kind name
#define SYSCALL(nr, name, level, ret, argc, args, note)                                                                \
	long sys_##name(struct task *task PAIRS(argc, HANDLER_PARAMETER, args));
#define MISSING(nr, name, reason)
#include "syscalls/syscalls.def"
#undef HANDLER_PARAMETER

#endif
