/* futex.c - futex(2) and the calls that have one operation each (futex_waitv(2) and others): which operation, which
 * time limit. The rest is in sentry/futex.c.
 *
 * Limits: words have 32 bits, as in Linux so far; FUTEX2_NUMA and FUTEX2_MPOL are refused (EINVAL).
 */
#include "sentry/futex.h"
#include "sentry/base/limits.h"
#include "sentry/clock.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>

static bool has_timeout(int command)
{
	return command == ABI_FUTEX_WAIT || command == ABI_FUTEX_WAIT_BITSET || command == ABI_FUTEX_LOCK_PI ||
	       command == ABI_FUTEX_LOCK_PI2 || command == ABI_FUTEX_WAIT_REQUEUE_PI;
}

/* FUTEX_WAIT's time is relative; LOCK_PI's is always of CLOCK_REALTIME; the others choose by a flag. */
static int deadline_take(struct task *task, int command, bool real_time, struct uaddr from, uint64_t *deadline_ns)
{
	int clock = real_time || command == ABI_FUTEX_LOCK_PI ? ABI_CLOCK_REALTIME : ABI_CLOCK_MONOTONIC;
	struct abi_timespec time;
	uint64_t ns;

	*deadline_ns = DEADLINE_NONE;
	if (!from.v)
		return 0;
	if (user_read(task_user(task), &time, from, sizeof time))
		return -EFAULT;
	if (timespec_ns(&time, &ns))
		return -EINVAL;
	return clock_deadline(clock, command != ABI_FUTEX_WAIT, ns, deadline_ns);
}

static long futex_wait_kind(struct task *task, int command, bool shared, struct uaddr word, uint32_t value,
			    struct uaddr second, uint32_t value3, uint64_t deadline_ns)
{
	switch (command) {
	case ABI_FUTEX_WAIT:
		return futex_wait(task, word, shared, value, ABI_FUTEX_BITSET_ANY, deadline_ns,
				  deadline_ns != DEADLINE_NONE);
	case ABI_FUTEX_WAIT_BITSET:
		return futex_wait(task, word, shared, value, value3, deadline_ns, deadline_ns != DEADLINE_NONE);
	case ABI_FUTEX_WAIT_REQUEUE_PI:
		return value3 == ABI_FUTEX_BITSET_ANY
			       ? futex_wait_requeue_pi(task, word, second, shared, value, deadline_ns)
			       : -EINVAL;
	}
	return futex_lock_pi(task, word, shared, deadline_ns, false);
}

