/* prctl.c - prctl(2), arch_prctl(2), personality(2): settings of a process or thread that have no call of their own.
 *
 * An option that would make the host do something for us (seccomp filters, speculation control, memory of another size)
 * is EINVAL, as on a kernel built without it.
 */
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <string.h>

#define ARCH_SET_GS          0x1001
#define ARCH_SET_FS          0x1002
#define ARCH_GET_FS          0x1003
#define ARCH_GET_GS          0x1004
#define ARCH_GET_CPUID       0x1011
#define ARCH_SET_CPUID       0x1012
#define PERSONALITY_ASK      0xffffffffu
#define SECUREBITS_LOCK_STEP 1 /* each bit's lock is the bit above it */

struct prctl_call {
	struct task *task;
	int option;
	uint64_t arg2, arg3, arg4, arg5;
};

static bool rest_zero(const struct prctl_call *call)
{
	return !call->arg3 && !call->arg4 && !call->arg5;
}

static long put_int(struct task *task, uint64_t to, int32_t value)
{
	return user_write(task_user(task), UADDR(to), &value, sizeof value);
}

/* ------------------------------------------------------------------------------------------------ names */

static long name_set(struct task *task, uint64_t from)
{
	char name[COMM_BYTES] = "";
	ssize_t n = aspace_read_string(task->mm->as, task->uthread, name, UADDR(from), sizeof name);

	if (n == -EFAULT)
		return -EFAULT;
	name[COMM_BYTES - 1] = 0;
	memset(task->comm, 0, sizeof task->comm);
	memcpy(task->comm, name, strlen(name));
	return 0;
}

/* ------------------------------------------------------------------------------------------------ capabilities */

