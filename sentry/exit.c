/* exit.c - how threads and processes end, and what their end means for others.
 *
 * Whoever ends a task only marks it (killed) and kicks it; the task leaves its loop and gives everything back itself,
 * on its own fiber (task_exit_now). The last thread of a process makes it a zombie: children get another parent, the
 * parent is told. A zombie is its leader's task and the process object; process_reap takes both away.
 *
 *     alive --process_exit / last task_exit--> exiting --last thread has left--> zombie --process_reap--> reaped
 *
 * Orphans go to the nearest subreaper. Where there is none they go to pid 1, which ignores SIGCHLD: they are reaped at
 * once. The end of the first program ends everybody, and the sandbox.
 */
#include "sentry/boot.h"
#include "sentry/futex.h"
#include "sentry/sysv.h"
#include "sentry/task.h"
#include "sentry/timer.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define STATUS_SIGNAL(status) ((status)&0x7f)
#define STATUS_DUMPED(status) ((status)&0x80)
#define STATUS_CODE(status)   (((status) >> 8) & 0xff)

void task_exit(struct task *task, int status)
{
	if (task->killed)
		return;
	task->exit_code = status;
	task->killed = true;
}

void process_exit(struct process *process, int status)
{
	struct task *task;

	if (process->zombie)
		return;
	if (!process->exiting) {
		process->exiting = true;
		process->exit_status = status;
		process->group_stop = process->stopped = false;
		waitq_wake(&process->continue_wait, 0);
	}
	list_for_each (task, &process->threads, thread_node) {
		task->killed = true;
		task_kick_dead(task);
	}
}

void task_release_memory(struct task *task)
{
	const uint32_t zero = 0;
	struct uaddr word = task->clear_child_tid;

	futex_exit(task);
	task->clear_child_tid = UADDR_NULL;
	/* set_tid_address(2): only when somebody else still has this memory. */
	if (word.v && task->mm->ref.count > 1 && !user_write(task_user(task), word, &zero, sizeof zero))
		(void)!futex_wake(task, word, true, 1, ABI_FUTEX_BITSET_ANY);
	if (!task->vfork_done)
		return;
	task->vfork_done->done = true;
	waitq_wake(&task->vfork_done->queue, 0);
	task->vfork_done = NULL;
}

/* ------------------------------------------------------------------------------------------------ parents */

static void siginfo_child(const struct process *process, struct abi_siginfo *info)
{
	int status = process->exit_status;

	*info = (struct abi_siginfo){.si_signo = process->exit_signal};
	info->child.pid = process->pid;
	info->child.uid = process->leader->cred->uid;
	info->child.utime = (int64_t)(process->usage.user_ns / (NS_PER_S / ABI_USER_HZ));
	info->child.stime = (int64_t)(process->usage.system_ns / (NS_PER_S / ABI_USER_HZ));
	if (STATUS_SIGNAL(status)) {
		info->si_code = STATUS_DUMPED(status) ? ABI_CLD_DUMPED : ABI_CLD_KILLED;
		info->child.status = STATUS_SIGNAL(status);
	} else {
		info->si_code = ABI_CLD_EXITED;
		info->child.status = STATUS_CODE(status);
	}
}

/* Tells the parent of a zombie. True: nobody will wait for it. */
static bool tell_parent(struct process *process)
{
	struct process *parent = process->parent;
	int sig = process->exit_signal;
	bool unwanted = false;
	struct abi_siginfo info;

	if (!parent->leader)
		return true;
	const struct abi_sigaction *action = &parent->leader->sighand->action[SIGCHLD - 1];
	if (sig == SIGCHLD && (action->handler == ABI_SIG_IGN || (action->flags & ABI_SA_NOCLDWAIT)))
		unwanted = true;
	if (sig == SIGCHLD && action->handler == ABI_SIG_IGN)
		sig = 0;
	siginfo_child(process, &info);
	if (sig > 0 && sig <= SIGNAL_COUNT)
		signal_send_process(parent, sig, &info);
	waitq_wake(&parent->child_wait, 0);
	return unwanted;
}

void process_reap(struct process *process)
{
	struct task *leader = process->leader;

	assert(process->zombie && !process->reaped);
	process->reaped = true;
	list_remove(&process->sibling_node);
	list_remove(&process->all_node);
	list_remove(&process->pgroup_node);
	if (process->pgroup)
		pgroup_put(process->pgroup);
	process->pgroup = NULL;
	process->parent = NULL;
	process->leader = NULL;
	task_unhash(leader);
	list_remove(&leader->thread_node);
	waitq_wake(&process->exit_wait, 0);
	task_put(leader);
	process_put(process);
}

