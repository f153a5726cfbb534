/* mm_vma.c - the tree of mappings: a red-black tree by address, each node knowing the largest free gap of its subtree.
 *
 * The gap of a vma is what a mapping without a wish of its own may use below it: from the end of the one before, plus
 * its guard, to its start, less the stack gap if it grows down. Guards are free addresses that only MAP_FIXED and hints
 * may use. With the largest gap in each node, finding a place costs a walk down the tree.
 *
 * Every change keeps three things true: vmas never overlap, gaps and largest gaps are right, the accounts (mapped, data
 * and locked pages) are the sums over the tree. mm_check in tests/unit/mm_vma.c looks at all of them.
 */
#include <stdint.h>
struct vma;
static void augment(struct vma *vma);
#define RB_AUGMENT(vma) augment(vma)
#include "sentry/mm_impl.h"

#include "fs/inode.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static struct slab vma_slab = SLAB(vma);

static int vma_compare(const struct vma *a, const struct vma *b)
{
	return (a->start > b->start) - (a->start < b->start);
}

static uint64_t max_gap(const struct vma *vma)
{
	return vma ? vma->max_gap : 0;
}

static void augment(struct vma *vma)
{
	vma->max_gap = MAX(vma->gap, MAX(max_gap(RB_LEFT(vma, node)), max_gap(RB_RIGHT(vma, node))));
}

TREE_GENERATE(vma_tree, vma, node, vma_compare)

static void augment_up(struct vma *vma)
{
	for (; vma; vma = RB_PARENT(vma, node))
		augment(vma);
}

/* ---------------------------------------------------------------------------------------------------------- spares */

int vma_spares_get(struct vma_spares *spares, unsigned count)
{
	assert(count <= VMA_SPARES);
	spares->count = 0;
	while (spares->count < count) {
		struct vma *vma = slab_new(&vma_slab);
		if (!vma) {
			vma_spares_put(spares);
			return -ENOMEM;
		}
		spares->vma[spares->count++] = vma;
	}
	return 0;
}

struct vma *vma_spares_take(struct vma_spares *spares)
{
	assert(spares->count > 0);
	return spares->vma[--spares->count];
}

void vma_spares_put(struct vma_spares *spares)
{
	while (spares->count)
		slab_free(&vma_slab, spares->vma[--spares->count]);
}

/* ------------------------------------------------------------------------------------------------------------ gaps */

/* Where others may begin above it, and must end below it. */
static uint64_t outer_end(const struct vma *vma)
{
	return MIN(vma->end + vma->guard_pages * PAGE_SIZE, PLATFORM_MAX_ADDR);
}

static uint64_t outer_start(const struct vma *vma)
{
	return vma->flags & MAP_GROWSDOWN ? vma->start - MIN(vma->start, MM_STACK_GAP) : vma->start;
}

struct vma *vma_prev(struct vma *vma)
{
	return RB_PREV(vma_tree, NULL, vma);
}

struct vma *mm_first(struct mm *mm)
{
	return RB_MIN(vma_tree, &mm->vmas);
}

struct vma *mm_next(struct vma *vma)
{
	return RB_NEXT(vma_tree, NULL, vma);
}

static void gap_refresh(struct vma *vma)
{
	if (!vma)
		return;
	struct vma *prev = vma_prev(vma);
	uint64_t low = prev ? outer_end(prev) : PLATFORM_MIN_ADDR, high = outer_start(vma);
	vma->gap = high > low ? high - low : 0;
	augment_up(vma);
}

void vma_gaps_changed(struct mm *mm, struct vma *vma)
{
	(void)mm;
	gap_refresh(vma);
	gap_refresh(mm_next(vma));
}

bool vma_may_write_file(const struct file *file, uint32_t flags, uint32_t max_prot)
{
	return file && flags & MAP_SHARED && max_prot & MEM_WRITE;
}

static void link_vma(struct mm *mm, struct vma *vma)
{
	vma->gap = vma->max_gap = 0;
	struct vma *twin = RB_INSERT(vma_tree, &mm->vmas, vma);
	assert(!twin);
	(void)twin;
	vma_gaps_changed(mm, vma);
	mm->vma_count++;
	vma_account(mm, vma, true);
	vma->counted = vma_may_write_file(vma->file, vma->flags, vma->max_prot);
	if (vma->counted)
		vma->file->inode->writable_maps++;
}

