/* trace.h - --strace: one line a system call, in the manner of strace(1).
 *
 * Guest memory is read for display only, by itself: what is shown is what was there just before and just after the
 * call. A guest that changes it in between fools the trace, not the sentry.
 */
#ifndef SYSCALLS_TRACE_H
#define SYSCALLS_TRACE_H

#include "platform/platform.h"
#include "sentry/base/list.h"

struct task;
struct syscall_row;

/* Where lines go, each with its newline; must not park. NULL (the default): tracing is off. The runtime's choice, once.
 */
typedef void trace_sink(const char *line, size_t size);
void trace_init(trace_sink *sink);
/* Traces into a host file (HOSTFILE_NONE: the sentry's standard error). Borrowed for ever. Besides calls it shows
 * signals ("--- SIGCHLD {...} ---") and ends ("+++ exited with 0 +++"). */
void trace_start(uint32_t host_file);

extern trace_sink *trace_to; /* only for trace_is_on */
static inline bool trace_is_on(void)
{
	return trace_to != NULL;
}

#define TRACE_ARG_BYTES 256

/* One call while it runs; on its fiber's stack. */
struct trace_call {
	struct list node;  /* among those that have begun and not ended */
	struct task *task; /* counted */
	const struct syscall_row *row;
	uint64_t nr, args[6];
	int32_t tid;
	char text[6][TRACE_ARG_BYTES]; /* arguments shown so far */
};

/* Before the handler: shows what the call reads. A call that does not return is printed at once. */
void trace_call_begin(struct trace_call *call, struct task *task, const struct stop *stop);
/* After it: shows what it wrote and prints the line. */
void trace_call_end(struct trace_call *call, long result);

/* Prints the calls that have not returned ("<unfinished ...>"): at the end of a sandbox, or when one hangs. */
void trace_print_unfinished(void);

#endif
