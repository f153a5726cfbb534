/* procfs.c - /proc by processes (proc(5)): the numbered directories, self, and who may look into whom.
 *
 * Nodes name a task by its numbers; each operation looks it up anew, so a directory held open for a process that has
 * ended says ESRCH or ENOENT and never shows another. What a file shows is made in procfs_status.c, procfs_mem.c and
 * procfs_fd.c.
 *
 * Limits: no pagemap, sched, attr; ns/ has only link texts.
 */
#include "sentry/procfs.h"
#include "fs/proc.h"
#include "netstack/procnet.h"
#include "netstack/sysnet.h"
#include "netstack/tcp.h"
#include "platform/host.h"
#include "sentry/procfs_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* ------------------------------------------------------------------ tasks by number */

static uint32_t start_of(const struct process *process)
{
	return (uint32_t)(process->start_ns >> 10);
}

struct task *procfs_task(const struct node_ref *ref)
{
	struct process *process = process_find((int32_t)ref->args[PROC_PID]);

	if (!process || start_of(process) != ref->args[PROC_START])
		return NULL;
	if (!ref->args[PROC_TID])
		return process->leader;
	struct task *task = task_find((int32_t)ref->args[PROC_TID]);
	return task && task->process == process ? task : NULL;
}

int procfs_may_access(const struct node_ref *ref)
{
	struct task *asking = task_current(), *task = procfs_task(ref);

	if (!task)
		return -ENOENT;
	return asking && task_may_access(asking, task) ? -EACCES : 0;
}

int procfs_may_open(const struct node_ref *ref, struct cred *cred, uint32_t flags)
{
	(void)cred;
	(void)flags;
	return procfs_may_access(ref);
}

int procfs_may_open_memory(const struct node_ref *ref, struct cred *cred, uint32_t flags)
{
	int error = procfs_may_open(ref, cred, flags);

	if (error)
		return error;
	return procfs_task(ref)->mm ? 0 : -ESRCH;
}

/* task_dump_owner in Linux: what a process without PR_SET_DUMPABLE has is root's, but for its directory itself. */
bool procfs_refresh(const struct node_ref *ref, struct inode *inode)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return false;
	bool hidden = task->mm && !task->mm->dumpable && inode->mode != (S_IFDIR | 0555);
	inode->uid = hidden ? 0 : task->cred->euid;
	inode->gid = hidden ? 0 : task->cred->egid;
	return true;
}

/* ------------------------------------------------------------------ clocks */

