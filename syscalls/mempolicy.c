/* mempolicy.c - memory policies (set_mempolicy(2), mbind(2), get_mempolicy(2)) of a machine with one NUMA node.
 *
 * A policy is kept for each task and each mapping, and told again; as there is only node 0, it changes nothing. What is
 * checked, and in which order, is mm/mempolicy.c in Linux.
 *
 * Limits: of a policy with flags such as MPOL_F_STATIC_NODES only the caller's first 32 nodes are told; a
 * policy of shared memory is its mapping's, other mappings of the same memory do not show it.
 */
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>

#define NODES_MOST  1024 /* MAX_NUMNODES of a large Linux */
#define MASK_WORDS  (NODES_MOST / 64)
#define NODES_HERE  1ull /* as a mask */
#define MODE_FLAGS  (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)
#define USERS_NODES (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)
#define MODE_MOST   6 /* MPOL_WEIGHTED_INTERLEAVE */

struct node_mask {
	uint64_t word[MASK_WORDS];
};

/* get_nodes: maxnode is one more than the bits that there are; those that no machine has must be zero. */
static int mask_read(struct task *task, struct uaddr at, uint64_t maxnode, struct node_mask *out)
{
	uint64_t words[PAGE_SIZE / 8];

	*out = (struct node_mask){0};
	if (maxnode <= 1 || !at.v)
		return 0;
	uint64_t bits = maxnode - 1, count = (bits + 63) / 64;
	if (bits > PAGE_SIZE * 8)
		return -EINVAL;
	int error = user_read(task_user(task), words, at, count * 8);
	if (!error && bits % 64)
		words[count - 1] &= (1ull << bits % 64) - 1;
	for (uint64_t i = 0; !error && i < count; i++) {
		if (i < MASK_WORDS)
			out->word[i] = words[i];
		else if (words[i])
			error = -EINVAL;
	}
	return error;
}

static bool mask_empty(const struct node_mask *mask)
{
	for (unsigned i = 0; i < MASK_WORDS; i++)
		if (mask->word[i])
			return false;
	return true;
}

/* sanitize_mpol_flags. */
static int mode_check(int given)
{
	uint32_t flags = (uint32_t)given & MODE_FLAGS, mode = (uint32_t)given & ~MODE_FLAGS;

	if (mode > MODE_MOST || (flags & USERS_NODES) == USERS_NODES)
		return -EINVAL;
	if (flags & MPOL_F_NUMA_BALANCING && mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY)
		return -EINVAL;
	return 0;
}

/* mpol_new and mpol_set_nodemask: what a mode that has been checked and a mask come to. */
static int policy_new(int given, const struct node_mask *mask, struct mempolicy *out)
{
	uint32_t flags = (uint32_t)given & MODE_FLAGS, mode = (uint32_t)given & ~MODE_FLAGS;
	bool empty = mask_empty(mask);

	*out = (struct mempolicy){0};
	if (mode == MPOL_DEFAULT)
		return empty ? 0 : -EINVAL;
	if (mode == MPOL_LOCAL || (mode == MPOL_PREFERRED && empty)) {
		out->mode = MPOL_LOCAL;
		return empty && !(flags & USERS_NODES) ? 0 : -EINVAL;
	}
	/* Relative nodes are counted modulo those that there are: any will do. */
	if (empty || !(flags & MPOL_F_RELATIVE_NODES || mask->word[0] & NODES_HERE))
		return -EINVAL;
	out->mode = mode | flags;
	/* With a flag the mask is told as it was given. */
	out->nodes = flags ? (uint32_t)mask->word[0] : NODES_HERE;
	return 0;
}

long sys_set_mempolicy(struct task *task, int mode, struct uaddr nodemask, uint64_t maxnode)
{
	struct mempolicy policy = {0};
	struct node_mask mask;
	int error = mode_check(mode);

	if (!error)
		error = mask_read(task, nodemask, maxnode, &mask);
	if (!error)
		error = policy_new(mode, &mask, &policy);
	if (!error)
		task->mempolicy = policy;
	return error;
}

/* [*addr, + *size) becomes whole pages. */
static int range_check(uint64_t addr, uint64_t *size)
{
	*size = (*size + PAGE_SIZE - 1) & PAGE_MASK;
	return addr & ~PAGE_MASK || addr + *size < addr ? -EINVAL : 0;
}

