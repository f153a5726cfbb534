/* task.c - the tables of tasks and processes: numbers, look-up, references, what they have used.
 *
 * A task (thread) is in the hash of numbers from clone until it is released: at its exit, or, for a process's leader,
 * when the process is reaped. A process exists as long as its leader does; the leader keeps credentials and
 * dispositions so that a zombie can still be asked. Numbers are given out upwards and come round at PID_LIMIT; one that
 * a group or a session still bears is passed over. All of it hangs on one object of the arena.
 *
 * Limits: TASK_LIMIT tasks; one pid namespace.
 */
#include "sentry/task.h"
#include "fs/tty.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/fshooks.h"
#include "sentry/futex.h"
#include "sentry/mqueue.h"
#include "sentry/pidfd.h"
#include "sentry/signalfd.h"
#include "sentry/sysv.h"
#include "sentry/timer.h"
#include "sentry/timerfd.h"
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>

#define HASH_BUCKETS 1024
#define PID_LIMIT    (1 << 22) /* as /proc/sys/kernel/pid_max of a 64-bit kernel may be at most */
#define PID_RESERVED 300       /* where the numbers begin again after the first round */

struct tables {
	struct list tasks[HASH_BUCKETS], pgroups[HASH_BUCKETS];
	struct list processes, sessions;
	int32_t last_pid;
	unsigned tasks_count;
	struct task_totals totals;
};

static struct tables *tables;
static unsigned tasks_most = TASK_LIMIT;
static struct slab task_slab = SLAB(task), process_slab = SLAB(process), pgroup_slab = SLAB(pgroup),
		   session_slab = SLAB(session);

int task_system_init(void)
{
	assert(!tables);
	tables = arena_alloc(sizeof *tables);
	if (!tables)
		return -ENOMEM;
	for (unsigned i = 0; i < HASH_BUCKETS; i++) {
		list_init(&tables->tasks[i]);
		list_init(&tables->pgroups[i]);
	}
	list_init(&tables->processes);
	list_init(&tables->sessions);
	fshooks_init();
	pidfd_init();
	signalfd_init();
	timerfd_init();
	sysv_init();
	mqueue_init();
	int error = futex_init();
	return error ? error : timer_init();
}

struct task *task_current(void)
{
	struct fiber *fiber = fiber_current();

	return fiber ? fiber_owner(fiber) : NULL;
}

unsigned task_total(void)
{
	return tables->tasks_count;
}

struct list *process_all(void)
{
	return &tables->processes;
}

struct task *task_find(int32_t tid)
{
	struct task *task;

	list_for_each (task, &tables->tasks[(uint32_t)tid % HASH_BUCKETS], hash_node)
		if (task->tid == tid)
			return task;
	return NULL;
}

struct process *process_find(int32_t pid)
{
	struct task *task = task_find(pid);

	return task && task->process->pid == pid ? task->process : NULL;
}

struct process *process_init(void)
{
	return process_find(INIT_PID);
}

struct pgroup *pgroup_find(int32_t pgid)
{
	struct pgroup *group;

	list_for_each (group, &tables->pgroups[(uint32_t)pgid % HASH_BUCKETS], hash_node)
		if (group->pgid == pgid)
			return group;
	return NULL;
}

bool session_exists(int32_t sid)
{
	struct session *session;

	list_for_each (session, &tables->sessions, all_node)
		if (session->sid == sid)
			return true;
	return false;
}

static int32_t pid_new(void)
{
	for (;;) {
		if (++tables->last_pid >= PID_LIMIT)
			tables->last_pid = PID_RESERVED;
		int32_t pid = tables->last_pid;
		if (!task_find(pid) && !pgroup_find(pid) && !session_exists(pid))
			return pid;
	}
}

void task_limit_set(unsigned limit)
{
	tasks_most = limit;
}

unsigned task_limit(void)
{
	return tasks_most;
}

int task_alloc(struct task **out)
{
	if (tables->tasks_count >= tasks_most + (process_init() ? 1 : 0))
		return -EAGAIN;
	struct task *task = slab_new(&task_slab);
	if (!task)
		return -ENOMEM;
	ref_init(&task->ref);
	list_init(&task->thread_node);
	list_init(&task->hash_node);
	list_init(&task->kick_node);
	list_init(&task->async.requests);
	waitq_init(&task->async.wait);
	sigpending_init(&task->pending);
	task->altstack_flags = ABI_SS_DISABLE;
	task->start_ns = clock_now_ns();
	task->timer_slack_ns = task->timer_slack_default_ns = 50000;
	task->tid = pid_new();
	tables->tasks_count++;
	tables->totals.threads++;
	*out = task;
	return 0;
}

