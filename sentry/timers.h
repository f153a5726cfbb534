/* timers.h - what timer.c, itimer.c and posix_timer.c share: the timers of one process. Nobody else includes it. */
#ifndef SENTRY_TIMERS_H
#define SENTRY_TIMERS_H

#include "sentry/base/list.h"
#include "sentry/task.h"
#include "sentry/timer.h"

/* An interval timer of CPU time: when the process has used that much. */
struct cpu_itimer {
	uint64_t expires_cpu_ns, interval_ns; /* 0: off */
};

struct process_timers {
	struct process *process; /* which owns us */
	struct timer real, cpu_check;
	uint64_t real_interval_ns;
	struct cpu_itimer virtual, prof;
	uint64_t limit_signal_ns; /* RLIMIT_CPU: CPU time of the next SIGXCPU; 0: no limit */
	struct list posix;        /* struct posix_timer.node */
	int32_t next_id;
	uint32_t posix_count;
};

/* The process's, made at first use. NULL: no memory. */
must_check struct process_timers *timers_of(struct process *process);
/* After a change of anything that counts CPU time. */
void cpu_check_arm(struct process_timers *timers);

/* posix_timer.c: fires what is due of those on CPU clocks; the CPU time until the next (UINT64_MAX: none). */
uint64_t posix_cpu_check(struct process_timers *timers);
void posix_timers_delete(struct process_timers *timers);
void posix_timers_init(void);
void itimer_init(void);

#endif
