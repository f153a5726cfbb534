/* session.c - process groups and sessions (setpgid(2), setsid(2), credentials(7)).
 *
 * A group lives as long as it has members or somebody refers to it (a terminal's foreground group); so does a session.
 */
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>

long session_start(struct task *task)
{
	struct process *process = task->process;
	struct pgroup *group;

	if (pgroup_find(process->pid))
		return -EPERM;
	int error = pgroup_new(process->pid, NULL, &group);
	if (error)
		return error;
	pgroup_join(process, group);
	pgroup_put(group);
	process->left_tty = false;
	return process->pid;
}

/* May task move process? 0, -ESRCH, -EPERM, -EACCES. */
static int may_move(const struct task *task, const struct process *process)
{
	if (process->parent == task->process) {
		if (process->pgroup->session != task->process->pgroup->session)
			return -EPERM;
		if (process->exec_done)
			return -EACCES;
	} else if (process != task->process) {
		return -ESRCH;
	}
	return process->pgroup->session->sid == process->pid ? -EPERM : 0;
}

long pgroup_set(struct task *task, int32_t pid, int32_t pgid)
{
	if (!pid)
		pid = task->process->pid;
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	struct task *target = task_find(pid);
	if (!target)
		return -ESRCH;
	struct process *process = target->process;
	if (process->pid != pid)
		return -EINVAL;
	int error = may_move(task, process);
	if (error)
		return error;
	struct pgroup *group = pgroup_find(pgid);
	if (pgid != pid && (!group || group->session != task->process->pgroup->session))
		return -EPERM;
	if (group) {
		pgroup_get(group);
	} else {
		error = pgroup_new(pgid, process->pgroup->session, &group);
		if (error)
			return error;
	}
	if (group != process->pgroup)
		pgroup_join(process, group);
	pgroup_put(group);
	return 0;
}

bool pgroup_orphaned(const struct pgroup *group, const struct process *ignored)
{
	const struct process *member;

	list_for_each (member, &group->members, pgroup_node) {
		const struct process *parent = member->parent;
		if (member == ignored || member->zombie || !parent)
			continue;
		/* Whoever runs usbx stops and continues the command's group, as a shell does with its jobs. */
		if (member->is_main)
			return false;
		if (parent->pgroup != group && parent->pgroup && parent->pgroup->session == group->session)
			return false;
	}
	return true;
}

static bool has_stopped(const struct pgroup *group)
{
	const struct process *member;

	list_for_each (member, &group->members, pgroup_node)
		if (member->stopped)
			return true;
	return false;
}

/* Only if it was this exit that made it so: `leaving` was the link to the rest of the session, or its parent was. */
static bool was_linked(const struct pgroup *group, const struct process *leaving)
{
	const struct process *parent = leaving->parent;

	if (leaving->pgroup != group)
		return leaving->pgroup->session == group->session;
	return parent && parent->pgroup && parent->pgroup != group && parent->pgroup->session == group->session;
}

void pgroup_orphan_check(struct pgroup *group, const struct process *leaving)
{
	if (!was_linked(group, leaving) || !pgroup_orphaned(group, leaving) || !has_stopped(group))
		return;
	signal_send_pgroup(group, SIGHUP, NULL);
	signal_send_pgroup(group, SIGCONT, NULL);
}
