/* sysv.h - System V IPC (sysvipc(7)): shared memory, semaphore sets, message queues.
 *
 * What the three have in common, keys, numbers and rights, is in sentry/sysv.c. The functions named as system calls are
 * these calls; they copy their structures themselves, because what is copied depends on the command.
 */
#ifndef SENTRY_SYSV_H
#define SENTRY_SYSV_H

#include "sentry/base/text.h"
#include "sentry/task.h"
#include <sys/ipc.h>

enum sysv_type { SYSV_SHM, SYSV_SEM, SYSV_MSG, SYSV_TYPES };

/* The head of every object. Its number is slot + (a count that grows with each use of the slot << 15). */
struct sysv_object {
	struct ref ref; /* the table's, until IPC_RMID, and those of calls that wait */
	enum sysv_type type;
	int32_t key, id;
	uint32_t uid, gid, cuid, cgid, mode; /* mode: permission bits */
	uint16_t sequence;
	bool removed;
	int64_t ctime;
};

/* What kinds differ in: how many there may be, and what becomes of an object that nobody refers to any more. */
struct sysv_kind {
	unsigned limit;
	void (*free)(struct sysv_object *object);
	const char *heading; /* the first line of its file in /proc/sysvipc */
	void (*show)(const struct sysv_object *object, struct text *out);
};
void sysv_kind_register(enum sysv_type type, const struct sysv_kind *kind);
void sysv_init(void); /* once, by task_system_init */

/* The object of a *get call: an existing one (which the caller checks further and need not give back), or NULL with 0
 * when a new one is to be made. -ENOENT, -EEXIST, -EACCES, -ENOSPC. */
must_check int sysv_find_key(struct task *task, enum sysv_type type, int32_t key, int flags, struct sysv_object **out);
/* Enters a new object, whose reference the table takes: its number, or -ENOSPC (then the caller frees it). */
must_check int sysv_add(struct task *task, struct sysv_object *object, enum sysv_type type, int32_t key, int flags);
/* By number, borrowed. -EINVAL: none; -EIDRM: its slot is used by another. */
must_check int sysv_find(enum sysv_type type, int32_t id, struct sysv_object **out);
/* The same by slot, for the *_STAT commands. -EINVAL. */
must_check int sysv_find_slot(enum sysv_type type, int32_t slot, struct sysv_object **out);
/* wanted: 0400 to read, 0200 to alter (any of its three copies). 0 or -EACCES. */
must_check int sysv_permission(const struct task *task, const struct sysv_object *object, uint32_t wanted);
/* IPC_SET and IPC_RMID: its owner, its maker, or CAP_SYS_ADMIN. 0 or -EPERM. */
must_check int sysv_may_change(const struct task *task, const struct sysv_object *object);
/* Nobody finds it any more. May free it. */
void sysv_remove(struct sysv_object *object);
void sysv_put(struct sysv_object *object);
void sysv_perm_get(const struct sysv_object *object, struct ipc_perm *out);
/* IPC_SET. */
void sysv_perm_set(struct sysv_object *object, const struct ipc_perm *wanted);
/* How many there are, and the highest slot in use (0 for none). */
unsigned sysv_count(enum sysv_type type, int *highest);

/* A line of /proc/sysvipc for each object of the kind, by slot. The line's own columns come from the kind. */
void sysv_show(enum sysv_type type, struct text *out);

/* sysv_shm.c */
void shm_init(void);
long shm_get(struct task *task, int32_t key, uint64_t size, int flags);
long shm_attach(struct task *task, int32_t id, uint64_t addr, int flags);
long shm_detach(struct task *task, uint64_t addr);
/* Is it a segment's file, and the segment removed? Then it goes with its last mapping. */
bool shm_is_removed(const struct file *file);
long shm_control(struct task *task, int32_t id, int command, struct uaddr buffer);

/* sysv_sem.c */
void sem_system_init(void);
long sem_get(struct task *task, int32_t key, int count, int flags);
/* deadline_ns: CLOCK_MONOTONIC, or DEADLINE_NONE. */
long sem_operate(struct task *task, int32_t id, struct uaddr operations, uint64_t count, uint64_t deadline_ns);
long sem_control(struct task *task, int32_t id, int number, int command, uint64_t argument);
/* The end of a process: what SEM_UNDO promised. */
void sem_exit(struct process *process);

/* sysv_msg.c */
void msg_init(void);
long msg_get(struct task *task, int32_t key, int flags);
long msg_send(struct task *task, int32_t id, struct uaddr message, uint64_t size, int flags);
long msg_receive(struct task *task, int32_t id, struct uaddr message, uint64_t size, int64_t type, int flags);
long msg_control(struct task *task, int32_t id, int command, struct uaddr buffer);

#endif
