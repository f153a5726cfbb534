/* mm_lock.c - memory that is there before it is touched: mlock(2), MADV_POPULATE_READ and its kin, and who asks what is
 * there: mincore(2).
 *
 * Locking counts against RLIMIT_MEMLOCK and faults the pages in, by a madvise(2) that the host makes (Linux 5.14; on an
 * older one the pages come when they are touched).
 *
 * Limits: nothing is locked on the host: a host that is short of memory may page locked memory out.
 */
#include "sentry/mm_impl.h"

#include "platform/platform.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>

int mm_populate(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end, bool write)
{
	struct mem_op op = {.kind = MEM_ADVISE, .addr = start, .size = end - start};

	op.advice = write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
	int error = mm_platform(mm, caller, &op, true);
	return error == -EINVAL ? 0 : error; /* that the protection allows it has been seen: an older host */
}

/* populate_vma_page_range in Linux: pages that are to be copied at the first write are copied now. A shared mapping
 * that can only be written is the one where that is not needed, and asked for. */
static int populate_vma(struct mm *mm, struct uthread *caller, const struct vma *vma, uint64_t start, uint64_t end)
{
	bool write = vma->prot & MEM_WRITE && !(vma->flags & MAP_SHARED && vma->prot & MEM_READ);

	if (!vma->prot)
		return -EFAULT;
	return write || vma->prot & MEM_READ ? mm_populate(mm, caller, start, end, write) : 0;
}

void mm_populate_locked(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end)
{
	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma))
		if (vma->flags & MAP_LOCKED && !(vma->madvise & VMA_ON_FAULT))
			(void)!populate_vma(mm, caller, vma, MAX(vma->start, start), MIN(vma->end, end));
}

/* Inside mm_enter: nobody else changes what is mapped. */
static int populate_range(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end)
{
	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma)) {
		int error = populate_vma(mm, caller, vma, MAX(vma->start, start), MIN(vma->end, end));
		if (error) /* as POSIX wants it of mlock */
			return error == -EFAULT ? -ENOMEM : error == -ENOMEM ? -EAGAIN : error;
	}
	return 0;
}

/* ----------------------------------------------------------------------------------------------------------- mlock */

static uint64_t locked_in(struct mm *mm, uint64_t start, uint64_t end)
{
	uint64_t pages = 0;

	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma))
		if (vma->flags & MAP_LOCKED)
			pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
	return pages;
}

static int lock_range(struct mm *mm, uint64_t start, uint64_t end, const struct mm_change *change)
{
	uint64_t at = start;

	for (struct vma *vma = mm_find(mm, start); vma && vma->start <= at && at < end; vma = mm_next(vma))
		at = MIN(vma->end, end);
	if (at == start)
		return -ENOMEM;
	int error = mm_change_books(mm, start, at, change);
	return error ? error : at < end ? -ENOMEM : 0;
}

int mm_lock_pages(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, enum mm_lock how)
{
	bool lock = how != MM_UNLOCK;
	const struct mm_change change = {.set_flags = lock ? MAP_LOCKED : 0,
					 .clear_flags = lock ? 0 : MAP_LOCKED,
					 .set_advice = how == MM_LOCK_ON_FAULT ? VMA_ON_FAULT : 0,
					 .clear_advice = how == MM_LOCK_ON_FAULT ? 0 : VMA_ON_FAULT};
	uint64_t start = page_down(addr), bytes = page_up(size + (addr - start)), end = start + bytes;
	int error = 0;

	if (lock && !mm_limit(RLIMIT_MEMLOCK) && !mm_capable(CAP_IPC_LOCK))
		return -EPERM;
	mm_enter(mm);
	if (lock && end >= start &&
	    !mm_may_lock(mm, (bytes >> PAGE_SHIFT) - MIN(bytes >> PAGE_SHIFT, locked_in(mm, start, end))))
		error = -ENOMEM;
	else if (end < start || bytes < size)
		error = -EINVAL;
	else if (end > start)
		error = lock_range(mm, start, end, &change);
	if (!error && how == MM_LOCK && end > start)
		error = populate_range(mm, caller, start, end);
	mm_leave(mm);
	return error;
}

static void lock_everything(struct mm *mm, bool lock, bool on_fault)
{
	for (struct vma *vma = mm_first(mm); vma; vma = mm_next(vma)) {
		vma_account(mm, vma, false);
		vma->flags = lock ? vma->flags | MAP_LOCKED : vma->flags & ~(uint32_t)MAP_LOCKED;
		vma->madvise = on_fault ? vma->madvise | VMA_ON_FAULT : vma->madvise & ~VMA_ON_FAULT;
		vma_account(mm, vma, true);
	}
	vma_merge_range(mm, 0, PLATFORM_MAX_ADDR);
}

int mm_lock_all(struct mm *mm, struct uthread *caller, int flags)
{
	if (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (flags && !mm_limit(RLIMIT_MEMLOCK) && !mm_capable(CAP_IPC_LOCK))
		return -EPERM;
	if (flags & MCL_CURRENT && mm_shown_pages(mm) > mm_limit(RLIMIT_MEMLOCK) >> PAGE_SHIFT &&
	    !mm_capable(CAP_IPC_LOCK))
		return -ENOMEM;
	mm_enter(mm);
	mm->lock_future = flags & MCL_FUTURE;
	mm->lock_on_fault = flags & MCL_ONFAULT;
	if (flags & MCL_CURRENT || !flags)
		lock_everything(mm, flags, flags & MCL_ONFAULT);
	if (flags & MCL_CURRENT && !(flags & MCL_ONFAULT))
		mm_populate_locked(mm, caller, 0, PLATFORM_MAX_ADDR);
	mm_leave(mm);
	return 0;
}

/* --------------------------------------------------------------------------------------------------------- mincore */

int mm_resident(struct mm *mm, uint64_t addr, uint64_t pages, uint8_t *out)
{
	uint64_t end = addr + pages * PAGE_SIZE;

	assert(pages <= MM_MINCORE_PAGES && !(addr & ~PAGE_MASK));
	for (uint64_t at = addr; at < end;) {
		struct vma *vma = mm_find(mm, at);
		if (!vma || vma->start > at)
			return -ENOMEM;
		at = MIN(vma->end, end);
	}
	int error = aspace_resident(mm->as, addr, pages, out);
	/* Pages of files are in the host's cache whether this mapping has touched them or not. */
	for (struct vma *vma = mm_find(mm, addr); !error && vma && vma->start < end; vma = mm_next(vma))
		if (vma->file && vma->host_file != MEM_NO_FILE)
			for (uint64_t at = MAX(vma->start, addr); at < MIN(vma->end, end); at += PAGE_SIZE)
				out[(at - addr) >> PAGE_SHIFT] = 1;
	return error;
}
