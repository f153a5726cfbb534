/* procfs_status.c - what /proc/PID says of a process in numbers: stat, status, statm, limits and the small settings.
 *
 * Formats: proc_pid_stat(5), proc_pid_status(5) and fs/proc/array.c of Linux 6.12, because programs count the fields.
 *
 * Limits: faults and context switches are not counted (the host's kernel does that work); the processor is always 0.
 */
#include "fs/facts.h"
#include "fs/tty.h"
#include "platform/platform.h"
#include "sentry/oom.h"
#include "sentry/procfs_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#define KIB(pages) ((pages) * (PAGE_SIZE / 1024))

/* task_statm in Linux: whole pages. */
static uint64_t text_pages(const struct mm *mm)
{
	return (((mm->code_end + PAGE_SIZE - 1) & PAGE_MASK) - (mm->code_start & PAGE_MASK)) >> PAGE_SHIFT;
}

static char state_letter(const struct task *task, bool process)
{
	if (task->state >= TASK_ZOMBIE || (process && task->process->zombie))
		return 'Z';
	if (task->state == TASK_STOPPED)
		return 'T';
	return task->in_guest || task == task_current() ? 'R' : 'S';
}

static const char *state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'T':
		return "T (stopped)";
	case 'Z':
		return "Z (zombie)";
	default:
		return "S (sleeping)";
	}
}

/* The sets of ignored and of caught signals. */
static void dispositions(const struct task *task, uint64_t *ignored, uint64_t *caught)
{
	*ignored = *caught = 0;
	for (int sig = 1; task->sighand && sig <= SIGNAL_COUNT; sig++) {
		uint64_t handler = task->sighand->action[sig - 1].handler;
		if (handler == ABI_SIG_IGN)
			*ignored |= SIGNAL_BIT(sig);
		else if (handler != ABI_SIG_DFL)
			*caught |= SIGNAL_BIT(sig);
	}
}

static void usage_of(const struct task *task, bool process, struct rusage_counts *out)
{
	if (process)
		process_usage(task->process, out);
	else
		task_usage(task, out);
}

/* Fields 1 to 25. */
static void add_stat_task(struct text *out, const struct task *task, bool process)
{
	const struct process *of = task->process;
	const struct pgroup *group = of->pgroup;
	struct rusage_counts usage;
	int nice = task->sched.nice;

	usage_of(task, process, &usage);
	const struct tty *tty = group && !of->left_tty ? group->session->tty : NULL;
	text_printf(out, "%d (%s) %c %d %d %d %u %d %u ", process ? of->pid : task->tid, task->comm,
		    state_letter(task, process), process_ppid(of), group ? group->pgid : 0,
		    group && group->session ? group->session->sid : 0, tty ? tty_device(tty) : 0,
		    tty ? tty_foreground(tty) : -1, 0x00400000u);
	text_printf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", usage.minor_faults,
		    of->children_usage.minor_faults, usage.major_faults, of->children_usage.major_faults);
	text_printf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", procfs_ticks(usage.user_ns),
		    procfs_ticks(usage.system_ns), procfs_ticks(of->children_usage.user_ns),
		    procfs_ticks(of->children_usage.system_ns));
	uint64_t start_ns = (process ? of->start_ns : task->start_ns) + procfs_boot_offset_ns();
	text_printf(out, "%d %d %u 0 %" PRIu64 " ", 20 + nice, nice, of->thread_count, procfs_ticks(start_ns));
}

static uint64_t rss_bytes(const struct mm *mm)
{
	struct memory_usage usage;

	aspace_usage(mm->as, &usage);
	return memory_usage_rss(&usage);
}

