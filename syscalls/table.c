/* table.c - from a stop to a handler and back (design D6).
 *
 * Each SYSCALL row of syscalls.def becomes one small function, call_NAME: it takes the registers apart by kind
 * (get_KIND: copy in, look up), calls sys_NAME with plain C values, copies results out (put_KIND) and gives back what
 * was borrowed (release_KIND). This is the only place where that happens, so no handler can forget it. The functions
 * are found by number in one constant array; a number without one answers ENOSYS, as do calls made by int 0x80 and
 * numbers with the x32 bit.
 *
 * Guest memory is copied once, before the handler runs (rule W2): what the handler checks is what it uses. Copies live
 * on the fiber's stack: two paths at most, and structures of at most 390 bytes.
 *
 * Limits: arguments are taken from left to right, so where two are bad the errno is that of the first; a call for which
 * Linux has another order takes the raw value and copies by itself.
 */
#include "syscalls/table.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/aio.h"
#include "syscalls/handlers.h"
#include "syscalls/trace.h"
#include "syscalls/uring.h"
#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------ kinds: store_K, init_K, get_K, value_K, put_K,
 * release_K */

/* What only some kinds need to do. */
#define KIND_NOTHING(kind)                                                                                             \
	static inline void init_##kind(struct store_##kind *store)                                                     \
	{                                                                                                              \
		(void)store;                                                                                           \
	}                                                                                                              \
	static inline void release_##kind(struct store_##kind *store)                                                  \
	{                                                                                                              \
		(void)store;                                                                                           \
	}
#define KIND_NO_PUT(kind)                                                                                              \
	static inline int put_##kind(struct task *task, uint64_t raw, struct store_##kind *store)                      \
	{                                                                                                              \
		(void)task, (void)raw, (void)store;                                                                    \
		return 0;                                                                                              \
	}
#define KIND_VALUE(kind)                                                                                               \
	static inline arg_##kind value_##kind(struct store_##kind *store)                                              \
	{                                                                                                              \
		return store->value;                                                                                   \
	}
#define KIND_RAW(kind, convert)                                                                                        \
	struct store_##kind {                                                                                          \
		arg_##kind value;                                                                                      \
	};                                                                                                             \
	static inline int get_##kind(struct task *task, uint64_t raw, struct store_##kind *store)                      \
	{                                                                                                              \
		(void)task;                                                                                            \
		store->value = convert(raw);                                                                           \
		return 0;                                                                                              \
	}                                                                                                              \
	KIND_NOTHING(kind)                                                                                             \
	KIND_NO_PUT(kind)                                                                                              \
	KIND_VALUE(kind)

#define SCALAR(kind, type, printer)       KIND_RAW(kind, (type))
#define ADDRESS(kind, direction, printer) KIND_RAW(kind, UADDR)
#include "syscalls/kinds.def"

/* EBADF for a number that is not open, and for an O_PATH file unless the kind allows it. */
static int file_get_by_fd(struct task *task, int fd, bool path, struct file **out)
{
	struct file *file;
	int error = fd_get(task->files, fd, &file);

	if (error)
		return error;
	if (unlikely(file->kind == FILE_PATH) && !path) {
		file_put(file);
		return -EBADF;
	}
	*out = file;
	return 0;
}

#define HANDLE(kind, path)                                                                                             \
	struct store_##kind {                                                                                          \
		struct file *value;                                                                                    \
	};                                                                                                             \
	static inline void init_##kind(struct store_##kind *store)                                                     \
	{                                                                                                              \
		store->value = NULL;                                                                                   \
	}                                                                                                              \
	static inline int get_##kind(struct task *task, uint64_t raw, struct store_##kind *store)                      \
	{                                                                                                              \
		return file_get_by_fd(task, (int)raw, path, &store->value);                                            \
	}                                                                                                              \
	static inline void release_##kind(struct store_##kind *store)                                                  \
	{                                                                                                              \
		if (store->value)                                                                                      \
			file_put(store->value);                                                                        \
	}                                                                                                              \
	KIND_NO_PUT(kind)                                                                                              \
	KIND_VALUE(kind)

static int string_get(struct task *task, uint64_t raw, char *text, size_t size)
{
	struct user user = task_user(task);
	ssize_t length = aspace_read_string(user.as, user.thread, text, UADDR(raw), size);

	return length < 0 ? (int)length : 0;
}

#define STRING(kind, optional)                                                                                         \
	struct store_##kind {                                                                                          \
		const char *value;                                                                                     \
		char text[PATH_LIMIT];                                                                                 \
	};                                                                                                             \
	static inline int get_##kind(struct task *task, uint64_t raw, struct store_##kind *store)                      \
	{                                                                                                              \
		store->value = (optional) && !raw ? NULL : store->text;                                                \
		return store->value ? string_get(task, raw, store->text, sizeof store->text) : 0;                      \
	}                                                                                                              \
	KIND_NOTHING(kind)                                                                                             \
	KIND_NO_PUT(kind)                                                                                              \
	KIND_VALUE(kind)

