/* core.h - the end by a signal that means a fault: core dumps (core(5)) and the report about a crash. */
#ifndef SENTRY_CORE_H
#define SENTRY_CORE_H

#include "sentry/task.h"

#define CORE_FLAG 0x80 /* in a wait status: there is a core dump */

/* A thread of the process as the dump shows it. */
struct core_thread {
	struct list node;
	int32_t tid;
	struct uregs regs;
	uint64_t call_nr; /* of the system call it is in, as orig_rax; -1: none */
	uint64_t pending, blocked;
	void *fpstate; /* uthread_fpstate_size bytes; NULL: not known */
};

/* While a process is dumped; on the stack of the fiber that does it. */
struct core {
	struct task *task; /* whose signal it is */
	struct abi_siginfo info;
	struct list threads; /* the dumping one first */
	unsigned thread_count;
	struct waitq arrived; /* another thread has stopped */
};

/* PARKS. The task dies of the signal in info: writes a report and a core dump where they are wanted. from_call, result:
 * as signal_deliver. Says whether there is a dump. The caller ends the process. */
bool core_dump(struct task *task, const struct abi_siginfo *info, bool from_call, long result);
/* PARKS until the task is killed: another thread of its process is dumping. */
void core_park(struct task *task, bool from_call, long result);
static inline bool core_must_park(const struct task *task)
{
	return task->process->core && task->process->core->task != task;
}

/* core_elf.c. PARKS. Writes the dump: 0, or -errno when it is not even begun. limit_bytes: RLIMIT_CORE. */
must_check int core_write(const struct core *core, struct file *file, uint64_t limit_bytes);

/* crash.c: --crash-report. */
void crash_report_enable(void); /* once, at start */
bool crash_report_wanted(void);
/* PARKS. On the sentry's standard error. */
void crash_report(struct task *task, const struct abi_siginfo *info, const struct uregs *regs);

#endif
