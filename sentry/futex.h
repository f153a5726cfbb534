/* futex.h - futex(2): sleeping on a word of guest memory, waking, priority-inheritance locks, robust lists. */
#ifndef SENTRY_FUTEX_H
#define SENTRY_FUTEX_H

#include "sentry/base/types.h"

struct task;

/* A word, and whether it may be shared with other processes: without FUTEX_PRIVATE_FLAG. */
struct futex_word {
	struct uaddr at;
	bool shared;
};

/* Once at start. -ENOMEM. */
must_check int futex_init(void);

/* Where time limits go: a deadline of CLOCK_MONOTONIC, DEADLINE_NONE for none. shared: without FUTEX_PRIVATE_FLAG. All
 * PARK (a word is guest memory). Errors as futex(2). */

/* restartable: a relative time limit, so that an interrupted wait goes on by restart_syscall(2). */
must_check long futex_wait(struct task *task, struct uaddr word, bool shared, uint32_t expected, uint32_t bitset,
			   uint64_t deadline_ns, bool restartable);
/* Waits at up to FUTEX_WAITV_LIMIT words at once, as long as each has its expected value: the index of the one that was
 * woken (the last, if there are several), or -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -ENOMEM. */
struct futex_wanted {
	struct futex_word word;
	uint32_t expected;
};
must_check long futex_wait_multiple(struct task *task, const struct futex_wanted *wanted, unsigned count,
				    uint64_t deadline_ns);
/* count zero: looks at the word and wakes nobody. */
must_check long futex_wake(struct task *task, struct uaddr word, bool shared, int count, uint32_t bitset);
/* FUTEX_REQUEUE (expected NULL) and FUTEX_CMP_REQUEUE. pi: FUTEX_CMP_REQUEUE_PI. */
must_check long futex_requeue(struct task *task, const struct futex_word *from, const struct futex_word *to, int wake,
			      int move, const uint32_t *expected, bool pi);
must_check long futex_wake_op(struct task *task, struct uaddr first, struct uaddr second, bool shared, int wake,
			      int wake_second, uint32_t operation);
must_check long futex_lock_pi(struct task *task, struct uaddr word, bool shared, uint64_t deadline_ns, bool try);
must_check long futex_unlock_pi(struct task *task, struct uaddr word, bool shared);
/* FUTEX_WAIT_REQUEUE_PI: waits at word until it is moved to target's lock, and has it. */
must_check long futex_wait_requeue_pi(struct task *task, struct uaddr word, struct uaddr target, bool shared,
				      uint32_t expected, uint64_t deadline_ns);
/* restart_syscall(2) of a wait. */
must_check long futex_restart(struct task *task);

/* The end of a thread's use of its memory: its robust list, the PI locks that it holds. PARKS. */
void futex_exit(struct task *task);

#endif
