/* mm_remap.c - mremap(2) in all its forms, and remap_file_pages(2).
 *
 * Shrinking unmaps the tail. Growing and moving are one mremap of the host (MEM_REMAP), never a mapping beside the old
 * one: the host could not move two mappings that our books hold for one. With MREMAP_DONTUNMAP the old range is mapped
 * anew, empty. Old size 0 makes a second mapping of shared memory.
 *
 * The checks and their order follow mm/mremap.c of Linux 6.x: one mapping must hold the whole old range (EFAULT).
 *
 * Limits: Linux 6.17 can move several mappings in one call; here that is EFAULT, as it was before.
 */
#include "sentry/mm_impl.h"

#include "platform/hostfile.h"
#include "sentry/base/limits.h"
#include "sentry/sysv.h"
#include <errno.h>
#include <sys/mman.h>

#define REMAP_FLAGS (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

struct remap {
	struct mm *mm;
	struct uthread *caller;
	uint64_t addr, old_size, new_size, new_addr;
	uint32_t flags;
	struct vma *vma; /* holds addr */
};

static int check_arguments(struct remap *remap, uint64_t size, uint64_t new_size)
{
	if (remap->flags & ~(uint32_t)REMAP_FLAGS || remap->addr & ~PAGE_MASK)
		return -EINVAL;
	if (remap->flags & MREMAP_FIXED && !(remap->flags & MREMAP_MAYMOVE))
		return -EINVAL;
	remap->old_size = page_up(size);
	remap->new_size = page_up(new_size);
	if (remap->flags & MREMAP_DONTUNMAP && (!(remap->flags & MREMAP_MAYMOVE) || remap->old_size != remap->new_size))
		return -EINVAL;
	if (!remap->new_size)
		return -EINVAL;
	if (!(remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return 0;
	if (remap->new_size > PLATFORM_MAX_ADDR)
		return -EINVAL;
	if (!(remap->flags & MREMAP_FIXED))
		return 0;
	if (remap->new_addr & ~PAGE_MASK || remap->new_addr > PLATFORM_MAX_ADDR - remap->new_size)
		return -EINVAL;
	if (remap->addr + remap->old_size > remap->new_addr && remap->new_addr + remap->new_size > remap->addr)
		return -EINVAL;
	return remap->new_addr < PLATFORM_MIN_ADDR ? -EPERM : 0;
}

/* The mapping against what is wanted. */
static int check_vma(struct remap *remap)
{
	struct vma *vma = mm_find(remap->mm, remap->addr);

	if (!vma || vma->start > remap->addr)
		return -EFAULT;
	if (vma->madvise & VMA_SEALED)
		return -EPERM;
	remap->vma = vma;
	if (!remap->old_size && !(vma->flags & MAP_SHARED))
		return -EINVAL;
	/* A tail that goes away may lie in other mappings, and without a move all that stays may, too. */
	bool shrinks = remap->new_size < remap->old_size, moves = remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	uint64_t kept = shrinks ? remap->new_size : remap->old_size;
	if ((moves || !shrinks) && kept > vma->end - remap->addr)
		return -EFAULT;
	uint64_t offset = vma->offset + (remap->addr - vma->start);
	if (remap->new_size > remap->old_size && offset + remap->new_size < offset)
		return -EINVAL;
	return 0;
}

static int check_growth(const struct remap *remap, uint64_t more)
{
	const struct vma *vma = remap->vma;
	uint64_t pages = more >> PAGE_SHIFT;

	if (vma->flags & MAP_LOCKED && !mm_may_lock(remap->mm, pages))
		return -EAGAIN;
	bool data = mm_is_data(vma->prot, vma->flags);
	if (data && !mm_may_commit(pages, vma->flags))
		return -ENOMEM;
	return mm_may_expand(remap->mm, pages, data) ? 0 : -ENOMEM;
}

/* A new vma like the one that is remapped, for [start, end), whose first byte is the old mapping's byte at from. */
static void fill_vma(const struct remap *remap, struct vma *vma, uint64_t start, uint64_t end, uint64_t from)
{
	const struct vma *old = remap->vma;

	*vma = *old;
	vma->start = start;
	vma->end = end;
	vma->offset = old->offset + (from - old->start);
	if (vma->host_file != MEM_NO_FILE) {
		vma->host_offset = old->host_offset + (from - old->start);
		hostfile_get(vma->host_file);
	}
	if (vma->file)
		file_get(vma->file);
}

static void release_vma(struct vma *vma)
{
	if (vma->host_file != MEM_NO_FILE)
		hostfile_put(vma->host_file);
	if (vma->file)
		file_put(vma->file);
}

/* Maps [start, end), free so far, as the mapping's continuation whose first byte is its byte at from. */
static int map_more(struct remap *remap, uint64_t start, uint64_t end, uint64_t from)
{
	struct vma_spares spares;
	int error = vma_spares_get(&spares, 1);

	if (error)
		return error;
	struct vma *vma = vma_spares_take(&spares);
	fill_vma(remap, vma, start, end, from);
	struct mem_op op = vma_map_op(vma, start, end);
	error = mm_platform(remap->mm, remap->caller, &op, true);
	if (error) {
		release_vma(vma);
		spares.vma[spares.count++] = vma;
		vma_spares_put(&spares);
		return error;
	}
	vma_enter(remap->mm, vma);
	return 0;
}

/* Whatever a mapping that grows in place would grow into. */
static bool can_grow_in_place(const struct remap *remap)
{
	uint64_t end = remap->addr + remap->old_size, new_end = remap->addr + remap->new_size;
	struct vma *next = mm_next(remap->vma);

	return remap->old_size && remap->vma->end == end && new_end > end && new_end <= PLATFORM_MAX_ADDR &&
	       (!next || next->start - (next->flags & MAP_GROWSDOWN ? MM_STACK_GAP : 0) >= new_end);
}

static int find_target(struct remap *remap)
{
	uint64_t guard = remap->vma->guard_pages * PAGE_SIZE;

	if (remap->flags & MREMAP_FIXED)
		return mm_unmap_locked(remap->mm, remap->caller, remap->new_addr, remap->new_size);
	if (remap->flags & MREMAP_DONTUNMAP && remap->new_addr && !(remap->new_addr & ~PAGE_MASK) &&
	    mm_range_ok(remap->new_addr, remap->new_size) &&
	    vma_is_free(remap->mm, remap->new_addr, remap->new_addr + remap->new_size))
		return 0;
	uint64_t place =
		vma_find_free(remap->mm, remap->new_size, guard, PLATFORM_MIN_ADDR, remap->mm->mmap_base, true);
	if (!place)
		place = vma_find_free(remap->mm, remap->new_size, 0, PLATFORM_MIN_ADDR, PLATFORM_MAX_ADDR, true);
	remap->new_addr = place;
	return place ? 0 : -ENOMEM;
}

/* The old range is empty now; with DONTUNMAP it is mapped again. */
static int clear_old(struct remap *remap, struct vma_spares *spares)
{
	uint64_t start = remap->addr, end = start + remap->old_size;

	if (!(remap->flags & MREMAP_DONTUNMAP)) {
		vma_carve(remap->mm, start, end, spares);
		return 0;
	}
	struct mem_op op = vma_map_op(remap->vma, start, end);
	int error = mm_platform(remap->mm, remap->caller, &op, true);
	if (error)
		vma_carve(remap->mm, start, end, spares);
	return error;
}

/* Moves the pages, and grows at the new place: one mremap of the host, so that its mappings stay as whole as ours. */
static int move_pages(struct remap *remap)
{
	struct mm *mm = remap->mm;
	struct vma_spares spares;
	struct mem_op op = {.kind = MEM_REMAP, .prot = remap->vma->prot, .addr = remap->addr, .size = remap->old_size};

	if (mm->vma_count + 3 > VMA_LIMIT)
		return -ENOMEM;
	int error = vma_spares_get(&spares, 2);
	if (error)
		return error;
	op.new_addr = remap->new_addr;
	op.new_size = remap->new_size;
	error = mm_platform(mm, remap->caller, &op, true);
	if (!error) {
		struct vma *target = vma_spares_take(&spares);
		fill_vma(remap, target, remap->new_addr, remap->new_addr + remap->new_size, remap->addr);
		vma_enter(mm, target);
		remap->vma = mm_find(mm, remap->addr);
		error = clear_old(remap, &spares);
	}
	vma_spares_put(&spares);
	return error;
}

static int grow_in_place(struct remap *remap)
{
	struct vma *vma = remap->vma;
	struct mem_op op = {.kind = MEM_REMAP, .prot = vma->prot, .addr = remap->addr, .size = remap->old_size};
	int error = check_growth(remap, remap->new_size - remap->old_size);

	if (error)
		return error;
	op.new_addr = remap->addr;
	op.new_size = remap->new_size;
	error = mm_platform(remap->mm, remap->caller, &op, true);
	if (error)
		return error;
	vma_resize(remap->mm, vma, vma->start, remap->addr + remap->new_size);
	vma_merge(remap->mm, vma);
	return 0;
}

static long move(struct remap *remap)
{
	int error;

	if (remap->new_size > remap->old_size || remap->flags & MREMAP_DONTUNMAP) {
		error = check_growth(remap, remap->flags & MREMAP_DONTUNMAP ? remap->new_size
									    : remap->new_size - remap->old_size);
		if (error)
			return error;
	}
	error = find_target(remap);
	if (error)
		return error;
	/* What MREMAP_FIXED unmapped may have changed the tree around us. */
	remap->vma = mm_find(remap->mm, remap->addr);
	if (!remap->old_size)
		error = map_more(remap, remap->new_addr, remap->new_addr + remap->new_size, remap->addr);
	else
		error = move_pages(remap);
	return error ? error : (long)remap->new_addr;
}

static long remap_locked(struct remap *remap)
{
	int error = check_vma(remap);

	if (error)
		return error;
	bool must_move = remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	if (remap->old_size > remap->new_size) {
		if (remap->flags & MREMAP_FIXED)
			error = mm_unmap_locked(remap->mm, remap->caller, remap->new_addr, remap->new_size);
		if (!error)
			error = mm_unmap_locked(remap->mm, remap->caller, remap->addr + remap->new_size,
						remap->old_size - remap->new_size);
		if (error)
			return error;
		remap->old_size = remap->new_size;
		remap->vma = mm_find(remap->mm, remap->addr);
	}
	if (must_move)
		return move(remap);
	if (remap->old_size == remap->new_size)
		return (long)remap->addr;
	if (can_grow_in_place(remap)) {
		error = grow_in_place(remap);
		if (!error)
			return (long)remap->addr;
	}
	return remap->flags & MREMAP_MAYMOVE ? move(remap) : -ENOMEM;
}

long mm_remap(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint64_t new_size, uint32_t flags,
	      uint64_t new_addr)
{
	struct remap remap = {.mm = mm, .caller = caller, .addr = addr, .flags = flags, .new_addr = new_addr};
	int error = check_arguments(&remap, size, new_size);

	if (error)
		return error;
	mm_enter(mm);
	uint64_t old_size = remap.old_size;
	long result = remap_locked(&remap);
	if (result >= 0 && remap.new_size > old_size)
		mm_populate_locked(mm, caller, (uint64_t)result + old_size, (uint64_t)result + remap.new_size);
	mm_leave(mm);
	return result;
}

/* ------------------------------------------------------------------------------------------------ remap_file_pages */

/* Is [addr, end) one stretch of the same shared memory as vma, which holds addr? */
static bool is_one_memory(struct vma *vma, uint64_t end)
{
	struct vma *next;

	for (; vma->end < end; vma = next) {
		next = mm_next(vma);
		if (!next || next->start != vma->end || next->file != vma->file || next->shared_id != vma->shared_id ||
		    next->flags != vma->flags || next->prot != vma->prot)
			return false;
	}
	return true;
}

/* As Linux does it since 4.0: an mmap over the place, of the same memory at another offset. */
int mm_remap_file_pages(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size, uint32_t prot,
			uint64_t page_offset, uint32_t flags)
{
	struct mm_map_request request = {.addr = page_down(addr), .size = page_down(size)};
	uint64_t end = request.addr + request.size;

	if (prot || end <= request.addr || page_offset > (UINT64_MAX >> PAGE_SHIFT) - (size >> PAGE_SHIFT))
		return -EINVAL;
	struct vma *vma = mm_find(mm, request.addr);
	if (!vma || vma->start > request.addr || !(vma->flags & MAP_SHARED) || !(vma->file || vma->shared_id) ||
	    !is_one_memory(vma, end))
		return -EINVAL;
	request.prot = vma->prot;
	request.flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE | (flags & MAP_NONBLOCK) | (vma->flags & MAP_LOCKED);
	request.offset = page_offset << PAGE_SHIFT;
	request.name = vma->name;
	struct file *file = request.file = vma->file;
	uint32_t host_file = request.host_file = vma->host_file;
	request.has_host_file = !file;
	request.shared_id = vma->shared_id;
	/* Mapping parks, and the last mapping of the memory may be the one that goes. */
	if (file)
		file_get(file);
	else
		hostfile_get(host_file);
	long result = 0;
	if (file && shm_is_removed(file)) { /* gone with its last mapping, which this may be */
		result = mm_unmap(mm, caller, request.addr, request.size);
		if (!result && file->ref.count == 1)
			result = -EINVAL;
	}
	if (!result)
		result = mm_map(mm, caller, &request);
	if (file)
		file_put(file);
	else
		hostfile_put(host_file);
	return result < 0 ? (int)result : 0;
}
