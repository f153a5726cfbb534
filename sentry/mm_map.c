/* mm_map.c - mmap(2), munmap(2), brk(2).
 *
 * Where a mapping without a wish goes: top down from mmap_base, as Linux does, but with MM_GUARD_PAGES of free
 * addresses above a private file mapping, because the platform's trampolines lie ahead of the code (design D2). ld.so
 * first maps the whole span of a library without MAP_FIXED and then its pieces over it: the pieces inherit the guard.
 *
 * Checks and their order follow do_mmap and mmap_region of Linux 6.x. A mapping whose address was the guest's choice
 * (MAP_FIXED) replaces what is there only after every check has passed.
 *
 * Limits: no huge pages (MAP_HUGETLB says ENOMEM as a machine without reserved ones); MAP_SYNC is not supported;
 * addresses end at PLATFORM_MAX_ADDR where Linux has 128 TiB; no guest, however privileged, maps below
 * PLATFORM_MIN_ADDR (EPERM).
 */
#include "sentry/mm_impl.h"

#include "fs/inode.h"
#include "fs/mount.h"
#include "platform/hostfile.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#define MAP_TYPE_MASK 0x0f
/* What MAP_SHARED_VALIDATE does not complain about. */
#define MAP_KNOWN                                                                                                      \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | \
	 MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |          \
	 MAP_32BIT)
#define LOW_START 0x40000000ull /* MAP_32BIT, as Linux */
#define LOW_END   0x80000000ull

/* What a request comes to, step by step. The references are ours until the vma takes them. */
struct plan {
	uint64_t addr, size;
	uint32_t prot, max_prot, flags;                          /* flags: those that a vma keeps */
	bool fixed, no_replace, populate, top_down_low, counted; /* counted: in the inode's writable_maps */
	struct file *file;
	uint64_t offset;
	uint32_t host_file;
	uint64_t host_offset, shared_id;
	const char *name;
	uint32_t guard_pages;
};

static uint64_t next_shared_id = 1;

/* ------------------------------------------------------------------------------------------------- what is asked for
 */

