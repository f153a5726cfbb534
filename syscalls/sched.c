/* sched.c - scheduling: policies, priorities, affinity (sched(7)).
 *
 * What a guest sets is checked, kept and told again, and changes nothing: the host schedules all guest threads alike.
 * So a reservation of SCHED_DEADLINE is never refused for lack of CPU time (EBUSY), and never granted either.
 * The host's own calls for it are not among the sentry's (platform/host.def).
 */
#include "fs/facts.h"
#include "sentry/clock.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#define RT_PRIORITY_MOST          99
#define DEADLINE_RUNTIME_LEAST_NS 1024
#define DEADLINE_PERIOD_LEAST_NS  (100 * NS_PER_US)
#define DEADLINE_PERIOD_MOST_NS   (4194304ull * NS_PER_US)
#define RR_SLICE_NS               (100 * NS_PER_MS)
#define FAIR_SLICE_NS             (3 * NS_PER_MS) /* sched_base_slice of a small machine */
#define NICE_LEAST                (-20)
#define NICE_MOST                 19
#define AFFINITY_BYTES            8 /* what the kernel's mask takes on a machine of up to 64 CPUs */
#define PRIO_PROCESS              0
#define PRIO_PGRP                 1
#define PRIO_USER                 2
#define IOPRIO_CLASS_SHIFT        13
#define IOPRIO_LEVEL_MASK         7 /* between it and the class are hints */
#define IOPRIO_CLASS_NONE         0
#define IOPRIO_CLASS_RT           1
#define IOPRIO_CLASS_BE           2
#define IOPRIO_CLASS_IDLE         3

static int find(struct task *task, int32_t pid, struct task **out)
{
	if (pid < 0)
		return -EINVAL;
	*out = pid ? task_find(pid) : task;
	return *out ? 0 : -ESRCH;
}

static bool is_real_time(int policy)
{
	return policy == ABI_SCHED_FIFO || policy == ABI_SCHED_RR;
}

static bool policy_valid(int policy)
{
	return is_real_time(policy) || policy == ABI_SCHED_OTHER || policy == ABI_SCHED_BATCH ||
	       policy == ABI_SCHED_IDLE;
}

static bool same_owner(const struct task *task, const struct task *target)
{
	return task->cred->euid == target->cred->euid || task->cred->euid == target->cred->uid;
}

/* ------------------------------------------------------------------------------------------------ policies */

long sys_sched_yield(struct task *task)
{
	(void)task;
	return 0;
}

static int policy_check(const struct task *task, const struct task *target, int policy, int priority)
{
	if (!policy_valid(policy))
		return -EINVAL;
	if (is_real_time(policy) ? priority < 1 || priority > RT_PRIORITY_MOST : priority != 0)
		return -EINVAL;
	if (cred_capable(task->cred, CAP_SYS_NICE))
		return 0;
	if (is_real_time(policy) && (uint64_t)priority > process_limit(target->process, ABI_RLIMIT_RTPRIO))
		return -EPERM;
	return same_owner(task, target) ? 0 : -EPERM;
}

static long policy_set(struct task *task, int32_t pid, int policy, const struct abi_sched_param *param)
{
	struct task *target;
	int reset = policy & ABI_SCHED_RESET_ON_FORK;

	if (!param || pid < 0 || policy < 0)
		return -EINVAL;
	int error = find(task, pid, &target);
	if (!error)
		error = policy_check(task, target, policy & ~ABI_SCHED_RESET_ON_FORK, param->sched_priority);
	if (error)
		return error;
	target->sched.policy = policy | reset;
	target->sched.priority = param->sched_priority;
	return 0;
}

long sys_sched_setscheduler(struct task *task, int32_t pid, int policy, const struct abi_sched_param *param)
{
	return policy_set(task, pid, policy, param);
}

long sys_sched_setparam(struct task *task, int32_t pid, const struct abi_sched_param *param)
{
	struct task *target;
	int error = find(task, pid, &target);

	return error ? error : policy_set(task, pid, target->sched.policy, param);
}

long sys_sched_getscheduler(struct task *task, int32_t pid)
{
	struct task *target;
	int error = find(task, pid, &target);

	return error ? error : target->sched.policy;
}

long sys_sched_getparam(struct task *task, int32_t pid, struct abi_sched_param *out)
{
	struct task *target;
	int error = out ? find(task, pid, &target) : -EINVAL;

	if (!error)
		out->sched_priority = target->sched.priority;
	return error;
}

