/* sysv.c - what the three kinds of System V IPC have in common: keys, numbers, rights (ipc/util.c in Linux).
 *
 * An object is in its kind's table from *get to IPC_RMID; calls that wait hold it, so that they can see that it was
 * removed. A number says slot and sequence, so that a stale one is not taken for the slot's next user.
 *
 * Limits: SYSV_SHM_LIMIT, SYSV_SEM_LIMIT, SYSV_MSG_LIMIT objects of a kind; one IPC namespace.
 */
#include "sentry/sysv.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/capability.h>

#define SLOT_BITS     15
#define SLOT_MASK     ((1 << SLOT_BITS) - 1)
#define SEQUENCE_MASK 0xffffu

struct table {
	struct sysv_object **slots; /* as many as the kind's limit */
	unsigned count;
	uint16_t sequence;
};

static struct table *tables; /* SYSV_TYPES of them, in the arena */
static const struct sysv_kind *kinds[SYSV_TYPES];

void sysv_kind_register(enum sysv_type type, const struct sysv_kind *kind)
{
	assert(type < SYSV_TYPES && kind->limit <= SLOT_MASK);
	kinds[type] = kind;
}

void sysv_init(void)
{
	shm_init();
	sem_system_init();
	msg_init();
}

/* The tables are made at the first use: few programs have any. */
static struct table *table_of(enum sysv_type type)
{
	if (!tables)
		tables = arena_alloc(SYSV_TYPES * sizeof *tables);
	if (!tables)
		return NULL;
	struct table *table = &tables[type];
	if (!table->slots)
		table->slots = arena_alloc(kinds[type]->limit * sizeof *table->slots);
	return table->slots ? table : NULL;
}

int sysv_permission(const struct task *task, const struct sysv_object *object, uint32_t wanted)
{
	const struct cred *cred = task->cred;
	uint32_t asked = wanted >> 6 | wanted >> 3 | wanted, granted = object->mode;

	if (cred->euid == object->cuid || cred->euid == object->uid)
		granted >>= 6;
	else if (cred_in_group(cred, object->cgid) || cred_in_group(cred, object->gid))
		granted >>= 3;
	return (asked & ~granted & 7) && !cred_capable(cred, CAP_IPC_OWNER) ? -EACCES : 0;
}

int sysv_may_change(const struct task *task, const struct sysv_object *object)
{
	const struct cred *cred = task->cred;
	bool owner = cred->euid == object->cuid || cred->euid == object->uid;

	return owner || cred_capable(cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int sysv_find_key(struct task *task, enum sysv_type type, int32_t key, int flags, struct sysv_object **out)
{
	struct table *table = table_of(type);

	if (!table)
		return -ENOMEM;
	*out = NULL;
	for (unsigned i = 0; key != IPC_PRIVATE && i < kinds[type]->limit; i++) {
		struct sysv_object *object = table->slots[i];
		if (!object || object->key != key)
			continue;
		if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
			return -EEXIST;
		*out = object;
		return sysv_permission(task, object, (uint32_t)flags & 0777);
	}
	return key != IPC_PRIVATE && !(flags & IPC_CREAT) ? -ENOENT : 0;
}

int sysv_add(struct task *task, struct sysv_object *object, enum sysv_type type, int32_t key, int flags)
{
	struct table *table = table_of(type);
	unsigned slot = 0;

	if (!table)
		return -ENOMEM;
	while (slot < kinds[type]->limit && table->slots[slot])
		slot++;
	if (slot == kinds[type]->limit)
		return -ENOSPC;
	ref_init(&object->ref);
	object->type = type;
	object->key = key;
	object->sequence = table->sequence;
	object->id = (int32_t)((uint32_t)object->sequence << SLOT_BITS | slot);
	/* The sequence grows with each object, and stays where numbers are positive. */
	table->sequence = (uint16_t)((table->sequence + 1u) & SEQUENCE_MASK);
	object->mode = (uint32_t)flags & 0777;
	object->uid = object->cuid = task->cred->euid;
	object->gid = object->cgid = task->cred->egid;
	object->ctime = fs_time_now().s;
	table->slots[slot] = object;
	table->count++;
	return object->id;
}

int sysv_find(enum sysv_type type, int32_t id, struct sysv_object **out)
{
	struct table *table = table_of(type);

	if (id < 0 || !table || (unsigned)(id & SLOT_MASK) >= kinds[type]->limit)
		return -EINVAL;
	struct sysv_object *object = table->slots[id & SLOT_MASK];
	if (!object)
		return -EINVAL;
	if (object->id != id)
		return -EIDRM;
	*out = object;
	return 0;
}

int sysv_find_slot(enum sysv_type type, int32_t slot, struct sysv_object **out)
{
	struct table *table = table_of(type);

	if (slot < 0 || !table || (unsigned)slot >= kinds[type]->limit || !table->slots[slot])
		return -EINVAL;
	*out = table->slots[slot];
	return 0;
}

void sysv_put(struct sysv_object *object)
{
	if (ref_put(&object->ref))
		kinds[object->type]->free(object);
}

void sysv_remove(struct sysv_object *object)
{
	struct table *table = table_of(object->type);

	assert(table && !object->removed && table->slots[object->id & SLOT_MASK] == object);
	table->slots[object->id & SLOT_MASK] = NULL;
	table->count--;
	object->removed = true;
	sysv_put(object);
}

void sysv_perm_get(const struct sysv_object *object, struct ipc_perm *out)
{
	*out = (struct ipc_perm){.__key = object->key,
				 .uid = object->uid,
				 .gid = object->gid,
				 .cuid = object->cuid,
				 .cgid = object->cgid,
				 .mode = object->mode,
				 .__seq = object->sequence};
}

void sysv_perm_set(struct sysv_object *object, const struct ipc_perm *wanted)
{
	object->uid = wanted->uid;
	object->gid = wanted->gid;
	object->mode = (object->mode & ~0777u) | (wanted->mode & 0777);
	object->ctime = fs_time_now().s;
}

unsigned sysv_count(enum sysv_type type, int *highest)
{
	struct table *table = table_of(type);

	*highest = 0;
	for (unsigned i = 0; table && i < kinds[type]->limit; i++)
		if (table->slots[i])
			*highest = (int)i;
	return table ? table->count : 0;
}

void sysv_show(enum sysv_type type, struct text *out)
{
	struct table *table = table_of(type);

	text_add_string(out, kinds[type]->heading);
	for (unsigned i = 0; table && i < kinds[type]->limit; i++)
		if (table->slots[i])
			kinds[type]->show(table->slots[i], out);
}
