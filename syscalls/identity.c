/* identity.c - user and group ids, supplementary groups, capabilities (credentials(7), capabilities(7)).
 *
 * A change makes a copy of the cred, changes that and swaps it in (identity_commit), as kernel/sys.c and
 * security/commoncap.c do.
 */
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>

#define ID_NONE  UINT32_MAX
#define BIT(cap) (1ull << (cap))
/* What setfsuid away from root takes away (CAP_FS_SET and CAP_LINUX_IMMUTABLE, CAP_MKNOD). */
#define CAPS_OF_FILES                                                                                                  \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |       \
	 BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE))

/* ------------------------------------------------------------------------------------------------ asking */

long sys_getuid(struct task *task)
{
	return task->cred->uid;
}

long sys_geteuid(struct task *task)
{
	return task->cred->euid;
}

long sys_getgid(struct task *task)
{
	return task->cred->gid;
}

long sys_getegid(struct task *task)
{
	return task->cred->egid;
}

long sys_getresuid(struct task *task, uint32_t *uid, uint32_t *euid, uint32_t *suid)
{
	*uid = task->cred->uid;
	*euid = task->cred->euid;
	*suid = task->cred->suid;
	return 0;
}

long sys_getresgid(struct task *task, uint32_t *gid, uint32_t *egid, uint32_t *sgid)
{
	*gid = task->cred->gid;
	*egid = task->cred->egid;
	*sgid = task->cred->sgid;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ changing */

/* Leaving and taking up the identity of root moves capabilities (cap_emulate_setxuid). */
static void fix_caps(const struct cred *old, struct cred *new)
{
	bool was_root = !old->uid || !old->euid || !old->suid, is_root = !new->uid || !new->euid || !new->suid;

	if (old->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(old->securebits & SECBIT_KEEP_CAPS))
			new->cap_permitted = new->cap_effective = 0;
		new->cap_ambient = 0;
	}
	if (!old->euid && new->euid)
		new->cap_effective = 0;
	if (old->euid && !new->euid)
		new->cap_effective = new->cap_permitted;
}

static bool caps_subset(const struct cred *old, const struct cred *new)
{
	return !(new->cap_permitted & ~old->cap_permitted);
}

/* Takes new. A process that changed who it is can no longer be looked into, and forgets PR_SET_PDEATHSIG. */
static long identity_commit(struct task *task, struct cred *new)
{
	const struct cred *old = task->cred;

	if (old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid || old->fsgid != new->fsgid ||
	    !caps_subset(old, new)) {
		task->mm->dumpable = false;
		task->pdeath_signal = 0;
	}
	task_cred_set(task, new);
	return 0;
}

static long uid_commit(struct task *task, struct cred *new)
{
	fix_caps(task->cred, new);
	return identity_commit(task, new);
}

long sys_setuid(struct task *task, uint32_t uid)
{
	const struct cred *old = task->cred;
	bool capable = cred_capable(old, CAP_SETUID);

	if (uid == ID_NONE)
		return -EINVAL;
	if (!capable && uid != old->uid && uid != old->suid)
		return -EPERM;
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	if (capable)
		new->uid = new->suid = uid;
	new->euid = new->fsuid = uid;
	return uid_commit(task, new);
}

long sys_setgid(struct task *task, uint32_t gid)
{
	const struct cred *old = task->cred;
	bool capable = cred_capable(old, CAP_SETGID);

	if (gid == ID_NONE)
		return -EINVAL;
	if (!capable && gid != old->gid && gid != old->sgid)
		return -EPERM;
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	if (capable)
		new->gid = new->sgid = gid;
	new->egid = new->fsgid = gid;
	return identity_commit(task, new);
}

long sys_setreuid(struct task *task, uint32_t uid, uint32_t euid)
{
	const struct cred *old = task->cred;

	if (!cred_capable(old, CAP_SETUID) &&
	    ((uid != ID_NONE && uid != old->uid && uid != old->euid) ||
	     (euid != ID_NONE && euid != old->uid && euid != old->euid && euid != old->suid)))
		return -EPERM;
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	if (uid != ID_NONE)
		new->uid = uid;
	if (euid != ID_NONE)
		new->euid = euid;
	if (uid != ID_NONE || (euid != ID_NONE && euid != old->uid))
		new->suid = new->euid;
	new->fsuid = new->euid;
	return uid_commit(task, new);
}

