/* poll.h - how poll(2), select(2), epoll(7), O_ASYNC and io_uring ask a file about its readiness and leave a waiter
 * behind.
 */
#ifndef FS_POLL_H
#define FS_POLL_H

#include "sentry/base/wait.h"

struct file;

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

/* A waiter that stays behind in a queue, for somebody who is no fiber. */
struct poll_hook {
	struct waiter waiter;
	void *owner;
	struct poll_hook *next;
};

/* The hooks of one who listens to a file. {.kind, .exclusive, .owner}: as its waiters are to be. */
struct poll_hooks {
	struct poll_hook *first;
	void *owner;
	enum waiter_kind kind;
	bool exclusive;
};

/* Leaves a hook in each queue that the file's poll operation names; *now: what it says. There must be none yet.
 * -ENOMEM: there is none then. */
must_check int poll_hooks_arm(struct poll_hooks *hooks, struct file *file, uint32_t events, uint32_t *now);
void poll_hooks_drop(struct poll_hooks *hooks);

/* In the function of their kind (waiter_kind_register): whose hook it is. It may be woken again. */
static inline void *poll_hook_fired(struct waiter *waiter)
{
	waiter->fired = 0;
	return container_of(waiter, struct poll_hook, waiter)->owner;
}

#endif
