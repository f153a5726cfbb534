/* procfs_machine.c - what the sandbox as a whole uses: /proc/stat, uptime, loadavg, meminfo, and the control group's
 * figures in /sys.
 *
 * Memory in use is what the host counts for the stubs and the sentry (memory.h).
 *
 * Limits: no load average is kept (zeros); user and system time are not told apart; all processors are shown as equally
 * busy.
 */
#include "fs/facts.h"
#include "fs/sys.h"
#include "platform/host.h"
#include "sentry/cpulimit.h"
#include "sentry/memory.h"
#include "sentry/oom.h"
#include "sentry/procfs_impl.h"
#include "sentry/sysv.h"
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#define CENTISECOND (10 * NS_PER_MS)

/* ------------------------------------------------------------------ time */

/* CPU time of everybody so far. It never goes back, though the time of those that nobody waited for is lost. */
static uint64_t busy_ns(void)
{
	static uint64_t most;
	struct list *all = process_all();
	struct process *process;
	uint64_t sum = 0;

	list_for_each (process, all, all_node)
		sum += process_cpu_ns(process) + process->children_usage.user_ns + process->children_usage.system_ns;
	most = MAX(most, sum);
	return most;
}

static unsigned running_tasks(void)
{
	struct list *all = process_all();
	struct process *process;
	struct task *task;
	unsigned count = 0;

	list_for_each (process, all, all_node)
		list_for_each (task, &process->threads, thread_node)
			count += task->in_guest || task == task_current();
	return count;
}

static int show_stat(const struct node_ref *ref, struct text *out)
{
	uint64_t up = procfs_boottime_ns(), busy = busy_ns(), all = up * facts.cpu_count;
	uint64_t idle = all > busy ? all - busy : 0;
	struct timespec now;

	(void)ref;
	text_printf(out, "cpu  %" PRIu64 " 0 0 %" PRIu64 " 0 0 0 0 0 0\n", procfs_ticks(busy), procfs_ticks(idle));
	for (unsigned i = 0; i < facts.cpu_count; i++)
		text_printf(out, "cpu%u %" PRIu64 " 0 0 %" PRIu64 " 0 0 0 0 0 0\n", i,
			    procfs_ticks(busy / facts.cpu_count), procfs_ticks(idle / facts.cpu_count));
	int64_t boot_s = host_clock_gettime(CLOCK_REALTIME, &now) ? 0 : now.tv_sec - (int64_t)(up / NS_PER_S);
	text_printf(out,
		    "intr 0\nctxt 0\nbtime %" PRId64 "\nprocesses %u\nprocs_running %u\nprocs_blocked 0\nsoftirq 0\n",
		    boot_s, task_total(), running_tasks());
	return 0;
}

static int show_uptime(const struct node_ref *ref, struct text *out)
{
	uint64_t up = procfs_boottime_ns(), busy = busy_ns(), all = up * facts.cpu_count;
	uint64_t idle = all > busy ? all - busy : 0;

	(void)ref;
	uint64_t up_cs = up / CENTISECOND, idle_cs = idle / CENTISECOND;
	text_printf(out, "%" PRIu64 ".%02" PRIu64 " %" PRIu64 ".%02" PRIu64 "\n", up_cs / 100, up_cs % 100,
		    idle_cs / 100, idle_cs % 100);
	return 0;
}

static int show_loadavg(const struct node_ref *ref, struct text *out)
{
	struct list *all = process_all();
	struct process *process;
	int32_t last = 1;

	(void)ref;
	list_for_each (process, all, all_node)
		last = MAX(last, process->pid);
	text_printf(out, "0.00 0.00 0.00 %u/%u %d\n", running_tasks(), task_total(), last);
	return 0;
}

/* ------------------------------------------------------------------ memory */

static void add_kb(struct text *out, const char *name, uint64_t bytes)
{
	text_printf(out, "%-16s%8" PRIu64 " kB\n", name, bytes / 1024);
}

