/* mm.c - an mm as a whole: made, copied for fork, freed; its limits, and the one way by which its files reach the
 * platform.
 *
 * Changes of one mm exclude each other by mm->busy, because a change may park between the look at the books and the
 * entry in the books. Waiting for it is deaf to interrupts: holders wait only for the platform, which answers in
 * bounded time.
 *
 * Limits: the size of the main stack that is mapped at exec is at most STACK_RESERVE_LIMIT (loader/stack.c); VMA_LIMIT
 * mappings; locked memory is counted, not locked (the host pages guests as it likes).
 */
#include "sentry/mm_impl.h"

#include "fs/facts.h"
#include "fs/inode.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static struct slab mm_slab = SLAB(mm);

static void mm_init(struct mm *mm)
{
	ref_init(&mm->ref);
	RB_INIT(&mm->vmas);
	waitq_init(&mm->busy_wait);
	mm->mmap_base = PLATFORM_MAX_ADDR;
	mm->dumpable = true;
}

int mm_new(struct mm **out)
{
	struct mm *mm = slab_new(&mm_slab);

	if (!mm)
		return -ENOMEM;
	mm_init(mm);
	int error = aspace_new(&mm->as);
	if (error) {
		slab_free(&mm_slab, mm);
		return error;
	}
	*out = mm;
	return 0;
}

void mm_get(struct mm *mm)
{
	ref_get(&mm->ref);
}

static void free_books(struct mm *mm)
{
	struct vma *vma;

	while ((vma = mm_first(mm)))
		vma_drop(mm, vma);
	assert(!mm->mapped_pages && !mm->data_pages && !mm->locked_pages && !mm->vma_count);
	mm_exe_set(mm, NULL);
}

static void (*tell_gone)(const struct mm *mm);

void mm_set_gone(void (*gone)(const struct mm *mm))
{
	tell_gone = gone;
}

void mm_put(struct mm *mm)
{
	if (!ref_put(&mm->ref))
		return;
	if (tell_gone)
		tell_gone(mm);
	assert(!mm->busy);
	free_books(mm);
	aspace_free(mm->as);
	slab_free(&mm_slab, mm);
}

void mm_exe_set(struct mm *mm, struct file *exe)
{
	struct file *old = mm->exe;

	if (exe) {
		file_get(exe);
		exe->inode->deny_writers++;
	}
	mm->exe = exe;
	if (old) {
		assert(old->inode->deny_writers > 0);
		old->inode->deny_writers--;
		file_put(old);
	}
}

void mm_enter(struct mm *mm)
{
	if (mm->busy)
		(void)!WAIT_EVENT_DEAF(&mm->busy_wait, !mm->busy);
	assert(!mm->busy);
	mm->busy = true;
}

void mm_leave(struct mm *mm)
{
	assert(mm->busy);
	mm->busy = false;
	waitq_wake(&mm->busy_wait, 0);
}

/* ---------------------------------------------------------------------------------------------------------- limits */

uint64_t mm_limit(int resource)
{
	const struct task *task = task_current();

	return task ? task->process->limits[resource].soft : UINT64_MAX;
}

bool mm_capable(int capability)
{
	const struct task *task = task_current();

	return !task || cred_capable(task->cred, capability);
}

bool mm_is_data(uint32_t prot, uint32_t flags)
{
	return (prot & MEM_WRITE) && !(flags & (MAP_SHARED | MAP_GROWSDOWN));
}

static uint64_t data_limit = UINT64_MAX;

void mm_data_limit_set(uint64_t bytes)
{
	data_limit = bytes;
}

