/* check.c - what must be true of the sentry, whatever guests do.
 *
 * sim_check_world looks at everything that another fiber may look at between two PARKS points: tasks, processes,
 * memory. sim_check_idle is called when nobody can run: then nobody may be waiting for something that is there already.
 * sim_check_leaks compares the arena with what it held before the guests came.
 */
#include "fs/dentry.h"
#include "fs/fdtable.h"
#include "fs/pipe_ring.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/scan.h"
#include "sentry/mm_impl.h"
#include "sentry/task.h"
#include "tests/sim/guest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* ------------------------------------------------------------------------------------------------ tasks */

void sim_check_resume(const struct uthread *thread)
{
	struct task *task = fiber_owner(fiber_current());

	if (!task || task->uthread != thread) {
		sim_fail("a thread is waited for by a fiber that does not own it");
		return;
	}
	if (task->killed)
		return;
	if (signal_is_pending(task))
		sim_fail("task %d goes back to guest code with a signal pending", task->tid);
	if (task->state != TASK_RUNNING)
		sim_fail("task %d runs guest code in state %d", task->tid, task->state);
}

static void check_task(const struct process *process, const struct task *task)
{
	if (task->process != process)
		sim_fail("task %d is in the list of process %d, but says %d", task->tid, process->pid,
			 task->process->pid);
	if (!task->ref.count || !process->ref.count)
		sim_fail("task %d of process %d without a reference", task->tid, process->pid);
	if (task_find(task->tid) != task)
		sim_fail("task %d is not found by its number", task->tid);
	if (task->state == TASK_ZOMBIE && (task->mm || task->files || task->fs || task->uthread))
		sim_fail("zombie %d has kept something", task->tid);
	if (task->state != TASK_ZOMBIE && !task->fiber && !process->is_init)
		sim_fail("task %d in state %d has no fiber", task->tid, task->state);
}

static void check_process(const struct process *process)
{
	const struct process *child;
	const struct task *task;
	unsigned alive = 0;

	list_for_each (task, &process->threads, thread_node) {
		check_task(process, task);
		alive += task->state != TASK_ZOMBIE;
	}
	if (alive != process->thread_count)
		sim_fail("process %d has %u threads and says %u", process->pid, alive, process->thread_count);
	if (process->zombie && alive)
		sim_fail("zombie %d has threads", process->pid);
	if (!process->leader || process->leader->tid != process->pid)
		sim_fail("process %d has no leader", process->pid);
	if (!process->is_init && !process->parent)
		sim_fail("process %d has no parent", process->pid);
	list_for_each (child, &process->children, sibling_node)
		if (child->parent != process)
			sim_fail("process %d is a child of %d, but says otherwise", child->pid, process->pid);
	if (process->pgroup && !process->pgroup->ref.count)
		sim_fail("the group of process %d is gone", process->pid);
}

/* ------------------------------------------------------------------------------------------------ memory */

/* A run of pages that are alike, as the books or the simulated host see them. */
struct run {
	uint64_t start, end, offset;
	uint32_t prot;
	bool shared;
	int inode;
};

static void run_of_vma(const struct vma *vma, struct run *out)
{
	*out = (struct run){.start = vma->start, .end = vma->end, .prot = vma->prot, .inode = -1};
	out->shared = vma->flags & MAP_SHARED;
	if (vma->host_file == MEM_NO_FILE)
		return;
	out->inode = sim_host_inode(hostfile_fd(vma->host_file));
	out->offset = vma->host_offset;
}

static void run_of_region(const struct sim_region *region, struct run *out)
{
	*out = (struct run){.start = region->start,
			    .end = region->end,
			    .prot = region->prot,
			    .shared = region->flags & MEM_SHARED,
			    .inode = region->inode};
	out->offset = region->inode < 0 ? 0 : region->offset;
}

static bool books_equal(const struct mm *mm)
{
	const struct aspace *as = mm->as;
	struct vma *vma = mm_first((struct mm *)mm);
	uint64_t at = 0;
	unsigned i = 0;

	while (vma && i < as->regions) {
		struct run ours, theirs;
		run_of_vma(vma, &ours);
		run_of_region(&as->region[i], &theirs);
		if (MAX(ours.start, at) != MAX(theirs.start, at) || ours.prot != theirs.prot ||
		    ours.shared != theirs.shared || ours.inode != theirs.inode ||
		    (ours.inode >= 0 && ours.offset - ours.start != theirs.offset - theirs.start))
			return false;
		at = MIN(ours.end, theirs.end);
		if (ours.end == at)
			vma = mm_next(vma);
		if (theirs.end == at)
			i++;
	}
	return !vma && i == as->regions;
}