static long priority_bound(int policy, int real_time)
{
	return is_real_time(policy) ? real_time : policy_valid(policy) || policy == ABI_SCHED_DEADLINE ? 0 : -EINVAL;
}

long sys_sched_get_priority_max(struct task *task, int policy)
{
	(void)task;
	return priority_bound(policy, RT_PRIORITY_MOST);
}

long sys_sched_get_priority_min(struct task *task, int policy)
{
	(void)task;
	return priority_bound(policy, 1);
}

static uint64_t slice_ns(int policy)
{
	if (policy == ABI_SCHED_RR)
		return RR_SLICE_NS;
	return policy == ABI_SCHED_FIFO || policy == ABI_SCHED_DEADLINE ? 0 : FAIR_SLICE_NS;
}

long sys_sched_rr_get_interval(struct task *task, int32_t pid, struct abi_timespec *out)
{
	struct task *target;
	int error = find(task, pid, &target);

	if (error)
		return error;
	int policy = target->sched.policy & ~ABI_SCHED_RESET_ON_FORK;
	*out = ns_timespec(slice_ns(policy));
	return 0;
}

/* ------------------------------------------------------------------------------------------------ attributes */

static int attr_read(struct task *task, struct uaddr from, struct abi_sched_attr *attr)
{
	uint32_t size;

	memset(attr, 0, sizeof *attr);
	if (user_read(task_user(task), &size, from, sizeof size))
		return -EFAULT;
	if (!size)
		size = ABI_SCHED_ATTR_SIZE_VER0;
	if (size < ABI_SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -E2BIG;
	return user_read(task_user(task), attr, from, MIN(size, (uint32_t)sizeof *attr));
}

/* __checkparam_dl in Linux. A period of zero is the deadline. */
static int deadline_check(const struct task *task, const struct abi_sched_attr *attr)
{
	uint64_t period = attr->sched_period ? attr->sched_period : attr->sched_deadline;

	if (attr->sched_priority || !attr->sched_deadline || attr->sched_runtime < DEADLINE_RUNTIME_LEAST_NS)
		return -EINVAL;
	if (attr->sched_deadline > INT64_MAX || period > INT64_MAX)
		return -EINVAL;
	if (period < attr->sched_deadline || attr->sched_deadline < attr->sched_runtime)
		return -EINVAL;
	if (period < DEADLINE_PERIOD_LEAST_NS || period > DEADLINE_PERIOD_MOST_NS)
		return -EINVAL;
	return cred_capable(task->cred, CAP_SYS_NICE) ? 0 : -EPERM;
}

static void deadline_set(struct task *target, const struct abi_sched_attr *attr)
{
	target->sched.deadline = (struct sched_deadline){
		.runtime_ns = attr->sched_runtime,
		.deadline_ns = attr->sched_deadline,
		.period_ns = attr->sched_period ? attr->sched_period : attr->sched_deadline,
		.flags = attr->sched_flags & (ABI_SCHED_FLAG_RECLAIM | ABI_SCHED_FLAG_DL_OVERRUN),
	};
}

long sys_sched_setattr(struct task *task, int32_t pid, struct uaddr from, uint32_t flags)
{
	struct abi_sched_attr attr;
	struct task *target;

	if (!from.v || pid < 0 || flags)
		return -EINVAL;
	int error = attr_read(task, from, &attr);
	if (!error)
		error = find(task, pid, &target);
	if (error)
		return error;
	if (attr.sched_policy > INT32_MAX || attr.sched_priority > RT_PRIORITY_MOST ||
	    attr.sched_flags & ~(uint64_t)ABI_SCHED_FLAG_ALL)
		return -EINVAL;
	error = attr.sched_policy == ABI_SCHED_DEADLINE
			? deadline_check(task, &attr)
			: policy_check(task, target, (int)attr.sched_policy, (int)attr.sched_priority);
	if (error)
		return error;
	target->sched.policy = (int)attr.sched_policy |
			       (attr.sched_flags & ABI_SCHED_FLAG_RESET_ON_FORK ? ABI_SCHED_RESET_ON_FORK : 0);
	target->sched.priority = (int)attr.sched_priority;
	if (attr.sched_policy == ABI_SCHED_DEADLINE)
		deadline_set(target, &attr);
	else if (!is_real_time((int)attr.sched_policy) && attr.sched_nice >= NICE_LEAST && attr.sched_nice <= NICE_MOST)
		target->sched.nice = attr.sched_nice;
	return 0;
}

long sys_sched_getattr(struct task *task, int32_t pid, struct uaddr to, uint32_t size, uint32_t flags)
{
	struct abi_sched_attr attr = {0};
	struct task *target;

	if (!to.v || pid < 0 || size > PAGE_SIZE || size < ABI_SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	int error = find(task, pid, &target);
	if (error)
		return error;
	attr.size = MIN(size, (uint32_t)sizeof attr);
	attr.sched_policy = (uint32_t)(target->sched.policy & ~ABI_SCHED_RESET_ON_FORK);
	attr.sched_flags = target->sched.policy & ABI_SCHED_RESET_ON_FORK ? ABI_SCHED_FLAG_RESET_ON_FORK : 0;
	attr.sched_priority = (uint32_t)target->sched.priority;
	if (attr.sched_policy == ABI_SCHED_DEADLINE) {
		attr.sched_flags |= target->sched.deadline.flags;
		attr.sched_runtime = target->sched.deadline.runtime_ns;
		attr.sched_deadline = target->sched.deadline.deadline_ns;
		attr.sched_period = target->sched.deadline.period_ns;
	} else if (!is_real_time((int)attr.sched_policy)) {
		attr.sched_nice = target->sched.nice;
	}
	return user_write(task_user(task), to, &attr, attr.size);
}

/* ------------------------------------------------------------------------------------------------ affinity */

/* The CPUs that the sandbox shows: the first cpu_count. */
static uint64_t all_cpus(void)
{
	return facts.cpu_count >= 64 ? ~0ull : (1ull << MAX(facts.cpu_count, 1u)) - 1;
}

static uint64_t affinity(const struct task *task)
{
	return task->sched.affinity[0] & all_cpus();
}

long sys_sched_setaffinity(struct task *task, int32_t pid, uint32_t size, struct uaddr from)
{
	struct task *target;
	uint64_t mask = 0;

	if (user_read(task_user(task), &mask, from, MIN(size, (uint32_t)sizeof mask)))
		return -EFAULT;
	int error = find(task, MAX(pid, 0), &target);
	if (error || pid < 0)
		return -ESRCH;
	if (!same_owner(task, target) && !cred_capable(task->cred, CAP_SYS_NICE))
		return -EPERM;
	if (!(mask & all_cpus()))
		return -EINVAL;
	target->sched.affinity[0] = mask & all_cpus();
	return 0;
}

long sys_sched_getaffinity(struct task *task, int32_t pid, uint32_t size, struct uaddr to)
{
	struct task *target;

	if (size % sizeof(uint64_t) || (uint64_t)size * 8 < facts.cpu_count)
		return -EINVAL;
	int error = find(task, MAX(pid, 0), &target);
	if (error || pid < 0)
		return -ESRCH;
	uint64_t mask = affinity(target);
	if (user_write(task_user(task), to, &mask, AFFINITY_BYTES))
		return -EFAULT;
	return AFFINITY_BYTES;
}

long sys_getcpu(struct task *task, struct uaddr cpu, struct uaddr node, struct uaddr cache)
{
	uint32_t first = (uint32_t)__builtin_ctzll(affinity(task) | 1ull << 63), zero = 0;

	(void)cache;
	if (cpu.v && user_write(task_user(task), cpu, &first, sizeof first))
		return -EFAULT;
	return node.v ? user_write(task_user(task), node, &zero, sizeof zero) : 0;
}

/* ------------------------------------------------------------------------------------------------ nice */

/* Calls what for each thread that which and who mean; the results are what's own affair. -ESRCH: nobody. */
static long for_each_of(struct task *task, int which, int32_t who,
			long (*what)(struct task *, struct task *, long, int), long result, int value)
{
	struct list *all = process_all();
	struct process *process;
	struct task *thread;

	if (which == PRIO_PROCESS) {
		thread = who ? task_find(who) : task;
		return thread ? what(task, thread, result, value) : result;
	}
	int32_t pgid = who ? who : task->process->pgroup->pgid;
	uint32_t uid = who ? (uint32_t)who : task->cred->uid;
	list_for_each (process, all, all_node) {
		if (which == PRIO_PGRP && process->pgroup->pgid != pgid)
			continue;
		list_for_each (thread, &process->threads, thread_node)
			if (which != PRIO_USER || thread->cred->uid == uid)
				result = what(task, thread, result, value);
	}
	return result;
}

/* As the call tells it: 40 for nice -20 to 1 for 19, the highest of all. */
static long nice_get(struct task *task, struct task *target, long best, int unused)
{
	(void)task;
	(void)unused;
	return MAX(best, 20l - target->sched.nice);
}

static long nice_set(struct task *task, struct task *target, long result, int nice)
{
	if (!same_owner(task, target) && !cred_capable(task->cred, CAP_SYS_NICE))
		return -EPERM;
	if (nice < target->sched.nice && !cred_capable(task->cred, CAP_SYS_NICE) &&
	    (uint64_t)(20 - nice) > process_limit(target->process, ABI_RLIMIT_NICE))
		return -EACCES;
	target->sched.nice = nice;
	if (target->process->leader == target)
		target->process->nice = nice;
	return result == -ESRCH ? 0 : result;
}

long sys_getpriority(struct task *task, int which, int who)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_each_of(task, which, who, nice_get, -ESRCH, 0);
}

long sys_setpriority(struct task *task, int which, int who, int nice)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_each_of(task, which, who, nice_set, -ESRCH, MAX(MIN(nice, NICE_MOST), NICE_LEAST));
}