/* in, out: which ways it is copied; optional: NULL stays NULL. */
#define KIND_STRUCT(kind, size, in, out, optional)                                                                     \
	struct store_##kind {                                                                                          \
		arg_##kind value;                                                                                      \
		_Alignas(16) unsigned char bytes[size];                                                                \
	};                                                                                                             \
	static inline int get_##kind(struct task *task, uint64_t raw, struct store_##kind *store)                      \
	{                                                                                                              \
		if ((optional) && !raw) {                                                                              \
			store->value = NULL;                                                                           \
			return 0;                                                                                      \
		}                                                                                                      \
		store->value = (arg_##kind)(void *)store->bytes;                                                       \
		if (in)                                                                                                \
			return user_read(task_user(task), store->bytes, UADDR(raw), sizeof store->bytes);              \
		memset(store->bytes, 0, sizeof store->bytes);                                                          \
		return 0;                                                                                              \
	}                                                                                                              \
	static inline int put_##kind(struct task *task, uint64_t raw, struct store_##kind *store)                      \
	{                                                                                                              \
		if (!(out) || !store->value)                                                                           \
			return 0;                                                                                      \
		return user_write(task_user(task), UADDR(raw), store->bytes, sizeof store->bytes);                     \
	}                                                                                                              \
	KIND_NOTHING(kind)                                                                                             \
	KIND_VALUE(kind)

#define STRUCT(name, type, size, printer)                                                                              \
	KIND_STRUCT(IN_##name, size, 1, 0, 0)                                                                          \
	KIND_STRUCT(IN_OPT_##name, size, 1, 0, 1)                                                                      \
	KIND_STRUCT(OUT_##name, size, 0, 1, 0)                                                                         \
	KIND_STRUCT(OUT_OPT_##name, size, 0, 1, 1)                                                                     \
	KIND_STRUCT(INOUT_##name, size, 1, 1, 0)                                                                       \
	KIND_STRUCT(INOUT_OPT_##name, size, 1, 1, 1)
#include "syscalls/kinds.def"

/* ------------------------------------------------------------------ one function a row */

#define CALL_DECLARE(index, kind, name)                                                                                \
	struct store_##kind name##_;                                                                                   \
	init_##kind(&name##_);
#define CALL_GET(index, kind, name)                                                                                    \
	result = get_##kind(task, raw[index], &name##_);                                                               \
	if (unlikely(result < 0))                                                                                      \
		goto release;
#define CALL_VALUE(index, kind, name) , value_##kind(&name##_)
#define CALL_PUT(index, kind, name)                                                                                    \
	if (result >= 0) {                                                                                             \
		int error = put_##kind(task, raw[index], &name##_);                                                    \
		if (unlikely(error))                                                                                   \
			result = error;                                                                                \
	}
#define CALL_RELEASE(index, kind, name) release_##kind(&name##_);

#define SYSCALL(nr, name, level, ret, argc, args, note)                                                                \
	static long call_##name(struct task *task, const uint64_t *raw)                                                \
	{                                                                                                              \
		long result;                                                                                           \
		(void)raw;                                                                                             \
		PAIRS(argc, CALL_DECLARE, args)                                                                        \
		PAIRS(argc, CALL_GET, args)                                                                            \
		result = sys_##name(task PAIRS(argc, CALL_VALUE, args));                                               \
		PAIRS(argc, CALL_PUT, args)                                                                            \
		goto release;                                                                                          \
	release:                                                                                                       \
		PAIRS(argc, CALL_RELEASE, args)                                                                        \
		return result;                                                                                         \
	}
#define MISSING(nr, name, reason)
#include "syscalls/syscalls.def"

typedef long call_function(struct task *task, const uint64_t *raw);

static call_function *const calls[] = {
#define SYSCALL(nr, name, level, ret, argc, args, note) [nr] = call_##name,
#define MISSING(nr, name, reason)                       [nr] = NULL,
#include "syscalls/syscalls.def"
};

/* ------------------------------------------------------------------ dispatch */

static uint64_t counts[COUNT(calls)];

uint64_t syscall_count(uint64_t nr)
{
	return nr < COUNT(counts) ? counts[nr] : 0;
}

static call_function *call_find(const struct stop *stop)
{
	return likely(!stop->foreign && stop->nr < COUNT(calls)) ? calls[stop->nr] : NULL;
}

static long dispatch_traced(struct task *task, call_function *call)
{
	struct trace_call trace;
	long result = -ENOSYS;

	trace_call_begin(&trace, task, &task->stop);
	if (call)
		result = call(task, task->stop.args);
	trace_call_end(&trace, result);
	return result;
}

long syscall_dispatch(struct task *task)
{
	call_function *call = call_find(&task->stop);

	assert(task->stop.kind == STOP_SYSCALL);
	if (likely(task->stop.nr < COUNT(counts)))
		counts[task->stop.nr]++;
	if (unlikely(trace_is_on()))
		return dispatch_traced(task, call);
	return likely(call != NULL) ? call(task, task->stop.args) : -ENOSYS;
}

void syscalls_init(void)
{
	run_set_dispatch(syscall_dispatch);
	aio_init();
	uring_ring_init();
	uring_request_init();
}