static void print_books(const struct mm *mm)
{
	struct run run;

	for (struct vma *vma = mm_first((struct mm *)mm); vma; vma = mm_next(vma)) {
		run_of_vma(vma, &run);
		printf("  books %lx-%lx prot %u shared %d file %d offset %lx\n", run.start, run.end, run.prot,
		       run.shared, run.inode, run.offset);
	}
	for (unsigned i = 0; i < mm->as->regions; i++) {
		run_of_region(&mm->as->region[i], &run);
		printf("  host  %lx-%lx prot %u shared %d file %d offset %lx\n", run.start, run.end, run.prot,
		       run.shared, run.inode, run.offset);
	}
}

static void check_tree(const struct mm *mm)
{
	uint64_t end = PLATFORM_MIN_ADDR, pages = 0, data = 0, locked = 0;
	uint32_t count = 0;

	for (struct vma *vma = mm_first((struct mm *)mm); vma; vma = mm_next(vma), count++) {
		if (vma->start < end || vma->end <= vma->start || vma->end > PLATFORM_MAX_ADDR ||
		    (vma->start | vma->end) & ~PAGE_MASK)
			sim_fail("mapping %lx-%lx after %lx", vma->start, vma->end, end);
		end = vma->end;
		pages += vma_pages(vma);
		data += mm_is_data(vma->prot, vma->flags) ? vma_pages(vma) : 0;
		locked += vma->flags & MAP_LOCKED ? vma_pages(vma) : 0;
	}
	if (count != mm->vma_count || pages != mm->mapped_pages || data != mm->data_pages || locked != mm->locked_pages)
		sim_fail("the accounts of a memory are wrong: %u %lu %lu %lu, should be %u %lu %lu %lu", mm->vma_count,
			 mm->mapped_pages, mm->data_pages, mm->locked_pages, count, pages, data, locked);
}

static void check_mm(const struct mm *mm, int32_t pid)
{
	struct uthread *thread;

	if (!mm->ref.count)
		sim_fail("the memory of process %d is gone", pid);
	check_tree(mm);
	if (mm->busy || mm->as->tainted)
		return;
	list_for_each (thread, &mm->as->threads, node)
		sim_apply_queued(thread);
	if (!mm->as->tainted && !books_equal(mm)) {
		sim_fail("the memory of process %d is not what the books say", pid);
		print_books(mm);
	}
}

void sim_check_world(void)
{
	static uint64_t last_ns;
	struct list *all = process_all();
	struct process *process;
	struct task *task;

	if (sim.now_ns < last_ns)
		sim_fail("time goes back");
	last_ns = sim.now_ns;
	if (!sim.armed || !process_init())
		return;
	list_for_each (process, all, all_node) {
		check_process(process);
		list_for_each (task, &process->threads, thread_node)
			if (task->mm)
				check_mm(task->mm, process->pid);
	}
}

/* ------------------------------------------------------------------------------------------------ waiting */

static short wanted_of(const struct stop *stop)
{
	switch (stop->nr) {
	case SYS_read:
	case SYS_readv:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_accept:
	case SYS_accept4:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return POLLIN;
	default:
		return 0;
	}
}

bool sim_files_shared(const struct uthread *thread)
{
	struct process *process;
	struct task *task;

	list_for_each (process, process_all(), all_node)
		list_for_each (task, &process->threads, thread_node)
			if (task->uthread == thread)
				return task->files && task->files->ref.count > 1;
	return true;
}

/* A call that waits for a descriptor that is ready? */
static void check_descriptor(const struct task *task)
{
	const struct stop *stop = &task->stop;
	short wanted = wanted_of(stop);
	struct file *file;

	/* Where somebody shares the table, or did at the time of the call, the number may be another file's by now. */
	if (!wanted || !task->files || !task->uthread || task->uthread->files_shared ||
	    fd_get(task->files, (int)stop->args[0], &file))
		return;
	/* A signalfd shows whoever looks his own signals; standard input is the host's. */
	bool ours = file->kind != FILE_STDIO && file->kind != FILE_SIGNALFD;
	/* A splice to a slow socket keeps other readers of its pipe out, in Linux too. */
	ours = ours && !(file_is_pipe(file) && pipe_of(file)->mutex.held);
	uint32_t ready = ours ? file_poll(file, NULL) : 0;
	file_put(file);
	if (ready & (uint32_t)wanted)
		sim_fail("task %d waits in %s(%ld) for what is there already (file of kind %d, events %x)", task->tid,
			 guest_call_name(stop->nr), stop->args[0], file->kind, ready);
}

static void check_children(const struct task *task)
{
	const struct process *child;

	if (task->stop.nr != SYS_wait4 || (int32_t)task->stop.args[0] != -1)
		return;
	if (task->stop.args[2] & ~(uint64_t)0x40000000) /* __WALL only */
		return;
	list_for_each (child, &task->process->children, sibling_node)
		if (child->zombie && child->exit_signal == 17)
			sim_fail("task %d waits for a child, and %d has ended", task->tid, child->pid);
	if (list_empty(&task->process->children))
		sim_fail("task %d waits for a child and has none", task->tid);
}

