/* wait.h - wait queues: how a fiber waits for something to become true, and how poll and epoll listen to it.
 *
 * A queue is a list head inside an arena object; the entries are on fiber stacks or in arena objects (epoll items).
 * Waking never loses anybody: a waiter is on the queue before it looks at its condition. A checkpoint interrupts every
 * waiting fiber, after which queues hold only entries with a kind (design D5).
 */
#ifndef SENTRY_BASE_WAIT_H
#define SENTRY_BASE_WAIT_H

#include "sentry/base/fiber.h"
#include "sentry/base/list.h"

struct waitq {
	struct list waiters;
};

/* What happens to a waiter at a wake: its fiber is made ready, or its kind's function is called. */
enum waiter_kind { WAITER_FIBER, WAITER_EPOLL, WAITER_URING, WAITER_ASYNC, WAITER_KINDS };

struct waiter {
	struct list node; /* in the queue; empty when not queued */
	struct fiber *fiber;
	uint32_t events; /* POLL* bits it wants; 0 wants all */
	uint32_t fired;  /* events of the wakes seen so far */
	enum waiter_kind kind;
	bool exclusive;
};

void waitq_init(struct waitq *queue);
bool waitq_empty(const struct waitq *queue);

/* Called when a kind's waiter is woken, in the waker's context: must not park. Says whether that made somebody run: an
 * exclusive waiter's wake is used up by that only. Registered once at start. */
void waiter_kind_register(enum waiter_kind kind, bool (*fired)(struct waiter *waiter, uint32_t events));

void waiter_init(struct waiter *waiter);
void waitq_add(struct waitq *queue, struct waiter *waiter);
void waitq_remove(struct waiter *waiter); /* may be called when not queued */

/* Wakes everybody who wants one of the events (POLL* bits; 0: everybody), of the exclusive ones only the first. */
void waitq_wake(struct waitq *queue, uint32_t events);

/* Wakes at most count waiters, in FIFO order. Returns how many. */
unsigned waitq_wake_some(struct waitq *queue, uint32_t events, unsigned count);

/* PARKS until woken (0), interrupted (-ERESTARTSYS) or the deadline in CLOCK_MONOTONIC ns (-ETIMEDOUT). The waiter must
 * be on a queue already: add, look at the condition, wait, remove. An interrupt that is pending already returns at
 * once. */
must_check int waiter_wait(struct waiter *waiter, uint64_t deadline_ns);
/* The same, deaf to interrupts. */
must_check int waiter_wait_deaf(struct waiter *waiter, uint64_t deadline_ns);

/* PARKS until cond holds: 0, -ERESTARTSYS or -ETIMEDOUT. cond is evaluated anew after each wake. */
#define WAIT_EVENT(queue, cond, deadline_ns) WAIT_EVENT_BY(waiter_wait, queue, cond, deadline_ns)
#define WAIT_EVENT_DEAF(queue, cond)         WAIT_EVENT_BY(waiter_wait_deaf, queue, cond, DEADLINE_NONE)
#define WAIT_EVENT_BY(wait, queue, cond, deadline_ns)                                                                  \
	({                                                                                                             \
		struct waiter event_waiter_;                                                                           \
		int event_result_ = 0;                                                                                 \
		waiter_init(&event_waiter_);                                                                           \
		waitq_add((queue), &event_waiter_);                                                                    \
		while (!(cond) && !event_result_)                                                                      \
			event_result_ = wait(&event_waiter_, (deadline_ns));                                           \
		if (event_result_ && (cond))                                                                           \
			event_result_ = 0;                                                                             \
		waitq_remove(&event_waiter_);                                                                          \
		event_result_;                                                                                         \
	})

#endif
