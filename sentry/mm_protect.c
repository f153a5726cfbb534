/* mm_protect.c - changes of what is mapped already: mprotect(2), madvise(2), mseal(2); and msync(2).
 *
 * As in Linux a range may hold many mappings and holes: a call does its work up to the place where it fails, and that
 * part stays done. So each call first finds how far it will come, makes one change of the host for that part, and then
 * brings the books up to it.
 *
 * Limits: MADV_HWPOISON and MADV_SOFT_OFFLINE are refused to everybody; advice on reading order and huge pages is
 * remembered and shown, nothing more.
 */
#include "sentry/mm_impl.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#define PROT_SEM_BIT 0x8u

/* The vmas of [start, end) begin and end there; needs two spares. */
static void isolate(struct mm *mm, uint64_t start, uint64_t end, struct vma_spares *spares)
{
	struct vma *vma = mm_find(mm, start);

	if (vma && vma->start < start)
		vma_split(mm, vma, start, spares);
	vma = mm_find(mm, end - 1);
	if (vma && vma->start < end && vma->end > end)
		vma_split(mm, vma, end, spares);
}

/* How many more vmas isolating makes. */
static unsigned isolate_growth(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *first = mm_find(mm, start), *last = mm_find(mm, end - 1);

	return (first && first->start < start) + (last && last->start < end && last->end > end);
}

static void apply_change(struct mm *mm, uint64_t start, uint64_t end, const struct mm_change *change,
			 struct vma_spares *spares)
{
	isolate(mm, start, end, spares);
	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma)) {
		vma_account(mm, vma, false);
		if (change->set_prot)
			vma->prot = change->prot;
		if (change->set_policy)
			vma->policy = change->policy;
		vma->flags = (vma->flags | change->set_flags) & ~change->clear_flags;
		vma->madvise = (vma->madvise | change->set_advice) & ~change->clear_advice;
		vma_account(mm, vma, true);
	}
	vma_merge_range(mm, start, end);
}

int mm_change_books(struct mm *mm, uint64_t start, uint64_t end, const struct mm_change *change)
{
	struct vma_spares spares;

	if (mm->vma_count + isolate_growth(mm, start, end) > VMA_LIMIT)
		return -ENOMEM;
	int error = vma_spares_get(&spares, 2);
	if (error)
		return error;
	apply_change(mm, start, end, change, &spares);
	vma_spares_put(&spares);
	return 0;
}

/* -------------------------------------------------------------------------------------------------------- mprotect */

static int may_protect(const struct mm *mm, const struct vma *vma, uint64_t pages, uint32_t prot)
{
	if (prot & ~vma->max_prot)
		return -EACCES;
	if (vma->madvise & VMA_SEALED)
		return -EPERM;
	if (mm_is_data(prot, vma->flags) && !mm_is_data(vma->prot, vma->flags) && !mm_may_commit(pages, vma->flags))
		return -ENOMEM;
	if (mm_is_data(prot, vma->flags) && !mm_is_data(vma->prot, vma->flags) && !mm_may_expand(mm, pages, true) &&
	    mm_may_expand(mm, pages, false))
		return -ENOMEM;
	return 0;
}

/* How far the change comes from start; error gets why no further, 0 if it comes to end. */
static uint64_t protect_reach(struct mm *mm, uint64_t start, uint64_t end, uint32_t prot, int *error)
{
	uint64_t at = start;

	*error = 0;
	for (struct vma *vma = mm_find(mm, start); at < end; vma = mm_next(vma)) {
		if (!vma || vma->start > at) {
			*error = -ENOMEM;
			return at;
		}
		*error = may_protect(mm, vma, (MIN(vma->end, end) - at) >> PAGE_SHIFT, prot);
		if (*error)
			return at;
		at = MIN(vma->end, end);
	}
	return at;
}

static int protect_platform(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end, uint32_t prot)
{
	struct mem_op op = {.kind = MEM_PROTECT, .prot = prot, .addr = start, .size = end - start};
	bool changes = false;

	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end && !changes; vma = mm_next(vma))
		changes = vma->prot != prot;
	if (!changes)
		return 0;
	return mm_platform(mm, caller, &op, (prot & MEM_WRITE) && end - start >= MM_SETTLE_BYTES);
}

/* As Linux: locked pages that may now be written are copied now. The books still tell what they were. */
static void populate_writable(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end)
{
	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma))
		if (vma->flags & MAP_LOCKED && !(vma->flags & MAP_SHARED) && !(vma->prot & MEM_WRITE) &&
		    !(vma->madvise & VMA_ON_FAULT))
			(void)!mm_populate(mm, caller, MAX(vma->start, start), MIN(vma->end, end), true);
}

