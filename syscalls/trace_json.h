/* trace_json.h - the JSON form of a trace, for trace.c. The records are described in docs/trace.md. */
#ifndef SYSCALLS_TRACE_JSON_H
#define SYSCALLS_TRACE_JSON_H

#include "sentry/abi/signal.h"
#include "syscalls/trace.h"
#include "syscalls/trace_out.h"

enum trace_end { TRACE_RETURNED, TRACE_NO_RETURN, TRACE_UNFINISHED };

/* How many arguments a record shows: of a call that we do not have, as many as there are registers. */
unsigned trace_argc(const struct trace_call *call);
bool trace_is_restart(long result);

/* Copies what to points to. False: no memory. */
must_check bool trace_json_start(const struct trace_out *to);
struct shown;
/* PARKS. Reads what a record shows otherwise than --strace: the whole path, the bytes of a buffer. */
void trace_json_keep(struct trace_call *call, unsigned index, const struct shown *arg);
void trace_json_call(const struct trace_call *call, enum trace_end end, long result);
void trace_json_signal(const struct task *task, const struct abi_siginfo *info);
void trace_json_exited(const struct task *task, int wait_status);
void trace_json_exec(const struct task *task, const char *path, char *const argv[]);
/* Writes what is waiting to be written. */
void trace_json_flush(void);

#endif
