/* timer.c - the one ordered structure of deadlines, and the fiber that serves it.
 *
 * Armed timers are in a tree by deadline; the timer fiber parks until the first. Firing never parks, so that the tree
 * does not change under the fiber but by the functions it calls.
 *
 * Repeating timers that send a signal begin their next period when the signal is taken, not when it is sent (as Linux
 * does), so that a guest's period of a nanosecond costs the sentry nothing.
 *
 * Limits: one timer fiber; resolution is that of the loop's sleep.
 */
#include "sentry/timer.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/timers.h"
#include <errno.h>

RB_HEAD(timer_tree, timer);

static int timer_compare(const struct timer *a, const struct timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}
TREE_GENERATE(timer_tree, timer, node, timer_compare)

static struct timer_tree *armed; /* in the arena */
static struct fiber *timer_fiber;
static void (*kind_fired[TIMER_KINDS])(struct timer *timer);
static struct slab process_timers_slab = SLAB(process_timers);

int timer_init(void)
{
	armed = arena_alloc(sizeof *armed);
	if (!armed)
		return -ENOMEM;
	RB_INIT(armed);
	itimer_init();
	posix_timers_init();
	return 0;
}

void timer_kind_register(enum timer_kind kind, void (*fired)(struct timer *timer))
{
	kind_fired[kind] = fired;
}

void timer_setup(struct timer *timer, enum timer_kind kind)
{
	*timer = (struct timer){.kind = kind};
}

static void timer_main(void *unused)
{
	struct timer *timer;

	(void)unused;
	for (;;) {
		while ((timer = RB_MIN(timer_tree, armed)) && timer->deadline_ns <= clock_now_ns()) {
			timer_disarm(timer);
			assert(kind_fired[timer->kind]);
			kind_fired[timer->kind](timer);
		}
		(void)!fiber_park_until(timer ? timer->deadline_ns : DEADLINE_NONE);
	}
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
	timer_disarm(timer);
	timer->deadline_ns = deadline_ns;
	timer->armed = true;
	RB_INSERT(timer_tree, armed, timer);
	if (RB_MIN(timer_tree, armed) != timer)
		return;
	/* FIBER_LIMIT leaves room beyond TASK_LIMIT, and this is the first fiber that a timer needs. */
	if (!timer_fiber && fiber_new(timer_main, NULL, &timer_fiber))
		assert(!"no fiber for timers");
	else
		fiber_wake(timer_fiber);
}

void timer_disarm(struct timer *timer)
{
	if (!timer->armed)
		return;
	RB_REMOVE(timer_tree, armed, timer);
	timer->armed = false;
}

/* ------------------------------------------------------------------------------------------------ of a process */

struct process_timers *timers_of(struct process *process)
{
	struct process_timers *timers = process->timers;

	if (timers)
		return timers;
	timers = slab_new(&process_timers_slab);
	if (!timers)
		return NULL;
	timers->process = process;
	timer_setup(&timers->real, TIMER_ITIMER_REAL);
	timer_setup(&timers->cpu_check, TIMER_CPU_CHECK);
	list_init(&timers->posix);
	process->timers = timers;
	return timers;
}

void timers_exec(struct process *process)
{
	if (process->timers)
		posix_timers_delete(process->timers);
}

void timers_exit(struct process *process)
{
	struct process_timers *timers = process->timers;

	if (!timers)
		return;
	posix_timers_delete(timers);
	timer_disarm(&timers->real);
	timer_disarm(&timers->cpu_check);
}

void timers_free(struct process *process)
{
	if (!process->timers)
		return;
	timers_exit(process);
	slab_free(&process_timers_slab, process->timers);
	process->timers = NULL;
}