static int plan_sizes(struct plan *plan, const struct mm_map_request *request)
{
	if (!request->size)
		return -EINVAL;
	plan->size = page_up(request->size);
	if (!plan->size || plan->size > PLATFORM_MAX_ADDR)
		return -ENOMEM;
	if (request->offset + plan->size < request->offset)
		return -EOVERFLOW;
	plan->fixed = request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	plan->no_replace = request->flags & MAP_FIXED_NOREPLACE;
	plan->addr = plan->fixed ? request->addr : page_down(request->addr);
	plan->prot = request->prot & (MEM_READ | MEM_WRITE | MEM_EXEC);
	plan->max_prot = MEM_READ | MEM_WRITE | MEM_EXEC;
	plan->flags = request->flags & (MAP_NORESERVE | MAP_GROWSDOWN | MAP_LOCKED);
	plan->populate = (request->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE || plan->flags & MAP_LOCKED;
	plan->offset = request->offset;
	plan->name = request->name;
	plan->guard_pages = request->guard_pages;
	plan->host_file = MEM_NO_FILE;
	if (!plan->fixed)
		return 0;
	if (plan->size > PLATFORM_MAX_ADDR || plan->addr > PLATFORM_MAX_ADDR - plan->size)
		return -ENOMEM;
	if (plan->addr & ~PAGE_MASK)
		return -EINVAL;
	return plan->addr < PLATFORM_MIN_ADDR ? -EPERM : 0;
}

/* The access mode against what is wanted. */
static int plan_file_access(struct plan *plan, const struct mm_map_request *request)
{
	const struct file *file = request->file;
	uint32_t type = request->flags & MAP_TYPE_MASK;

	if (request->offset > (uint64_t)INT64_MAX - plan->size)
		return -EOVERFLOW;
	if (type == MAP_SHARED_VALIDATE && (request->flags & ~(uint32_t)MAP_KNOWN))
		return -EOPNOTSUPP;
	if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
		if ((plan->prot & MEM_WRITE) && !file_writable(file))
			return -EACCES;
		if (!file_writable(file))
			plan->max_prot &= ~MEM_WRITE;
		plan->flags |= MAP_SHARED;
	} else if (type == MAP_PRIVATE) {
		plan->flags |= MAP_PRIVATE;
	} else {
		return -EINVAL;
	}
	if (!file_readable(file))
		return -EACCES;
	if (file->path.mount && file->path.mount->flags & MS_NOEXEC) {
		if (plan->prot & MEM_EXEC)
			return -EPERM;
		plan->max_prot &= ~MEM_EXEC;
	}
	if (!file_ops(file)->map)
		return -ENODEV;
	return request->flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static int plan_shared_memory(struct plan *plan)
{
	int error = hostfile_memory("shared", plan->size, &plan->host_file);

	if (error)
		return -ENOMEM;
	plan->shared_id = next_shared_id++;
	plan->name = "/dev/zero (deleted)";
	plan->offset = plan->host_offset = 0;
	return 0;
}

static int plan_file(struct plan *plan, const struct mm_map_request *request)
{
	struct file_map map = {.host_file = MEM_NO_FILE};
	int error = plan_file_access(plan, request);

	if (!error)
		error = file_ops(request->file)
				->map(request->file, request->offset, plan->size, request->prot, request->flags, &map);
	if (error)
		return error;
	if (map.shared_anonymous)
		return plan_shared_memory(plan);
	file_get(request->file);
	plan->file = request->file;
	plan->host_file = map.host_file;
	plan->host_offset = map.offset;
	if (map.never_writable)
		plan->max_prot &= ~MEM_WRITE;
	/* No seal may come between this look at the seals and the mapping. */
	plan->counted = vma_may_write_file(plan->file, plan->flags, plan->max_prot);
	plan->file->inode->writable_maps += plan->counted;
	if (plan->flags & MAP_PRIVATE)
		plan->guard_pages = MAX(plan->guard_pages, MM_GUARD_PAGES);
	return 0;
}

static int plan_anonymous(struct plan *plan, const struct mm_map_request *request)
{
	uint32_t type = request->flags & MAP_TYPE_MASK;

	if (type == MAP_SHARED) {
		if (request->flags & MAP_GROWSDOWN)
			return -EINVAL;
		plan->flags |= MAP_SHARED;
		return plan_shared_memory(plan);
	}
	if (type != MAP_PRIVATE)
		return -EINVAL;
	plan->flags |= MAP_PRIVATE;
	return 0;
}

static int plan_what(struct plan *plan, const struct mm_map_request *request)
{
	if (request->flags & MAP_HUGETLB)
		return request->file ? -EINVAL : -ENOMEM;
	if (request->file)
		return plan_file(plan, request);
	if (!request->has_host_file)
		return plan_anonymous(plan, request);
	plan->flags |= request->flags & MAP_TYPE_MASK;
	plan->host_file = request->host_file;
	plan->host_offset = request->offset;
	plan->shared_id = request->shared_id;
	if (plan->flags & MAP_SHARED && !plan->shared_id)
		plan->max_prot = plan->prot;
	hostfile_get(plan->host_file);
	return 0;
}

static void plan_uncount(struct plan *plan)
{
	if (plan->counted)
		plan->file->inode->writable_maps--;
	plan->counted = false;
}

static void plan_drop(struct plan *plan)
{
	if (plan->host_file != MEM_NO_FILE)
		hostfile_put(plan->host_file);
	if (plan->file)
		file_put(plan->file);
}

/* ------------------------------------------------------------------------------------------------------------- where
 */

/* Does the hint hold? As Linux: free, and clear of the gap below a stack. */
static bool hint_holds(struct mm *mm, uint64_t addr, uint64_t size)
{
	struct vma *next;

	if (!mm_range_ok(addr, size))
		return false;
	next = mm_find(mm, addr);
	if (!next)
		return true;
	return next->start >= addr + size &&
	       (!(next->flags & MAP_GROWSDOWN) || next->start - (addr + size) >= MM_STACK_GAP);
}

static int find_place(struct mm *mm, struct plan *plan, uint32_t request_flags)
{
	uint64_t guard = plan->guard_pages * PAGE_SIZE, place = 0;

	if (plan->addr && hint_holds(mm, plan->addr, plan->size))
		return 0;
	if (request_flags & MAP_32BIT) {
		place = vma_find_free(mm, plan->size, guard, LOW_START, LOW_END, false);
		if (!place)
			place = vma_find_free(mm, plan->size, 0, LOW_START, LOW_END, false);
	} else {
		place = vma_find_free(mm, plan->size, guard, PLATFORM_MIN_ADDR, mm->mmap_base, true);
		if (!place)
			place = vma_find_free(mm, plan->size, 0, PLATFORM_MIN_ADDR, PLATFORM_MAX_ADDR, true);
	}
	plan->addr = place;
	return place ? 0 : -ENOMEM;
}

uint64_t mm_find_place(struct mm *mm, uint64_t size, uint64_t guard_bytes, uint64_t align)
{
	uint64_t extra = align - PAGE_SIZE, place;

	assert(align >= PAGE_SIZE && !(align & (align - 1)));
	if (size > PLATFORM_MAX_ADDR || align > PLATFORM_MAX_ADDR)
		return 0;
	place = vma_find_free(mm, size + extra, guard_bytes, PLATFORM_MIN_ADDR, mm->mmap_base, true);
	return place ? (place + extra) & ~(align - 1) : 0;
}

/* What a fixed mapping replaces hands down its guard. */
static void inherit_guard(struct mm *mm, struct plan *plan)
{
	struct vma *vma = mm_find(mm, plan->addr);

	for (; vma && vma->start < plan->addr + plan->size; vma = mm_next(vma))
		plan->guard_pages = MAX(plan->guard_pages, vma->guard_pages);
}

static uint64_t pages_mapped_in(struct mm *mm, uint64_t start, uint64_t end)
{
	uint64_t pages = 0;

	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma))
		pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
	return pages;
}

