/* sig.c - the calls about signals: dispositions, masks, sending, waiting, signalfd.
 *
 * sentry/signal.c has the rules of queues and delivery; here are arguments and permissions, in the kernel's order.
 */
#include "sentry/clock.h"
#include "sentry/futex.h"
#include "sentry/pidfd.h"
#include "sentry/procfs.h"
#include "sentry/signalfd.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include "syscalls/poll.h"
#include "syscalls/restart.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

static bool sig_valid(int sig)
{
	return sig >= 0 && sig <= SIGNAL_COUNT;
}

/* ------------------------------------------------------------------------------------------------ dispositions, masks
 */

long sys_rt_sigaction(struct task *task, int sig, const struct abi_sigaction *new, struct abi_sigaction *old,
		      uint64_t size)
{
	if (size != sizeof(abi_sigset) || sig < 1 || sig > SIGNAL_COUNT ||
	    (new && (SIGNAL_BIT(sig) & SIGNAL_UNSTOPPABLE)))
		return -EINVAL;
	if (old)
		*old = task->sighand->action[sig - 1];
	if (new) {
		struct abi_sigaction action = *new;
		action.flags &= ABI_SA_FLAGS;
		signal_action_set(task, sig, &action);
	}
	return 0;
}

long sys_rt_sigprocmask(struct task *task, int how, const uint64_t *new, uint64_t *old, uint64_t size)
{
	uint64_t blocked = task->blocked;

	if (size != sizeof(abi_sigset))
		return -EINVAL;
	if (old)
		*old = blocked;
	if (!new)
		return 0;
	switch (how) {
	case ABI_SIG_BLOCK:
		blocked |= *new;
		break;
	case ABI_SIG_UNBLOCK:
		blocked &= ~*new;
		break;
	case ABI_SIG_SETMASK:
		blocked = *new;
		break;
	default:
		return -EINVAL;
	}
	signal_mask_set(task, blocked);
	return 0;
}

long sys_rt_sigpending(struct task *task, struct uaddr set, uint64_t size)
{
	uint64_t pending = signal_pending_set(task) & task->blocked;

	if (size > sizeof pending)
		return -EINVAL;
	return user_write(task_user(task), set, &pending, size);
}

long sys_rt_sigreturn(struct task *task)
{
	signal_return(task);
	return 0;
}

long sys_sigaltstack(struct task *task, const struct abi_stack *new, struct abi_stack *old)
{
	struct uregs regs = {0};

	if (task->altstack_size)
		uthread_context_get(task->uthread, &regs);
	return signal_altstack(task, regs.rsp, new, old);
}

/* ------------------------------------------------------------------------------------------------ waiting */

/* PARKS until a signal wants to be delivered. */
static long wait_for_signal(struct task *task)
{
	struct waiter waiter;

	waiter_init(&waiter);
	task->state = TASK_SLEEPING;
	while (!signal_is_pending(task)) {
		signal_recalc(task);
		(void)!waiter_wait(&waiter, DEADLINE_NONE);
	}
	task->state = TASK_RUNNING;
	return -ERESTARTNOHAND;
}

long sys_pause(struct task *task)
{
	return wait_for_signal(task);
}

long sys_rt_sigsuspend(struct task *task, const uint64_t *set, uint64_t size)
{
	if (size != sizeof(abi_sigset))
		return -EINVAL;
	signal_mask_push(task, *set);
	return wait_for_signal(task);
}

long sys_rt_sigtimedwait(struct task *task, const uint64_t *set, struct uaddr info, const struct abi_timespec *timeout,
			 uint64_t size)
{
	uint64_t deadline_ns = DEADLINE_NONE, timeout_ns;
	struct abi_siginfo taken;

	if (size != sizeof(abi_sigset))
		return -EINVAL;
	if (timeout) {
		if (timespec_ns(timeout, &timeout_ns))
			return -EINVAL;
		deadline_ns = deadline_after(clock_fresh_ns(), timeout_ns);
	}
	long sig = signal_wait(task, *set, deadline_ns, &taken);
	if (sig > 0 && info.v && user_write(task_user(task), info, &taken, sizeof taken))
		return -EFAULT;
	return sig;
}

/* ------------------------------------------------------------------------------------------------ sending */

/* kill(2)'s checks for one process, then the signal. sig 0 only asks. */
static int send_checked(struct task *task, struct process *process, int sig, const struct abi_siginfo *info)
{
	if (!sig_valid(sig))
		return -EINVAL;
	if (!process->leader)
		return -ESRCH;
	if (!task_may_signal(task, process, sig))
		return -EPERM;
	return sig ? signal_send_process(process, sig, info) : 0;
}

static long kill_group(struct task *task, struct pgroup *group, int sig, const struct abi_siginfo *info)
{
	struct process *process, *after;
	long result = -ESRCH;

	if (!group)
		return -ESRCH;
	pgroup_get(group);
	list_for_each_safe (process, after, &group->members, pgroup_node) {
		int error = send_checked(task, process, sig, info);
		if (!error || result)
			result = error;
	}
	pgroup_put(group);
	return result;
}