bool mm_may_expand(const struct mm *mm, uint64_t pages, bool data)
{
	if (mm_shown_pages(mm) + pages > mm_limit(RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	return !data || mm->data_pages + pages <= MIN(mm_limit(RLIMIT_DATA), data_limit) >> PAGE_SHIFT;
}

/* __vm_enough_memory in Linux: memory is promised freely, but not more at once than there is. */
bool mm_may_commit(uint64_t pages, uint32_t flags)
{
	return !facts.memory_limited || flags & MAP_NORESERVE || pages <= facts.memory_bytes >> PAGE_SHIFT;
}

bool mm_may_lock(const struct mm *mm, uint64_t pages)
{
	return mm->locked_pages + pages <= mm_limit(RLIMIT_MEMLOCK) >> PAGE_SHIFT || mm_capable(CAP_IPC_LOCK);
}

/* ------------------------------------------------------------------------------------------------ what others look at
 */

uint64_t vma_shown_start(const struct mm *mm, const struct vma *vma)
{
	bool is_stack = vma->flags & MAP_GROWSDOWN && vma->start >= mm->stack_limit_low && vma->end == mm->stack_top;

	return is_stack ? MIN(MAX(vma->start, mm->stack_shown), vma->end - PAGE_SIZE) : vma->start;
}

uint64_t mm_shown_pages(const struct mm *mm)
{
	struct vma *stack = mm->stack_top ? mm_find((struct mm *)mm, mm->stack_top - 1) : NULL;
	uint64_t hidden = stack ? vma_shown_start(mm, stack) - stack->start : 0;

	return mm->mapped_pages - (hidden >> PAGE_SHIFT);
}

const char *vma_name(const struct mm *mm, const struct vma *vma)
{
	if (vma->name || vma->file)
		return vma->name;
	if (vma->start < mm->brk && vma->end > mm->brk_start)
		return "[heap]";
	if (mm->stack_top && vma->start < mm->stack_top && vma->end >= mm->stack_top)
		return "[stack]";
	return NULL;
}

void mm_stack_seen(struct mm *mm, uint64_t rsp)
{
	if (rsp >= mm->stack_limit_low && rsp < mm->stack_shown)
		mm->stack_shown = page_down(rsp);
}

int mm_futex_key(struct mm *mm, struct uaddr word, bool shared, struct futex_key *out)
{
	struct vma *vma;

	if (!mm_range_ok(word.v, sizeof(uint32_t)))
		return -EFAULT;
	/* As Linux: a private word never equals the same word looked up as a shared one. */
	*out = (struct futex_key){.object = (uintptr_t)mm, .offset = word.v};
	if (!shared)
		return 0;
	out->object |= 1;
	vma = mm_find(mm, word.v);
	if (!vma || vma->start > word.v || !(vma->prot & (MEM_READ | MEM_WRITE)))
		return -EFAULT;
	if (!(vma->flags & MAP_SHARED))
		return 0;
	if (vma->file)
		out->object = (uintptr_t)vma->file->inode | 2;
	else
		out->object = vma->shared_id << 2 | 3;
	out->offset = vma->offset + (word.v - vma->start);
	return 0;
}

/* ----------------------------------------------------------------------------------------------------- the platform */

int mm_platform(struct mm *mm, struct uthread *caller, const struct mem_op *op, bool must_know)
{
	int error = aspace_mem(mm->as, caller, op);

	if (!error && caller && (must_know || mm->vma_count >= MM_SETTLE_VMAS))
		error = aspace_settle(mm->as, caller);
	return error;
}

struct mem_op vma_map_op(const struct vma *vma, uint64_t start, uint64_t end)
{
	struct mem_op op = {
		.kind = MEM_MAP, .prot = vma->prot, .file = vma->host_file, .addr = start, .size = end - start};

	assert(start >= vma->start && end <= vma->end && start < end);
	if (vma->flags & MAP_SHARED)
		op.flags |= MEM_SHARED | (vma->max_prot & MEM_WRITE ? 0 : MEM_READ_ONLY);
	if (vma->flags & MAP_NORESERVE)
		op.flags |= MEM_NORESERVE;
	if (vma->host_file != MEM_NO_FILE)
		op.offset = vma->host_offset + (start - vma->start);
	return op;
}

/* ------------------------------------------------------------------------------------------------------------- fork */

static int copy_vmas(const struct mm *from, struct mm *to)
{
	struct vma_spares spares;

	for (struct vma *vma = mm_first((struct mm *)from); vma; vma = mm_next(vma)) {
		if (vma->madvise & VMA_DONTFORK)
			continue;
		int error = vma_spares_get(&spares, 1);
		if (error)
			return error;
		struct vma *copy = vma_spares_take(&spares);
		*copy = *vma;
		copy->flags &= ~(uint32_t)MAP_LOCKED;
		copy->madvise &= ~VMA_ON_FAULT;
		if (copy->file)
			file_get(copy->file);
		if (copy->host_file != MEM_NO_FILE)
			hostfile_get(copy->host_file);
		vma_enter(to, copy);
	}
	return 0;
}

static void copy_places(const struct mm *from, struct mm *to)
{
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->mmap_base = from->mmap_base;
	to->stack_top = from->stack_top;
	to->stack_limit_low = from->stack_limit_low;
	to->stack_shown = from->stack_shown;
	to->code_start = from->code_start;
	to->code_end = from->code_end;
	to->data_start = from->data_start;
	to->data_end = from->data_end;
	to->arg_start = from->arg_start;
	to->arg_end = from->arg_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
	to->vdso = from->vdso;
	memcpy(to->auxv, from->auxv, sizeof to->auxv);
	to->auxv_words = from->auxv_words;
	to->dumpable = from->dumpable;
	to->barriers = from->barriers;
}

/* The platform copied everything; take away what the child shall not have. */
static int apply_fork_advice(const struct mm *parent, struct mm *child)
{
	int error = 0;

	for (struct vma *vma = mm_first((struct mm *)parent); vma && !error; vma = mm_next(vma)) {
		struct mem_op op = {.kind = MEM_UNMAP, .addr = vma->start, .size = vma->end - vma->start};
		if (vma->madvise & VMA_WIPEONFORK)
			op = vma_map_op(vma, vma->start, vma->end);
		else if (!(vma->madvise & VMA_DONTFORK))
			continue;
		error = aspace_mem(child->as, NULL, &op);
	}
	return error;
}

static int fork_platform(struct task *task, struct mm *parent, struct mm *child, struct uthread **thread)
{
	struct uthread *first;
	int error = aspace_fork(parent->as, task->uthread, &child->as, &first);

	if (error)
		return error;
	error = apply_fork_advice(parent, child);
	if (error) {
		uthread_kill(first);
		uthread_free(first);
		aspace_free(child->as);
	} else {
		*thread = first;
	}
	return error;
}

int mm_fork(struct task *task, struct mm **out, struct uthread **thread)
{
	struct mm *parent = task->mm, *child = slab_new(&mm_slab);

	if (!child)
		return -ENOMEM;
	mm_init(child);
	mm_enter(parent);
	copy_places(parent, child);
	mm_exe_set(child, parent->exe);
	int error = copy_vmas(parent, child);
	if (!error)
		error = fork_platform(task, parent, child, thread);
	mm_leave(parent);
	if (error) {
		free_books(child);
		slab_free(&mm_slab, child);
		return error;
	}
	*out = child;
	return 0;
}