long sys_setregid(struct task *task, uint32_t gid, uint32_t egid)
{
	const struct cred *old = task->cred;

	if (!cred_capable(old, CAP_SETGID) &&
	    ((gid != ID_NONE && gid != old->gid && gid != old->egid) ||
	     (egid != ID_NONE && egid != old->gid && egid != old->egid && egid != old->sgid)))
		return -EPERM;
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	if (gid != ID_NONE)
		new->gid = gid;
	if (egid != ID_NONE)
		new->egid = egid;
	if (gid != ID_NONE || (egid != ID_NONE && egid != old->gid))
		new->sgid = new->egid;
	new->fsgid = new->egid;
	return identity_commit(task, new);
}

static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == ID_NONE || id == a || id == b || id == c;
}

long sys_setresuid(struct task *task, uint32_t uid, uint32_t euid, uint32_t suid)
{
	const struct cred *old = task->cred;

	if (!cred_capable(old, CAP_SETUID) &&
	    !(one_of(uid, old->uid, old->euid, old->suid) && one_of(euid, old->uid, old->euid, old->suid) &&
	      one_of(suid, old->uid, old->euid, old->suid)))
		return -EPERM;
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	new->uid = uid != ID_NONE ? uid : old->uid;
	new->euid = euid != ID_NONE ? euid : old->euid;
	new->suid = suid != ID_NONE ? suid : old->suid;
	new->fsuid = new->euid;
	return uid_commit(task, new);
}

long sys_setresgid(struct task *task, uint32_t gid, uint32_t egid, uint32_t sgid)
{
	const struct cred *old = task->cred;

	if (!cred_capable(old, CAP_SETGID) &&
	    !(one_of(gid, old->gid, old->egid, old->sgid) && one_of(egid, old->gid, old->egid, old->sgid) &&
	      one_of(sgid, old->gid, old->egid, old->sgid)))
		return -EPERM;
	struct cred *new = cred_copy(old);
	if (!new)
		return -ENOMEM;
	new->gid = gid != ID_NONE ? gid : old->gid;
	new->egid = egid != ID_NONE ? egid : old->egid;
	new->sgid = sgid != ID_NONE ? sgid : old->sgid;
	new->fsgid = new->egid;
	return identity_commit(task, new);
}

/* Both answer the old id, whatever happens. */
long sys_setfsuid(struct task *task, uint32_t uid)
{
	const struct cred *old = task->cred;
	uint32_t before = old->fsuid;
	struct cred *new;

	if (uid == before || uid == ID_NONE ||
	    (!one_of(uid, old->uid, old->euid, old->suid) && !cred_capable(old, CAP_SETUID)))
		return before;
	new = cred_copy(old);
	if (!new)
		return before;
	new->fsuid = uid;
	if (!(old->securebits & SECBIT_NO_SETUID_FIXUP)) {
		if (!before && uid)
			new->cap_effective &= ~CAPS_OF_FILES;
		if (before && !uid)
			new->cap_effective |= new->cap_permitted &CAPS_OF_FILES;
	}
	(void)identity_commit(task, new);
	return before;
}

long sys_setfsgid(struct task *task, uint32_t gid)
{
	const struct cred *old = task->cred;
	uint32_t before = old->fsgid;
	struct cred *new;

	if (gid == before || gid == ID_NONE ||
	    (!one_of(gid, old->gid, old->egid, old->sgid) && !cred_capable(old, CAP_SETGID)))
		return before;
	new = cred_copy(old);
	if (!new)
		return before;
	new->fsgid = gid;
	(void)identity_commit(task, new);
	return before;
}

/* ------------------------------------------------------------------------------------------------ groups */

long sys_getgroups(struct task *task, int size, struct uaddr list)
{
	const struct cred *cred = task->cred;

	if (size < 0 || (size && (uint32_t)size < cred->group_count))
		return -EINVAL;
	if (size && user_write(task_user(task), list, cred->groups, cred->group_count * sizeof *cred->groups))
		return -EFAULT;
	return cred->group_count;
}

/* The C library's qsort asks the host how much memory it has, once an array is long: a call that the jail forbids. */
static void sift_down(uint32_t *heap, uint32_t at, uint32_t count)
{
	for (;;) {
		uint32_t child = 2 * at + 1, id = heap[at];

		if (child >= count)
			return;
		if (child + 1 < count && heap[child + 1] > heap[child])
			child++;
		if (heap[child] <= id)
			return;
		heap[at] = heap[child];
		heap[child] = id;
		at = child;
	}
}

static void sort_ids(uint32_t *ids, uint32_t count)
{
	for (uint32_t i = count / 2; i > 0; i--)
		sift_down(ids, i - 1, count);
	for (uint32_t left = count; left > 1; left--) {
		uint32_t last = ids[left - 1];

		ids[left - 1] = ids[0];
		ids[0] = last;
		sift_down(ids, 0, left - 1);
	}
}