/* Fields 23 to 30, and those behind the signals: zeros for whoever may not look inside. */
static void add_stat_memory(struct text *out, const struct task *task, bool allowed)
{
	static const struct mm nothing;
	const struct mm *mm = task->mm && allowed ? task->mm : &nothing;
	uint64_t size = task->mm ? mm_shown_pages(task->mm) * PAGE_SIZE : 0;
	uint64_t resident = task->mm ? rss_bytes(task->mm) / PAGE_SIZE : 0;
	uint64_t ignored, caught;

	dispositions(task, &ignored, &caught);
	text_printf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 0 ", size, resident,
		    task->process->limits[ABI_RLIMIT_RSS].soft, mm->code_start, mm->code_end, mm->stack_top);
	text_printf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 0 0 %d 0 %d %d 0 0 0 ",
		    task->pending.set & INT32_MAX, task->blocked & INT32_MAX, ignored & INT32_MAX, caught & INT32_MAX,
		    task->process->exit_signal, task->sched.priority, task->sched.policy);
	text_printf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d\n",
		    mm->data_start, mm->data_end, mm->brk_start, mm->arg_start, mm->arg_end, mm->env_start, mm->env_end,
		    allowed ? task->exit_code : 0);
}

int procfs_show_stat(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	add_stat_task(out, task, procfs_is_process(ref));
	add_stat_memory(out, task, !procfs_may_access(ref));
	return 0;
}

/* ------------------------------------------------------------------ status */

static void add_identity(struct text *out, const struct task *task, bool process)
{
	const struct cred *cred = task->cred;

	text_add_string(out, "Name:\t");
	for (const char *c = task->comm; *c; c++)
		text_printf(out, *c == '\n' ? "\\n" : *c == '\\' ? "\\\\" : "%c", *c);
	text_printf(out, "\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		    task->fs ? task->fs->umask : 0, state_name(state_letter(task, process)), task->process->pid,
		    process ? task->process->pid : task->tid, process_ppid(task->process));
	text_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", cred->uid, cred->euid, cred->suid, cred->fsuid,
		    cred->gid, cred->egid, cred->sgid, cred->fsgid);
	text_printf(out, "FDSize:\t%u\nGroups:\t", task->files ? task->files->size : 0);
	for (uint32_t i = 0; i < cred->group_count; i++)
		text_printf(out, "%u ", cred->groups[i]);
	const struct pgroup *group = task->process->pgroup;
	text_printf(out, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t0\n", task->process->pid,
		    task->tid, group ? group->pgid : 0, group && group->session ? group->session->sid : 0);
}

static void add_memory(struct text *out, const struct mm *mm)
{
	struct memory_usage usage;
	uint64_t size_kb = KIB(mm_shown_pages((struct mm *)mm));
	uint64_t stack_kb = (mm->stack_top - MIN(mm->stack_shown, mm->stack_top)) / 1024;

	text_printf(out,
		    "VmPeak:\t%8" PRIu64 " kB\nVmSize:\t%8" PRIu64 " kB\nVmLck:\t%8" PRIu64
		    " kB\nVmPin:\t       0 kB\n",
		    MAX(KIB(mm->peak_pages), size_kb), size_kb, KIB(mm->locked_pages));
	aspace_usage(mm->as, &usage);
	uint64_t resident_kb = memory_usage_rss(&usage) / 1024;
	text_printf(out, "VmHWM:\t%8" PRIu64 " kB\nVmRSS:\t%8" PRIu64 " kB\n", usage.peak / 1024, resident_kb);
	text_printf(out, "RssAnon:\t%8" PRIu64 " kB\nRssFile:\t%8" PRIu64 " kB\nRssShmem:\t%8" PRIu64 " kB\n",
		    usage.anonymous / 1024, usage.file / 1024, usage.shared / 1024);
	text_printf(out,
		    "VmData:\t%8" PRIu64 " kB\nVmStk:\t%8" PRIu64 " kB\nVmExe:\t%8" PRIu64 " kB\nVmLib:\t       0 kB\n",
		    KIB(mm->data_pages), stack_kb, KIB(text_pages(mm)));
	text_printf(out, "VmPTE:\t%8" PRIu64 " kB\nVmSwap:\t       0 kB\nHugetlbPages:\t       0 kB\n",
		    usage.tables / 1024);
	text_add_string(out, "CoreDumping:\t0\nTHP_enabled:\t1\n");
}

