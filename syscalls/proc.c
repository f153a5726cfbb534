/* proc.c - processes and threads: numbers, clone, exit, wait, groups and sessions, pidfds.
 *
 * Programs are in exec.c, identities in identity.c, limits and usage in limits.c, scheduling in sched.c, prctl in
 * prctl.c. The rules of life and death are in sentry/.
 */
#include "fs/tty.h"
#include "sentry/base/limits.h"
#include "sentry/futex.h"
#include "sentry/pidfd.h"
#include "sentry/task.h"
#include "syscalls/give.h"
#include "syscalls/handlers.h"
#include "syscalls/usage.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>

#define ANY_WAIT_SCOPE    (ABI_WNOTHREAD | ABI_WCLONE | ABI_WALL)
#define EXIT_STATUS(code) (((code)&0xff) << 8)

/* ------------------------------------------------------------------------------------------------ numbers */

long sys_getpid(struct task *task)
{
	return task->process->pid;
}

long sys_gettid(struct task *task)
{
	return task->tid;
}

long sys_getppid(struct task *task)
{
	return process_ppid(task->process);
}

long sys_set_tid_address(struct task *task, struct uaddr word)
{
	task->clear_child_tid = word;
	return task->tid;
}

long sys_set_robust_list(struct task *task, struct uaddr head, uint64_t size)
{
	if (size != sizeof(struct abi_robust_list_head))
		return -EINVAL;
	task->robust_list = head;
	task->robust_list_bytes = size;
	return 0;
}

long sys_get_robust_list(struct task *task, int32_t tid, struct uaddr head, struct uaddr size)
{
	struct task *target = tid ? task_find(tid) : task;
	const uint64_t bytes = sizeof(struct abi_robust_list_head);

	if (!target)
		return -ESRCH;
	if (task_may_access(task, target))
		return -EPERM;
	if (user_write(task_user(task), size, &bytes, sizeof bytes))
		return -EFAULT;
	return user_write(task_user(task), head, &target->robust_list.v, sizeof target->robust_list.v);
}

/* ------------------------------------------------------------------------------------------------ clone */

long sys_fork(struct task *task)
{
	return task_clone(task, &(struct clone_request){.exit_signal = SIGCHLD});
}

long sys_vfork(struct task *task)
{
	return task_clone(task,
			  &(struct clone_request){.flags = ABI_CLONE_VM | ABI_CLONE_VFORK, .exit_signal = SIGCHLD});
}

