/* reap.c - waiting for children: wait4(2) and waitid(2).
 *
 * A waiter is on its process's child_wait before it looks at the children, so no change is missed. Each change is told
 * once: an exit by reaping, a stop and a continuation by a flag, unless WNOWAIT.
 */
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>

#define STATUS_STOPPED   0x7f
#define STATUS_CONTINUED 0xffff

static bool eligible(const struct task *task, const struct process *child, int type, int32_t id, int options)
{
	if (type == ABI_P_PID && child->pid != id)
		return false;
	if (type == ABI_P_PGID && child->pgroup->pgid != id)
		return false;
	if ((options & ABI_WNOTHREAD) && child->parent_task != task)
		return false;
	if (options & ABI_WALL)
		return true;
	/* "Clone" children, that send something else than SIGCHLD, are waited for with __WCLONE only. */
	return (child->exit_signal != SIGCHLD) == !!(options & ABI_WCLONE);
}

static void result_fill(const struct process *child, struct wait_result *out)
{
	out->pid = child->pid;
	out->uid = child->leader->cred->uid;
	process_usage(child, &out->usage);
	rusage_add(&out->usage, &child->children_usage);
}

static bool take_exit(struct task *task, struct process *child, int options, struct wait_result *out)
{
	int status = child->exit_status;

	if (!child->zombie || !(options & ABI_WEXITED))
		return false;
	result_fill(child, out);
	out->status = status;
	out->code = !(status & 0x7f) ? ABI_CLD_EXITED : status & 0x80 ? ABI_CLD_DUMPED : ABI_CLD_KILLED;
	if (options & ABI_WNOWAIT)
		return true;
	rusage_add(&task->process->children_usage, &out->usage);
	process_reap(child);
	return true;
}

static bool take_stop(struct process *child, int options, struct wait_result *out)
{
	if (!child->stopped || child->stop_reported || !(options & ABI_WSTOPPED) || child->zombie)
		return false;
	result_fill(child, out);
	out->status = child->stop_signal << 8 | STATUS_STOPPED;
	out->code = ABI_CLD_STOPPED;
	if (!(options & ABI_WNOWAIT))
		child->stop_reported = true;
	return true;
}

static bool take_continue(struct process *child, int options, struct wait_result *out)
{
	if (!child->continued || !(options & ABI_WCONTINUED) || child->zombie)
		return false;
	result_fill(child, out);
	out->status = STATUS_CONTINUED;
	out->code = ABI_CLD_CONTINUED;
	if (!(options & ABI_WNOWAIT))
		child->continued = false;
	return true;
}

/* A pid, 0 for nothing yet, -ECHILD. */
static long look(struct task *task, int type, int32_t id, int options, struct wait_result *out)
{
	struct process *child, *after;
	bool found = false;

	list_for_each_safe (child, after, &task->process->children, sibling_node) {
		if (!eligible(task, child, type, id, options))
			continue;
		found = true;
		if (take_exit(task, child, options, out) || take_stop(child, options, out) ||
		    take_continue(child, options, out))
			return out->pid;
	}
	return found ? 0 : -ECHILD;
}

long process_wait(struct task *task, int type, int32_t id, int options, struct wait_result *out)
{
	struct waiter waiter;
	long result;

	waiter_init(&waiter);
	waitq_add(&task->process->child_wait, &waiter);
	task->state = TASK_SLEEPING;
	for (;;) {
		result = look(task, type, id, options, out);
		if (result || (options & ABI_WNOHANG))
			break;
		result = waiter_wait(&waiter, DEADLINE_NONE);
		if (result)
			break;
	}
	task->state = TASK_RUNNING;
	waitq_remove(&waiter);
	return result;
}