long sys_mbind(struct task *task, uint64_t addr, uint64_t length, int mode, struct uaddr nodemask, uint64_t maxnode,
	       uint32_t flags)
{
	struct mempolicy policy;
	struct node_mask mask;
	int error = mode_check(mode);

	if (!error)
		error = mask_read(task, nodemask, maxnode, &mask);
	if (error)
		return error;
	if (flags & ~(uint32_t)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !cred_capable(task->cred, CAP_SYS_NICE))
		return -EPERM;
	error = range_check(addr, &length);
	if (error || !length)
		return error;
	error = policy_new(mode, &mask, &policy);
	return error ? error : mm_bind(task->mm, addr, length, policy);
}

long sys_set_mempolicy_home_node(struct task *task, uint64_t addr, uint64_t length, uint64_t node, uint32_t flags)
{
	int error = range_check(addr, &length), result = -ENOENT;

	if (error || flags || node)
		return -EINVAL;
	if (!length)
		return 0;
	for (struct vma *vma = mm_find(task->mm, addr); vma && vma->start < addr + length; vma = mm_next(vma)) {
		uint32_t mode = vma->policy.mode & ~MODE_FLAGS;
		if (mode == MPOL_DEFAULT)
			continue;
		if (mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY)
			return -EOPNOTSUPP;
		result = 0;
	}
	return result;
}

/* What is asked with MPOL_F_NODE: the node that a page lies on, or the next one of a task that takes them in turn. */
static int node_of(struct task *task, uint64_t addr, uint64_t flags, const struct mempolicy *policy)
{
	uint32_t mode = policy->mode & ~MODE_FLAGS;
	char byte;

	if (flags & MPOL_F_ADDR)
		return user_read(task_user(task), &byte, UADDR(addr), 1);
	return mode == MPOL_INTERLEAVE || mode == MODE_MOST ? 0 : -EINVAL;
}

static int policy_find(struct task *task, uint64_t addr, uint64_t flags, struct mempolicy *out)
{
	if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		*out = (struct mempolicy){.nodes = NODES_HERE};
		return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
	}
	*out = task->mempolicy;
	if (flags & MPOL_F_ADDR) {
		struct vma *vma = mm_find(task->mm, addr);
		if (!vma || vma->start > addr)
			return -EFAULT;
		*out = vma->policy;
	} else if (addr) {
		return -EINVAL;
	}
	if (!(flags & MPOL_F_NODE))
		return 0;
	int node = node_of(task, addr, flags, out);
	out->mode = 0;
	return node;
}

/* copy_nodes_to_user. */
static int mask_write(struct task *task, struct uaddr at, uint64_t maxnode, uint32_t nodes)
{
	uint64_t words[PAGE_SIZE / 8] = {nodes}, bytes = (maxnode - 1 + 63) / 64 * 8;

	return bytes > PAGE_SIZE ? -EINVAL : bytes ? user_write(task_user(task), at, words, bytes) : 0;
}

long sys_get_mempolicy(struct task *task, struct uaddr mode, struct uaddr nodemask, uint64_t maxnode, uint64_t addr,
		       uint64_t flags)
{
	struct mempolicy policy;

	if (nodemask.v && maxnode < 1)
		return -EINVAL;
	int error = policy_find(task, addr, flags, &policy);
	if (!error && mode.v)
		error = user_write(task_user(task), mode, &policy.mode, sizeof policy.mode);
	if (!error && nodemask.v)
		error = mask_write(task, nodemask, maxnode, policy.nodes);
	return error;
}

/* kernel_migrate_pages: to move what is on one node to the same. */
long sys_migrate_pages(struct task *task, int32_t pid, uint64_t maxnode, struct uaddr from, struct uaddr to)
{
	struct node_mask old, new;
	int error = mask_read(task, from, maxnode, &old);

	if (!error)
		error = mask_read(task, to, maxnode, &new);
	if (error)
		return error;
	struct task *target = pid ? task_find(pid) : task;
	if (!target)
		return -ESRCH;
	if (task_may_access(task, target))
		return -EPERM;
	bool elsewhere = new.word[0] & ~NODES_HERE;
	for (unsigned i = 1; i < MASK_WORDS; i++)
		elsewhere |= new.word[i] != 0;
	if (elsewhere && !cred_capable(task->cred, CAP_SYS_NICE))
		return -EPERM;
	return new.word[0] & NODES_HERE && target->mm ? 0 : -EINVAL;
}