long sys_futex(struct task *task, struct uaddr word, int op, uint32_t value, struct uaddr timeout, struct uaddr second,
	       uint32_t value3)
{
	int command = op & ~(ABI_FUTEX_PRIVATE_FLAG | ABI_FUTEX_CLOCK_REALTIME), count = (int)(uint32_t)timeout.v;
	struct futex_word from = {word, !(op & ABI_FUTEX_PRIVATE_FLAG)}, to = {second, from.shared};
	bool shared = from.shared, real_time = op & ABI_FUTEX_CLOCK_REALTIME;

	if (real_time && command != ABI_FUTEX_WAIT_BITSET && command != ABI_FUTEX_WAIT_REQUEUE_PI &&
	    command != ABI_FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (has_timeout(command)) {
		uint64_t deadline_ns;
		int error = deadline_take(task, command, real_time, timeout, &deadline_ns);
		return error ? error : futex_wait_kind(task, command, shared, word, value, second, value3, deadline_ns);
	}
	switch (command) {
	case ABI_FUTEX_WAKE: /* of zero: one, as Linux does */
		return futex_wake(task, word, shared, (int)MAX(value, 1u), ABI_FUTEX_BITSET_ANY);
	case ABI_FUTEX_WAKE_BITSET:
		return futex_wake(task, word, shared, (int)MAX(value, 1u), value3);
	case ABI_FUTEX_REQUEUE:
		return futex_requeue(task, &from, &to, (int)value, count, NULL, false);
	case ABI_FUTEX_CMP_REQUEUE:
		return futex_requeue(task, &from, &to, (int)value, count, &value3, false);
	case ABI_FUTEX_CMP_REQUEUE_PI:
		return futex_requeue(task, &from, &to, (int)value, count, &value3, true);
	case ABI_FUTEX_WAKE_OP:
		return futex_wake_op(task, word, second, shared, (int)value, count, value3);
	case ABI_FUTEX_TRYLOCK_PI:
		return futex_lock_pi(task, word, shared, DEADLINE_NONE, true);
	case ABI_FUTEX_UNLOCK_PI:
		return futex_unlock_pi(task, word, shared);
	}
	return -ENOSYS;
}

/* ------------------------------------------------------------------------------------------- one operation each */

/* Which of the words that a flag can speak of: only this size is there. */
static bool flags_valid(uint32_t flags)
{
	return !(flags & ~(ABI_FUTEX2_SIZE_MASK | ABI_FUTEX2_PRIVATE)) &&
	       (flags & ABI_FUTEX2_SIZE_MASK) == ABI_FUTEX2_SIZE_U32;
}

/* Always the time on a clock, and only of these two. */
static int time_take(struct task *task, struct uaddr from, int clock, uint64_t *deadline_ns)
{
	struct abi_timespec time;
	uint64_t ns;

	*deadline_ns = DEADLINE_NONE;
	if (!from.v)
		return 0;
	if (clock != ABI_CLOCK_REALTIME && clock != ABI_CLOCK_MONOTONIC)
		return -EINVAL;
	if (user_read(task_user(task), &time, from, sizeof time))
		return -EFAULT;
	if (timespec_ns(&time, &ns))
		return -EINVAL;
	return clock_deadline(clock, true, ns, deadline_ns);
}

/* struct futex_waitv, count of them. */
static int wanted_take(struct task *task, struct uaddr from, struct futex_wanted *wanted, unsigned count)
{
	struct abi_futex_waitv one;

	for (unsigned i = 0; i < count; i++) {
		if (user_read(task_user(task), &one, uaddr_add(from, i * sizeof one), sizeof one))
			return -EFAULT;
		if (!flags_valid(one.flags) || one.reserved || one.val > UINT32_MAX)
			return -EINVAL;
		wanted[i].word.at = UADDR(one.uaddr);
		wanted[i].word.shared = !(one.flags & ABI_FUTEX2_PRIVATE);
		wanted[i].expected = (uint32_t)one.val;
	}
	return 0;
}

long sys_futex_waitv(struct task *task, struct uaddr words, uint32_t count, uint32_t flags, struct uaddr timeout,
		     int clock)
{
	struct futex_wanted wanted[FUTEX_WAITV_LIMIT];
	uint64_t deadline_ns;

	if (flags || !count || count > FUTEX_WAITV_LIMIT || !words.v)
		return -EINVAL;
	int error = time_take(task, timeout, clock, &deadline_ns);
	if (!error)
		error = wanted_take(task, words, wanted, count);
	return error ? error : futex_wait_multiple(task, wanted, count, deadline_ns);
}

long sys_futex_wake(struct task *task, struct uaddr word, uint64_t mask, int count, uint32_t flags)
{
	if (!flags_valid(flags) || mask > UINT32_MAX)
		return -EINVAL;
	return futex_wake(task, word, !(flags & ABI_FUTEX2_PRIVATE), count, (uint32_t)mask);
}

long sys_futex_wait(struct task *task, struct uaddr word, uint64_t value, uint64_t mask, uint32_t flags,
		    struct uaddr timeout, int clock)
{
	uint64_t deadline_ns;

	if (!flags_valid(flags) || value > UINT32_MAX || mask > UINT32_MAX)
		return -EINVAL;
	int error = time_take(task, timeout, clock, &deadline_ns);
	return error ? error
		     : futex_wait(task, word, !(flags & ABI_FUTEX2_PRIVATE), (uint32_t)value, (uint32_t)mask,
				  deadline_ns, false);
}

long sys_futex_requeue(struct task *task, struct uaddr words, uint32_t flags, int wake, int move)
{
	struct futex_wanted two[2];

	if (flags || !words.v)
		return -EINVAL;
	int error = wanted_take(task, words, two, COUNT(two));
	return error ? error : futex_requeue(task, &two[0].word, &two[1].word, wake, move, &two[0].expected, false);
}
