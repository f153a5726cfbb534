/* clone.c - clone(2): new threads and processes.
 *
 * The new task is built whole before anybody can find it. What can fail or park comes first: memory and user thread
 * (fork asks the platform for a copy of the address space), the ids written into guest memory, the fiber; then, without
 * parking, it joins process, parent and group.
 *
 * Limits: no namespaces: CLONE_NEW* is EPERM, as for a user without privilege. TASK_LIMIT and RLIMIT_NPROC: EAGAIN.
 */
#include "sentry/pidfd.h"
#include "sentry/task.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>

static bool both(uint64_t flags, uint64_t wanted)
{
	return (flags & wanted) == wanted;
}

/* The combinations that copy_process (kernel/fork.c) refuses, in its order. */
static int flags_check(const struct task *parent, const struct clone_request *request)
{
	uint64_t flags = request->flags;

	if (both(flags, ABI_CLONE_NEWNS | ABI_CLONE_FS) || both(flags, ABI_CLONE_NEWUSER | ABI_CLONE_FS))
		return -EINVAL;
	if ((flags & ABI_CLONE_THREAD) && !(flags & ABI_CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & ABI_CLONE_SIGHAND) && !(flags & ABI_CLONE_VM))
		return -EINVAL;
	if ((flags & ABI_CLONE_PARENT) && parent->process->is_init)
		return -EINVAL;
	if ((flags & ABI_CLONE_THREAD) && (flags & (ABI_CLONE_NEWUSER | ABI_CLONE_NEWPID)))
		return -EINVAL;
	if (both(flags, ABI_CLONE_PIDFD | ABI_CLONE_DETACHED))
		return -EINVAL;
	if (both(flags, ABI_CLONE_SIGHAND | ABI_CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((flags & ABI_CLONE_SETTLS) && request->tls >= PLATFORM_MAX_ADDR)
		return -EPERM;
	return flags & (ABI_CLONE_NEW_ANY | ABI_CLONE_NEWTIME | ABI_CLONE_INTO_CGROUP) ? -EPERM : 0;
}

static int count_check(const struct task *parent)
{
	uint64_t limit = process_limit(parent->process, ABI_RLIMIT_NPROC), count = 0;
	const struct process *process;
	const struct task *task;
	struct list *all = process_all();

	/* Root in the initial namespace is exempt, and whoever has the capability. */
	if (limit >= task_total() || !parent->cred->uid || cred_capable(parent->cred, CAP_SYS_RESOURCE) ||
	    cred_capable(parent->cred, CAP_SYS_ADMIN))
		return 0;
	list_for_each (process, all, all_node)
		list_for_each (task, &process->threads, thread_node)
			count += task->cred->uid == parent->cred->uid;
	return count >= limit ? -EAGAIN : 0;
}

/* ------------------------------------------------------------------------------------------------ what is copied or
 * shared */

static int copy_files(struct task *child, struct task *parent, uint64_t flags)
{
	if (flags & ABI_CLONE_FILES)
		fdtable_get(child->files = parent->files);
	else
		child->files = fdtable_copy(parent->files);
	if (flags & ABI_CLONE_FS)
		fs_context_get(child->fs = parent->fs);
	else
		child->fs = fs_context_copy(parent->fs);
	return child->files && child->fs ? 0 : -ENOMEM;
}

static int copy_sighand(struct task *child, struct task *parent, uint64_t flags)
{
	if (flags & ABI_CLONE_SIGHAND)
		sighand_get(child->sighand = parent->sighand);
	else
		child->sighand = sighand_copy(parent->sighand);
	if (!child->sighand)
		return -ENOMEM;
	if (flags & ABI_CLONE_CLEAR_SIGHAND)
		sighand_reset_for_exec(child->sighand);
	return 0;
}

static void copy_plain(struct task *child, const struct task *parent, const struct clone_request *request)
{
	uint64_t flags = request->flags;

	memcpy(child->comm, parent->comm, sizeof child->comm);
	child->blocked = parent->blocked;
	child->no_new_privs = parent->no_new_privs;
	child->personality = parent->personality;
	child->mempolicy = parent->mempolicy;
	child->timer_slack_ns = child->timer_slack_default_ns = parent->timer_slack_ns;
	child->sched = parent->sched;
	if (child->sched.policy & ABI_SCHED_RESET_ON_FORK) { /* sched_fork in Linux */
		child->sched.policy &= ~ABI_SCHED_RESET_ON_FORK;
		/* a real-time class */
		if (child->sched.priority || child->sched.policy == ABI_SCHED_DEADLINE) {
			child->sched.policy = ABI_SCHED_OTHER;
			child->sched.priority = 0;
		}
		child->sched.nice = MAX(child->sched.nice, 0);
	}
	/* A new thread of the same memory must not run its handlers on its maker's stack; vfork's parent sleeps. */
	if (!(flags & ABI_CLONE_VM) || (flags & ABI_CLONE_VFORK)) {
		child->altstack = parent->altstack;
		child->altstack_size = parent->altstack_size;
		child->altstack_flags = parent->altstack_flags;
	}
	if (flags & ABI_CLONE_CHILD_CLEARTID)
		child->clear_child_tid = request->child_tid;
	cred_get(child->cred = parent->cred);
}

static int copy_process(struct task *child, struct task *parent, const struct clone_request *request,
			struct process **out)
{
	const struct process *from = parent->process;
	struct process *process;
	int error = process_alloc(&process);

	if (error)
		return error;
	process->pid = child->tid;
	process->leader = child;
	memcpy(process->limits, from->limits, sizeof process->limits);
	process->nice = from->nice;
	process->left_tty = from->left_tty;
	process->oom_score_adj = from->oom_score_adj;
	process->coredump_filter = from->coredump_filter;
	process->exit_signal = request->flags & ABI_CLONE_PARENT ? from->exit_signal : request->exit_signal;
	/* Not yet in sight of process_all's readers: it has no threads, parent or group. */
	list_remove(&process->all_node);
	*out = process;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ memory, user thread
 */

static int make_thread(struct task *child, struct task *parent, const struct clone_request *request)
{
	struct uregs regs;
	int error;

	uthread_context_get(parent->uthread, &regs);
	regs.rax = 0;
	if (request->stack.v)
		regs.rsp = request->stack.v;
	if (request->flags & ABI_CLONE_SETTLS)
		regs.fs_base = request->tls;
	if (request->flags & ABI_CLONE_VM) {
		error = uthread_new(parent->mm->as, parent->uthread, &regs, &child->uthread);
		if (!error)
			mm_get(child->mm = parent->mm);
		return error;
	}
	error = mm_fork(parent, &child->mm, &child->uthread);
	if (!error)
		uthread_context_set(child->uthread, &regs);
	return error;
}

static void write_ids(struct task *child, struct task *parent, const struct clone_request *request)
{
	int32_t tid = child->tid;

	/* As in Linux a bad address is the guest's own affair. */
	if (request->flags & ABI_CLONE_PARENT_SETTID)
		(void)!user_write(task_user(parent), request->parent_tid, &tid, sizeof tid);
	if (request->flags & ABI_CLONE_CHILD_SETTID)
		(void)!aspace_write(child->mm->as, NULL, request->child_tid, &tid, sizeof tid);
}

/* Gives back what a task that never ran has. PARKS. */
static void discard(struct task *child, struct process *process)
{
	struct mm *mm = child->mm;

	if (child->uthread) {
		uthread_kill(child->uthread);
		uthread_free(child->uthread);
		child->uthread = NULL;
	}
	child->mm = NULL;
	if (mm)
		mm_put(mm);
	if (process) { /* a pidfd of it that somebody has copied finds nobody */
		process->leader = NULL;
		process->reaped = true;
	}
	task_put(child);
	if (process)
		process_put(process);
}

static int open_pidfd(struct task *parent, struct process *process, const struct clone_request *request, int *fd)
{
	struct file *file;
	int32_t number;
	int error = pidfd_new(process, 0, parent->cred, &file);

	if (error)
		return error;
	*fd = fd_install(parent->files, file, true, 0, process_limit(parent->process, ABI_RLIMIT_NOFILE));
	if (*fd < 0) {
		file_put(file);
		return *fd;
	}
	number = *fd;
	error = user_write(task_user(parent), request->pidfd, &number, sizeof number);
	if (error)
		(void)!fd_close(parent->files, *fd);
	return error;
}

/* ------------------------------------------------------------------------------------------------ joining */

static void join_family(struct task *child, struct process *process, struct task *parent, uint64_t flags)
{
	struct process *maker = parent->process;

	process->parent = flags & ABI_CLONE_PARENT ? maker->parent : maker;
	process->parent_task = flags & ABI_CLONE_PARENT ? maker->parent_task : parent;
	list_push_back(&process->parent->children, &process->sibling_node);
	list_push_back(process_all(), &process->all_node);
	pgroup_join(process, maker->pgroup);
	process_add_thread(process, child);
}

static int start(struct task *child, struct process *process, struct task *parent, uint64_t flags)
{
	struct process *target = process ? process : parent->process;

	/* While we parked everything may have changed for the parent. */
	if (parent->killed || (!process && (target->exiting || target->execing)))
		return -ERESTARTNOINTR;
	int error = count_check(parent); /* others were born meanwhile */
	if (error)
		return error;
	error = fiber_new(task_run_main, child, &child->fiber);
	if (error)
		return error;
	fiber_owner_set(child->fiber, child);
	child->stop_counted = target->group_stop;
	if (process)
		join_family(child, process, parent, flags);
	else
		process_add_thread(target, child);
	task_hash(child);
	task_identity_update(child);
	return 0;
}

static long wait_vfork(struct task *parent, struct task *child, struct vfork_wait *wait)
{
	if (task_wait_killable(parent, &wait->queue, &wait->done))
		child->vfork_done = NULL; /* we are to die: nobody is told any more */
	return 0;
}

static int build(struct task *child, struct task *parent, const struct clone_request *request, struct process **process)
{
	uint64_t flags = request->flags;
	int error;

	copy_plain(child, parent, request);
	error = copy_files(child, parent, flags);
	if (!error)
		error = task_keys_copy(child, parent, flags & ABI_CLONE_THREAD);
	if (!error)
		error = copy_sighand(child, parent, flags);
	if (!error && !(flags & ABI_CLONE_THREAD))
		error = copy_process(child, parent, request, process);
	if (!error)
		error = make_thread(child, parent, request);
	return error;
}

long task_clone(struct task *parent, const struct clone_request *request)
{
	struct vfork_wait wait = {.done = false};
	struct process *process = NULL;
	struct task *child;
	int fd = -1, error = flags_check(parent, request);

	if (!error)
		error = count_check(parent);
	if (!error && parent->sched.policy == ABI_SCHED_DEADLINE)
		error = -EAGAIN; /* a promise to one task cannot be doubled: sched(7) */
	if (!error)
		error = task_alloc(&child);
	if (error)
		return error;
	error = build(child, parent, request, &process);
	if (!error)
		write_ids(child, parent, request);
	if (!error && (request->flags & ABI_CLONE_PIDFD))
		error = open_pidfd(parent, process ? process : parent->process, request, &fd);
	if (!error)
		error = start(child, process, parent, request->flags);
	if (error) {
		if (fd >= 0)
			(void)!fd_close(parent->files, fd);
		discard(child, process);
		return error;
	}
	int32_t tid = child->tid;
	if (!(request->flags & ABI_CLONE_VFORK))
		return tid;
	waitq_init(&wait.queue);
	child->vfork_done = &wait;
	task_get(child);
	wait_vfork(parent, child, &wait);
	task_put(child);
	return tid;
}
