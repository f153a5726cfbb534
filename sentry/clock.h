/* clock.h - the sandbox's clocks, and times as guests write them (clock_gettime(2)). They are the host's own, so that
 * the vDSO and the sentry agree. Deadlines inside the sentry are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef SENTRY_CLOCK_H
#define SENTRY_CLOCK_H

#include "sentry/abi/time.h"

struct task;

/* CLOCK_MONOTONIC now, not the value cached for this step of the loop: what a relative time counts from. */
uint64_t clock_fresh_ns(void);

/* Any clock that clock_gettime(2) knows, CPU clocks of processes and threads included (as seen by task). -EINVAL. */
must_check int clock_get(const struct task *task, int clock, uint64_t *ns);
/* Its resolution, or -EINVAL. */
must_check int clock_resolution(const struct task *task, int clock, uint64_t *ns);
/* A clock of CPU time, by number? */
bool clock_is_cpu(int clock);
/* For the clocks on which one can sleep and set timers (not CPU clocks): the deadline for a time of that clock. */
must_check int clock_deadline(int clock, bool absolute, uint64_t time_ns, uint64_t *deadline_ns);
/* The task or process behind a CPU clock, or -EINVAL. *thread is NULL for a process's clock. Borrowed. */
struct process;
must_check int clock_cpu_target(const struct task *task, int clock, struct process **process, struct task **thread);

/* To nanoseconds; what is too large for them is for ever (DEADLINE_NONE - 1 at most). -EINVAL as the kernel judges. */
must_check int timespec_ns(const struct abi_timespec *time, uint64_t *ns);
must_check int timeval_ns(const struct abi_timeval *time, uint64_t *ns);
struct abi_timespec ns_timespec(uint64_t ns);
struct abi_timeval ns_timeval(uint64_t ns);
/* a + b without passing the end of time. */
uint64_t deadline_after(uint64_t from_ns, uint64_t ns);

#endif