/* Everybody but pid 1 and the caller. */
static long kill_all(struct task *task, int sig, const struct abi_siginfo *info)
{
	struct process *process, *after;
	struct list *all = process_all();
	long result = -ESRCH;

	list_for_each_safe (process, after, all, all_node) {
		if (process->is_init || process == task->process)
			continue;
		int error = send_checked(task, process, sig, info);
		if (error != -EPERM)
			result = error;
	}
	return result;
}

long sys_kill(struct task *task, int32_t pid, int sig)
{
	struct abi_siginfo info;

	siginfo_user(&info, sig, ABI_SI_USER, task);
	if (pid > 0) {
		struct task *target = task_find(pid);
		return target ? send_checked(task, target->process, sig, &info) : -ESRCH;
	}
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1)
		return kill_all(task, sig, &info);
	return kill_group(task, pid ? pgroup_find(-pid) : task->process->pgroup, sig, &info);
}

static long send_thread(struct task *task, int32_t tgid, int32_t tid, int sig, const struct abi_siginfo *info)
{
	struct task *target = task_find(tid);

	if (!target || (tgid > 0 && target->process->pid != tgid))
		return -ESRCH;
	if (!sig_valid(sig))
		return -EINVAL;
	if (!task_may_signal(task, target->process, sig))
		return -EPERM;
	return sig ? signal_send_task(target, sig, info) : 0;
}

long sys_tkill(struct task *task, int32_t tid, int sig)
{
	struct abi_siginfo info;

	if (tid <= 0)
		return -EINVAL;
	siginfo_user(&info, sig, ABI_SI_TKILL, task);
	return send_thread(task, 0, tid, sig, &info);
}

long sys_tgkill(struct task *task, int32_t tgid, int32_t tid, int sig)
{
	struct abi_siginfo info;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	siginfo_user(&info, sig, ABI_SI_TKILL, task);
	return send_thread(task, tgid, tid, sig, &info);
}

/* Nobody may claim that the kernel, or kill(2), sent it: only a thread to itself. */
static bool may_claim(const struct task *task, int32_t tid, const struct abi_siginfo *info)
{
	return (info->si_code < 0 && info->si_code != ABI_SI_TKILL) || task->tid == tid;
}

long sys_rt_sigqueueinfo(struct task *task, int32_t pid, int sig, const struct abi_siginfo *given)
{
	struct abi_siginfo info = *given;

	info.si_signo = sig;
	if (!may_claim(task, pid, &info))
		return -EPERM;
	struct task *target = task_find(pid);
	return target ? send_checked(task, target->process, sig, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(struct task *task, int32_t tgid, int32_t tid, int sig, const struct abi_siginfo *given)
{
	struct abi_siginfo info = *given;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	info.si_signo = sig;
	if (!may_claim(task, tid, &info))
		return -EPERM;
	return send_thread(task, tgid, tid, sig, &info);
}

long sys_pidfd_send_signal(struct task *task, struct file *file, int sig, struct uaddr given, uint32_t flags)
{
	struct process *process = pidfd_process(file);
	struct abi_siginfo info;

	if (flags)
		return -EINVAL;
	int error = process ? 0 : procfs_process(file, &process); /* from before there were pidfds (Linux 5.1) */
	if (error)
		return error;
	if (given.v) {
		if (user_read(task_user(task), &info, given, sizeof info))
			return -EFAULT;
		if (info.si_signo != sig)
			return -EINVAL;
		if (!may_claim(task, process->pid, &info))
			return -EPERM;
	} else {
		siginfo_user(&info, sig, ABI_SI_USER, task);
	}
	return process->reaped ? -ESRCH : send_checked(task, process, sig, &info);
}

/* ------------------------------------------------------------------------------------------------ signalfd */

static long signalfd_open(struct task *task, int fd, uint64_t set, uint64_t size, uint32_t flags)
{
	struct file *file;
	int error;

	if (size != sizeof(abi_sigset) || (flags & ~(uint32_t)(ABI_SFD_CLOEXEC | ABI_SFD_NONBLOCK)))
		return -EINVAL;
	if (fd != -1) {
		error = fd_get(task->files, fd, &file);
		if (error)
			return error;
		error = signalfd_change(file, set);
		file_put(file);
		return error ? error : fd;
	}
	error = signalfd_new(set, flags & ABI_SFD_NONBLOCK, task->cred, &file);
	if (error)
		return error;
	long result = fd_install(task->files, file, flags & ABI_SFD_CLOEXEC, 0,
				 process_limit(task->process, ABI_RLIMIT_NOFILE));
	if (result < 0)
		file_put(file);
	return result;
}

long sys_signalfd(struct task *task, int fd, const uint64_t *set, uint64_t size)
{
	return signalfd_open(task, fd, *set, size, 0);
}

long sys_signalfd4(struct task *task, int fd, const uint64_t *set, uint64_t size, uint32_t flags)
{
	return signalfd_open(task, fd, *set, size, flags);
}

/* ------------------------------------------------------------------------------------------------ restart_syscall */

long sys_restart_syscall(struct task *task)
{
	enum restart_kind kind = task->restart.kind;

	task->restart.kind = RESTART_NONE;
	switch (kind) {
	case RESTART_NANOSLEEP:
		return nanosleep_restart(task);
	case RESTART_FUTEX:
		return futex_restart(task);
	case RESTART_POLL:
		return poll_restart(task);
	case RESTART_NONE:
		break;
	}
	return -EINTR;
}
