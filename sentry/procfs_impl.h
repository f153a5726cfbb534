/* procfs_impl.h - what the files sentry/procfs*.c share among themselves.
 *
 * A node of a process has args {pid, tid, number, start}: tid 0 stands for the process as a whole (its leader's
 * values), number is a descriptor, start tells processes with the same pid apart.
 */
#ifndef SENTRY_PROCFS_IMPL_H
#define SENTRY_PROCFS_IMPL_H

#include "fs/nodefs.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"

enum { PROC_PID, PROC_TID, PROC_NUMBER, PROC_START };

/* The thread that a node is about (of a process: its leader). Borrowed; NULL: gone. */
struct task *procfs_task(const struct node_ref *ref);
/* Is the node about a process as a whole, not one of its threads? */
static inline bool procfs_is_process(const struct node_ref *ref)
{
	return !ref->args[PROC_TID];
}

/* The rights that ptrace(2) needs, for files that show a process's inside: 0, -EACCES, or -ENOENT when it is gone. The
 * sentry's own fibers may. */
must_check int procfs_may_access(const struct node_ref *ref);
/* As node_desc.may_open. */
int procfs_may_open(const struct node_ref *ref, struct cred *cred, uint32_t flags);
/* And -ESRCH for a process without memory, as mem, environ and auxv say it. */
int procfs_may_open_memory(const struct node_ref *ref, struct cred *cred, uint32_t flags);
/* node_desc.refresh of everything below /proc/PID: owner by credentials; false: gone. */
bool procfs_refresh(const struct node_ref *ref, struct inode *inode);

/* CPU time in clock ticks of /proc (USER_HZ). */
static inline uint64_t procfs_ticks(uint64_t ns)
{
	return ns / (NS_PER_S / ABI_USER_HZ);
}
/* CLOCK_BOOTTIME now, and what to add to a CLOCK_MONOTONIC time to get it. */
uint64_t procfs_boottime_ns(void);
uint64_t procfs_boot_offset_ns(void);

/* procfs_status.c */
int procfs_show_stat(const struct node_ref *ref, struct text *out);
int procfs_show_status(const struct node_ref *ref, struct text *out);
int procfs_show_statm(const struct node_ref *ref, struct text *out);
int procfs_show_limits(const struct node_ref *ref, struct text *out);
int procfs_show_comm(const struct node_ref *ref, struct text *out);
ssize_t procfs_store_comm(const struct node_ref *ref, const char *bytes, size_t n);
int procfs_show_io(const struct node_ref *ref, struct text *out);
int procfs_show_schedstat(const struct node_ref *ref, struct text *out);
int procfs_show_coredump_filter(const struct node_ref *ref, struct text *out);
ssize_t procfs_store_coredump_filter(const struct node_ref *ref, const char *bytes, size_t n);
int procfs_show_syscall(const struct node_ref *ref, struct text *out);
int procfs_show_oom_score(const struct node_ref *ref, struct text *out);
int procfs_show_oom_score_adj(const struct node_ref *ref, struct text *out);
ssize_t procfs_store_oom_score_adj(const struct node_ref *ref, const char *bytes, size_t n);
int procfs_show_children(const struct node_ref *ref, struct text *out);
int procfs_show_personality(const struct node_ref *ref, struct text *out);
int procfs_show_timerslack(const struct node_ref *ref, struct text *out);

/* procfs_mem.c */
int procfs_show_cmdline(const struct node_ref *ref, struct text *out);
int procfs_show_environ(const struct node_ref *ref, struct text *out);
int procfs_show_auxv(const struct node_ref *ref, struct text *out);
int procfs_show_maps(const struct node_ref *ref, struct text *out);
/* The device and inode number that a mapping shows; and its name as seen from root, perhaps in the buffer; NULL: none.
 */
uint64_t procfs_mapping_file(const struct vma *vma, uint64_t *ino);
const char *procfs_mapping_label(const struct mm *mm, const struct vma *vma, const struct path *root,
				 char name[PATH_LIMIT]);
int procfs_show_smaps(const struct node_ref *ref, struct text *out);
int procfs_show_smaps_rollup(const struct node_ref *ref, struct text *out);
ssize_t procfs_read_mem(const struct node_ref *ref, struct uio *to, int64_t *pos);
ssize_t procfs_write_mem(const struct node_ref *ref, struct uio *from, int64_t *pos);

/* procfs_mapquery.c */
long procfs_maps_ioctl(const struct node_ref *ref, struct user user, uint32_t command, uint64_t argument);

/* procfs_fd.c */
extern const struct node_desc procfs_fd_entry, procfs_fdinfo_entry;
int procfs_lookup_fd(const struct node_ref *ref, const char *name, struct node_ref *child);
bool procfs_next_fd(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child);
ssize_t procfs_link_exe(const struct node_ref *ref, char *target, size_t size);
ssize_t procfs_link_cwd(const struct node_ref *ref, char *target, size_t size);
ssize_t procfs_link_root(const struct node_ref *ref, char *target, size_t size);
int procfs_follow_exe(const struct node_ref *ref, struct path *out);
int procfs_follow_cwd(const struct node_ref *ref, struct path *out);
int procfs_follow_root(const struct node_ref *ref, struct path *out);
int procfs_show_mounts(const struct node_ref *ref, struct text *out);
int procfs_show_mountinfo(const struct node_ref *ref, struct text *out);
/* The root of whoever asks, for names as they see them. */
const struct path *procfs_root(const struct task *about);

/* procfs_machine.c */
extern const struct node_desc procfs_machine_files[];
extern const unsigned procfs_machine_count;
void procfs_machine_init(void);

/* procfs_keys.c */
void procfs_keys_init(void);

#endif