/* The parent of a vfork: only its end is stronger. */
static bool waits_for_child(const struct task *task)
{
	return task->stop.nr == SYS_vfork || task->stop.nr == SYS_clone || task->stop.nr == SYS_clone3;
}

/* One that no other thread can take. */
static bool has_signal(const struct task *task)
{
	if (task->pending.set & ~task->blocked)
		return true;
	return task->process->thread_count == 1 && signal_is_pending(task);
}

static void check_waiting(struct task *task)
{
	if (task->in_guest || task->state == TASK_ZOMBIE || !task->fiber)
		return;
	if (task->killed)
		sim_fail("task %d is to die, and waits in %s", task->tid, guest_call_name(task->stop.nr));
	else if (task->state != TASK_STOPPED && !task->process->stopped && !waits_for_child(task) && has_signal(task))
		sim_fail("task %d waits in %s with a signal pending", task->tid, guest_call_name(task->stop.nr));
	if (task->state == TASK_STOPPED || task->stop.kind != STOP_SYSCALL)
		return;
	check_descriptor(task);
	check_children(task);
}

void sim_check_waits(void)
{
	struct list *all = process_all();
	struct process *process;
	struct task *task;

	if (!sim.armed || !process_init())
		return;
	list_for_each (process, all, all_node)
		list_for_each (task, &process->threads, thread_node)
			check_waiting(task);
	if (sim.failures && sim.verbose)
		sim_print_tasks();
}

void sim_print_tasks(void)
{
	struct list *all = process_all();
	struct process *process;
	struct task *task;

	list_for_each (process, all, all_node)
		list_for_each (task, &process->threads, thread_node)
			printf("  task %d of %d, group %d, state %u%s%s%s, pending %lx %lx, blocked %lx, in %s(%lx, "
			       "%lx)\n",
			       task->tid, process->pid, process->pgroup ? process->pgroup->pgid : 0, task->state,
			       task->in_guest ? " in guest code" : "", process->stopped ? " stopped" : "",
			       task->killed ? " to die" : "", task->pending.set, process->pending.set, task->blocked,
			       guest_call_name(task->stop.nr), task->stop.args[0], task->stop.args[1]);
}

/* ------------------------------------------------------------------------------------------------ leaks */

#define SLABS       256
#define SPARE_BYTES (1ul << 20)
static struct {
	char name[32];
	size_t in_use;
} before[SLABS];
static unsigned slabs;
static size_t bytes_before;
static unsigned host_before, threads_before, aspaces_before;
static uint64_t marked; /* step */

static void remember(const char *name, uint32_t object_bytes, size_t in_use)
{
	(void)object_bytes;
	if (slabs == SLABS)
		return;
	snprintf(before[slabs].name, sizeof before[slabs].name, "%s", name);
	before[slabs++].in_use = in_use;
}

static unsigned length_of(const struct list *list)
{
	unsigned length = 0;

	for (const struct list *node = list->next; node != list; node = node->next)
		length++;
	return length;
}

void sim_mark(void)
{
	slabs = 0;
	marked = sim.steps;
	dentry_shrink_all();
	arena_slabs(remember);
	bytes_before = sim_arena_bytes();
	host_before = sim_host_open_count();
	threads_before = length_of(&sim.threads);
	aspaces_before = length_of(&sim_aspaces);
}

static void compare(const char *name, uint32_t object_bytes, size_t in_use)
{
	size_t was = 0;

	for (unsigned i = 0; i < slabs; i++)
		if (!strcmp(before[i].name, name))
			was = before[i].in_use;
	if (in_use > was)
		sim_fail("%zu objects of %s (%u bytes) have leaked", in_use - was, name, object_bytes);
}

void sim_check_leaks(void)
{
	dentry_shrink_all();
	arena_slabs(compare);
	if (sim.failures) {
		sim_print_live(marked);
		sim_print_tasks();
	}
	if (length_of(&sim.threads) > threads_before || length_of(&sim_aspaces) > aspaces_before)
		sim_fail("%u threads and %u address spaces are left, not %u and %u", length_of(&sim.threads),
			 length_of(&sim_aspaces), threads_before, aspaces_before);
	/* Tables and buffers that the sentry keeps for itself have grown, so some more may be there. */
	if (sim_arena_bytes() > bytes_before + SPARE_BYTES)
		sim_fail("%zu bytes outside of slabs have leaked", sim_arena_bytes() - bytes_before);
	if (sim_host_open_count() > host_before)
		sim_fail("%u descriptors of the host have leaked", sim_host_open_count() - host_before);
}

/* ------------------------------------------------------------------------------------------------ code */

void sim_plant(void)
{
	void (**planted)(void) = arena_alloc(sizeof *planted);

	if (planted)
		*planted = sim_plant;
}

static void code_found(const char *slab, uint64_t address, uint64_t value)
{
	sim_fail("the arena holds a pointer into code: %lx at %lx (%s)", value, address, slab);
}

void sim_scan_code(void)
{
	scan_code(code_found);
}
