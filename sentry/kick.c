/* kick.c - making a task look up.
 *
 * A task that waits on its fiber is woken by the fiber's interrupt flag. One that runs guest code must be stopped by
 * the platform, which may park; whoever sends a signal must not. So a fiber of its own, the kicker, does that part:
 * tasks queue up for it, each at most once. The owner of a user thread waits for the kicker to let go
 * (task_kick_settle) before it frees the thread.
 */
#include "sentry/task.h"
#include <errno.h>

static struct {
	struct list queue; /* task.kick_node, counted */
	struct waitq done;
	struct fiber *fiber;
	struct task *busy; /* whose user thread the kicker has in its hands */
} kicker;

static void kick_one(struct task *task)
{
	if (task->in_guest && task->uthread) {
		kicker.busy = task;
		if (task->killed)
			uthread_kill(task->uthread);
		else
			uthread_kick(task->uthread);
		kicker.busy = NULL;
		waitq_wake(&kicker.done, 0);
	}
	task_put(task);
}

static void kicker_main(void *unused)
{
	(void)unused;
	for (;;) {
		while (!list_empty(&kicker.queue)) {
			struct task *task = list_first(&kicker.queue, struct task, kick_node);
			list_remove(&task->kick_node);
			kick_one(task);
		}
		fiber_park();
	}
}

/* Unit tests stop and start the world: the kicker of an earlier world is gone with its fibers. */
static void kicker_start(void)
{
	if (kicker.fiber)
		return;
	list_init(&kicker.queue);
	waitq_init(&kicker.done);
	/* FIBER_LIMIT leaves room beyond TASK_LIMIT. */
	if (fiber_new(kicker_main, NULL, &kicker.fiber))
		assert(!"no fiber for the kicker");
}

void task_kick(struct task *task)
{
	if (!task->fiber)
		return;
	fiber_interrupt(task->fiber);
	if (!task->in_guest || !list_empty(&task->kick_node))
		return;
	kicker_start();
	task_get(task);
	list_push_back(&kicker.queue, &task->kick_node);
	fiber_wake(kicker.fiber);
}

void task_kick_dead(struct task *task)
{
	assert(task->killed);
	task_kick(task);
}

void task_kick_settle(struct task *task)
{
	if (kicker.fiber && kicker.busy == task)
		(void)!WAIT_EVENT_DEAF(&kicker.done, kicker.busy != task);
}

int task_wait_killable(struct task *task, struct waitq *queue, const bool *done)
{
	struct waiter waiter;

	assert(task->fiber == fiber_current());
	waiter_init(&waiter);
	waitq_add(queue, &waiter);
	task->state = TASK_SLEEPING;
	while (!*done && !task->killed)
		fiber_park();
	task->state = TASK_RUNNING;
	waitq_remove(&waiter);
	return *done ? 0 : -EINTR;
}