/* ------------------------------------------------------------------------------------------------ input and output */

enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER };

/* As get_task_ioprio in Linux: what a task has that was given none follows from how nice it is. */
static int io_priority(const struct task *target)
{
	if (target->sched.io_priority)
		return target->sched.io_priority;
	int class = is_real_time(target->sched.policy) ? IOPRIO_CLASS_RT : IOPRIO_CLASS_BE;
	return class << IOPRIO_CLASS_SHIFT | (target->sched.nice - NICE_LEAST) / 5;
}

/* The more urgent of two. */
static int io_best(int a, int b)
{
	return a && (!b || a < b) ? a : b;
}

static bool io_meant(const struct task *task, const struct process *process, int which, int who)
{
	if (which == IOPRIO_WHO_PGRP)
		return process->pgroup && process->pgroup->pgid == (who ? who : task->process->pgroup->pgid);
	return process->leader && process->leader->cred->uid == (who ? (uint32_t)who : task->cred->uid);
}

long sys_ioprio_get(struct task *task, int which, int who)
{
	struct list *all = process_all();
	struct process *process;
	struct task *target;
	int best = 0;

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (which == IOPRIO_WHO_PROCESS) {
		int error = find(task, who, &target);
		return error ? -ESRCH : target->sched.io_priority;
	}
	list_for_each (process, all, all_node)
		if (io_meant(task, process, which, who))
			list_for_each (target, &process->threads, thread_node)
				best = io_best(best, io_priority(target));
	return best ? best : -ESRCH;
}

