/* fiber.c - fibers: stacks, the switch, the run queue, deadlines.
 *
 * The switch saves the six callee-saved registers on the old stack and takes them from the new one; floating point
 * control words never change in the sentry. A struct fiber lies at the top of its own stack mapping, below a guard
 * page, outside the arena. Ended fibers are kept for reuse, newest first, because their stacks are warm.
 *
 * Wakes are counted, not queued: `wake_pending` makes a park return at once. Parked fibers with a deadline are in a
 * tree by deadline. Limits: FIBER_LIMIT fibers of FIBER_STACK_BYTES; address space for all is reserved at first use.
 */
#include "sentry/base/fiber.h"
#include "sentry/base/hostdep.h"
#include "sentry/base/limits.h"
#include "sentry/base/list.h"
#include "sentry/base/tree.h"
#include <errno.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define ASAN_START(save, bottom, bytes) __sanitizer_start_switch_fiber(save, bottom, bytes)
#define ASAN_FINISH(save, bottom, size) __sanitizer_finish_switch_fiber(save, bottom, size)
#else
#define ASAN_START(save, bottom, bytes) ((void)0)
#define ASAN_FINISH(save, bottom, size) ((void)0)
#endif

#define SLOT_BYTES (FIBER_STACK_BYTES + PAGE_SIZE)
#define WARM_BYTES (2 * PAGE_SIZE)

enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_PARKED, FIBER_ENDED };

struct fiber {
	void *stack_pointer;
	struct list node; /* run queue or list of ended ones */
	RB_ENTRY(fiber) deadline_node;
	uint64_t deadline_ns;
	enum fiber_state state;
	bool has_deadline, timed_out, wake_pending, interrupted;
	void (*main)(void *argument);
	void *argument, *owner, *asan_stack;
	char *stack_bottom;
};

RB_HEAD(deadline_tree, fiber);

static int deadline_compare(const struct fiber *a, const struct fiber *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}
TREE_GENERATE(deadline_tree, fiber, deadline_node, deadline_compare)

static struct deadline_tree deadlines = RB_INITIALIZER(&deadlines);
static struct list run_queue = LIST_INIT(run_queue), ended = LIST_INIT(ended);
static struct fiber *current;
static struct fiber loop_fiber; /* the kernel thread's own stack */
static char *slots;
static unsigned slots_used;
static uint64_t now_ns;
static const void *loop_stack_bottom __attribute__((unused)); /* for AddressSanitizer only */
static size_t loop_stack_bytes __attribute__((unused));

/* Saves the caller's state on its stack, leaves its stack pointer in *save, and continues where load was saved. */
void fiber_switch_stack(void **save, void *load);
__asm__(".text\n"
	".globl fiber_switch_stack\n"
	".type fiber_switch_stack, @function\n"
	"fiber_switch_stack:\n"
	"	endbr64\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size fiber_switch_stack, . - fiber_switch_stack\n");

static void switch_to(struct fiber *from, struct fiber *to, bool from_ends)
{
	current = to == &loop_fiber ? NULL : to;
	ASAN_START(from_ends ? NULL : &from->asan_stack, to == &loop_fiber ? loop_stack_bottom : to->stack_bottom,
		   to == &loop_fiber ? loop_stack_bytes : FIBER_STACK_BYTES);
	(void)from_ends;
	fiber_switch_stack(&from->stack_pointer, to->stack_pointer);
	ASAN_FINISH(from->asan_stack, NULL, NULL);
}

static void fiber_begin(void)
{
	ASAN_FINISH(NULL, &loop_stack_bottom, &loop_stack_bytes);
	current->main(current->argument);
	fiber_exit();
}

static struct fiber *slot_new(void)
{
	if (!slots)
		slots = hostdep_reserve(0, (size_t)FIBER_LIMIT * SLOT_BYTES);
	if (!slots || slots_used == FIBER_LIMIT)
		return NULL;
	char *slot = slots + (size_t)slots_used++ * SLOT_BYTES;
	hostdep_guard(slot, PAGE_SIZE);
	hostdep_populate(slot + SLOT_BYTES - WARM_BYTES, WARM_BYTES);
	struct fiber *fiber = (struct fiber *)(slot + SLOT_BYTES - sizeof(struct fiber)) - 1;
	fiber = (struct fiber *)((uintptr_t)fiber & ~63ul);
	fiber->stack_bottom = slot + PAGE_SIZE;
	return fiber;
}

