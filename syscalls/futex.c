/* futex.c - futex(2): which operation, which time limit. The rest is in sentry/futex.c. */
#include "sentry/futex.h"
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
	bool shared = !(op & ABI_FUTEX_PRIVATE_FLAG), real_time = op & ABI_FUTEX_CLOCK_REALTIME;

	if (real_time && command != ABI_FUTEX_WAIT_BITSET && command != ABI_FUTEX_WAIT_REQUEUE_PI &&
	    command != ABI_FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (has_timeout(command)) {
		uint64_t deadline_ns;
		int error = deadline_take(task, command, real_time, timeout, &deadline_ns);
		return error ? error : futex_wait_kind(task, command, shared, word, value, second, value3, deadline_ns);
	}
	switch (command) {
	case ABI_FUTEX_WAKE:
		return futex_wake(task, word, shared, (int)value, ABI_FUTEX_BITSET_ANY);
	case ABI_FUTEX_WAKE_BITSET:
		return futex_wake(task, word, shared, (int)value, value3);
	case ABI_FUTEX_REQUEUE:
		return futex_requeue(task, word, second, shared, (int)value, count, NULL, false);
	case ABI_FUTEX_CMP_REQUEUE:
		return futex_requeue(task, word, second, shared, (int)value, count, &value3, false);
	case ABI_FUTEX_CMP_REQUEUE_PI:
		return futex_requeue(task, word, second, shared, (int)value, count, &value3, true);
	case ABI_FUTEX_WAKE_OP:
		return futex_wake_op(task, word, second, shared, (int)value, count, value3);
	case ABI_FUTEX_TRYLOCK_PI:
		return futex_lock_pi(task, word, shared, DEADLINE_NONE, true);
	case ABI_FUTEX_UNLOCK_PI:
		return futex_unlock_pi(task, word, shared);
	}
	return -ENOSYS;
}
