/* hold.c - see hold.h. The sentry serves calls meanwhile, and whoever is killed dies: only going back into guest code
 * waits.
 *
 * Limits: a thread is out once the host has given it a CPU to take the signal on.
 */
#include "sentry/hold.h"
#include "sentry/task.h"

static struct {
	unsigned reasons; /* enum hold_reason, or-ed */
	bool open;        /* guests may run */
	struct waitq waiting;
} gate = {.open = true};

void hold_init(void)
{
	waitq_init(&gate.waiting);
}

bool hold_active(void)
{
	return !gate.open;
}

void hold_wait(struct task *task)
{
	(void)!task_wait_killable(task, &gate.waiting, &gate.open);
}

void hold_begin(enum hold_reason reason)
{
	struct process *process;
	struct task *task;
	struct list *all = process_all();

	gate.reasons |= reason;
	if (!gate.open)
		return;
	gate.open = false;
	list_for_each (process, all, all_node)
		list_for_each (task, &process->threads, thread_node)
			if (task->in_guest)
				task_kick(task);
}

void hold_end(enum hold_reason reason)
{
	gate.reasons &= ~(unsigned)reason;
	if (gate.open || gate.reasons)
		return;
	gate.open = true;
	waitq_wake(&gate.waiting, 0);
}
