/* procsys.c - /proc/sys: what sysctl(8) and libraries ask for.
 *
 * Values are what this sentry does: its limits (sentry/base/limits.h), its facts, its fixed policies. They can be read;
 * a write is refused with EACCES, because none of them may change while guests run; but for where core dumps go.
 */
#include "fs/facts.h"
#include "fs/namei.h"
#include "fs/proc.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STRING_OF(value)  STRING_OF_(value)
#define STRING_OF_(value) #value

static int show_hostname(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%s\n", facts.hostname);
	return 0;
}

static int show_domainname(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%s\n", facts.domainname);
	return 0;
}

static int show_boot_id(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%s\n", facts.boot_id);
	return 0;
}

static int show_uuid(const struct node_ref *ref, struct text *out)
{
	char uuid[37];

	(void)ref;
	facts_uuid(uuid);
	text_printf(out, "%s\n", uuid);
	return 0;
}

static int show_threads_max(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%u\n", TASK_LIMIT);
	return 0;
}

static int show_map_count(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%u\n", VMA_LIMIT);
	return 0;
}

static int show_nr_open(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%u\n", FD_LIMIT);
	return 0;
}

static int show_pipe_max(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%u\n", PIPE_LIMIT_BYTES);
	return 0;
}

static int show_core_pattern(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%s\n", facts.core_pattern);
	return 0;
}

/* A pattern names a file: there is nobody to run a program for a dump. */
static ssize_t store_core_pattern(const struct node_ref *ref, const char *bytes, size_t n)
{
	size_t length = strcspn(bytes, "\n");

	(void)ref;
	if (length >= sizeof facts.core_pattern || *bytes == '|' || *bytes == '@')
		return -EINVAL;
	memcpy(facts.core_pattern, bytes, length);
	facts.core_pattern[length] = '\0';
	return (ssize_t)n;
}

static int show_core_uses_pid(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "%d\n", facts.core_uses_pid);
	return 0;
}

static ssize_t store_core_uses_pid(const struct node_ref *ref, const char *bytes, size_t n)
{
	char *end;
	long value = strtol(bytes, &end, 0);

	(void)ref;
	if (end == bytes || end[strspn(end, "\n")])
		return -EINVAL;
	facts.core_uses_pid = value != 0;
	return (ssize_t)n;
}

#define SHOW_PROTECTION(name)                                                                                          \
	static int show_protected_##name(const struct node_ref *ref, struct text *out)                                 \
	{                                                                                                              \
		(void)ref;                                                                                             \
		text_printf(out, "%d\n", fs_protection.name);                                                          \
		return 0;                                                                                              \
	}
SHOW_PROTECTION(symlinks)
SHOW_PROTECTION(hardlinks)
SHOW_PROTECTION(fifos)
SHOW_PROTECTION(regular)

static const struct node_desc random_files[] = {
	NODE_FILE("boot_id", show_boot_id),
	NODE_FILE("uuid", show_uuid),
	NODE_TEXT("entropy_avail", "256\n"),
	NODE_TEXT("poolsize", "256\n"),
};

static const struct node_desc yama_files[] = {NODE_TEXT("ptrace_scope", "1\n")};

