/* exec.c - the tasks' side of execve(2): who the program will be, the end of the other threads, what is kept and what
 * begins anew.
 *
 * Everything that can fail comes before the point of no return: the loader builds a complete new mm, and the platform a
 * user thread in it. Then the other threads leave (process_single), and without a way back the task moves over: memory,
 * user thread, credentials, dispositions, descriptors. The old user thread dies at its call; the call has no result.
 */
#include "sentry/exec.h"
#include "fs/mount.h"
#include "sentry/task.h"
#include "sentry/timer.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define PERSONALITY_UNSAFE 0x03d00000u /* PER_CLEAR_ON_SETID: what a set-id program must not inherit */

/* ------------------------------------------------------------------------------------------------ credentials */

static void take_set_id(struct cred *cred, const struct inode *inode)
{
	if (inode->mode & S_ISUID)
		cred->euid = inode->uid;
	/* Set-group-id without group execution marks mandatory locking: it changes nobody. */
	if ((inode->mode & S_ISGID) && (inode->mode & S_IXGRP))
		cred->egid = inode->gid;
}

/* capabilities(7), "Transformation of capabilities during execve()": our files have none of their own, so only root's.
 */
static bool transform_caps(struct cred *cred, const struct cred *old, bool set_id)
{
	bool root_rule = !(old->securebits & SECBIT_NOROOT), effective = false;
	uint64_t gained = 0;

	if (root_rule && (!cred->euid || !cred->uid)) {
		gained = cred->cap_inheritable | cred->cap_bounding;
		effective = !cred->euid;
	}
	uint64_t ambient = set_id || gained ? 0 : cred->cap_ambient;
	cred->cap_ambient = ambient;
	cred->cap_permitted = gained | ambient;
	cred->cap_effective = effective ? cred->cap_permitted : ambient;
	return cred->uid && (effective || (cred->cap_permitted & ~ambient));
}

int exec_identity(const struct exec_request *request, struct file *program, struct exec_identity *out)
{
	const struct cred *old = request->task->cred;
	struct cred *cred = cred_copy(old);

	if (!cred)
		return -ENOMEM;
	if (!request->task->no_new_privs && !(program->path.mount && program->path.mount->flags & MS_NOSUID))
		take_set_id(cred, program->inode);
	bool set_id = cred->euid != old->uid || cred->egid != old->gid;
	bool changed = cred->euid != old->euid || cred->egid != old->egid;
	bool capable = transform_caps(cred, old, cred->euid != old->euid || cred->egid != old->egid);
	cred->suid = cred->fsuid = cred->euid;
	cred->sgid = cred->fsgid = cred->egid;
	cred->securebits &= ~SECBIT_KEEP_CAPS;
	*out = (struct exec_identity){
		.cred = cred,
		.uid = cred->uid,
		.euid = cred->euid,
		.gid = cred->gid,
		.egid = cred->egid,
		.secure = set_id || capable,
		.dumpable = !changed && !inode_permission(program->inode, old, 4),
	};
	return 0;
}

/* ------------------------------------------------------------------------------------------------ one thread only */

static void end_others(struct task *task)
{
	struct task *other;

	list_for_each (other, &task->process->threads, thread_node) {
		if (other == task || other->killed)
			continue;
		other->killed = true;
		task_kick_dead(other);
	}
}

/* The caller gets the number of the process; the old leader, which has left, goes without a trace (as de_thread does).
 */
static void take_leadership(struct task *task)
{
	struct process *process = task->process;
	struct task *old = process->leader;

	assert(!old->fiber && !old->uthread);
	task_unhash(old);
	list_remove(&old->thread_node);
	task_unhash(task);
	task->tid = process->pid;
	task->start_ns = old->start_ns;
	process->leader = task;
	task_hash(task);
	task_put(old);
}