static int protect_locked(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end, uint32_t prot)
{
	struct vma_spares spares;
	int reach_error, error;
	uint64_t reach = protect_reach(mm, start, end, prot, &reach_error);

	if (reach == start)
		return reach_error;
	if (mm->vma_count + isolate_growth(mm, start, reach) > VMA_LIMIT)
		return -ENOMEM;
	error = vma_spares_get(&spares, 2);
	if (error)
		return error;
	error = protect_platform(mm, caller, start, reach, prot);
	if (!error && prot & MEM_WRITE)
		populate_writable(mm, caller, start, reach);
	if (!error)
		apply_change(mm, start, reach, &(struct mm_change){.prot = prot, .set_prot = true}, &spares);
	vma_spares_put(&spares);
	return error ? error : reach_error;
}

int mm_protect(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint32_t prot)
{
	uint32_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	uint64_t end = addr + page_up(size);

	prot &= ~grows;
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || addr & ~PAGE_MASK)
		return -EINVAL;
	if (!size)
		return 0;
	if (end <= addr || page_up(size) < size)
		return -ENOMEM;
	if (prot & ~(MEM_READ | MEM_WRITE | MEM_EXEC | PROT_SEM_BIT))
		return -EINVAL;
	mm_enter(mm);
	struct vma *vma = mm_find(mm, addr);
	int error = !vma || vma->start >= end ? -ENOMEM : 0;
	if (!error && grows) {
		if (grows == PROT_GROWSDOWN && vma->flags & MAP_GROWSDOWN)
			addr = vma->start;
		else
			error = -EINVAL;
	}
	if (!error)
		error = protect_locked(mm, caller, addr, end, prot & ~PROT_SEM_BIT);
	mm_leave(mm);
	return error;
}

/* --------------------------------------------------------------------------------------------------------- madvise */

/* Advice that only changes what the books say. false: it is of another sort. */
static bool advice_change(int advice, struct mm_change *out)
{
	static const struct {
		int advice;
		uint32_t set, clear;
	} table[] = {
		{MADV_NORMAL, 0, VMA_SEQUENTIAL | VMA_RANDOM},
		{MADV_RANDOM, VMA_RANDOM, VMA_SEQUENTIAL},
		{MADV_SEQUENTIAL, VMA_SEQUENTIAL, VMA_RANDOM},
		{MADV_DONTFORK, VMA_DONTFORK, 0},
		{MADV_DOFORK, 0, VMA_DONTFORK},
		{MADV_WIPEONFORK, VMA_WIPEONFORK, 0},
		{MADV_KEEPONFORK, 0, VMA_WIPEONFORK},
		{MADV_DONTDUMP, VMA_DONTDUMP, 0},
		{MADV_DODUMP, 0, VMA_DONTDUMP},
		{MADV_MERGEABLE, VMA_MERGEABLE, 0},
		{MADV_UNMERGEABLE, 0, VMA_MERGEABLE},
		{MADV_HUGEPAGE, VMA_HUGEPAGE, VMA_NOHUGEPAGE},
		{MADV_NOHUGEPAGE, VMA_NOHUGEPAGE, VMA_HUGEPAGE},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		if (table[i].advice != advice)
			continue;
		*out = (struct mm_change){.set_advice = table[i].set, .clear_advice = table[i].clear};
		return true;
	}
	return false;
}

static bool advice_known(int advice)
{
	struct mm_change unused;

	return advice_change(advice, &unused) || advice == MADV_WILLNEED || advice == MADV_DONTNEED ||
	       advice == MADV_FREE || advice == MADV_REMOVE || advice == MADV_COLD || advice == MADV_PAGEOUT ||
	       advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE || advice == MADV_COLLAPSE ||
	       advice == MADV_DONTNEED_LOCKED || advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE;
}

/* MADV_REMOVE: the range becomes a hole of the file. PARKS with a reference of its own to what it works on. */
static int remove_from_file(struct vma *vma, uint64_t start, uint64_t end)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	uint64_t offset = vma->offset + (start - vma->start);

	if (vma->flags & MAP_LOCKED || !(vma->file || vma->shared_id))
		return -EINVAL;
	if (!(vma->flags & MAP_SHARED) ||
	    !(vma->max_prot & MEM_WRITE)) /* since Linux 6.17: that it may become writable */
		return -EACCES;
	if (!vma->file)
		return host_fallocate(hostfile_fd(vma->host_file), mode,
				      (int64_t)(vma->host_offset + (start - vma->start)), (int64_t)(end - start));
	if (!file_ops(vma->file)->fallocate)
		return -EOPNOTSUPP;
	return file_ops(vma->file)->fallocate(vma->file, mode, (int64_t)offset, (int64_t)(end - start));
}

static bool is_private_anonymous(const struct vma *vma)
{
	return !(vma->flags & MAP_SHARED) && !vma->file && vma->host_file == MEM_NO_FILE;
}

static int discard(struct mm *mm, struct uthread *caller, const struct vma *vma, uint64_t start, uint64_t end,
		   int advice)
{
	if (advice == MADV_FREE && !is_private_anonymous(vma))
		return -EINVAL;
	if (advice == MADV_DONTNEED && vma->flags & MAP_LOCKED)
		return -EINVAL;
	if (vma->flags & MAP_SHARED)
		return 0;
	struct mem_op op = {.kind = MEM_ADVISE, .addr = start, .size = end - start};
	op.advice = advice == MADV_FREE ? MADV_FREE : MADV_DONTNEED;
	return mm_platform(mm, caller, &op, false);
}