/* ioprio_check_cap in Linux. */
static int io_priority_check(const struct task *task, int priority)
{
	switch (priority >> IOPRIO_CLASS_SHIFT) {
	case IOPRIO_CLASS_RT:
		if (!cred_capable(task->cred, CAP_SYS_ADMIN) && !cred_capable(task->cred, CAP_SYS_NICE))
			return -EPERM;
		return 0;
	case IOPRIO_CLASS_BE:
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return priority & IOPRIO_LEVEL_MASK ? -EINVAL : 0;
	}
	return -EINVAL;
}

static int io_priority_set(struct task *task, struct task *target, int priority)
{
	if (task->cred->uid != target->cred->uid && task->cred->euid != target->cred->uid &&
	    !cred_capable(task->cred, CAP_SYS_NICE))
		return -EPERM;
	target->sched.io_priority = priority;
	return 0;
}

long sys_ioprio_set(struct task *task, int which, int who, int priority)
{
	struct list *all = process_all();
	struct process *process;
	struct task *target;
	int error = io_priority_check(task, priority);

	if (!error && (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER))
		error = -EINVAL;
	if (error)
		return error;
	if (which == IOPRIO_WHO_PROCESS) {
		error = find(task, who, &target);
		return error ? -ESRCH : io_priority_set(task, target, priority);
	}
	error = -ESRCH;
	list_for_each (process, all, all_node)
		if (io_meant(task, process, which, who))
			list_for_each (target, &process->threads, thread_node) {
				error = io_priority_set(task, target, priority);
				if (error)
					return error;
			}
	return error;
}