void task_hash(struct task *task)
{
	list_push_back(&tables->tasks[(uint32_t)task->tid % HASH_BUCKETS], &task->hash_node);
}

void task_unhash(struct task *task)
{
	list_remove(&task->hash_node);
}

void task_get(struct task *task)
{
	ref_get(&task->ref);
}

/* The last reference: everything that only the task's own fiber may give back is gone already, or never was there. */
void task_put(struct task *task)
{
	if (!ref_put(&task->ref))
		return;
	assert(list_empty(&task->hash_node) && list_empty(&task->thread_node) && !task->uthread && !task->mm);
	sigpending_flush(&task->pending);
	task_keys_drop(task);
	if (task->files)
		fdtable_put(task->files);
	if (task->fs)
		fs_context_put(task->fs);
	if (task->sighand)
		sighand_put(task->sighand);
	if (task->cred)
		cred_put(task->cred);
	if (task->process)
		process_put(task->process);
	tables->tasks_count--;
	slab_free(&task_slab, task);
}

int process_alloc(struct process **out)
{
	struct process *process = slab_new(&process_slab);

	if (!process)
		return -ENOMEM;
	ref_init(&process->ref);
	list_init(&process->threads);
	list_init(&process->children);
	list_init(&process->sibling_node);
	list_init(&process->pgroup_node);
	list_init(&process->sem_undos);
	sigpending_init(&process->pending);
	waitq_init(&process->child_wait);
	waitq_init(&process->exit_wait);
	waitq_init(&process->continue_wait);
	waitq_init(&process->thread_wait);
	process->start_ns = clock_now_ns();
	list_push_back(&tables->processes, &process->all_node);
	tables->totals.processes++;
	*out = process;
	return 0;
}

void process_get(struct process *process)
{
	ref_get(&process->ref);
}

void process_put(struct process *process)
{
	if (!ref_put(&process->ref))
		return;
	assert(list_empty(&process->threads) && list_empty(&process->children));
	list_remove(&process->all_node);
	list_remove(&process->sibling_node);
	sigpending_flush(&process->pending);
	timers_free(process);
	if (process->pgroup) {
		list_remove(&process->pgroup_node);
		pgroup_put(process->pgroup);
	}
	slab_free(&process_slab, process);
}

void process_add_thread(struct process *process, struct task *task)
{
	assert(!task->process);
	process_get(process);
	task->process = process;
	list_push_back(&process->threads, &task->thread_node);
	process->thread_count++;
}

int32_t process_ppid(const struct process *process)
{
	return process->parent ? process->parent->pid : 0;
}

uint64_t process_limit(const struct process *process, unsigned resource)
{
	assert(resource < RLIMIT_COUNT);
	return process->limits[resource].soft;
}

/* ------------------------------------------------------------------------------------------------ groups, sessions */

int pgroup_new(int32_t pgid, struct session *session, struct pgroup **out)
{
	struct pgroup *group = slab_new(&pgroup_slab);

	if (!group)
		return -ENOMEM;
	if (session) {
		session_get(session);
	} else {
		session = slab_new(&session_slab);
		if (!session) {
			slab_free(&pgroup_slab, group);
			return -ENOMEM;
		}
		ref_init(&session->ref);
		session->sid = pgid;
		list_push_back(&tables->sessions, &session->all_node);
	}
	ref_init(&group->ref);
	group->pgid = pgid;
	group->session = session;
	list_init(&group->members);
	list_push_back(&tables->pgroups[(uint32_t)pgid % HASH_BUCKETS], &group->hash_node);
	*out = group;
	return 0;
}

void pgroup_get(struct pgroup *group)
{
	ref_get(&group->ref);
}

void pgroup_put(struct pgroup *group)
{
	if (!ref_put(&group->ref))
		return;
	assert(list_empty(&group->members));
	list_remove(&group->hash_node);
	session_put(group->session);
	slab_free(&pgroup_slab, group);
}

void pgroup_join(struct process *process, struct pgroup *group)
{
	struct pgroup *old = process->pgroup;

	pgroup_get(group);
	list_remove(&process->pgroup_node);
	process->pgroup = group;
	list_push_back(&group->members, &process->pgroup_node);
	if (old)
		pgroup_put(old);
}

void session_get(struct session *session)
{
	ref_get(&session->ref);
}

void session_put(struct session *session)
{
	if (!ref_put(&session->ref))
		return;
	list_remove(&session->all_node);
	slab_free(&session_slab, session);
}

