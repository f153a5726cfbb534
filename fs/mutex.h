/* mutex.h - one fiber at a time where an operation may PARK in its middle (copies from and to a guest may).
 *
 * Most operations need none: code between two PARKS points is atomic. Holders may wait for the host or a guest, so
 * waiting for a mutex on a guest's behalf is interruptible.
 */
#ifndef FS_MUTEX_H
#define FS_MUTEX_H

#include "sentry/base/wait.h"
#include <errno.h>

struct mutex {
	bool held;
	struct waitq wait;
};

static inline void mutex_init(struct mutex *mutex)
{
	mutex->held = false;
	waitq_init(&mutex->wait);
}

/* PARKS while another holds it. 0 or -ERESTARTSYS (not held then). */
must_check static inline int mutex_lock(struct mutex *mutex)
{
	if (mutex->held) {
		int error = WAIT_EVENT(&mutex->wait, !mutex->held, DEADLINE_NONE);
		if (error)
			return error;
	}
	mutex->held = true;
	return 0;
}

/* PARKS, deaf to interrupts: only where the holder cannot wait for a guest. */
static inline void mutex_lock_deaf(struct mutex *mutex)
{
	if (mutex->held)
		(void)!WAIT_EVENT_DEAF(&mutex->wait, !mutex->held);
	mutex->held = true;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	assert(mutex->held);
	mutex->held = false;
	waitq_wake(&mutex->wait, 0);
}

#endif