int fiber_new(void (*main)(void *argument), void *argument, struct fiber **out)
{
	struct fiber *fiber;

	if (!list_empty(&ended)) {
		fiber = list_first(&ended, struct fiber, node);
		list_remove(&fiber->node);
	} else {
		fiber = slot_new();
		if (!fiber)
			return -EAGAIN;
	}
	char *bottom = fiber->stack_bottom;
	*fiber = (struct fiber){.main = main, .argument = argument, .stack_bottom = bottom};
	/* What fiber_switch_stack pops: six registers, the address to return to; then a stack as a call would leave it.
	 */
	/* A function begins with the stack 8 below a multiple of 16 (the return address that call pushed). */
	uint64_t *top = (uint64_t *)fiber - 3;
	top[-1] = (uint64_t)fiber_begin;
	memset(top - 7, 0, 6 * sizeof *top);
	top[0] = 0;
	fiber->stack_pointer = top - 7;
	list_init(&fiber->node);
	fiber->state = FIBER_READY;
	list_push_back(&run_queue, &fiber->node);
	*out = fiber;
	return 0;
}

void fiber_exit(void)
{
	struct fiber *fiber = current;

	assert(fiber && !fiber->has_deadline);
	fiber->state = FIBER_ENDED;
	list_push_front(&ended, &fiber->node);
	switch_to(fiber, &loop_fiber, true);
	__builtin_unreachable();
}

struct fiber *fiber_current(void)
{
	return current;
}

void fiber_owner_set(struct fiber *fiber, void *owner)
{
	fiber->owner = owner;
}

void *fiber_owner(struct fiber *fiber)
{
	return fiber->owner;
}

static void deadline_drop(struct fiber *fiber)
{
	if (fiber->has_deadline)
		RB_REMOVE(deadline_tree, &deadlines, fiber);
	fiber->has_deadline = false;
}

static void make_ready(struct fiber *fiber)
{
	deadline_drop(fiber);
	fiber->state = FIBER_READY;
	list_push_back(&run_queue, &fiber->node);
}

bool fiber_park_until(uint64_t deadline_ns)
{
	struct fiber *fiber = current;

	assert(fiber);
	if (fiber->wake_pending) {
		fiber->wake_pending = false;
		return true;
	}
	fiber->timed_out = false;
	if (deadline_ns != DEADLINE_NONE) {
		fiber->deadline_ns = deadline_ns;
		fiber->has_deadline = true;
		RB_INSERT(deadline_tree, &deadlines, fiber);
	}
	fiber->state = FIBER_PARKED;
	switch_to(fiber, &loop_fiber, false);
	fiber->wake_pending = false;
	return !fiber->timed_out;
}

void fiber_park(void)
{
	(void)!fiber_park_until(DEADLINE_NONE);
}

void fiber_wake(struct fiber *fiber)
{
	assert(fiber->state != FIBER_ENDED);
	if (fiber->state == FIBER_PARKED)
		make_ready(fiber);
	else
		fiber->wake_pending = true;
}

void fiber_yield(void)
{
	assert(current);
	current->state = FIBER_READY;
	list_push_back(&run_queue, &current->node);
	switch_to(current, &loop_fiber, false);
}

void fiber_interrupt(struct fiber *fiber)
{
	fiber->interrupted = true;
	fiber_wake(fiber);
}

void fiber_interrupt_clear(struct fiber *fiber)
{
	fiber->interrupted = false;
}

bool fiber_interrupted(void)
{
	return current && current->interrupted;
}

static void expire_deadlines(void)
{
	struct fiber *fiber;

	while ((fiber = RB_MIN(deadline_tree, &deadlines)) && fiber->deadline_ns <= clock_now_ns()) {
		make_ready(fiber);
		fiber->timed_out = true;
	}
}

void fiber_run_ready(void)
{
	assert(!current);
	clock_refresh();
	if (!RB_EMPTY(&deadlines))
		expire_deadlines();
	while (!list_empty(&run_queue)) {
		struct fiber *fiber = list_first(&run_queue, struct fiber, node);
		list_remove(&fiber->node);
		fiber->state = FIBER_RUNNING;
		switch_to(&loop_fiber, fiber, false);
	}
}

bool fiber_any_ready(void)
{
	return !list_empty(&run_queue);
}

uint64_t fiber_next_deadline_ns(void)
{
	struct fiber *fiber = RB_MIN(deadline_tree, &deadlines);

	return fiber ? fiber->deadline_ns : DEADLINE_NONE;
}

uint64_t clock_now_ns(void)
{
	if (!now_ns)
		now_ns = hostdep_monotonic_ns();
	return now_ns;
}

void clock_refresh(void)
{
	now_ns = 0;
}
