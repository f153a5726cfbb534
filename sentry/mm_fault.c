/* mm_fault.c - what a fault means by the books.
 *
 * The host serves nearly every fault by itself. Those that reach us are: an access that the books forbid (a signal), an
 * access below a mapping that grows down (it grows), and an access that the books allow, because the mapping was
 * changed between the fault and now (it is run again). The last kind must not go on for ever: should a guest's host
 * mappings differ from our books (it replayed a signed call, or the host refused one late), the FAULT_REPEATS-th time
 * in a row is a signal.
 *
 * A bus error of the host is an access behind the end of a file, by the size that we know or by one that the host
 * changed; or the file has grown since, and the access is run again.
 *
 * Growth: a mapping of MAP_GROWSDOWN grows to the page of the fault as Linux does. The main stack is mapped whole at
 * exec, so it grows here only after RLIMIT_STACK was raised, and then by STACK_STEP, because a fault that we serve is
 * dear. When the limit is lowered, what lies below it and was never touched is unmapped.
 */
#include "sentry/mm_impl.h"

#include "fs/inode.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define FAULT_REPEATS 64u
#define STACK_STEP    (256 * 1024ull)
#define LOOK_PAGES    512u

static bool may_access(const struct vma *vma, bool write, bool exec)
{
	/* x86-64 cannot forbid reading of what is writable or executable. */
	uint32_t wanted = write ? MEM_WRITE : exec ? MEM_EXEC : MEM_READ | MEM_WRITE | MEM_EXEC;

	return vma->prot & wanted;
}

/* How far down it may grow so that addr is inside; 0: not at all. */
static uint64_t growth_start(struct mm *mm, const struct vma *vma, uint64_t addr)
{
	struct vma *prev = vma_last_before(mm, vma->start);
	uint64_t limit = mm_limit(RLIMIT_STACK), start = page_down(addr), low = PLATFORM_MIN_ADDR;

	if (prev && prev->prot && !(prev->flags & MAP_GROWSDOWN))
		low = prev->end + MM_STACK_GAP;
	else if (prev)
		low = prev->end;
	if (limit < vma->end)
		low = MAX(low, page_up(vma->end - limit));
	if (start < low)
		return 0;
	return vma->end == mm->stack_top && start - low > STACK_STEP ? start - STACK_STEP : start;
}

static bool grow(struct mm *mm, struct vma *vma, uint64_t addr)
{
	uint64_t start = growth_start(mm, vma, addr), pages = (vma->start - start) >> PAGE_SHIFT;
	struct mem_op op = {
		.kind = MEM_MAP, .prot = vma->prot, .flags = MEM_NORESERVE, .file = MEM_NO_FILE, .addr = start};

	if (!start || vma->host_file != MEM_NO_FILE || !mm_may_expand(mm, pages, false))
		return false;
	if (vma->flags & MAP_LOCKED && !mm_may_lock(mm, pages))
		return false;
	op.size = vma->start - start;
	if (mm_platform(mm, NULL, &op, true))
		return false;
	vma_resize(mm, vma, start, vma->end);
	return true;
}

static bool repeats_too_often(struct mm *mm, uint64_t addr)
{
	mm->fault_repeats = addr == mm->fault_last ? mm->fault_repeats + 1 : 0;
	mm->fault_last = addr;
	return mm->fault_repeats >= FAULT_REPEATS;
}

/* Does the page of addr lie wholly behind the end of its file? */
static bool is_behind_end(const struct vma *vma, uint64_t addr)
{
	return vma->file && vma->offset + (page_down(addr) - vma->start) >= vma->file->inode->size;
}

static int fault_locked(struct mm *mm, uint64_t addr, const struct mm_access *access)
{
	struct vma *vma = mm_find(mm, addr);

	if (!vma)
		return SEGV_MAPERR;
	if (vma->start > addr && (!(vma->flags & MAP_GROWSDOWN) || !grow(mm, vma, addr)))
		return SEGV_MAPERR;
	if (!may_access(vma, access->write, access->exec))
		return SEGV_ACCERR;
	if (access->bus && is_behind_end(vma, addr))
		return -BUS_ADRERR;
	if (!repeats_too_often(mm, addr))
		return 0;
	return access->bus ? -BUS_ADRERR : SEGV_ACCERR;
}

int mm_fault(struct mm *mm, uint64_t addr, const struct mm_access *access)
{
	if (!mm_range_ok(addr, 1))
		return SEGV_MAPERR;
	mm_enter(mm);
	int code = fault_locked(mm, addr, access);
	mm_leave(mm);
	if (!code)
		mm_stack_seen(mm, addr);
	return code;
}

/* The first page of [start, end) that is in memory, or end. */
static uint64_t first_resident(struct mm *mm, uint64_t start, uint64_t end)
{
	uint8_t present[LOOK_PAGES];

	while (start < end) {
		uint64_t pages = MIN((end - start) >> PAGE_SHIFT, (uint64_t)LOOK_PAGES);
		if (aspace_resident(mm->as, start, pages, present))
			return start;
		for (uint64_t i = 0; i < pages; i++, start += PAGE_SIZE)
			if (present[i])
				return start;
	}
	return end;
}

void mm_stack_limit_lowered(struct mm *mm, struct uthread *caller, uint64_t limit_bytes)
{
	struct vma *stack = mm->stack_top ? mm_find(mm, mm->stack_top - 1) : NULL;

	if (!stack || !(stack->flags & MAP_GROWSDOWN) || limit_bytes >= stack->end - stack->start)
		return;
	uint64_t start = stack->start, end = stack->end - MAX(page_up(limit_bytes), PAGE_SIZE);
	end = first_resident(mm, start, end);
	if (end > start)
		(void)!mm_unmap(mm, caller, start, end - start); /* no memory: the stack stays as it is */
}