static int groups_read(struct task *task, struct cred *new, struct uaddr list, uint32_t count)
{
	size_t bytes = count * sizeof(uint32_t);
	uint32_t *groups = count ? arena_alloc(bytes) : NULL;

	if (count && !groups)
		return -ENOMEM;
	if (count && user_read(task_user(task), groups, list, bytes)) {
		arena_free(groups, bytes);
		return -EFAULT;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (groups[i] != ID_NONE)
			continue;
		arena_free(groups, bytes);
		return -EINVAL;
	}
	sort_ids(groups, count);
	arena_free(new->groups, new->group_count * sizeof *new->groups);
	new->groups = groups;
	new->group_count = count;
	return 0;
}

long sys_setgroups(struct task *task, int size, struct uaddr list)
{
	if (!cred_capable(task->cred, CAP_SETGID))
		return -EPERM;
	if (size < 0 || size > GROUPS_LIMIT)
		return -EINVAL;
	struct cred *new = cred_copy(task->cred);
	if (!new)
		return -ENOMEM;
	int error = groups_read(task, new, list, (uint32_t)size);
	if (!error)
		return identity_commit(task, new);
	cred_put(new);
	return error;
}

/* ------------------------------------------------------------------------------------------------ capabilities */

/* How many halves the version has, or -EINVAL after having told the version that we speak. */
static int cap_halves(struct task *task, struct uaddr at, struct abi_cap_header *header)
{
	const uint32_t preferred = ABI_CAP_VERSION_3;

	if (user_read(task_user(task), header, at, sizeof *header))
		return -EFAULT;
	if (header->version == ABI_CAP_VERSION_1)
		return 1;
	if (header->version == ABI_CAP_VERSION_2 || header->version == ABI_CAP_VERSION_3)
		return 2;
	return user_write(task_user(task), at, &preferred, sizeof preferred) ? -EFAULT : -EINVAL;
}

long sys_capget(struct task *task, struct uaddr at, struct uaddr data)
{
	struct abi_cap_header header;
	struct abi_cap_data out[2];
	int halves = cap_halves(task, at, &header);

	if (!data.v && (halves >= 0 || halves == -EINVAL))
		return 0;
	if (halves < 0)
		return halves;
	if (header.pid < 0)
		return -EINVAL;
	struct task *target = header.pid ? task_find(header.pid) : task;
	if (!target)
		return -ESRCH;
	const struct cred *cred = target->cred;
	for (int i = 0; i < 2; i++)
		out[i] = (struct abi_cap_data){(uint32_t)(cred->cap_effective >> 32 * i),
					       (uint32_t)(cred->cap_permitted >> 32 * i),
					       (uint32_t)(cred->cap_inheritable >> 32 * i)};
	return user_write(task_user(task), data, out, (size_t)halves * sizeof *out);
}

static bool capset_allowed(const struct cred *old, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	if (!cred_capable(old, CAP_SETPCAP) && (inheritable & ~(old->cap_inheritable | old->cap_permitted)))
		return false;
	if (inheritable & ~(old->cap_inheritable | old->cap_bounding))
		return false;
	return !(permitted & ~old->cap_permitted) && !(effective & ~permitted);
}

long sys_capset(struct task *task, struct uaddr at, struct uaddr data)
{
	struct abi_cap_header header;
	struct abi_cap_data in[2] = {0};
	int halves = cap_halves(task, at, &header);

	if (halves < 0)
		return halves;
	if (header.pid && header.pid != task->tid)
		return -EPERM;
	if (user_read(task_user(task), in, data, (size_t)halves * sizeof *in))
		return -EFAULT;
	uint64_t effective = (in[0].effective | (uint64_t)in[1].effective << 32) & CAP_FULL_SET;
	uint64_t permitted = (in[0].permitted | (uint64_t)in[1].permitted << 32) & CAP_FULL_SET;
	uint64_t inheritable = (in[0].inheritable | (uint64_t)in[1].inheritable << 32) & CAP_FULL_SET;
	if (!capset_allowed(task->cred, effective, permitted, inheritable))
		return -EPERM;
	struct cred *new = cred_copy(task->cred);
	if (!new)
		return -ENOMEM;
	new->cap_effective = effective;
	new->cap_permitted = permitted;
	new->cap_inheritable = inheritable;
	new->cap_ambient &= permitted &inheritable;
	return identity_commit(task, new);
}
