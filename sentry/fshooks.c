/* fshooks.c - what fs/ asks of tasks (fs/hooks.h): who calls, job control for terminals, signals. */
#include "sentry/fshooks.h"
#include "fs/hooks.h"
#include "sentry/abi/fcntl.h"
#include "sentry/boot.h"
#include "sentry/memory.h"
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

static bool hook_caller_fill(int32_t *pid, struct cred **cred)
{
	struct task *task = task_current();

	if (!task)
		return false;
	*pid = task->process->pid;
	*cred = task->cred;
	return true;
}

static void caller_name(char name[16])
{
	_Static_assert(sizeof task_current()->comm == 16, "TASK_COMM_LEN");
	memcpy(name, task_current()->comm, 16);
}

static void signal_caller(int sig)
{
	struct task *task = task_current();
	struct abi_siginfo info;

	if (!task)
		return;
	siginfo_user(&info, sig, ABI_SI_USER, task);
	signal_send_task(task, sig, &info);
}

static bool job(struct fs_job *out)
{
	struct task *task = task_current();

	if (!task)
		return false;
	const struct pgroup *group = task->process->pgroup;
	*out = (struct fs_job){
		.pid = task->process->pid,
		.pgid = group->pgid,
		.sid = group->session->sid,
		.leads_session = group->session->sid == task->process->pid,
		.tty = task->process->left_tty ? NULL : group->session->tty,
	};
	return true;
}

/* A session is found by any group of it: the leader's own may be gone. */
static struct session *session_find(int32_t sid)
{
	struct process *process;
	struct list *all = process_all();

	list_for_each (process, all, all_node)
		if (process->pgroup && process->pgroup->session->sid == sid)
			return process->pgroup->session;
	return NULL;
}

static void session_tty_set(int32_t sid, void *tty)
{
	struct session *session = session_find(sid);

	if (session)
		session->tty = tty;
}

static int32_t group_session(int32_t pgid)
{
	struct pgroup *group = pgroup_find(pgid);

	struct process *process = group ? NULL : process_find(pgid);

	if (process && process->pgroup)
		group = process->pgroup;
	return group ? group->session->sid : -ESRCH;
}

static void signal_group(int32_t pgid, int sig)
{
	struct pgroup *group = pgroup_find(pgid);

	if (group)
		(void)!signal_send_pgroup(group, sig, NULL);
}

static void signal_leader(int32_t sid, int sig)
{
	struct process *leader = process_find(sid);

	if (leader)
		signal_send_process(leader, sig, NULL);
}

static bool caller_ignores(int sig)
{
	struct task *task = task_current();

	return task && ((task->blocked & SIGNAL_BIT(sig)) || task->sighand->action[sig - 1].handler == ABI_SIG_IGN);
}

static bool group_orphaned(int32_t pgid)
{
	struct pgroup *group = pgroup_find(pgid);

	return !group || pgroup_orphaned(group, NULL);
}

static void session_orphan(int32_t sid, int32_t pgid)
{
	struct session *session = session_find(sid);

	if (session)
		session->hung_up_group = pgid;
}

static void leave_tty(void)
{
	struct task *task = task_current();

	if (task)
		task->process->left_tty = true;
}

/* Who set F_SETOWN may be long gone: its numbers at that time decide (sigio_perm in Linux). */
static bool owner_may_hear(const struct file *file, const struct process *process)
{
	const struct cred *cred = process->leader->cred;

	return !file->owner_euid || file->owner_euid == cred->suid || file->owner_euid == cred->uid ||
	       file->owner_uid == cred->suid || file->owner_uid == cred->uid;
}

/* F_SETSIG's signal with all it can say; SIGIO when there is none, or no room for it. */
static void tell_owner(const struct file *file, struct process *process, struct task *task, struct abi_siginfo *info)
{
	int sig = file->owner_signal;

	if (!owner_may_hear(file, process))
		return;
	info->si_signo = sig;
	if (sig && !(task ? signal_send_task(task, sig, info) : signal_send_process(process, sig, info)))
		return;
	(void)(task ? signal_send_task(task, SIGIO, NULL) : signal_send_process(process, SIGIO, NULL));
}

/* Do si_codes from 1 on mean something else with this signal? */
static bool has_own_codes(int sig)
{
	return sig == SIGILL || sig == SIGFPE || sig == SIGSEGV || sig == SIGBUS || sig == SIGTRAP || sig == SIGCHLD ||
	       sig == SIGSYS;
}

static void signal_owner(const struct file *file, int fd, int code, uint32_t band)
{
	struct abi_siginfo info = {.si_code = has_own_codes(file->owner_signal) ? SI_SIGIO : code,
				   .poll = {.band = band, .fd = fd}};
	struct process *process, *after;
	struct pgroup *group;
	struct task *task;

	if (file->owner_pid < 0) {
		if (!(group = pgroup_find(-file->owner_pid)))
			return;
		pgroup_get(group);
		list_for_each_safe (process, after, &group->members, pgroup_node)
			tell_owner(file, process, NULL, &info);
		pgroup_put(group);
	} else if (file->owner_type == ABI_F_OWNER_TID) {
		if ((task = task_find(file->owner_pid)))
			tell_owner(file, task->process, task, &info);
	} else if ((process = process_find(file->owner_pid))) {
		tell_owner(file, process, NULL, &info);
	}
}

static long give_file(struct file *file, bool cloexec)
{
	struct task *task = task_current();
	long fd = -EBADF;

	if (task)
		fd = fd_install(task->files, file, cloexec, 0, process_limit(task->process, ABI_RLIMIT_NOFILE));
	if (fd < 0)
		file_put(file);
	return fd;
}

static void limit_reached(const char *message)
{
	boot_limit_reached("%s", message);
}

static const struct fs_hooks hooks = {
	.caller = hook_caller_fill,
	.caller_name = caller_name,
	.signal_caller = signal_caller,
	.job = job,
	.session_tty_set = session_tty_set,
	.group_session = group_session,
	.signal_group = signal_group,
	.signal_leader = signal_leader,
	.caller_ignores = caller_ignores,
	.group_orphaned = group_orphaned,
	.session_orphan = session_orphan,
	.leave_tty = leave_tty,
	.signal_owner = signal_owner,
	.give_file = give_file,
	.limit_reached = limit_reached,
	.memory_has_room = memory_has_room,
};

void fshooks_init(void)
{
	fs_hooks_register(&hooks);
}
