/* mem.c - changes of guest memory maps.
 *
 * Theory. With a caller at a stop, an operation becomes a signed call in the caller's block (BLOCK_OPS) and is made by
 * its own host thread inside the gate, right after the answer, before guest code runs on (design D3). Until that thread
 * says that the batch is done, the ranges are *pending*: copies, faults and other operations on them wait
 * (mem_settle_range). The report is the guest's word; a false one harms the guest's own memory only. A thread that
 * never reports is ended with its process after OPS_LIMIT_NS.
 *
 * What does not fit a signed call, or has no caller, goes through the agent and is done on return.
 *
 * Trampolines (patch.c) inside a range: unmap, protect and advise go round them; map and remap take them away first.
 *
 * Limits: GATE_OPS calls a batch; a longer one is sent in parts.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/systrap/patch_aot.h"
#include "sentry/base/fiber.h"

static struct waitq settled = {LIST_INIT(settled.waiters)};

static bool overlap(const struct range *range, uint64_t start, uint64_t end)
{
	return range->start < end && start < range->end;
}

/* ------------------------------------------------------------------------------------------------ pending ranges */

/* The queue goes out with the answer that is being given. */
void mem_sent(struct uthread *thread)
{
	WRITE_ONCE(thread->ch->op_count, thread->queued);
	WRITE_ONCE(thread->ch->op_ring, 0);
	WRITE_ONCE(thread->ch->op_seq, ++thread->op_seq);
	systrap.stats.memory_calls += thread->queued;
	thread->queued = 0;
}

/* Whatever was on its way is done (or its thread is gone). */
void mem_done(struct uthread *thread)
{
	if (list_empty(&thread->pending_node))
		return;
	list_remove(&thread->pending_node);
	thread->queued = 0;
	thread->queue_range = (struct range){0, 0};
	waitq_wake(&settled, 0);
}

bool mem_is_pending(const struct aspace *as, uint64_t start, uint64_t end, const struct uthread *except)
{
	const struct uthread *thread;

	list_for_each (thread, &as->pending, pending_node)
		if (thread != except && overlap(&thread->queue_range, start, end))
			return true;
	return false;
}