static int check_limits(struct mm *mm, const struct plan *plan)
{
	uint64_t pages = plan->size >> PAGE_SHIFT, replaced = 0;

	if (plan->flags & MAP_LOCKED && !mm_may_lock(mm, pages))
		return -EAGAIN;
	if (mm->vma_count + vma_carve_growth(mm, plan->addr, plan->addr + plan->size) > VMA_LIMIT)
		return -ENOMEM;
	if (plan->fixed)
		replaced = pages_mapped_in(mm, plan->addr, plan->addr + plan->size);
	bool data = mm_is_data(plan->prot, plan->flags);
	if ((data || plan->shared_id) && !mm_may_commit(pages, plan->flags))
		return -ENOMEM;
	return mm_may_expand(mm, pages - replaced, data) ? 0 : -ENOMEM;
}

static int place_plan(struct mm *mm, struct plan *plan, const struct mm_map_request *request)
{
	int error;

	if (mm->lock_future) {
		plan->flags |= MAP_LOCKED;
		plan->populate |= !mm->lock_on_fault;
	}
	if (mm->vma_count > VMA_LIMIT)
		return -ENOMEM;
	if (!plan->fixed) {
		error = find_place(mm, plan, request->flags);
		return error ? error : check_limits(mm, plan);
	}
	if (plan->no_replace && !vma_is_free(mm, plan->addr, plan->addr + plan->size))
		return -EEXIST;
	if (vma_any_sealed(mm, plan->addr, plan->addr + plan->size))
		return -EPERM;
	error = check_limits(mm, plan);
	if (!error)
		inherit_guard(mm, plan);
	return error;
}

/* ------------------------------------------------------------------------------------------------------------ doing it
 */

static void plan_vma(const struct plan *plan, struct vma *vma)
{
	vma->start = plan->addr;
	vma->end = plan->addr + plan->size;
	vma->prot = plan->prot;
	vma->max_prot = plan->max_prot;
	vma->flags = plan->flags;
	vma->madvise = plan->flags & MAP_LOCKED && !plan->populate ? VMA_ON_FAULT : 0;
	vma->file = plan->file;
	vma->offset = plan->file || plan->host_file != MEM_NO_FILE ? plan->offset : plan->addr;
	vma->host_file = plan->host_file;
	vma->host_offset = plan->host_offset;
	vma->guard_pages = plan->guard_pages;
	vma->shared_id = plan->shared_id;
	vma->name = plan->name;
}

/* Will the host's answer be worth waiting for? Where it may refuse what our books allow. */
static bool is_doubtful(const struct plan *plan)
{
	if (plan->host_file != MEM_NO_FILE && (plan->prot & MEM_EXEC))
		return true;
	return plan->size >= MM_SETTLE_BYTES && !(plan->flags & MAP_NORESERVE) && mm_is_data(plan->prot, plan->flags);
}

static int carry_out(struct mm *mm, struct uthread *caller, const struct plan *plan)
{
	struct vma_spares spares;
	int error = vma_spares_get(&spares, 2);

	if (error)
		return error;
	struct vma *vma = vma_spares_take(&spares);
	plan_vma(plan, vma);
	struct mem_op op = vma_map_op(vma, vma->start, vma->end);
	if (plan->populate)
		op.flags |= MEM_POPULATE;
	error = mm_platform(mm, caller, &op, is_doubtful(plan));
	if (error) {
		/* A host's mmap that fails late has taken away what was there. */
		struct mem_op undo = {.kind = MEM_UNMAP, .addr = plan->addr, .size = plan->size};
		vma_carve(mm, plan->addr, plan->addr + plan->size, &spares);
		(void)!mm_platform(mm, caller, &undo, true);
		spares.vma[spares.count++] = vma;
	} else {
		vma_carve(mm, plan->addr, plan->addr + plan->size, &spares);
		vma_enter(mm, vma);
	}
	vma_spares_put(&spares);
	return error;
}