void session_leader_gone(struct session *session)
{
	int32_t group = session->hung_up_group;
	struct pgroup *told = group ? pgroup_find(group) : NULL;

	if (session->tty)
		tty_leader_gone(session->tty);
	session->hung_up_group = 0;
	if (!told)
		return;
	signal_send_pgroup(told, SIGHUP, NULL);
	signal_send_pgroup(told, SIGCONT, NULL);
}

/* ------------------------------------------------------------------------------------------------ asking */

bool task_may_signal(const struct task *sender, const struct process *target, int sig)
{
	const struct cred *from = sender->cred, *to = target->leader->cred;

	if (sender->process == target || cred_capable(from, CAP_KILL))
		return true;
	if (from->euid == to->suid || from->euid == to->uid || from->uid == to->suid || from->uid == to->uid)
		return true;
	return sig == SIGCONT && sender->process->pgroup->session == target->pgroup->session;
}

int task_may_access(const struct task *asking, const struct task *target)
{
	const struct cred *from = asking->cred, *to = target->cred;

	if (asking->process == target->process || cred_capable(from, CAP_SYS_PTRACE))
		return 0;
	if (from->fsuid != to->euid || from->fsuid != to->suid || from->fsuid != to->uid || from->fsgid != to->egid ||
	    from->fsgid != to->sgid || from->fsgid != to->gid)
		return -EPERM;
	if (target->mm && !target->mm->dumpable)
		return -EPERM;
	return to->cap_permitted & ~from->cap_permitted ? -EPERM : 0;
}

uint64_t task_cpu_ns(const struct task *task)
{
	return task->user_ns + (task->uthread ? uthread_cpu_ns(task->uthread) : 0);
}

uint64_t process_cpu_ns(const struct process *process)
{
	uint64_t sum = process->usage.user_ns;
	struct task *task;

	list_for_each (task, &process->threads, thread_node)
		sum += task_cpu_ns(task);
	return sum;
}

void rusage_add(struct rusage_counts *sum, const struct rusage_counts *more)
{
	sum->user_ns += more->user_ns;
	sum->system_ns += more->system_ns;
	sum->minor_faults += more->minor_faults;
	sum->major_faults += more->major_faults;
	sum->in_blocks += more->in_blocks;
	sum->out_blocks += more->out_blocks;
	sum->switches_voluntary += more->switches_voluntary;
	sum->switches_forced += more->switches_forced;
	sum->max_rss_kb = MAX(sum->max_rss_kb, more->max_rss_kb);
	sum->read_chars += more->read_chars;
	sum->write_chars += more->write_chars;
	sum->read_calls += more->read_calls;
	sum->write_calls += more->write_calls;
}

void task_usage(const struct task *task, struct rusage_counts *out)
{
	*out = (struct rusage_counts){.user_ns = task_cpu_ns(task),
				      .read_chars = task->io.read_chars,
				      .write_chars = task->io.write_chars,
				      .read_calls = task->io.read_calls,
				      .write_calls = task->io.write_calls};
	if (task->mm) {
		struct memory_usage usage;
		aspace_usage(task->mm->as, &usage);
		out->max_rss_kb = usage.peak / 1024;
	}
}

void task_totals_add(const struct rusage_counts *usage)
{
	rusage_add(&tables->totals.usage, usage);
}

void task_totals_get(struct task_totals *out)
{
	*out = tables->totals;
	/* Pid 1 is the sentry's own. */
	out->processes -= out->processes > 0;
	out->threads -= out->threads > 0;
}

void process_usage(const struct process *process, struct rusage_counts *out)
{
	struct task *task;

	*out = process->usage;
	list_for_each (task, &process->threads, thread_node) {
		struct rusage_counts one;
		task_usage(task, &one);
		rusage_add(out, &one);
	}
}

void task_identity_update(struct task *task)
{
	if (!task->uthread)
		return;
	const struct cred *cred = task->cred;
	uthread_identity_set(task->uthread, &(struct uthread_identity){.pid = (uint32_t)task->process->pid,
								       .tid = (uint32_t)task->tid,
								       .ppid = (uint32_t)process_ppid(task->process),
								       .uid = cred->uid,
								       .euid = cred->euid,
								       .gid = cred->gid,
								       .egid = cred->egid});
}

void process_identity_update(struct process *process)
{
	struct task *task;

	list_for_each (task, &process->threads, thread_node)
		task_identity_update(task);
}

void task_cred_set(struct task *task, struct cred *cred)
{
	struct cred *old = task->cred;

	task->cred = cred;
	if (old) {
		if (old->fsuid != cred->fsuid || old->fsgid != cred->fsgid)
			task_keys_chown(task);
		cred_put(old);
	}
	task_identity_update(task);
}