/* Asks those that we wait for to ring when they are done; those that are done by now are noted. */
static void want_ring(struct aspace *as, uint64_t start, uint64_t end, const struct uthread *except)
{
	struct uthread *thread, *after;

	list_for_each_safe (thread, after, &as->pending, pending_node) {
		if (thread == except || !overlap(&thread->queue_range, start, end))
			continue;
		__atomic_store_n(&thread->ch->op_ring, 1, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		uthread_check(thread);
	}
}

void mem_settle_range(struct aspace *as, uint64_t start, uint64_t end, struct uthread *except)
{
	uint64_t deadline = 0;

	while (!list_empty(&as->pending) && mem_is_pending(as, start, end, except) && !as->broken) {
		struct waiter waiter;
		uint64_t now = host_monotonic_ns();

		if (!deadline)
			deadline = now + OPS_LIMIT_NS;
		if (now >= deadline) {
			aspace_kill(as, "a thread does not make its memory calls");
			return;
		}
		waiter_init(&waiter);
		waitq_add(&settled, &waiter);
		want_ring(as, start, end, except);
		/* The ring can be forged away: look again soon. */
		if (mem_is_pending(as, start, end, except))
			(void)!waiter_wait_deaf(&waiter, now + NS_PER_MS);
		waitq_remove(&waiter);
	}
}

void mem_flush_own(struct uthread *thread, uint64_t start, uint64_t end)
{
	if (thread && thread->queued && overlap(&thread->queue_range, start, end))
		(void)!aspace_settle(thread->as, thread);
}

int aspace_settle(struct aspace *as, struct uthread *caller)
{
	int error;

	if (!caller)
		return as->broken ? -EIO : 0;
	if (caller->queued) {
		uint32_t answer = caller->answer;
		int64_t ret = caller->ret;
		if (!uthread_round_trip(caller, ANSWER_BACK))
			return -EINTR;
		caller->answer = answer;
		caller->ret = ret;
	}
	error = caller->op_error;
	caller->op_error = 0;
	return error;
}

/* ------------------------------------------------------------------------------------------------ one call */

static bool can_queue(const struct uthread *caller)
{
	return caller && caller->state == UTHREAD_AT_STOP && !caller->fresh && !caller->killed;
}

static void queue(struct uthread *caller, const struct signed_call *call, const struct range *range)
{
	struct gate_op *op = (struct gate_op *)((char *)caller->ch + BLOCK_OPS) + caller->queued;

	op->nr = call->nr;
	memcpy(op->arg, call->arg, sizeof op->arg);
	if (!caller->queued++) {
		caller->queue_range = *range;
		list_push_back(&caller->as->pending, &caller->pending_node);
		return;
	}
	caller->queue_range.start = MIN(caller->queue_range.start, range->start);
	caller->queue_range.end = MAX(caller->queue_range.end, range->end);
}

/* Makes or queues one call that touches this range. */
static int emit(struct aspace *as, struct uthread *caller, struct signed_call *call, const struct range *range)
{
	struct agent_call plain = {call->nr, {0}};
	int error = 0;

	if (can_queue(caller) && caller->queued == GATE_OPS)
		error = aspace_settle(as, caller);
	memcpy(plain.arg, call->arg, sizeof plain.arg);
	if (!error && can_queue(caller) && !sign_call(&as->key, call)) {
		queue(caller, call, range);
		return 0;
	}
	if (!error && caller && caller->queued)
		error = aspace_settle(as, caller);
	return error ? error : agent_run(as, &plain, 1);
}

/* ------------------------------------------------------------------------------------------------ operations */

static int prot_of(uint32_t prot)
{
	return (prot & MEM_READ ? PROT_READ : 0) | (prot & MEM_WRITE ? PROT_WRITE : 0) |
	       (prot & MEM_EXEC ? PROT_EXEC : 0);
}

static int map_call(const struct mem_op *op, struct signed_call *call)
{
	uint64_t flags = MAP_FIXED | (op->flags & MEM_SHARED ? MAP_SHARED : MAP_PRIVATE) |
			 (op->flags & MEM_NORESERVE ? MAP_NORESERVE : 0) |
			 (op->flags & MEM_POPULATE ? MAP_POPULATE : 0);
	int fd = -1;

	if (op->file == MEM_NO_FILE) {
		if (op->flags & MEM_SHARED)
			return -EINVAL; /* shared memory has a file */
		flags |= MAP_ANONYMOUS;
	} else {
		fd = hostfile_stub_fd(op->file, op->flags & MEM_SHARED && op->flags & MEM_READ_ONLY);
		if (fd < 0)
			return fd;
	}
	*call = (struct signed_call){SYS_mmap,
				     {op->addr, op->size, (uint64_t)prot_of(op->prot), flags,
				      fd < 0 ? UINT32_MAX : (uint64_t)fd, op->file == MEM_NO_FILE ? 0 : op->offset}};
	return 0;
}

static void remap_call(const struct mem_op *op, struct signed_call *call)
{
	bool in_place = op->new_addr == op->addr;

	*call = (struct signed_call){SYS_mremap,
				     {op->addr, op->size, op->new_size, in_place ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED,
				      in_place ? 0 : op->new_addr}};
}

static void plain_call(const struct mem_op *op, const struct range *range, struct signed_call *call)
{
	uint64_t nr = op->kind == MEM_UNMAP ? SYS_munmap : op->kind == MEM_PROTECT ? SYS_mprotect : SYS_madvise;
	uint64_t third = op->kind == MEM_PROTECT  ? (uint64_t)prot_of(op->prot)
			 : op->kind == MEM_ADVISE ? (uint64_t)op->advice
						  : 0;

	*call = (struct signed_call){nr, {range->start, range->end - range->start, third}};
}

/* Unmap, protect, advise: piece by piece between trampolines. */
static int around_trampolines(struct aspace *as, struct uthread *caller, const struct mem_op *op)
{
	uint64_t at = op->addr, end = op->addr + op->size;
	int error = 0;

	while (at < end && !error) {
		struct range hole = {end, end};
		struct signed_call call;

		if (!patch_next_trampoline(as, at, end, &hole))
			hole = (struct range){end, end};
		if (hole.start > at) {
			struct range range = {at, hole.start};
			plain_call(op, &range, &call);
			error = emit(as, caller, &call, &range);
		}
		at = hole.end;
	}
	return error;
}

static bool range_usable(uint64_t addr, uint64_t size)
{
	return size && !(addr % PAGE_SIZE) && !(size % PAGE_SIZE) && addr >= PLATFORM_MIN_ADDR &&
	       addr < PLATFORM_MAX_ADDR && size <= PLATFORM_MAX_ADDR - addr;
}

static bool op_usable(const struct mem_op *op)
{
	if (!range_usable(op->addr, op->size) || op->offset % PAGE_SIZE)
		return false;
	return op->kind != MEM_REMAP || range_usable(op->new_addr, op->new_size);
}

int aspace_mem(struct aspace *as, struct uthread *caller, const struct mem_op *op)
{
	struct range range = {op->addr, op->addr + op->size};
	struct mem_op patched = *op;
	struct signed_call call;
	int error, text = -1;

	if (as->broken)
		return -ENOMEM;
	if (!op_usable(op))
		return -EINVAL;
	if (op->kind == MEM_REMAP) {
		range.start = MIN(range.start, op->new_addr);
		range.end = MAX(range.end, op->new_addr + op->new_size);
	}
	if (caller)
		copy_flush(caller);
	mem_settle_range(as, range.start, range.end, caller);
	patch_before(as, caller, op);
	switch (op->kind) {
	case MEM_MAP:
		text = patch_aot_before(as, caller, &patched);
		error = map_call(&patched, &call);
		if (!error)
			error = emit(as, caller, &call, &range);
		break;
	case MEM_REMAP:
		remap_call(op, &call);
		error = emit(as, caller, &call, &range);
		break;
	default:
		error = around_trampolines(as, caller, op);
	}
	if (!error)
		patch_after(as, op);
	if (!error && text >= 0)
		patch_aot_after(as, caller, op, &patched, text);
	return error == -EIO ? -ENOMEM : error;
}