static void unlink_vma(struct mm *mm, struct vma *vma)
{
	struct vma *parent = RB_PARENT(vma, node), *next = mm_next(vma);

	vma_account(mm, vma, false);
	if (vma->counted)
		vma->file->inode->writable_maps--;
	RB_REMOVE(vma_tree, &mm->vmas, vma);
	augment_up(parent);
	gap_refresh(next);
	assert(mm->vma_count > 0);
	mm->vma_count--;
}

/* The highest (or lowest) place inside [low, high) in the gaps of a subtree. */
struct search {
	uint64_t size, low, high;
	bool top_down;
};

static uint64_t place_in(const struct search *search, uint64_t gap_start, uint64_t gap_end)
{
	uint64_t start = MAX(gap_start, search->low), end = MIN(gap_end, search->high);

	if (end <= start || end - start < search->size)
		return 0;
	return search->top_down ? end - search->size : start;
}

static uint64_t search_tree(const struct search *search, const struct vma *vma)
{
	if (!vma || vma->max_gap < search->size)
		return 0;
	uint64_t gap_end = outer_start(vma), gap_start = gap_end - vma->gap;
	const struct vma *left = RB_LEFT(vma, node), *right = RB_RIGHT(vma, node);
	if (gap_start >= search->high)
		return search_tree(search, left);
	if (gap_end <= search->low)
		return search_tree(search, right);
	uint64_t place = search_tree(search, search->top_down ? right : left);
	if (!place)
		place = place_in(search, gap_start, gap_end);
	return place ? place : search_tree(search, search->top_down ? left : right);
}

uint64_t vma_find_free(struct mm *mm, uint64_t size, uint64_t guard, uint64_t low, uint64_t high, bool top_down)
{
	struct search search = {.size = size + guard, .low = low, .high = high, .top_down = top_down};
	struct vma *last = RB_MAX(vma_tree, &mm->vmas);
	uint64_t last_end = last ? outer_end(last) : PLATFORM_MIN_ADDR;
	uint64_t behind = place_in(&search, last_end, PLATFORM_MAX_ADDR);

	if (size > PLATFORM_MAX_ADDR || guard > PLATFORM_MAX_ADDR)
		return 0;
	if (behind && top_down)
		return behind;
	uint64_t place = search_tree(&search, RB_ROOT(&mm->vmas));
	return place ? place : behind;
}

struct vma *mm_find(struct mm *mm, uint64_t addr)
{
	struct vma *vma = RB_ROOT(&mm->vmas), *found = NULL;

	while (vma) {
		if (addr < vma->end) {
			found = vma;
			vma = RB_LEFT(vma, node);
		} else {
			vma = RB_RIGHT(vma, node);
		}
	}
	return found;
}

struct vma *vma_last_before(struct mm *mm, uint64_t addr)
{
	struct vma *vma = RB_ROOT(&mm->vmas), *found = NULL;

	while (vma) {
		if (vma->start < addr) {
			found = vma;
			vma = RB_RIGHT(vma, node);
		} else {
			vma = RB_LEFT(vma, node);
		}
	}
	return found;
}

bool vma_is_free(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *vma = mm_find(mm, start);

	return !vma || vma->start >= end;
}

/* --------------------------------------------------------------------------------------------------------- changes */

static void count(uint64_t *total, uint64_t pages, bool add)
{
	assert(add || *total >= pages);
	*total = add ? *total + pages : *total - pages;
}

void vma_account(struct mm *mm, const struct vma *vma, bool add)
{
	uint64_t pages = vma_pages(vma);

	count(&mm->mapped_pages, pages, add);
	if (mm_is_data(vma->prot, vma->flags))
		count(&mm->data_pages, pages, add);
	if (vma->flags & MAP_LOCKED)
		count(&mm->locked_pages, pages, add);
	mm->peak_pages = MAX(mm->peak_pages, mm->mapped_pages);
}