static long bounding_drop(struct task *task, uint64_t cap)
{
	if (!cred_capable(task->cred, CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	struct cred *new = cred_copy(task->cred);
	if (!new)
		return -ENOMEM;
	new->cap_bounding &= ~(1ull << cap);
	task_cred_set(task, new);
	return 0;
}

static long securebits_set(struct task *task, uint64_t bits)
{
	uint32_t old = task->cred->securebits, changed = old ^ (uint32_t)bits;
	uint32_t locks = old & SECURE_ALL_LOCKS, locked = locks >> SECUREBITS_LOCK_STEP;

	if ((bits & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) || (changed & (locked | locks)) ||
	    !cred_capable(task->cred, CAP_SETPCAP))
		return -EPERM;
	struct cred *new = cred_copy(task->cred);
	if (!new)
		return -ENOMEM;
	new->securebits = (uint32_t)bits;
	task_cred_set(task, new);
	return 0;
}

static long keep_caps_set(struct task *task, uint64_t on)
{
	if (on > 1)
		return -EINVAL;
	if (task->cred->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	struct cred *new = cred_copy(task->cred);
	if (!new)
		return -ENOMEM;
	new->securebits = on ? new->securebits | SECBIT_KEEP_CAPS : new->securebits & ~(uint32_t)SECBIT_KEEP_CAPS;
	task_cred_set(task, new);
	return 0;
}

static long ambient(const struct prctl_call *call)
{
	const struct cred *old = call->task->cred;
	uint64_t set = old->cap_ambient, bit = call->arg3 <= CAP_LAST_CAP ? 1ull << call->arg3 : 0;

	if (call->arg4 || call->arg5)
		return -EINVAL;
	if (call->arg2 == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (call->arg3)
			return -EINVAL;
		set = 0;
	} else if (!bit) {
		return -EINVAL;
	} else if (call->arg2 == PR_CAP_AMBIENT_IS_SET) {
		return !!(set & bit);
	} else if (call->arg2 == PR_CAP_AMBIENT_RAISE) {
		if (!(old->cap_permitted & old->cap_inheritable & bit) ||
		    (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
		set |= bit;
	} else if (call->arg2 == PR_CAP_AMBIENT_LOWER) {
		set &= ~bit;
	} else {
		return -EINVAL;
	}
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	new->cap_ambient = set;
	task_cred_set(call->task, new);
	return 0;
}

static long prctl_caps(const struct prctl_call *call)
{
	struct task *task = call->task;

	switch (call->option) {
	case PR_CAPBSET_READ:
		return call->arg2 <= CAP_LAST_CAP ? (long)(task->cred->cap_bounding >> call->arg2 & 1) : -EINVAL;
	case PR_CAPBSET_DROP:
		return bounding_drop(task, call->arg2);
	case PR_GET_SECUREBITS:
		return task->cred->securebits;
	case PR_SET_SECUREBITS:
		return securebits_set(task, call->arg2);
	case PR_GET_KEEPCAPS:
		return !!(task->cred->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return keep_caps_set(task, call->arg2);
	case PR_CAP_AMBIENT:
		return ambient(call);
	}
	return -EINVAL;
}

/* ------------------------------------------------------------------------------------------------ processes */

static long prctl_process(const struct prctl_call *call)
{
	struct task *task = call->task;

	switch (call->option) {
	case PR_SET_DUMPABLE:
		if (call->arg2 > 1)
			return -EINVAL;
		task->mm->dumpable = call->arg2;
		return 0;
	case PR_GET_DUMPABLE:
		return task->mm->dumpable;
	case PR_SET_CHILD_SUBREAPER:
		task->process->child_subreaper = call->arg2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(task, call->arg2, task->process->child_subreaper);
	case PR_SET_NO_NEW_PRIVS:
		if (call->arg2 != 1 || !rest_zero(call))
			return -EINVAL;
		task->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return call->arg2 || !rest_zero(call) ? -EINVAL : task->no_new_privs;
	case PR_SET_PTRACER: /* Yama's: who may look at us; nobody traces here */
		return 0;
	}
	return prctl_caps(call);
}

static long prctl_thread(const struct prctl_call *call)
{
	struct task *task = call->task;

	switch (call->option) {
	case PR_SET_PDEATHSIG:
		if (call->arg2 > SIGNAL_COUNT)
			return -EINVAL;
		task->pdeath_signal = (int)call->arg2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_int(task, call->arg2, task->pdeath_signal);
	case PR_SET_NAME:
		return name_set(task, call->arg2);
	case PR_GET_NAME:
		return user_write(task_user(task), UADDR(call->arg2), task->comm, sizeof task->comm);
	case PR_SET_TIMERSLACK:
		task->timer_slack_ns =
			call->arg2 && call->arg2 <= INT64_MAX ? call->arg2 : task->timer_slack_default_ns;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)task->timer_slack_ns;
	case PR_GET_TID_ADDRESS:
		return user_write(task_user(task), UADDR(call->arg2), &task->clear_child_tid.v, sizeof(uint64_t));
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return call->arg2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_SECCOMP:
		return 0;
	case PR_GET_TSC:
		return put_int(task, call->arg2, PR_TSC_ENABLE);
	case PR_SET_TSC:
		return call->arg2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_MCE_KILL_GET: /* what becomes of a process whose memory breaks is the host's affair */
		return call->arg2 || call->arg3 || call->arg4 || call->arg5 ? -EINVAL : PR_MCE_KILL_DEFAULT;
	case PR_GET_THP_DISABLE:
		return call->arg2 || !rest_zero(call) ? -EINVAL : 0;
	case PR_SET_THP_DISABLE:
		return rest_zero(call) ? 0 : -EINVAL;
	}
	return prctl_process(call);
}

long sys_prctl(struct task *task, int option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5)
{
	return prctl_thread(&(struct prctl_call){task, option, arg2, arg3, arg4, arg5});
}

/* ------------------------------------------------------------------------------------------------ the processor */

static long fs_base_set(struct task *task, uint64_t base)
{
	struct uregs regs;

	if (base >= PLATFORM_MAX_ADDR)
		return -EPERM;
	uthread_context_get(task->uthread, &regs);
	regs.fs_base = base;
	regs.rax = 0;
	uthread_context_set(task->uthread, &regs);
	task->context_set = true;
	return 0;
}

long sys_arch_prctl(struct task *task, int option, uint64_t argument)
{
	struct uregs regs;
	uint64_t value = 0;

	switch (option) {
	case ARCH_SET_FS:
		return fs_base_set(task, argument);
	case ARCH_GET_FS:
		uthread_context_get(task->uthread, &regs);
		value = regs.fs_base;
		break;
	case ARCH_GET_GS: /* the gate's; a guest never had one of its own */
		break;
	case ARCH_SET_GS:
		return -EPERM;
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return -ENODEV;
	default:
		return -EINVAL;
	}
	return user_write(task_user(task), UADDR(argument), &value, sizeof value);
}

long sys_personality(struct task *task, uint32_t persona)
{
	uint32_t old = task->personality;

	if (persona != PERSONALITY_ASK)
		task->personality = persona;
	return old;
}
