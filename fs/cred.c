/* cred.c - identities and capabilities: made, copied, asked. The rules by which system calls change them are in
 * syscalls/proc.c; the rules by which file access asks them are in fs/inode.c and fs/namei.c.
 *
 * Limits: one user namespace; at most GROUPS_LIMIT supplementary groups.
 */
#include "fs/cred.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <string.h>

static struct slab cred_slab = SLAB(cred);

struct cred *cred_new(uint32_t uid, uint32_t gid)
{
	struct cred *cred = slab_new(&cred_slab);

	if (!cred)
		return NULL;
	ref_init(&cred->ref);
	cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
	cred->gid = cred->egid = cred->sgid = cred->fsgid = gid;
	cred->cap_bounding = CAP_FULL_SET;
	if (!uid)
		cred->cap_effective = cred->cap_permitted = CAP_FULL_SET;
	return cred;
}

struct cred *cred_copy(const struct cred *cred)
{
	struct cred *copy = slab_new(&cred_slab);

	assert(cred->group_count <= GROUPS_LIMIT);
	if (!copy)
		return NULL;
	*copy = *cred;
	ref_init(&copy->ref);
	copy->groups = NULL;
	if (cred->group_count) {
		copy->groups = arena_alloc(cred->group_count * sizeof *copy->groups);
		if (!copy->groups) {
			slab_free(&cred_slab, copy);
			return NULL;
		}
		memcpy(copy->groups, cred->groups, cred->group_count * sizeof *copy->groups);
	}
	return copy;
}

void cred_get(struct cred *cred)
{
	ref_get(&cred->ref);
}

void cred_put(struct cred *cred)
{
	if (!ref_put(&cred->ref))
		return;
	arena_free(cred->groups, cred->group_count * sizeof *cred->groups);
	slab_free(&cred_slab, cred);
}

bool cred_in_group(const struct cred *cred, uint32_t gid)
{
	uint32_t low = 0, high = cred->group_count;

	if (gid == cred->fsgid)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (cred->groups[middle] == gid)
			return true;
		if (cred->groups[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool cred_capable(const struct cred *cred, int cap)
{
	assert(cap >= 0 && cap < 64);
	return cred->cap_effective >> cap & 1;
}
