/* mm_impl.h - what the files sentry/mm*.c share among themselves.
 *
 * The pattern of every change: mm_enter; check against the books; take spare vmas (so that nothing can fail later); ask
 * the platform; change the books; mm_leave.
 */
#ifndef SENTRY_MM_IMPL_H
#define SENTRY_MM_IMPL_H

#include "sentry/mm.h"

/* Free addresses above a private file mapping, where the platform finds places for its trampolines (design D2). */
#define MM_GUARD_PAGES (64u << (20 - PAGE_SHIFT))
/* Linux's stack_guard_gap: nothing is placed this close below a mapping that grows down. */
#define MM_STACK_GAP (256 * PAGE_SIZE)
/* Where user space ends on Linux (TASK_SIZE): arguments beyond are refused, ours above PLATFORM_MAX_ADDR are merely
 * empty. */
#define MM_LINUX_END 0x7ffffffff000ull

/* With a map count from here on the host may run out of mappings before our books do: ask for the truth at once. */
#define MM_SETTLE_VMAS 16384u
/* A writable private mapping of this size may be refused by the host's overcommit rule. */
#define MM_SETTLE_BYTES (1ull << 30)

/* ---- the tree: mm_vma.c */

#define VMA_SPARES 4
struct vma_spares {
	struct vma *vma[VMA_SPARES];
	unsigned count;
};

must_check int vma_spares_get(struct vma_spares *spares, unsigned count); /* -ENOMEM */
struct vma *vma_spares_take(struct vma_spares *spares);
void vma_spares_put(struct vma_spares *spares);

struct vma *vma_prev(struct vma *vma);
/* The last one that starts below addr; NULL: none. */
struct vma *vma_last_before(struct mm *mm, uint64_t addr);
/* Enters a vma whose range is free; the tree takes it (file and host_file references included). Merges it with its
 * neighbours where Linux would, and returns what holds the range now. */
struct vma *vma_enter(struct mm *mm, struct vma *vma);
/* Takes it out and gives back its references. */
void vma_drop(struct mm *mm, struct vma *vma);
/* The part from addr on becomes a vma of its own, which is returned; addr lies strictly inside. */
struct vma *vma_split(struct mm *mm, struct vma *vma, uint64_t addr, struct vma_spares *spares);
void vma_resize(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end);
/* Merges with the neighbours where possible. */
struct vma *vma_merge(struct mm *mm, struct vma *vma);
/* The same for all that lie in [start, end) or touch it. */
void vma_merge_range(struct mm *mm, uint64_t start, uint64_t end);
/* Takes everything in [start, end) out of the books; needs one spare. */
void vma_carve(struct mm *mm, uint64_t start, uint64_t end, struct vma_spares *spares);
/* How many more vmas carving [start, end) makes: 1, 0 or less. */
int vma_carve_growth(struct mm *mm, uint64_t start, uint64_t end);
/* A free place for size bytes inside [low, high) with guard bytes free above; 0: none. */
uint64_t vma_find_free(struct mm *mm, uint64_t size, uint64_t guard, uint64_t low, uint64_t high, bool top_down);
bool vma_is_free(struct mm *mm, uint64_t start, uint64_t end);
/* Takes a vma's share out of the accounts, or puts it in, around a change of its flags or prot. */
void vma_account(struct mm *mm, const struct vma *vma, bool add);
/* After guard_pages or flags changed. */
void vma_gaps_changed(struct mm *mm, struct vma *vma);

/* Does [start, end) hold a mapping that mseal(2) keeps as it is? */
bool vma_any_sealed(struct mm *mm, uint64_t start, uint64_t end);

/* Could a mapping like this one ever write to the file? */
bool vma_may_write_file(const struct file *file, uint32_t flags, uint32_t max_prot);

static inline uint64_t vma_pages(const struct vma *vma)
{
	return (vma->end - vma->start) >> PAGE_SHIFT;
}

/* ---- mm.c */

/* PARKS until no other change of this mm is under way. */
void mm_enter(struct mm *mm);
void mm_leave(struct mm *mm);

uint64_t mm_limit(int resource); /* the soft limit of the current task; UINT64_MAX: none */
bool mm_capable(int capability); /* of the current task; true without one */
/* May the mm grow by pages? data: private and writable (RLIMIT_DATA). */
bool mm_may_expand(const struct mm *mm, uint64_t pages, bool data);
/* May so much be promised at once (vm.overcommit_memory 0)? flags: of the mapping. */
bool mm_may_commit(uint64_t pages, uint32_t flags);
bool mm_is_data(uint32_t prot, uint32_t flags);
/* May pages more be locked? */
bool mm_may_lock(const struct mm *mm, uint64_t pages);

/* Hands one change to the platform. must_know: waits until it is certain. */
must_check int mm_platform(struct mm *mm, struct uthread *caller, const struct mem_op *op, bool must_know);
/* MEM_MAP for a part [start, end) of a vma as its books say. */
struct mem_op vma_map_op(const struct vma *vma, uint64_t start, uint64_t end);

/* Is [addr, addr + size) inside what a guest may use? No overflow. */
static inline bool mm_range_ok(uint64_t addr, uint64_t size)
{
	return addr >= PLATFORM_MIN_ADDR && addr < PLATFORM_MAX_ADDR && size <= PLATFORM_MAX_ADDR - addr;
}

/* ---- mm_protect.c */

/* What a change does to each vma of a range. */
struct mm_change {
	uint32_t prot, set_flags, clear_flags, set_advice, clear_advice;
	struct mempolicy policy;
	bool set_prot, set_policy;
};
/* Enters it in the books for all of [start, end), splitting at its ends. -ENOMEM. */
must_check int mm_change_books(struct mm *mm, uint64_t start, uint64_t end, const struct mm_change *change);

/* ---- mm_lock.c */

/* PARKS. Faults in [start, end), which lies in one vma that may be read (write: written). -EFAULT: not all can be had.
 */
must_check int mm_populate(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end, bool write);
/* PARKS. The same for whatever is locked in a range that may have holes; what cannot be had does not matter. */
void mm_populate_locked(struct mm *mm, struct uthread *caller, uint64_t start, uint64_t end);

/* ---- mm_map.c: for mremap and brk, inside mm_enter */

must_check int mm_unmap_locked(struct mm *mm, struct uthread *caller, uint64_t addr, uint64_t size);

#endif
