/* poll.h - what poll's handlers share with those of other families. */
#ifndef SYSCALLS_POLL_H
#define SYSCALLS_POLL_H

#include "sentry/task.h"

/* restart_syscall(2) after an interrupted poll (RESTART_POLL). PARKS. */
long poll_restart(struct task *task);

/* The signal mask argument of ppoll, pselect6, epoll_pwait: 0 (also for a NULL set), -EINVAL, -EFAULT. */
must_check int poll_mask_push(struct task *task, struct uaddr set, uint64_t size);
/* The end of such a call: unless a signal interrupted it the old mask is put back at once, so that a signal that only
 * the call's mask let through is not taken after a result. Returns result. */
long poll_mask_pop(struct task *task, long result, bool interrupted);

/* A relative timeout as a deadline: 0 for none at all (do not wait), DEADLINE_NONE when the guest gave none. -EINVAL.
 */
must_check int poll_deadline(int64_t seconds, int64_t nanoseconds, uint64_t *deadline_ns);

#endif
