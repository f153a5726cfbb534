/* fiber.h - the sentry's threads of control: one small stack each, switched by our own few instructions (design D4).
 *
 * All fibers share the sentry's one kernel thread, so code between two PARKS points is atomic. A fiber is either
 * running, ready (in the FIFO run queue) or parked. The loop (sentry/loop.c) alternates fiber_run_ready and
 * platform_poll. Fibers and their stacks live outside the arena: they hold return addresses (design D5).
 */
#ifndef SENTRY_BASE_FIBER_H
#define SENTRY_BASE_FIBER_H

#include "sentry/base/types.h"

#define FIBER_STACK_BYTES (64 * 1024) /* with a guard page below; touched pages only */

struct fiber;

/* A new fiber, ready, that will run main(argument). -EAGAIN at FIBER_LIMIT, -ENOMEM. Its stack is reused after it ends.
 */
must_check int fiber_new(void (*main)(void *argument), void *argument, struct fiber **out);

/* Ends the running fiber; main may also simply return. */
no_return void fiber_exit(void);

/* NULL in the loop itself. */
struct fiber *fiber_current(void);

/* What the owner wants to find again from anywhere below it: the sentry stores its struct task here. */
void fiber_owner_set(struct fiber *fiber, void *owner);
void *fiber_owner(struct fiber *fiber);

/* PARKS until fiber_wake. A wake before the park is not lost: the park then returns at once. */
void fiber_park(void);
void fiber_wake(struct fiber *fiber);

/* PARKS until fiber_wake or the deadline (CLOCK_MONOTONIC ns). false: the deadline came first. */
must_check bool fiber_park_until(uint64_t deadline_ns);

/* PARKS, but stays ready: lets the others run first. */
void fiber_yield(void);

/* An interrupt is a sticky flag that also wakes the fiber from an interruptible wait: it is set when a signal or a kick
 * is for the task, and cleared by the task's own loop (fiber_interrupt_clear). */
void fiber_interrupt(struct fiber *fiber);
void fiber_interrupt_clear(struct fiber *fiber);
bool fiber_interrupted(void);

/* The loop's part: runs ready fibers until none is ready; the next deadline of a parked one. */
void fiber_run_ready(void);
uint64_t fiber_next_deadline_ns(void);
bool fiber_any_ready(void);

/* The sentry's monotonic clock, CLOCK_MONOTONIC of the host, cached for the step of the loop unless refreshed. */
uint64_t clock_now_ns(void);
/* Forgets the cached value: the next look asks the host. */
void clock_refresh(void);

#endif