static void add_signals(struct text *out, const struct task *task)
{
	const struct process *process = task->process;
	uint64_t ignored, caught;

	dispositions(task, &ignored, &caught);
	text_printf(out, "Threads:\t%u\nSigQ:\t0/%" PRIu64 "\n", process->thread_count,
		    process->limits[ABI_RLIMIT_SIGPENDING].soft);
	text_printf(out, "SigPnd:\t%016" PRIx64 "\nShdPnd:\t%016" PRIx64 "\nSigBlk:\t%016" PRIx64 "\n",
		    task->pending.set, process->pending.set, task->blocked);
	text_printf(out, "SigIgn:\t%016" PRIx64 "\nSigCgt:\t%016" PRIx64 "\n", ignored, caught);
}

static void add_processors(struct text *out, const struct task *task)
{
	unsigned count = MIN(facts.cpu_count, 64u);
	uint64_t all = count == 64 ? UINT64_MAX : (1ull << count) - 1, mask = task->sched.affinity[0] & all;
	const char *separator = "";

	text_printf(out, "Cpus_allowed:\t%" PRIx64 "\nCpus_allowed_list:\t", mask);
	for (unsigned first = 0; first < count; first++) {
		unsigned last = first;
		if (!(mask >> first & 1))
			continue;
		while (last + 1 < count && mask >> (last + 1) & 1)
			last++;
		text_printf(out, last > first ? "%s%u-%u" : "%s%u", separator, first, last);
		separator = ",";
		first = last;
	}
	text_add_string(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

int procfs_show_status(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	const struct cred *cred = task->cred;
	add_identity(out, task, procfs_is_process(ref));
	if (task->mm)
		add_memory(out, task->mm);
	add_signals(out, task);
	text_printf(out, "CapInh:\t%016" PRIx64 "\nCapPrm:\t%016" PRIx64 "\nCapEff:\t%016" PRIx64 "\n",
		    cred->cap_inheritable, cred->cap_permitted, cred->cap_effective);
	text_printf(out, "CapBnd:\t%016" PRIx64 "\nCapAmb:\t%016" PRIx64 "\n", cred->cap_bounding, cred->cap_ambient);
	text_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", task->no_new_privs);
	text_add_string(out, "Speculation_Store_Bypass:\tvulnerable\nSpeculationIndirectBranch:\talways enabled\n");
	add_processors(out, task);
	text_add_string(out, "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
	return 0;
}

/* size resident shared text lib data dirty, in pages. */
int procfs_show_statm(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	struct mm *mm = task->mm;
	if (!mm) {
		text_add_string(out, "0 0 0 0 0 0 0\n");
		return 0;
	}
	struct memory_usage usage;
	aspace_usage(mm->as, &usage);
	text_printf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 %" PRIu64 " 0\n", mm_shown_pages(mm),
		    memory_usage_rss(&usage) / PAGE_SIZE, (usage.file + usage.shared) / PAGE_SIZE, text_pages(mm),
		    mm->data_pages);
	return 0;
}

/* ------------------------------------------------------------------ limits and settings */

static void add_limit(struct text *out, uint64_t value)
{
	if (value == ABI_RLIM_INFINITY)
		text_printf(out, "%-20s ", "unlimited");
	else
		text_printf(out, "%-20" PRIu64 " ", value);
}

int procfs_show_limits(const struct node_ref *ref, struct text *out)
{
	static const struct {
		const char *name, *unit;
	} names[RLIMIT_COUNT] = {
		[ABI_RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[ABI_RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[ABI_RLIMIT_DATA] = {"Max data size", "bytes"},
		[ABI_RLIMIT_STACK] = {"Max stack size", "bytes"},
		[ABI_RLIMIT_CORE] = {"Max core file size", "bytes"},
		[ABI_RLIMIT_RSS] = {"Max resident set", "bytes"},
		[ABI_RLIMIT_NPROC] = {"Max processes", "processes"},
		[ABI_RLIMIT_NOFILE] = {"Max open files", "files"},
		[ABI_RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[ABI_RLIMIT_AS] = {"Max address space", "bytes"},
		[ABI_RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[ABI_RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[ABI_RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[ABI_RLIMIT_NICE] = {"Max nice priority", ""},
		[ABI_RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[ABI_RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMIT_COUNT; i++) {
		text_printf(out, "%-25s ", names[i].name);
		add_limit(out, task->process->limits[i].soft);
		add_limit(out, task->process->limits[i].hard);
		text_printf(out, "%-10s\n", names[i].unit);
	}
	return 0;
}

int procfs_show_comm(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%s\n", task->comm);
	return 0;
}

/* comm_write in Linux: threads of the same process only; what is too long is cut. */
ssize_t procfs_store_comm(const struct node_ref *ref, const char *bytes, size_t n)
{
	struct task *task = procfs_task(ref), *caller = task_current();

	if (!task)
		return -ESRCH;
	if (!caller || caller->process != task->process)
		return -EINVAL;
	memset(task->comm, 0, sizeof task->comm);
	memcpy(task->comm, bytes, MIN(strlen(bytes), sizeof task->comm - 1));
	return (ssize_t)n;
}

/* io_accounting in Linux; nothing of ours is a block device. */
int procfs_show_io(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);
	struct rusage_counts usage;

	if (!task)
		return -ESRCH;
	usage_of(task, procfs_is_process(ref), &usage);
	text_printf(out, "rchar: %" PRIu64 "\nwchar: %" PRIu64 "\nsyscr: %" PRIu64 "\nsyscw: %" PRIu64 "\n",
		    usage.read_chars, usage.write_chars, usage.read_calls, usage.write_calls);
	text_add_string(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
	return 0;
}

/* Nanoseconds run, nanoseconds waited for a processor (nobody knows), turns. */
int procfs_show_schedstat(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);
	struct rusage_counts usage;

	if (!task)
		return -ESRCH;
	usage_of(task, procfs_is_process(ref), &usage);
	text_printf(out, "%" PRIu64 " 0 %" PRIu64 "\n", usage.user_ns + usage.system_ns, task->calls);
	return 0;
}

int procfs_show_coredump_filter(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%08x\n", task->process->coredump_filter);
	return 0;
}

ssize_t procfs_store_coredump_filter(const struct node_ref *ref, const char *bytes, size_t n)
{
	struct task *task = procfs_task(ref);
	char *end;
	unsigned long value = strtoul(bytes, &end, 0);

	if (end == bytes || end[strspn(end, "\n")])
		return -EINVAL;
	if (!task)
		return -ESRCH;
	task->process->coredump_filter = (uint32_t)value & 0x1ff;
	return (ssize_t)n;
}

/* The call that a sleeping thread is in, its arguments, stack and instruction pointers. */
int procfs_show_syscall(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	if (task->in_guest || task->state >= TASK_ZOMBIE) {
		text_add_string(out, "running\n");
		return 0;
	}
	text_printf(out, "%" PRId64, (int64_t)task->stop.nr);
	for (unsigned i = 0; i < COUNT(task->stop.args); i++)
		text_printf(out, " 0x%" PRIx64, task->stop.args[i]);
	text_add_string(out, " 0x0 0x0\n");
	return 0;
}

int procfs_show_oom_score(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%u\n", oom_score(task->process));
	return 0;
}

int procfs_show_oom_score_adj(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%d\n", task->process->oom_score_adj);
	return 0;
}

ssize_t procfs_store_oom_score_adj(const struct node_ref *ref, const char *bytes, size_t n)
{
	struct task *task = procfs_task(ref), *caller = task_current();
	char *end;
	long value = strtol(bytes, &end, 10);

	if (end == bytes || end[strspn(end, " \t\n")] || value < -1000 || value > 1000)
		return -EINVAL;
	if (!task)
		return -ESRCH;
	if (value < task->process->oom_score_adj && caller && !cred_capable(caller->cred, CAP_SYS_RESOURCE))
		return -EACCES;
	task->process->oom_score_adj = (int32_t)value;
	return (ssize_t)n;
}

/* Our processes belong to their parent as a whole: the children are shown at its leader. */
int procfs_show_children(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);
	struct process *child;

	if (!task)
		return -ESRCH;
	if (task == task->process->leader)
		list_for_each (child, &task->process->children, sibling_node)
			text_printf(out, "%d ", child->pid);
	return 0;
}

int procfs_show_personality(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%08x\n", task->personality);
	return 0;
}

int procfs_show_timerslack(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	text_printf(out, "%" PRIu64 "\n", task->timer_slack_ns);
	return 0;
}