/* can_madvise_modify in Linux: sealed memory that its owner cannot write loses nothing by advice either. */
static bool seal_forbids(const struct vma *vma, int advice)
{
	switch (advice) {
	case MADV_FREE:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_WIPEONFORK:
		return vma->madvise & VMA_SEALED && !(vma->flags & MAP_SHARED) && !(vma->prot & MEM_WRITE);
	}
	return false;
}

/* One vma's part [start, end). */
static int advise_part(struct mm *mm, struct uthread *caller, struct vma *vma, uint64_t start, uint64_t end, int advice)
{
	struct mm_change change;

	if (seal_forbids(vma, advice))
		return -EPERM;
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return discard(mm, caller, vma, start, end, advice);
	case MADV_REMOVE:
		return remove_from_file(vma, start, end);
	case MADV_COLD:
	case MADV_PAGEOUT:
		return vma->flags & MAP_LOCKED ? -EINVAL : 0;
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		if (!(vma->prot & (advice == MADV_POPULATE_READ ? MEM_READ : MEM_WRITE)))
			return -EINVAL;
		return mm_populate(mm, caller, start, end, advice == MADV_POPULATE_WRITE);
	case MADV_COLLAPSE:
		return -EINVAL;
	case MADV_WIPEONFORK:
		if (!is_private_anonymous(vma))
			return -EINVAL;
		break;
	}
	if (!advice_change(advice, &change))
		return 0;
	return mm_change_books(mm, start, end, &change);
}

/* A populating advice stops at a hole, the others go on and say so at the end. */
static int advise_range(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end, int advice)
{
	bool stops_at_hole = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
	int hole = 0;

	for (uint64_t at = start; at < end;) {
		struct vma *vma = mm_find(mm, at);
		if (!vma || vma->start >= end)
			return -ENOMEM;
		if (vma->start > at) {
			hole = -ENOMEM;
			if (stops_at_hole)
				return hole;
			at = vma->start;
		}
		uint64_t part_end = MIN(vma->end, end);
		int error = advise_part(mm, caller, vma, at, part_end, advice);
		if (error)
			return error;
		at = part_end;
	}
	return hole;
}

int mm_advise(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, int advice)
{
	uint64_t bytes = page_up(size), end = addr + bytes;

	if (!advice_known(advice))
		return -EINVAL;
	if (addr & ~PAGE_MASK || (size && !bytes) || end < addr)
		return -EINVAL;
	if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
		return -EPERM;
	if (!bytes)
		return 0;
	mm_enter(mm);
	int error = advise_range(mm, caller, addr, end, advice);
	mm_leave(mm);
	return error;
}

/* --------------------------------------------------------------------------------------------------- mseal and mbind
 */

static bool all_mapped(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *vma = mm_find(mm, start);

	for (; vma && vma->start <= start && start < end; vma = mm_next(vma))
		start = vma->end;
	return start >= end;
}

int mm_seal(struct mm *mm, uint64_t addr, uint64_t size)
{
	const struct mm_change change = {.set_advice = VMA_SEALED};
	uint64_t bytes = page_up(size), end = addr + bytes;

	if (addr & ~PAGE_MASK || (size && !bytes) || end < addr)
		return -EINVAL;
	if (!bytes)
		return 0;
	mm_enter(mm);
	int error = all_mapped(mm, addr, end) ? mm_change_books(mm, addr, end, &change) : -ENOMEM;
	mm_leave(mm);
	return error;
}

int mm_bind(struct mm *mm, uint64_t addr, uint64_t size, struct mempolicy policy)
{
	const struct mm_change change = {.policy = policy, .set_policy = true};

	mm_enter(mm);
	int error = all_mapped(mm, addr, addr + size) ? mm_change_books(mm, addr, addr + size, &change) : -EFAULT;
	mm_leave(mm);
	return error;
}

/* ----------------------------------------------------------------------------------------------------------- msync */

/* The data of shared file mappings is the file's at once; syncing is what fsync(2) does. PARKS between two vmas. */
int mm_sync(struct mm *mm, uint64_t addr, uint64_t size, int flags)
{
	uint64_t bytes = page_up(size), end = addr + bytes;
	int hole = 0;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr & ~PAGE_MASK || (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (end < addr || bytes < size)
		return -ENOMEM;
	for (uint64_t at = addr; at < end;) {
		struct vma *vma = mm_find(mm, at);
		if (!vma || vma->start >= end)
			return -ENOMEM;
		if (vma->start > at)
			hole = -ENOMEM;
		if (flags & MS_INVALIDATE && vma->flags & MAP_LOCKED)
			return -EBUSY;
		at = vma->end;
		struct file *file = vma->file;
		if (!(flags & MS_SYNC) || !file || !(vma->flags & MAP_SHARED) || !file_ops(file)->sync)
			continue;
		file_get(file);
		int error = file_ops(file)->sync(file, true);
		file_put(file);
		if (error)
			return error;
	}
	return hole;
}