static struct process *new_parent(const struct process *leaving)
{
	struct process *candidate;

	for (candidate = leaving->parent; candidate; candidate = candidate->parent)
		if (candidate->child_subreaper && !candidate->exiting)
			return candidate;
	return process_init();
}

static void give_child(struct process *child, struct process *parent)
{
	child->parent = parent;
	child->parent_task = NULL;
	child->exit_signal = SIGCHLD;
	list_remove(&child->sibling_node);
	list_push_back(&parent->children, &child->sibling_node);
	process_identity_update(child);
	if (child->zombie && tell_parent(child))
		process_reap(child);
}

/* PR_SET_PDEATHSIG: to the threads that asked, of children that this thread had made. */
static void parent_died_signal(struct process *child)
{
	struct task *thread;

	list_for_each (thread, &child->threads, thread_node) {
		struct abi_siginfo info = {.si_code = ABI_SI_USER};
		if (thread->pdeath_signal && !thread->killed)
			signal_send_process(child, thread->pdeath_signal, &info);
	}
}

static void leave_children(struct task *task)
{
	struct process *process = task->process, *child, *after, *parent = NULL;
	struct task *heir;

	list_for_each (child, &process->children, sibling_node)
		if (child->parent_task == task) {
			parent_died_signal(child);
			child->parent_task = NULL;
			list_for_each (heir, &process->threads, thread_node)
				if (!heir->killed) {
					child->parent_task = heir;
					break;
				}
		}
	if (process->thread_count || process->is_main)
		return;
	list_for_each_safe (child, after, &process->children, sibling_node) {
		struct pgroup *group = child->pgroup;
		if (!parent)
			parent = new_parent(process);
		pgroup_get(group);
		give_child(child, parent);
		pgroup_orphan_check(group, process);
		pgroup_put(group);
	}
}

/* ------------------------------------------------------------------------------------------------ the end */

static void kill_all_others(const struct process *main)
{
	struct process *process;
	struct list *all = process_all();

	list_for_each (process, all, all_node)
		if (process != main && !process->is_init)
			process_exit(process, SIGKILL);
}

/* The last thread has left. May free the process and the calling task. */
static void process_gone(struct process *process)
{
	timers_exit(process);
	sem_exit(process);
	if (process->pgroup->session->sid == process->pid)
		session_leader_gone(process->pgroup->session);
	process->zombie = true;
	pgroup_orphan_check(process->pgroup, process);
	waitq_wake(&process->exit_wait, 0);
	if (process->is_main) {
		kill_all_others(process);
		boot_main_exited(process->exit_status);
		return;
	}
	if (tell_parent(process)) {
		struct process *parent = process->parent;
		process_reap(process);
		waitq_wake(&parent->child_wait, 0);
	}
}

static void drop_memory(struct task *task)
{
	struct mm *mm = task->mm;
	struct uthread *thread = task->uthread;
	struct rusage_counts used;

	if (mm)
		task_release_memory(task);
	task_usage(task, &used);
	rusage_add(&task->process->usage, &used);
	task_totals_add(&used);
	task->user_ns = 0;
	memset(&task->io, 0, sizeof task->io);
	task->uthread = NULL;
	if (thread) {
		task_kick_settle(task);
		uthread_kill(thread);
		uthread_free(thread);
	}
	task->mm = NULL;
	if (mm)
		mm_put(mm);
}

static void drop_files(struct task *task)
{
	struct fdtable *files = task->files;
	struct fs_context *fs = task->fs;

	task->files = NULL;
	task->fs = NULL;
	if (files)
		fdtable_put(files);
	if (fs)
		fs_context_put(fs);
}

void task_exit_now(struct task *task)
{
	struct process *process = task->process;
	bool leader = process->leader == task;

	assert(task->killed && fiber_current() == task->fiber);
	signal_stop_leave(task);
	run_leave(task);
	drop_memory(task);
	drop_files(task);
	task_keys_drop(task);
	/* From here on nothing parks: others see the thread either there or gone. */
	signal_retarget(task, ~0ull);
	assert(process->thread_count > 0);
	bool last = !--process->thread_count;
	if (last && !process->exiting) {
		process->exiting = true;
		process->exit_status = task->exit_code;
	}
	run_tell_exit(task, process->exiting ? process->exit_status : task->exit_code);
	leave_children(task);
	task->state = TASK_ZOMBIE;
	task->fiber = NULL;
	fiber_owner_set(fiber_current(), NULL);
	waitq_wake(&process->thread_wait, 0);
	if (!leader) {
		task_unhash(task);
		list_remove(&task->thread_node);
	}
	process_get(process);
	if (last)
		process_gone(process);
	process_put(process);
	if (!leader)
		task_put(task);
}
