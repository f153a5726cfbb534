/* trace.h - what the guests do: --strace, one line a system call in the manner of strace(1); --trace, one JSON record
 * each (docs/trace.md).
 *
 * Guest memory is read for display only, by itself: what is shown is what was there just before and just after the
 * call. A guest that changes it in between fools the trace, not the sentry.
 */
#ifndef SYSCALLS_TRACE_H
#define SYSCALLS_TRACE_H

#include "platform/platform.h"
#include "sentry/base/list.h"
#include "sentry/base/text.h"

struct task;
struct syscall_row;

/* Where it goes: host file indices, and paths for messages; borrowed for ever. */
struct trace_config {
	bool lines;         /* --strace */
	uint32_t line_file; /* HOSTFILE_NONE: the sentry's standard error */
	uint32_t json_file; /* --trace; HOSTFILE_NONE: none */
	const char *line_path, *json_path;
};

/* Once, before the first task. Besides calls it shows signals ("--- SIGCHLD {...} ---"), ends ("+++ exited with 0 +++")
 * and, in JSON, new programs. */
void trace_start(const struct trace_config *config);

extern bool trace_wanted; /* only for trace_is_on */
static inline bool trace_is_on(void)
{
	return trace_wanted;
}

#define TRACE_ARG_BYTES    256
#define TRACE_STRING_COUNT 3 /* paths and buffers that a call has at most */

/* One call while it runs; on its fiber's stack. */
struct trace_call {
	struct list node;  /* among those that have begun and not ended */
	struct task *task; /* counted */
	const struct syscall_row *row;
	uint64_t nr, args[6], begin_ns, end_ns; /* CLOCK_MONOTONIC */
	int32_t tid;
	char text[6][TRACE_ARG_BYTES]; /* arguments shown so far */
	unsigned string_count;
	struct {
		unsigned index; /* of the argument */
		struct text text;
	} strings[TRACE_STRING_COUNT]; /* --trace: paths as a whole, the beginning of buffers */
};

/* Before the handler: shows what the call reads. A call that does not return is printed at once. */
void trace_call_begin(struct trace_call *call, struct task *task, const struct stop *stop);
/* After it: shows what it wrote and prints the line. */
void trace_call_end(struct trace_call *call, long result);

/* At the end of a sandbox, or when one hangs: shows the calls that have not returned ("<unfinished ...>"), and writes
 * what has not been written yet. */
void trace_finish(void);

#endif