static int show_meminfo(const struct node_ref *ref, struct text *out)
{
	static const char *const none[] = {
		"Buffers:",      "Cached:",         "SwapCached:",   "Active:",         "Inactive:",
		"Active(anon):", "Inactive(anon):", "Active(file):", "Inactive(file):", "Unevictable:",
		"Mlocked:",      "SwapTotal:",      "SwapFree:",     "Dirty:",          "Writeback:"};
	struct platform_memory now;

	memory_recent(&now);
	uint64_t used = memory_used_bytes(), free = facts.memory_bytes - used;

	(void)ref;
	add_kb(out, "MemTotal:", facts.memory_bytes);
	add_kb(out, "MemFree:", free);
	add_kb(out, "MemAvailable:", free);
	for (unsigned i = 0; i < COUNT(none); i++)
		add_kb(out, none[i], 0);
	add_kb(out, "AnonPages:", now.guests);
	add_kb(out, "Mapped:", 0);
	add_kb(out, "Shmem:", now.shared);
	add_kb(out, "KReclaimable:", 0);
	add_kb(out, "Slab:", now.sentry);
	add_kb(out, "SReclaimable:", 0);
	add_kb(out, "SUnreclaim:", now.sentry);
	add_kb(out, "PageTables:", 0);
	add_kb(out, "CommitLimit:", facts.memory_bytes);
	add_kb(out, "Committed_AS:", used);
	add_kb(out, "VmallocTotal:", 0);
	add_kb(out, "VmallocUsed:", 0);
	text_add_string(out, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
			     "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

/* Pages come and go without the sentry: only what it knows is counted. */
static int show_vmstat(const struct node_ref *ref, struct text *out)
{
	static const char *const none[] = {"pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault"};
	uint64_t used = memory_used_bytes();

	(void)ref;
	text_printf(out, "nr_free_pages %" PRIu64 "\nnr_anon_pages %" PRIu64 "\n",
		    (facts.memory_bytes - used) / PAGE_SIZE, used / PAGE_SIZE);
	for (unsigned i = 0; i < COUNT(none); i++)
		text_printf(out, "%s 0\n", none[i]);
	text_printf(out, "oom_kill %" PRIu64 "\n", oom_kills());
	return 0;
}

/* ------------------------------------------------------------------ sysvipc */

#define SYSV_FILE(name, type)                                                                                          \
	static int show_sysv_##name(const struct node_ref *ref, struct text *out)                                      \
	{                                                                                                              \
		(void)ref;                                                                                             \
		sysv_show(type, out);                                                                                  \
		return 0;                                                                                              \
	}
SYSV_FILE(shm, SYSV_SHM)
SYSV_FILE(sem, SYSV_SEM)
SYSV_FILE(msg, SYSV_MSG)

static const struct node_desc sysvipc_files[] = {
	NODE_FILE("shm", show_sysv_shm),
	NODE_FILE("sem", show_sysv_sem),
	NODE_FILE("msg", show_sysv_msg),
};

const struct node_desc procfs_machine_files[] = {
	NODE_FILE("vmstat", show_vmstat),   NODE_FILE("stat", show_stat),       NODE_FILE("uptime", show_uptime),
	NODE_FILE("loadavg", show_loadavg), NODE_FILE("meminfo", show_meminfo), NODE_DIR("sysvipc", sysvipc_files),
};
const unsigned procfs_machine_count = COUNT(procfs_machine_files);

/* ------------------------------------------------------------------ /sys/fs/cgroup */

static int show_memory_current(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%" PRIu64 "\n", memory_used_bytes() & PAGE_MASK);
	return 0;
}

static int show_pids_current(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%u\n", task_total() - 1); /* pid 1 is ours */
	return 0;
}

static int show_pids_max(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%u\n", task_limit());
	return 0;
}

static int show_memory_peak(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%" PRIu64 "\n", memory_peak_bytes() & PAGE_MASK);
	return 0;
}

static int show_memory_events(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "low 0\nhigh 0\nmax 0\noom %" PRIu64 "\noom_kill %" PRIu64 "\noom_group_kill 0\n", oom_kills(),
		    oom_kills());
	return 0;
}

#define CPU_PERIOD_US 100000

static int show_cpu_max(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	if (cpulimit_milli())
		text_printf(out, "%" PRIu64 " %d\n", (uint64_t)(cpulimit_milli() * CPU_PERIOD_US / 1000),
			    CPU_PERIOD_US);
	else
		text_printf(out, "max %d\n", CPU_PERIOD_US);
	return 0;
}

static int show_cgroup_procs(const struct node_ref *ref, struct text *out)
{
	struct list *all = process_all();
	struct process *process;

	(void)ref;
	list_for_each (process, all, all_node)
		text_printf(out, "%d\n", process->pid);
	return 0;
}

static int show_cpu_stat(const struct node_ref *ref, struct text *out)
{
	uint64_t us = busy_ns() / NS_PER_US, periods, held, held_ns;

	(void)ref;
	cpulimit_stats(&periods, &held, &held_ns);
	text_printf(out, "usage_usec %" PRIu64 "\nuser_usec %" PRIu64 "\nsystem_usec 0\n", us, us);
	text_printf(out, "nr_periods %" PRIu64 "\nnr_throttled %" PRIu64 "\nthrottled_usec %" PRIu64 "\n", periods,
		    held, (uint64_t)(held_ns / NS_PER_US));
	return 0;
}

static const struct node_desc cgroup_files[] = {
	NODE_FILE("memory.current", show_memory_current), NODE_FILE("memory.peak", show_memory_peak),
	NODE_FILE("memory.events", show_memory_events),   NODE_FILE("cpu.max", show_cpu_max),
	NODE_FILE("pids.current", show_pids_current),     NODE_FILE("pids.max", show_pids_max),
	NODE_FILE("cgroup.procs", show_cgroup_procs),     NODE_FILE("cpu.stat", show_cpu_stat),
};

void procfs_machine_init(void)
{
	uint32_t cgroup = nodefs_find(sys_root(), "fs/cgroup");

	assert(cgroup != NODE_ROOT);
	for (unsigned i = 0; i < COUNT(cgroup_files); i++)
		nodefs_register(cgroup, &cgroup_files[i]);
}