long mm_map(struct mm *mm, struct uthread *caller, const struct mm_map_request *request)
{
	struct plan plan = {0};
	int error = plan_sizes(&plan, request);

	if (error)
		return error;
	if (plan.no_replace && !vma_is_free(mm, plan.addr, plan.addr + plan.size))
		return -EEXIST; /* before the file is looked at, as Linux; place_plan asks again */
	if (request->flags & MAP_LOCKED && !mm_limit(RLIMIT_MEMLOCK) && !mm_capable(CAP_IPC_LOCK))
		return -EPERM;
	error = plan_what(&plan, request);
	if (error)
		return error;
	mm_enter(mm);
	error = place_plan(mm, &plan, request);
	if (!error)
		error = carry_out(mm, caller, &plan);
	mm_leave(mm);
	plan_uncount(&plan); /* from now on the vma counts, if it has come to be */
	if (error) {
		plan_drop(&plan);
		return error;
	}
	return (long)plan.addr;
}

int mm_unmap_locked(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size)
{
	struct vma_spares spares;
	struct vma *first = mm_find(mm, addr);

	if (!first || first->start >= addr + size)
		return 0;
	if (mm->vma_count + vma_carve_growth(mm, addr, addr + size) > VMA_LIMIT)
		return -ENOMEM;
	if (vma_any_sealed(mm, addr, addr + size))
		return -EPERM;
	int error = vma_spares_get(&spares, 1);
	if (error)
		return error;
	/* Only what is there: fits a signed call more often, and spares the host a walk. */
	uint64_t start = MAX(addr, first->start), end = MIN(addr + size, vma_last_before(mm, addr + size)->end);
	struct mem_op op = {.kind = MEM_UNMAP, .addr = start, .size = end - start};
	error = mm_platform(mm, caller, &op, false);
	if (!error)
		vma_carve(mm, start, end, &spares);
	vma_spares_put(&spares);
	return error;
}

int mm_unmap(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size)
{
	uint64_t bytes = page_up(size), end = addr + bytes;

	if (addr & ~PAGE_MASK || addr > MM_LINUX_END || !bytes || bytes < size || bytes > MM_LINUX_END - addr)
		return -EINVAL;
	addr = MAX(addr, PLATFORM_MIN_ADDR);
	end = MIN(end, PLATFORM_MAX_ADDR);
	if (addr >= end)
		return 0;
	mm_enter(mm);
	int error = mm_unmap_locked(mm, caller, addr, end - addr);
	mm_leave(mm);
	return error;
}

/* -------------------------------------------------------------------------------------------------------------- brk */

static int brk_grow(struct mm *mm, struct uthread *caller, uint64_t from, uint64_t to)
{
	struct vma *next = mm_find(mm, from);
	uint64_t next_start = next ? next->start - (next->flags & MAP_GROWSDOWN ? MM_STACK_GAP : 0) : PLATFORM_MAX_ADDR;
	struct plan plan = {.addr = from, .size = to - from, .prot = MEM_READ | MEM_WRITE, .host_file = MEM_NO_FILE};

	plan.max_prot = MEM_READ | MEM_WRITE | MEM_EXEC;
	plan.flags = MAP_PRIVATE | (mm->lock_future ? MAP_LOCKED : 0);
	plan.populate = mm->lock_future && !mm->lock_on_fault;
	if (to > PLATFORM_MAX_ADDR - PAGE_SIZE || to + PAGE_SIZE > next_start)
		return -ENOMEM;
	int error = check_limits(mm, &plan);
	return error ? error : carry_out(mm, caller, &plan);
}

static int brk_change(struct mm *mm, struct uthread *caller, uint64_t brk)
{
	uint64_t old_end = page_up(mm->brk), new_end = page_up(brk), data_limit = mm_limit(RLIMIT_DATA);

	if (brk < mm->brk_start || brk >= PLATFORM_MAX_ADDR)
		return -EINVAL;
	if (data_limit != UINT64_MAX && brk - mm->brk_start + (mm->data_end - mm->data_start) > data_limit)
		return -ENOMEM;
	if (new_end == old_end)
		return 0;
	if (new_end < old_end)
		return mm_unmap_locked(mm, caller, new_end, old_end - new_end);
	return brk_grow(mm, caller, old_end, new_end);
}

long mm_brk(struct mm *mm, struct uthread *caller, uint64_t brk)
{
	mm_enter(mm);
	if (!brk_change(mm, caller, brk))
		mm->brk = brk;
	mm_leave(mm);
	return (long)mm->brk;
}