void vma_resize(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end)
{
	assert(start < end);
	vma_account(mm, vma, false);
	vma->offset += start - vma->start;
	if (vma->host_file != MEM_NO_FILE)
		vma->host_offset += start - vma->start;
	vma->start = start;
	vma->end = end;
	vma_account(mm, vma, true);
	vma_gaps_changed(mm, vma);
}

static void free_vma(struct vma *vma)
{
	if (vma->host_file != MEM_NO_FILE)
		hostfile_put(vma->host_file);
	if (vma->file)
		file_put(vma->file);
	slab_free(&vma_slab, vma);
}

void vma_drop(struct mm *mm, struct vma *vma)
{
	unlink_vma(mm, vma);
	free_vma(vma);
}

struct vma *vma_split(struct mm *mm, struct vma *vma, uint64_t addr, struct vma_spares *spares)
{
	struct vma *upper = vma_spares_take(spares);

	assert(addr > vma->start && addr < vma->end && !(addr & ~PAGE_MASK));
	*upper = *vma;
	if (upper->file)
		file_get(upper->file);
	if (upper->host_file != MEM_NO_FILE)
		hostfile_get(upper->host_file);
	upper->start = addr;
	upper->offset += addr - vma->start;
	if (upper->host_file != MEM_NO_FILE)
		upper->host_offset += addr - vma->start;
	vma_resize(mm, vma, vma->start, addr);
	link_vma(mm, upper);
	return upper;
}

bool vma_any_sealed(struct mm *mm, uint64_t start, uint64_t end)
{
	for (struct vma *vma = mm_find(mm, start); vma && vma->start < end; vma = mm_next(vma))
		if (vma->madvise & VMA_SEALED)
			return true;
	return false;
}

static bool can_merge(const struct vma *a, const struct vma *b)
{
	uint64_t size = a->end - a->start;

	return a->end == b->start && a->prot == b->prot && a->max_prot == b->max_prot && a->flags == b->flags &&
	       a->madvise == b->madvise && a->file == b->file && a->host_file == b->host_file &&
	       a->shared_id == b->shared_id && a->name == b->name && a->offset + size == b->offset &&
	       a->policy.mode == b->policy.mode && a->policy.nodes == b->policy.nodes &&
	       (a->host_file == MEM_NO_FILE || a->host_offset + size == b->host_offset);
}

struct vma *vma_merge(struct mm *mm, struct vma *vma)
{
	struct vma *prev = vma_prev(vma), *next = mm_next(vma);

	if (prev && can_merge(prev, vma)) {
		uint64_t end = vma->end;
		uint32_t guard_pages = vma->guard_pages;
		vma_drop(mm, vma);
		prev->guard_pages = guard_pages;
		vma_resize(mm, prev, prev->start, end);
		vma = prev;
	}
	if (next && can_merge(vma, next)) {
		uint64_t end = next->end;
		uint32_t guard_pages = next->guard_pages;
		vma_drop(mm, next);
		vma->guard_pages = guard_pages;
		vma_resize(mm, vma, vma->start, end);
	}
	return vma;
}

void vma_merge_range(struct mm *mm, uint64_t start, uint64_t end)
{
	for (struct vma *vma = mm_find(mm, start); vma && vma->start <= end; vma = mm_next(vma))
		vma = vma_merge(mm, vma);
}

struct vma *vma_enter(struct mm *mm, struct vma *vma)
{
	assert(vma_is_free(mm, vma->start, vma->end));
	link_vma(mm, vma);
	return vma_merge(mm, vma);
}

void vma_carve(struct mm *mm, uint64_t start, uint64_t end, struct vma_spares *spares)
{
	struct vma *vma = mm_find(mm, start), *next;

	for (; vma && vma->start < end; vma = next) {
		next = mm_next(vma);
		if (vma->start < start && vma->end > end) {
			vma_split(mm, vma, end, spares);
			vma_resize(mm, vma, vma->start, start);
			return;
		}
		if (vma->start < start) {
			vma_resize(mm, vma, vma->start, start);
		} else if (vma->end > end) {
			vma_resize(mm, vma, end, vma->end);
		} else {
			vma_drop(mm, vma);
		}
	}
}

int vma_carve_growth(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *vma = mm_find(mm, start);

	return vma && vma->start < start && vma->end > end;
}