int process_single(struct task *task)
{
	struct process *process = task->process;
	struct waiter waiter;

	if (process->exiting || process->execing || task->killed)
		return -EAGAIN;
	if (process->thread_count > 1) {
		process->execing = task;
		end_others(task);
		waiter_init(&waiter);
		waitq_add(&process->thread_wait, &waiter);
		while (process->thread_count > 1 && !task->killed)
			fiber_park();
		waitq_remove(&waiter);
		process->execing = NULL;
	}
	if (task->killed)
		return -EAGAIN;
	if (process->leader != task)
		take_leadership(task);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ the new program */

static void request_fill(struct exec_request *request, const struct walker *walker, struct task *task,
			 struct file *file)
{
	const struct process *process = task->process;

	request->walker = walker;
	request->task = task;
	request->file = file;
	request->stack_limit = process_limit(process, ABI_RLIMIT_STACK);
	request->data_limit = process_limit(process, ABI_RLIMIT_DATA);
	request->as_limit = process_limit(process, ABI_RLIMIT_AS);
	request->memlock_limit = process_limit(process, ABI_RLIMIT_MEMLOCK);
	request->personality = task->personality;
}

static void take_name(struct task *task, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	memset(task->comm, 0, sizeof task->comm);
	memcpy(task->comm, name, strnlen(name, sizeof task->comm - 1));
}

/* Tables that other processes share become the task's own. */
static int unshare(struct task *task)
{
	struct sighand *sighand = task->sighand;
	struct fdtable *files = task->files;

	if (sighand->ref.count > 1) {
		task->sighand = sighand_copy(sighand);
		if (!task->sighand) {
			task->sighand = sighand;
			return -ENOMEM;
		}
		sighand_put(sighand);
	}
	if (files->ref.count > 1) {
		task->files = fdtable_copy(files);
		if (!task->files) {
			task->files = files;
			return -ENOMEM;
		}
		fdtable_put(files);
	}
	return 0;
}

static void drop_old_program(struct task *task)
{
	struct process *process = task->process;
	struct mm *mm = task->mm;
	struct uthread *thread = task->uthread;
	struct memory_usage usage;

	if (!mm)
		return;
	task_release_memory(task);
	aspace_usage(mm->as, &usage);
	process->usage.max_rss_kb = MAX(process->usage.max_rss_kb, usage.peak / 1024);
	task->user_ns = task_cpu_ns(task);
	task->uthread = NULL;
	task_kick_settle(task);
	uthread_kill(thread);
	uthread_free(thread);
	task->mm = NULL;
	mm_put(mm);
}

static void begin_anew(struct task *task, bool secure)
{
	struct process *process = task->process;

	sighand_reset_for_exec(task->sighand);
	timers_exec(process);
	task_keys_exec(task);
	task->altstack = UADDR_NULL;
	task->altstack_size = 0;
	task->altstack_flags = ABI_SS_DISABLE;
	task->robust_list = UADDR_NULL;
	task->clear_child_tid = UADDR_NULL;
	task->restart.kind = RESTART_NONE;
	memset(&task->fault, 0, sizeof task->fault);
	if (secure) {
		task->pdeath_signal = 0;
		task->personality &= ~PERSONALITY_UNSAFE;
	}
	process->exec_done = true;
	if (process->exit_signal)
		process->exit_signal = SIGCHLD;
}

/* The point of no return has been passed. */
static void move_over(struct task *task, struct exec_image *image, struct uthread *thread, const char *path)
{
	drop_old_program(task);
	task->mm = image->mm;
	task->uthread = thread;
	image->mm = NULL;
	begin_anew(task, image->identity.secure);
	take_name(task, path);
	fdtable_close_on_exec(task->files);
	task_cred_set(task, image->identity.cred);
	image->identity.cred = NULL;
	process_identity_update(task->process);
	task->context_set = true;
}

static void discard_thread(struct uthread *thread)
{
	uthread_kill(thread);
	uthread_free(thread);
}

static long exec_request_run(struct task *task, const struct exec_request *request)
{
	struct exec_image image = {0};
	struct uthread *thread;
	int error = exec_load(request, &image);

	if (error && image.fatal)
		process_exit(task->process, SIGSEGV);
	if (error)
		return error;
	error = uthread_new(image.mm->as, NULL, &image.start, &thread);
	if (error) {
		exec_image_free(&image);
		return error;
	}
	error = process_single(task);
	if (!error) {
		run_leave(task);
		error = unshare(task);
		if (error) /* too late to go on with the old program, as its threads are gone */
			process_exit(task->process, SIGKILL);
	}
	if (error)
		discard_thread(thread);
	else
		move_over(task, &image, thread, request->filename);
	exec_image_free(&image);
	return error;
}

long task_exec_at(struct task *task, struct file *file, const char *path, bool path_closed, char *const argv[],
		  char *const envp[])
{
	struct fiber *fiber = fiber_current();
	bool boot = !task_current() && fiber;
	struct walker walker = {.context = task->fs, .cred = task->cred, .start = task->fs->cwd};
	struct exec_request request = {.filename = path, .filename_closed = path_closed, .argv = argv, .envp = envp};

	request_fill(&request, &walker, task, file);
	if (boot) /* what the loader does it does for this task */
		fiber_owner_set(fiber, task);
	long result = exec_request_run(task, &request);
	if (!result)
		run_tell_exec(task, path, argv);
	if (boot) {
		fiber_owner_set(fiber, NULL);
		task->context_set = false;
	}
	return result;
}

long task_exec(struct task *task, struct file *file, const char *path, char *const argv[], char *const envp[])
{
	return task_exec_at(task, file, path, false, argv, envp);
}
