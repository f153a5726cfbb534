/* limits.c - resource limits, what was used, and what the machine is: getrlimit(2), getrusage(2), times(2), uname(2),
 * sysinfo(2).
 *
 * CPU time is the host's count of the guest threads and is shown as user time: the work of the sentry for a guest is
 * nobody's. Faults, blocks and switches are the host's affair and show as zero.
 *
 * Limits: RLIMIT_STACK that somebody else lowers (prlimit) holds from the next exec on.
 */
#include "sentry/base/limits.h"
#include "fs/facts.h"
#include "sentry/clock.h"
#include "sentry/memory.h"
#include "sentry/task.h"
#include "sentry/timer.h"
#include "syscalls/handlers.h"
#include "syscalls/usage.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#define TICK_NS       (NS_PER_S / ABI_USER_HZ)
#define HOSTNAME_MOST 64 /* __NEW_UTS_LEN */

/* ------------------------------------------------------------------------------------------------ limits */

/* PARKS. */
static int limit_set(struct task *task, struct process *process, int resource, const struct abi_rlimit *new)
{
	struct rlimit64_pair *limit = &process->limits[resource];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (resource == ABI_RLIMIT_NOFILE && new->rlim_max > FD_LIMIT)
		return -EPERM;
	if (new->rlim_max > limit->hard && !cred_capable(task->cred, CAP_SYS_RESOURCE))
		return -EPERM;
	limit->soft = new->rlim_cur;
	limit->hard = new->rlim_max;
	if (resource == ABI_RLIMIT_CPU)
		cpu_limit_changed(process);
	if (resource == ABI_RLIMIT_STACK && process == task->process && task->mm)
		mm_stack_limit_lowered(task->mm, task->uthread, new->rlim_cur);
	return 0;
}

static bool resource_valid(int resource)
{
	return resource >= 0 && resource < RLIMIT_COUNT;
}

long sys_getrlimit(struct task *task, int resource, struct abi_rlimit *out)
{
	if (!resource_valid(resource))
		return -EINVAL;
	*out = (struct abi_rlimit){task->process->limits[resource].soft, task->process->limits[resource].hard};
	return 0;
}

long sys_setrlimit(struct task *task, int resource, const struct abi_rlimit *new)
{
	return resource_valid(resource) ? limit_set(task, task->process, resource, new) : -EINVAL;
}

/* check_prlimit_permission: all ids are the caller's real ones, or CAP_SYS_RESOURCE. */
static bool may_limit(const struct task *task, const struct task *target)
{
	const struct cred *from = task->cred, *to = target->cred;

	if (task->process == target->process || cred_capable(from, CAP_SYS_RESOURCE))
		return true;
	return from->uid == to->euid && from->uid == to->suid && from->uid == to->uid && from->gid == to->egid &&
	       from->gid == to->sgid && from->gid == to->gid;
}

long sys_prlimit64(struct task *task, int32_t pid, int resource, const struct abi_rlimit *new, struct abi_rlimit *old)
{
	struct task *target = pid ? task_find(pid) : task;

	if (!target)
		return -ESRCH;
	if (!may_limit(task, target))
		return -EPERM;
	if (!resource_valid(resource))
		return -EINVAL;
	struct process *process = target->process;
	struct abi_rlimit before = {process->limits[resource].soft, process->limits[resource].hard};
	int error = new ? limit_set(task, process, resource, new) : 0;
	if (!error && old)
		*old = before;
	return error;
}

/* ------------------------------------------------------------------------------------------------ usage */

void rusage_show(const struct rusage_counts *counts, struct abi_rusage *out)
{
	*out = (struct abi_rusage){
		.ru_utime = ns_timeval(counts->user_ns),
		.ru_stime = ns_timeval(counts->system_ns),
		.ru_maxrss = (int64_t)counts->max_rss_kb,
		.ru_minflt = (int64_t)counts->minor_faults,
		.ru_majflt = (int64_t)counts->major_faults,
		.ru_inblock = (int64_t)counts->in_blocks,
		.ru_oublock = (int64_t)counts->out_blocks,
		.ru_nvcsw = (int64_t)counts->switches_voluntary,
		.ru_nivcsw = (int64_t)counts->switches_forced,
	};
}

long sys_getrusage(struct task *task, int who, struct abi_rusage *out)
{
	struct rusage_counts counts;

	switch (who) {
	case ABI_RUSAGE_SELF:
		process_usage(task->process, &counts);
		break;
	case ABI_RUSAGE_CHILDREN:
		counts = task->process->children_usage;
		break;
	case ABI_RUSAGE_THREAD:
		task_usage(task, &counts);
		break;
	default:
		return -EINVAL;
	}
	rusage_show(&counts, out);
	return 0;
}

long sys_times(struct task *task, struct abi_tms *out)
{
	const struct rusage_counts *children = &task->process->children_usage;

	if (out)
		*out = (struct abi_tms){
			.tms_utime = (int64_t)(process_cpu_ns(task->process) / TICK_NS),
			.tms_cutime = (int64_t)(children->user_ns / TICK_NS),
			.tms_cstime = (int64_t)(children->system_ns / TICK_NS),
		};
	return (long)(clock_fresh_ns() / TICK_NS);
}

/* ------------------------------------------------------------------------------------------------ the machine */

long sys_uname(struct task *task, struct abi_utsname *out)
{
	(void)task;
	strcpy(out->sysname, FACTS_SYSNAME);
	strcpy(out->release, FACTS_RELEASE);
	strcpy(out->version, FACTS_VERSION);
	strcpy(out->machine, FACTS_MACHINE);
	memcpy(out->nodename, facts.hostname, sizeof out->nodename);
	memcpy(out->domainname, facts.domainname, sizeof out->domainname);
	return 0;
}

static long name_set(struct task *task, struct uaddr from, int size, char name[FACTS_NAME_BYTES])
{
	char text[FACTS_NAME_BYTES] = "";

	if (!cred_capable(task->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (size < 0 || size > HOSTNAME_MOST)
		return -EINVAL;
	if (user_read(task_user(task), text, from, (size_t)size))
		return -EFAULT;
	memcpy(name, text, sizeof text);
	return 0;
}

long sys_sethostname(struct task *task, struct uaddr name, int size)
{
	return name_set(task, name, size, facts.hostname);
}

long sys_setdomainname(struct task *task, struct uaddr name, int size)
{
	return name_set(task, name, size, facts.domainname);
}

long sys_sysinfo(struct task *task, struct abi_sysinfo *out)
{
	uint64_t now = 0, used = memory_used_bytes();
	int error = clock_get(task, ABI_CLOCK_BOOTTIME, &now);

	if (error)
		return error;
	out->uptime = (int64_t)(now / NS_PER_S); /* as CLOCK_BOOTTIME and /proc/uptime */
	out->totalram = facts.memory_bytes;
	out->freeram = facts.memory_bytes > used ? facts.memory_bytes - used : 0;
	out->procs = (uint16_t)task_total();
	out->mem_unit = 1;
	return 0;
}
