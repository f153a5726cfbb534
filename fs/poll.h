/* poll.h - how poll(2), select(2) and epoll(7) ask a file about its readiness and leave a waiter behind. */
#ifndef FS_POLL_H
#define FS_POLL_H

#include "sentry/base/wait.h"

/* Handed to a file's poll operation, which calls poll_listen for each queue that may change the answer. NULL: only ask.
 */
struct poll_wait {
	void (*listen)(struct poll_wait *wait, struct waitq *queue); /* on the caller's stack, never in the arena */
	uint32_t events;                                             /* POLL* bits wanted */
};

static inline void poll_listen(struct poll_wait *wait, struct waitq *queue)
{
	if (wait)
		wait->listen(wait, queue);
}

#endif