static const struct node_desc kernel_files[] = {
	NODE_TEXT("ostype", FACTS_SYSNAME "\n"),
	NODE_TEXT("osrelease", FACTS_RELEASE "\n"),
	NODE_TEXT("version", FACTS_VERSION "\n"),
	NODE_TEXT("arch", FACTS_MACHINE "\n"),
	NODE_FILE("hostname", show_hostname),
	NODE_FILE("domainname", show_domainname),
	NODE_TEXT("cap_last_cap", "40\n"),
	NODE_TEXT("ngroups_max", "65536\n"),
	NODE_TEXT("pid_max", "4194304\n"),
	NODE_FILE("threads-max", show_threads_max),
	NODE_TEXT("overflowuid", "65534\n"),
	NODE_TEXT("overflowgid", "65534\n"),
	NODE_TEXT("randomize_va_space", "2\n"),
	{.name = "core_pattern", .mode = S_IFREG | 0644, .show = show_core_pattern, .store = store_core_pattern},
	{.name = "core_uses_pid", .mode = S_IFREG | 0644, .show = show_core_uses_pid, .store = store_core_uses_pid},
	NODE_TEXT("panic", "0\n"),
	NODE_TEXT("tainted", "0\n"),
	NODE_TEXT("numa_balancing", "0\n"),
	NODE_TEXT("shm_rmid_forced", "0\n"),
	NODE_TEXT("printk", "4\t4\t1\t7\n"),
	NODE_TEXT("dmesg_restrict", "1\n"),
	NODE_TEXT("kptr_restrict", "2\n"),
	NODE_TEXT("perf_event_paranoid", "4\n"),
	NODE_TEXT("unprivileged_bpf_disabled", "2\n"),
	NODE_TEXT("sched_rt_period_us", "1000000\n"),
	NODE_TEXT("sched_rt_runtime_us", "950000\n"),
	NODE_TEXT("shmmax", "18446744073692774399\n"),
	NODE_TEXT("shmall", "18446744073692774399\n"),
	NODE_TEXT("shmmni", STRING_OF(SYSV_SHM_LIMIT) "\n"),
	NODE_TEXT("msgmax", STRING_OF(SYSV_MSG_BYTES) "\n"),
	NODE_TEXT("msgmnb", STRING_OF(SYSV_MSG_QUEUE_BYTES) "\n"),
	NODE_TEXT("msgmni", STRING_OF(SYSV_MSG_LIMIT) "\n"),
	NODE_TEXT("sem", STRING_OF(SYSV_SEM_PER_SET) "\t" STRING_OF(SYSV_SEM_TOTAL) "\t" STRING_OF(
				 SYSV_SEM_OPS) "\t" STRING_OF(SYSV_SEM_LIMIT) "\n"),
	NODE_DIR("random", random_files),
	NODE_DIR("yama", yama_files),
};

static const struct node_desc vm_files[] = {
	NODE_TEXT("overcommit_memory", "0\n"),
	NODE_TEXT("overcommit_ratio", "50\n"),
	NODE_FILE("max_map_count", show_map_count),
	NODE_TEXT("mmap_min_addr", "65536\n"),
	NODE_TEXT("swappiness", "60\n"),
	NODE_TEXT("nr_hugepages", "0\n"),
	NODE_TEXT("drop_caches", "0\n"),
	NODE_TEXT("panic_on_oom", "0\n"),
	NODE_TEXT("legacy_va_layout", "0\n"),
	NODE_TEXT("min_free_kbytes", "67584\n"),
	NODE_TEXT("dirty_ratio", "20\n"),
	NODE_TEXT("dirty_background_ratio", "10\n"),
	NODE_TEXT("vfs_cache_pressure", "100\n"),
	NODE_TEXT("page-cluster", "3\n"),
	NODE_TEXT("zone_reclaim_mode", "0\n"),
	NODE_TEXT("hugetlb_shm_group", "0\n"),
};

static const struct node_desc inotify_files[] = {
	NODE_TEXT("max_queued_events", STRING_OF(INOTIFY_QUEUE_LIMIT) "\n"),
	NODE_TEXT("max_user_instances", STRING_OF(INOTIFY_INSTANCE_LIMIT) "\n"),
	NODE_TEXT("max_user_watches", STRING_OF(INOTIFY_WATCH_LIMIT) "\n"),
};

static const struct node_desc epoll_files[] = {NODE_TEXT("max_user_watches", "1048576\n")};

static const struct node_desc mqueue_files[] = {
	NODE_TEXT("msg_max", "10\n"),     NODE_TEXT("msgsize_max", "8192\n"),     NODE_TEXT("queues_max", "256\n"),
	NODE_TEXT("msg_default", "10\n"), NODE_TEXT("msgsize_default", "8192\n"),
};