static uint64_t host_clock_ns(clockid_t clock)
{
	struct timespec now;

	if (host_clock_gettime(clock, &now))
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t procfs_boottime_ns(void)
{
	return host_clock_ns(CLOCK_BOOTTIME);
}

uint64_t procfs_boot_offset_ns(void)
{
	return host_clock_ns(CLOCK_BOOTTIME) - host_clock_ns(CLOCK_MONOTONIC);
}

/* ------------------------------------------------------------------ /proc/PID and /proc/PID/task/TID */

#define PID_FILE(file_name, permissions, show_function)                                                                \
	{                                                                                                              \
		.name = file_name, .mode = S_IFREG | (permissions), .show = show_function                              \
	}
/* Only for those who might trace the process. */
#define PID_INSIDE(file_name, permissions, show_function)                                                              \
	{                                                                                                              \
		.name = file_name, .mode = S_IFREG | (permissions), .show = show_function, .may_open = procfs_may_open \
	}
/* And only as long as it has one: not of zombies. */
#define PID_MEMORY(file_name, permissions, show_function)                                                              \
	{                                                                                                              \
		.name = file_name, .mode = S_IFREG | (permissions), .show = show_function,                             \
		.may_open = procfs_may_open_memory                                                                     \
	}
#define PID_LINK(file_name, of)                                                                                        \
	{                                                                                                              \
		.name = file_name, .mode = S_IFLNK | 0777, .link = procfs_link_##of, .follow = procfs_follow_##of      \
	}
#define NS_LINK(ns_name, target)                                                                                       \
	{                                                                                                              \
		.name = ns_name, .mode = S_IFLNK | 0777, .text = target                                                \
	}

/* One of each: the numbers are those of Linux's first ones (include/linux/proc_ns.h). */
static const struct node_desc ns_files[] = {
	NS_LINK("cgroup", "cgroup:[4026531835]"), NS_LINK("ipc", "ipc:[4026531839]"),
	NS_LINK("mnt", "mnt:[4026531841]"),       NS_LINK("net", "net:[4026531840]"),
	NS_LINK("pid", "pid:[4026531836]"),       NS_LINK("pid_for_children", "pid:[4026531836]"),
	NS_LINK("time", "time:[4026531834]"),     NS_LINK("time_for_children", "time:[4026531834]"),
	NS_LINK("user", "user:[4026531837]"),     NS_LINK("uts", "uts:[4026531838]"),
};

#define ID_MAP "         0          0 4294967295\n"

/* clang-format off: a list */
#define FILES_OF_BOTH                                                                                                  \
	PID_FILE("stat", 0444, procfs_show_stat), PID_FILE("status", 0444, procfs_show_status),                        \
		PID_FILE("statm", 0444, procfs_show_statm), PID_FILE("limits", 0444, procfs_show_limits),              \
		{.name = "comm", .mode = S_IFREG | 0644, .show = procfs_show_comm, .store = procfs_store_comm},        \
		PID_FILE("cmdline", 0444, procfs_show_cmdline), PID_MEMORY("environ", 0400, procfs_show_environ),      \
		PID_MEMORY("auxv", 0400, procfs_show_auxv),                                                            \
		{.name = "maps",                                                                                       \
		 .mode = S_IFREG | 0444,                                                                               \
		 .show = procfs_show_maps,                                                                             \
		 .ioctl = procfs_maps_ioctl,                                                                           \
		 .may_open = procfs_may_open},                                                                         \
		PID_INSIDE("smaps", 0444, procfs_show_smaps),                                                          \
		PID_INSIDE("smaps_rollup", 0444, procfs_show_smaps_rollup), PID_INSIDE("io", 0400, procfs_show_io),    \
		PID_FILE("schedstat", 0444, procfs_show_schedstat), PID_INSIDE("syscall", 0400, procfs_show_syscall),  \
		NODE_TEXT("projid_map", ID_MAP),                                                                       \
		NODE_TEXT("timens_offsets", "monotonic           0         0\nboottime            0         0\n"),     \
		PID_INSIDE("personality", 0400, procfs_show_personality),                                              \
		{.name = "mem",                                                                                        \
		 .mode = S_IFREG | 0600,                                                                               \
		 .read = procfs_read_mem,                                                                              \
		 .write = procfs_write_mem,                                                                            \
		 .may_open = procfs_may_open_memory},                                                                  \
		PID_LINK("exe", exe), PID_LINK("cwd", cwd), PID_LINK("root", root),                                    \
		PID_FILE("mounts", 0444, procfs_show_mounts), PID_FILE("mountinfo", 0444, procfs_show_mountinfo),      \
		{.name = "oom_score_adj",                                                                              \
		 .mode = S_IFREG | 0644,                                                                               \
		 .show = procfs_show_oom_score_adj,                                                                    \
		 .store = procfs_store_oom_score_adj},                                                                 \
		PID_FILE("oom_score", 0444, procfs_show_oom_score), NODE_TEXT("cgroup", "0::/\n"),                     \
		NODE_TEXT("cpuset", "/\n"), NODE_TEXT("loginuid", "4294967295"), NODE_TEXT("sessionid", "4294967295"), \
		NODE_TEXT("wchan", "0"), NODE_TEXT("uid_map", ID_MAP), NODE_TEXT("gid_map", ID_MAP),                   \
		NODE_TEXT("setgroups", "allow\n"), NODE_DIR("ns", ns_files),                                           \
		{.name = "fd",                                                                                         \
		 .mode = S_IFDIR | 0500,                                                                               \
		 .entry = &procfs_fd_entry,                                                                            \
		 .lookup = procfs_lookup_fd,                                                                           \
		 .next = procfs_next_fd,                                                                               \
		 .may_open = procfs_may_open},                                                                         \
		{.name = "fdinfo",                                                                                     \
		 .mode = S_IFDIR | 0555,                                                                               \
		 .entry = &procfs_fdinfo_entry,                                                                        \
		 .lookup = procfs_lookup_fd,                                                                           \
		 .next = procfs_next_fd,                                                                               \
		 .may_open = procfs_may_open},                                                                         \
	{                                                                                                              \
		.name = "net", .mode = S_IFDIR | 0555, .children = procnet_files, .child_count = PROCNET_FILES         \
	}
/* clang-format on */

static const struct node_desc thread_files[] = {
	FILES_OF_BOTH,
	PID_FILE("children", 0444, procfs_show_children),
};

static int lookup_thread(const struct node_ref *ref, const char *name, struct node_ref *child)
{
	if (!node_number(name, &child->args[PROC_TID]) || !child->args[PROC_TID])
		return -ENOENT;
	child->args[PROC_PID] = ref->args[PROC_PID];
	struct task *task = procfs_task(child);
	return task && task->state != TASK_DEAD ? 0 : -ENOENT;
}

static bool next_thread(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child)
{
	struct process *process = process_find((int32_t)ref->args[PROC_PID]);
	struct task *task, *best = NULL;

	if (!process || start_of(process) != ref->args[PROC_START])
		return false;
	list_for_each (task, &process->threads, thread_node)
		if ((uint64_t)task->tid >= *key && (!best || task->tid < best->tid))
			best = task;
	if (!best)
		return false;
	*key = (uint64_t)best->tid;
	child->args[PROC_TID] = (uint32_t)best->tid;
	snprintf(name, 32, "%d", best->tid);
	return true;
}

static const struct node_desc thread_entry = {
	.name = "", .mode = S_IFDIR | 0555, .children = thread_files, .child_count = COUNT(thread_files)};

static const struct node_desc process_files[] = {
	FILES_OF_BOTH,
	PID_FILE("timerslack_ns", 0666, procfs_show_timerslack),
	{.name = "coredump_filter",
	 .mode = S_IFREG | 0644,
	 .show = procfs_show_coredump_filter,
	 .store = procfs_store_coredump_filter},
	{.name = "task", .mode = S_IFDIR | 0555, .entry = &thread_entry, .lookup = lookup_thread, .next = next_thread},
};

static const struct node_desc process_entry = {.name = "",
					       .mode = S_IFDIR | 0555,
					       .children = process_files,
					       .child_count = COUNT(process_files),
					       .refresh = procfs_refresh};

int procfs_process(const struct file *file, struct process **out)
{
	struct node_ref ref;

	if (file->kind == FILE_PATH || !file->inode || nodefs_desc(file->inode, &ref) != &process_entry ||
	    ref.args[PROC_TID])
		return -EBADF;
	struct task *task = procfs_task(&ref);
	if (!task)
		return -ESRCH;
	*out = task->process;
	return 0;
}

/* ------------------------------------------------------------------ the root */

/* A thread that leads no process is found by its number too, but not listed. */
static int lookup_process(const struct node_ref *ref, const char *name, struct node_ref *child)
{
	uint32_t number;

	(void)ref;
	if (!node_number(name, &number))
		return -ENOENT;
	struct task *task = task_find((int32_t)number);
	if (!task || !task->process || task->state == TASK_DEAD)
		return -ENOENT;
	child->args[PROC_PID] = (uint32_t)task->process->pid;
	child->args[PROC_TID] = task->process->pid == task->tid ? 0 : number;
	child->args[PROC_START] = start_of(task->process);
	return 0;
}

static bool next_process(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child)
{
	struct list *all = process_all();
	struct process *process, *best = NULL;

	(void)ref;
	list_for_each (process, all, all_node)
		if ((uint64_t)process->pid >= *key && (!best || process->pid < best->pid))
			best = process;
	if (!best)
		return false;
	*key = (uint64_t)best->pid;
	child->args[PROC_PID] = (uint32_t)best->pid;
	child->args[PROC_START] = start_of(best);
	snprintf(name, 32, "%d", best->pid);
	return true;
}

printf_like(3, 4) static ssize_t link_text(char *target, size_t size, const char *format, ...)
{
	char text[32];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	assert(length > 0 && (size_t)length < sizeof text);
	size_t n = MIN((size_t)length, size);
	memcpy(target, text, n);
	return (ssize_t)n;
}

static ssize_t link_self(const struct node_ref *ref, char *target, size_t size)
{
	struct task *task = task_current();

	(void)ref;
	return task ? link_text(target, size, "%d", task->process->pid) : -ENOENT;
}

static ssize_t link_thread_self(const struct node_ref *ref, char *target, size_t size)
{
	struct task *task = task_current();

	(void)ref;
	return task ? link_text(target, size, "%d/task/%d", task->process->pid, task->tid) : -ENOENT;
}

static const struct node_desc root_files[] = {
	{.name = "self", .mode = S_IFLNK | 0777, .link = link_self},
	{.name = "thread-self", .mode = S_IFLNK | 0777, .link = link_thread_self},
	NS_LINK("mounts", "self/mounts"),
	NS_LINK("net", "self/net"),
};

static const struct node_desc root = {.name = "",
				      .mode = S_IFDIR | 0555,
				      .children = root_files,
				      .child_count = COUNT(root_files),
				      .entry = &process_entry,
				      .lookup = lookup_process,
				      .next = next_process};

void procfs_init(void)
{
	proc_root_set(&root);
	for (unsigned i = 0; i < procfs_machine_count; i++)
		nodefs_register(proc_root(), &procfs_machine_files[i]);
	procfs_machine_init();
	sysnet_init();
	tcp_sysctl_init();
	procfs_keys_init();
}