long sys_clone(struct task *task, uint64_t flags, struct uaddr stack, struct uaddr parent_tid, struct uaddr child_tid,
	       uint64_t tls)
{
	struct clone_request request = {
		.flags = (uint32_t)flags & ~ABI_CSIGNAL,
		.exit_signal = (int)(flags & ABI_CSIGNAL),
		.stack = stack,
		.tls = tls,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.pidfd = parent_tid, /* the old call has no place of its own for it */
	};

	if ((flags & ABI_CLONE_PIDFD) && (flags & ABI_CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(task, &request);
}

static int clone_args_check(const struct abi_clone_args *args)
{
	uint64_t known = UINT32_MAX | ABI_CLONE_CLEAR_SIGHAND | ABI_CLONE_INTO_CGROUP;

	if (args->flags & ~known)
		return -EINVAL;
	if (args->flags & (ABI_CLONE_DETACHED | (ABI_CSIGNAL & ~ABI_CLONE_NEWTIME)))
		return -EINVAL;
	if (args->exit_signal > SIGNAL_COUNT)
		return -EINVAL;
	if ((args->flags & (ABI_CLONE_THREAD | ABI_CLONE_PARENT)) && args->exit_signal)
		return -EINVAL;
	if (!args->stack != !args->stack_size)
		return -EINVAL;
	if (args->stack && (args->stack_size > PLATFORM_MAX_ADDR || args->stack > PLATFORM_MAX_ADDR - args->stack_size))
		return -EINVAL;
	if (!args->set_tid != !args->set_tid_size || args->set_tid_size > 32)
		return -EINVAL;
	return args->set_tid ? -EPERM : 0; /* as without CAP_CHECKPOINT_RESTORE */
}

/* As copy_struct_from_user: what a later version of the structure has beyond ours must be zero. */
static int clone_args_read(struct task *task, struct uaddr from, uint64_t size, struct abi_clone_args *args)
{
	char tail[64];

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < ABI_CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	memset(args, 0, sizeof *args);
	if (user_read(task_user(task), args, from, MIN(size, sizeof *args)))
		return -EFAULT;
	for (uint64_t at = sizeof *args; at < size; at += sizeof tail) {
		size_t n = MIN(size - at, sizeof tail);
		if (user_read(task_user(task), tail, uaddr_add(from, at), n))
			return -EFAULT;
		for (size_t i = 0; i < n; i++)
			if (tail[i])
				return -E2BIG;
	}
	return clone_args_check(args);
}

long sys_clone3(struct task *task, struct uaddr from, uint64_t size)
{
	struct abi_clone_args args;
	int error = clone_args_read(task, from, size, &args);

	if (error)
		return error;
	return task_clone(task, &(struct clone_request){
					.flags = args.flags,
					.exit_signal = (int)args.exit_signal,
					.stack = UADDR(args.stack + args.stack_size),
					.tls = args.tls,
					.parent_tid = UADDR(args.parent_tid),
					.child_tid = UADDR(args.child_tid),
					.pidfd = UADDR(args.pidfd),
				});
}

/* ------------------------------------------------------------------------------------------------ exit, wait */

long sys_exit(struct task *task, int code)
{
	task_exit(task, EXIT_STATUS(code));
	return 0;
}

long sys_exit_group(struct task *task, int code)
{
	process_exit(task->process, EXIT_STATUS(code));
	return 0;
}

long sys_wait4(struct task *task, int32_t pid, struct uaddr status, int options, struct uaddr usage)
{
	int type = pid == -1 ? ABI_P_ALL : pid > 0 ? ABI_P_PID : ABI_P_PGID;
	struct wait_result got;
	struct abi_rusage used;

	if (options & ~(ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED | ANY_WAIT_SCOPE))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	int32_t id = pid > 0 ? pid : pid == 0 ? task->process->pgroup->pgid : -pid;
	long result = process_wait(task, type, id, options | ABI_WEXITED, &got);
	if (result <= 0)
		return result;
	if (status.v && user_write(task_user(task), status, &got.status, sizeof(int32_t)))
		return -EFAULT;
	if (usage.v) {
		rusage_show(&got.usage, &used);
		if (user_write(task_user(task), usage, &used, sizeof used))
			return -EFAULT;
	}
	return result;
}

/* The process that a pidfd means, as a pid. */
static long pidfd_pid(struct task *task, int fd, int *options, bool *nonblock)
{
	struct file *file;
	int error = fd_get(task->files, fd, &file);

	if (error)
		return error;
	struct process *process = pidfd_process(file);
	long pid = !process ? -EBADF : process->reaped ? -ECHILD : process->pid;
	*nonblock = file->flags & O_NONBLOCK;
	if (*nonblock)
		*options |= ABI_WNOHANG;
	file_put(file);
	return pid;
}

static long waitid_who(struct task *task, int *type, int32_t *id, int *options, bool *nonblock)
{
	switch (*type) {
	case ABI_P_ALL:
		return 0;
	case ABI_P_PID:
		return *id > 0 ? 0 : -EINVAL;
	case ABI_P_PGID:
		if (*id < 0)
			return -EINVAL;
		*id = *id ? *id : task->process->pgroup->pgid;
		return 0;
	case ABI_P_PIDFD: {
		if (*id < 0)
			return -EINVAL;
		long pid = pidfd_pid(task, *id, options, nonblock);
		*type = ABI_P_PID;
		*id = (int32_t)pid;
		return pid < 0 ? pid : 0;
	}
	}
	return -EINVAL;
}

static int status_value(const struct wait_result *got)
{
	switch (got->code) {
	case ABI_CLD_EXITED:
	case ABI_CLD_STOPPED:
		return got->status >> 8 & 0xff;
	case ABI_CLD_CONTINUED:
		return SIGCONT;
	}
	return got->status & 0x7f;
}

static long waitid_give(struct task *task, long result, const struct wait_result *got, struct uaddr info,
			struct uaddr usage)
{
	struct abi_siginfo out = {0};
	struct abi_rusage used;

	if (result > 0) {
		out.si_signo = SIGCHLD;
		out.si_code = got->code;
		out.child.pid = got->pid;
		out.child.uid = got->uid;
		out.child.status = status_value(got);
		rusage_show(&got->usage, &used);
		if (usage.v && user_write(task_user(task), usage, &used, sizeof used))
			return -EFAULT;
		result = 0;
	}
	/* All that Linux writes: the first 28 bytes, of which 12..16 are padding. */
	if (info.v && user_write(task_user(task), info, &out, offsetof(struct abi_siginfo, child.pad)))
		return -EFAULT;
	return result;
}

long sys_waitid(struct task *task, int type, int32_t id, struct uaddr info, int options, struct uaddr usage)
{
	int kinds = ABI_WEXITED | ABI_WSTOPPED | ABI_WCONTINUED;
	struct wait_result got = {0};
	bool nonblock = false;

	if ((options & ~(kinds | ABI_WNOHANG | ABI_WNOWAIT | ANY_WAIT_SCOPE)) || !(options & kinds))
		return -EINVAL;
	long result = waitid_who(task, &type, &id, &options, &nonblock);
	if (!result)
		result = process_wait(task, type, id, options, &got);
	if (!result && nonblock)
		result = -EAGAIN;
	return result < 0 ? result : waitid_give(task, result, &got, info, usage);
}

/* ------------------------------------------------------------------------------------------------ groups, sessions */

long sys_setpgid(struct task *task, int32_t pid, int32_t pgid)
{
	return pgroup_set(task, pid, pgid);
}

static long pgroup_of(struct task *task, int32_t pid, struct pgroup **out)
{
	struct task *target = pid ? task_find(pid) : task;

	if (!target)
		return -ESRCH;
	*out = target->process->pgroup;
	return 0;
}

long sys_getpgid(struct task *task, int32_t pid)
{
	struct pgroup *group;
	long error = pgroup_of(task, pid, &group);

	return error ? error : group->pgid;
}

long sys_getpgrp(struct task *task)
{
	return task->process->pgroup->pgid;
}

long sys_getsid(struct task *task, int32_t pid)
{
	struct pgroup *group;
	long error = pgroup_of(task, pid, &group);

	return error ? error : group->session->sid;
}

long sys_setsid(struct task *task)
{
	return session_start(task);
}

long sys_vhangup(struct task *task)
{
	struct tty *tty = task->process->left_tty ? NULL : task->process->pgroup->session->tty;

	if (!cred_capable(task->cred, CAP_SYS_TTY_CONFIG))
		return -EPERM;
	if (tty)
		tty_hangup(tty);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ pidfd */

long sys_pidfd_open(struct task *task, int32_t pid, uint32_t flags)
{
	struct file *file;

	if ((flags & ~(uint32_t)O_NONBLOCK) || pid <= 0)
		return -EINVAL;
	struct task *target = task_find(pid);
	if (!target)
		return -ESRCH;
	if (target->process->pid != pid)
		return -EINVAL;
	int error = pidfd_new(target->process, flags, task->cred, &file);
	return error ? error : file_give(task, file, true);
}

long sys_pidfd_getfd(struct task *task, struct file *pidfd, int fd, uint32_t flags)
{
	struct process *process = pidfd_process(pidfd);
	struct file *file;

	if (flags)
		return -EINVAL;
	if (!process)
		return -EBADF;
	struct task *target = process->leader;
	if (process->reaped || !target->files)
		return -ESRCH;
	if (task_may_access(task, target))
		return -EPERM;
	int error = fd_get(target->files, fd, &file);
	return error ? error : file_give(task, file, true);
}

/* ------------------------------------------------------------------------------------------------ namespaces,
 * comparing */

static int unshare_fs(struct task *task)
{
	struct fs_context *old = task->fs, *copy;

	if (old->ref.count == 1)
		return 0;
	copy = fs_context_copy(old);
	if (!copy)
		return -ENOMEM;
	task->fs = copy;
	fs_context_put(old);
	return 0;
}

static int unshare_files(struct task *task)
{
	struct fdtable *old = task->files, *copy;

	if (old->ref.count == 1)
		return 0;
	copy = fdtable_copy(old);
	if (!copy)
		return -ENOMEM;
	task->files = copy;
	fdtable_put(old);
	return 0;
}

long sys_unshare(struct task *task, uint64_t flags)
{
	uint64_t alone = ABI_CLONE_THREAD | ABI_CLONE_SIGHAND | ABI_CLONE_VM;
	uint64_t known =
		alone | ABI_CLONE_FS | ABI_CLONE_FILES | ABI_CLONE_SYSVSEM | ABI_CLONE_NEW_ANY | ABI_CLONE_NEWTIME;
	int error = 0;

	if (flags & ~known)
		return -EINVAL;
	if ((flags & alone) && (task->process->thread_count > 1 || task->mm->ref.count > 1))
		return -EINVAL;
	if (flags & (ABI_CLONE_NEW_ANY | ABI_CLONE_NEWTIME))
		return -EPERM;
	if (flags & ABI_CLONE_FS)
		error = unshare_fs(task);
	if (!error && (flags & ABI_CLONE_FILES))
		error = unshare_files(task);
	return error;
}

/* Of every kind there is one namespace, and no descriptor of it: a process can be named by its pidfd only. */
long sys_setns(struct task *task, struct file *file, uint32_t kinds)
{
	const uint64_t known = ABI_CLONE_NEW_ANY | ABI_CLONE_NEWTIME;

	(void)task;
	if (file->kind != FILE_PIDFD || !kinds || kinds & ~known)
		return -EINVAL;
	return -EPERM;
}

enum kcmp_type { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM };

/* The order of two objects by their place in the arena, which says nothing about the host. */
static long order(const void *a, const void *b)
{
	return a == b ? 0 : a < b ? 1 : 2;
}

static long compare_files(struct task *a, struct task *b, uint64_t fd_a, uint64_t fd_b)
{
	struct file *file_a, *file_b;

	if (!a->files || !b->files || fd_a > INT32_MAX || fd_b > INT32_MAX || fd_get(a->files, (int)fd_a, &file_a))
		return -EBADF;
	if (fd_get(b->files, (int)fd_b, &file_b)) {
		file_put(file_a);
		return -EBADF;
	}
	long result = order(file_a, file_b);
	file_put(file_a);
	file_put(file_b);
	return result;
}

long sys_kcmp(struct task *task, int32_t pid_a, int32_t pid_b, int type, uint64_t index_a, uint64_t index_b)
{
	struct task *a = task_find(pid_a), *b = task_find(pid_b);

	if (!a || !b)
		return -ESRCH;
	if (task_may_access(task, a) || task_may_access(task, b))
		return -EPERM;
	switch (type) {
	case KCMP_FILE:
		return compare_files(a, b, index_a, index_b);
	case KCMP_VM:
		return order(a->mm, b->mm);
	case KCMP_FILES:
		return order(a->files, b->files);
	case KCMP_FS:
		return order(a->fs, b->fs);
	case KCMP_SIGHAND:
		return order(a->sighand, b->sighand);
	case KCMP_IO: /* Linux makes a task's context when it gets a priority */
		return a->sched.io_priority || b->sched.io_priority ? order(a, b) : 0;
	case KCMP_SYSVSEM:
		if (list_empty(&a->process->sem_undos) && list_empty(&b->process->sem_undos))
			return 0;
		return order(a->process, b->process);
	}
	return -EINVAL;
}
