/* wait.c - wait queues.
 *
 * A waiter stays on its queue until its owner removes it, so that one waiter may be woken many times and a poll may sit
 * on many queues. `woken` in the waiter's fired word is what a park is about; a fiber woken for another reason looks
 * and parks again. Limits: none of its own; waiters are owned by callers that are limited.
 */
#include "sentry/base/wait.h"
#include <errno.h>

#define FIRED_WITHOUT_EVENTS 0x80000000u /* a wake that named no events */

static bool (*kind_fired[WAITER_KINDS])(struct waiter *waiter, uint32_t events);

void waitq_init(struct waitq *queue)
{
	list_init(&queue->waiters);
}

bool waitq_empty(const struct waitq *queue)
{
	return list_empty(&queue->waiters);
}

void waiter_kind_register(enum waiter_kind kind, bool (*fired)(struct waiter *waiter, uint32_t events))
{
	assert(kind > WAITER_FIBER && kind < WAITER_KINDS);
	kind_fired[kind] = fired;
}

void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){.fiber = fiber_current()};
	list_init(&waiter->node);
}

void waitq_add(struct waitq *queue, struct waiter *waiter)
{
	assert(list_empty(&waiter->node));
	list_push_back(&queue->waiters, &waiter->node);
}

void waitq_remove(struct waiter *waiter)
{
	list_remove(&waiter->node);
}

static bool waiter_wants(const struct waiter *waiter, uint32_t events)
{
	return !events || !waiter->events || (waiter->events & events);
}

/* Has it made somebody run? */
static bool waiter_fire(struct waiter *waiter, uint32_t events)
{
	waiter->fired |= events ? events : FIRED_WITHOUT_EVENTS;
	if (waiter->kind == WAITER_FIBER) {
		fiber_wake(waiter->fiber);
		return true;
	}
	assert(kind_fired[waiter->kind]);
	return kind_fired[waiter->kind](waiter, events);
}

void waitq_wake(struct waitq *queue, uint32_t events)
{
	struct waiter *waiter, *after;
	bool exclusive_done = false;

	list_for_each_safe (waiter, after, &queue->waiters, node) {
		if (!waiter_wants(waiter, events) || (waiter->exclusive && exclusive_done))
			continue;
		bool exclusive = waiter->exclusive;
		exclusive_done |= waiter_fire(waiter, events) && exclusive;
	}
}

unsigned waitq_wake_some(struct waitq *queue, uint32_t events, unsigned count)
{
	struct waiter *waiter, *after;
	unsigned woken = 0;

	list_for_each_safe (waiter, after, &queue->waiters, node) {
		if (woken == count)
			break;
		if (!waiter_wants(waiter, events) || waiter->fired)
			continue;
		waiter_fire(waiter, events);
		woken++;
	}
	return woken;
}

static int wait_for_wake(struct waiter *waiter, uint64_t deadline_ns, bool deaf)
{
	int result = 0;

	assert(waiter->kind == WAITER_FIBER && waiter->fiber == fiber_current());
	while (!waiter->fired && !result) {
		if (!deaf && fiber_interrupted())
			result = -ERESTARTSYS;
		else if (!fiber_park_until(deadline_ns) && !waiter->fired)
			result = -ETIMEDOUT;
	}
	if (waiter->fired)
		result = 0;
	waiter->fired = 0;
	return result;
}

int waiter_wait(struct waiter *waiter, uint64_t deadline_ns)
{
	return wait_for_wake(waiter, deadline_ns, false);
}

int waiter_wait_deaf(struct waiter *waiter, uint64_t deadline_ns)
{
	return wait_for_wake(waiter, deadline_ns, true);
}