static const struct node_desc fs_files[] = {
	NODE_TEXT("dir-notify-enable", "1\n"),
	NODE_TEXT("file-max", "9223372036854775807\n"),
	NODE_TEXT("file-nr", "1024\t0\t9223372036854775807\n"),
	NODE_FILE("nr_open", show_nr_open),
	NODE_FILE("pipe-max-size", show_pipe_max),
	NODE_TEXT("pipe-user-pages-hard", "0\n"),
	NODE_TEXT("pipe-user-pages-soft", "16384\n"),
	NODE_TEXT("aio-max-nr", "65536\n"),
	NODE_TEXT("aio-nr", "0\n"),
	NODE_TEXT("lease-break-time", "45\n"),
	NODE_TEXT("suid_dumpable", "0\n"),
	NODE_FILE("protected_symlinks", show_protected_symlinks),
	NODE_FILE("protected_hardlinks", show_protected_hardlinks),
	NODE_FILE("protected_fifos", show_protected_fifos),
	NODE_FILE("protected_regular", show_protected_regular),
	NODE_DIR("inotify", inotify_files),
	NODE_DIR("epoll", epoll_files),
	NODE_DIR("mqueue", mqueue_files),
};

static const struct node_desc core_files[] = {
	NODE_TEXT("somaxconn", "4096\n"),  NODE_TEXT("rmem_default", "212992\n"),
	NODE_TEXT("rmem_max", "212992\n"), NODE_TEXT("wmem_default", "212992\n"),
	NODE_TEXT("wmem_max", "212992\n"), NODE_TEXT("optmem_max", "20480\n"),
};

static const struct node_desc ipv4_files[] = {
	NODE_TEXT("ip_local_port_range", "32768\t60999\n"),
	NODE_TEXT("tcp_rmem", "4096\t131072\t6291456\n"),
	NODE_TEXT("tcp_wmem", "4096\t16384\t4194304\n"),
	NODE_TEXT("tcp_timestamps", "1\n"),
	NODE_TEXT("tcp_sack", "1\n"),
	NODE_TEXT("tcp_window_scaling", "1\n"),
	NODE_TEXT("tcp_congestion_control", "cubic\n"),
	NODE_TEXT("tcp_available_congestion_control", "reno cubic\n"),
	NODE_TEXT("tcp_allowed_congestion_control", "reno cubic\n"),
	NODE_TEXT("tcp_keepalive_intvl", "75\n"),
	NODE_TEXT("tcp_keepalive_probes", "9\n"),
	NODE_TEXT("tcp_syn_retries", "6\n"),
	NODE_TEXT("tcp_synack_retries", "5\n"),
	NODE_TEXT("tcp_retries2", "15\n"),
	NODE_TEXT("tcp_max_syn_backlog", "4096\n"),
	NODE_TEXT("tcp_max_tw_buckets", STRING_OF(TCP_TIME_WAIT_LIMIT) "\n"),
	NODE_TEXT("ip_default_ttl", "64\n"),
	NODE_TEXT("ping_group_range", "0\t2147483647\n"),
	NODE_TEXT("icmp_echo_ignore_all", "0\n"),
	NODE_TEXT("icmp_echo_ignore_broadcasts", "1\n"),
	NODE_TEXT("tcp_fin_timeout", "60\n"),
	NODE_TEXT("tcp_keepalive_time", "7200\n"),
	NODE_TEXT("ip_forward", "0\n"),
	NODE_TEXT("ip_unprivileged_port_start", "1024\n"),
};

static const struct node_desc unix_files[] = {NODE_TEXT("max_dgram_qlen", STRING_OF(UNIX_QUEUE_LIMIT) "\n")};

static const struct node_desc net_dirs[] = {
	NODE_DIR("core", core_files),
	NODE_DIR("ipv4", ipv4_files),
	NODE_DIR("unix", unix_files),
};

static const struct node_desc user_files[] = {
	NODE_TEXT("max_user_namespaces", "0\n"),
	NODE_TEXT("max_inotify_watches", STRING_OF(INOTIFY_WATCH_LIMIT) "\n"),
};

static const struct node_desc sys_dirs[] = {
	NODE_DIR("kernel", kernel_files), NODE_DIR("vm", vm_files),     NODE_DIR("fs", fs_files),
	NODE_DIR("net", net_dirs),        NODE_DIR("user", user_files),
};

const struct node_desc proc_sys_dir = NODE_DIR("sys", sys_dirs);
