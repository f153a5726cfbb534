/* base_fiber.c - fibers and wait queues: order, lost wakes, deadlines, interrupts. */
#include "sentry/base/wait.h"
#include <criterion/criterion.h>
#include <errno.h>

static struct waitq queue;
static int step, result;

static void init(void)
{
	waitq_init(&queue);
	step = result = 0;
}

TestSuite(fiber, .init = init, .timeout = 10);

static struct fiber *start(void (*main)(void *), void *argument)
{
	struct fiber *fiber;
	cr_assert_eq(fiber_new(main, argument, &fiber), 0);
	return fiber;
}

/* The loop without a platform: sleeps by looking at the clock. */
static void run(void)
{
	do {
		fiber_run_ready();
		clock_refresh();
	} while (fiber_next_deadline_ns() != DEADLINE_NONE);
}

static void wait_for_step_one(void *unused)
{
	(void)unused;
	result = WAIT_EVENT(&queue, step == 1, DEADLINE_NONE);
	step = 2;
}

static void set_step_one(void *unused)
{
	(void)unused;
	waitq_wake(&queue, 0); /* too early: the condition does not hold yet */
	fiber_yield();
	step = 1;
	waitq_wake(&queue, 0);
}

Test(fiber, a_wait_ends_when_its_condition_holds)
{
	start(wait_for_step_one, NULL);
	start(set_step_one, NULL);
	run();
	cr_assert_eq(step, 2);
	cr_assert_eq(result, 0);
	cr_assert(waitq_empty(&queue));
}

static void wait_with_deadline(void *unused)
{
	(void)unused;
	result = WAIT_EVENT(&queue, step == 1, clock_now_ns() + 2 * NS_PER_MS);
}

Test(fiber, a_deadline_ends_a_wait)
{
	start(wait_with_deadline, NULL);
	run();
	cr_assert_eq(result, -ETIMEDOUT);
	cr_assert(waitq_empty(&queue));
}

static void interrupt_it(void *fiber)
{
	fiber_interrupt(fiber);
}

Test(fiber, an_interrupt_ends_a_wait_but_not_a_deaf_one)
{
	struct fiber *fiber = start(wait_for_step_one, NULL);
	fiber_run_ready();
	start(interrupt_it, fiber);
	run();
	cr_assert_eq(result, -ERESTARTSYS);
}

static void wait_deaf(void *unused)
{
	(void)unused;
	fiber_interrupt(fiber_current());
	result = WAIT_EVENT_DEAF(&queue, step == 1);
	step = 3;
}

Test(fiber, a_deaf_wait_sees_no_interrupt)
{
	start(wait_deaf, NULL);
	start(set_step_one, NULL);
	run();
	cr_assert_eq(step, 3);
	cr_assert_eq(result, 0);
}

static void park_after_wake(void *unused)
{
	(void)unused;
	fiber_wake(fiber_current());
	fiber_park();
	step = 4;
}

Test(fiber, a_wake_before_the_park_is_not_lost)
{
	start(park_after_wake, NULL);
	run();
	cr_assert_eq(step, 4);
}

static unsigned woken;
static void count_wakes(void *unused)
{
	(void)unused;
	cr_assert_eq(WAIT_EVENT(&queue, true, DEADLINE_NONE), 0);
	struct waiter waiter;
	waiter_init(&waiter);
	waiter.events = 1;
	waitq_add(&queue, &waiter);
	cr_assert_eq(waiter_wait(&waiter, DEADLINE_NONE), 0);
	waitq_remove(&waiter);
	woken++;
}

Test(fiber, wake_some_wakes_as_many_as_told_and_by_events)
{
	for (int i = 0; i < 5; i++)
		start(count_wakes, NULL);
	fiber_run_ready();
	waitq_wake(&queue, 2);
	fiber_run_ready();
	cr_assert_eq(woken, 0);
	cr_assert_eq(waitq_wake_some(&queue, 1, 2), 2);
	fiber_run_ready();
	cr_assert_eq(woken, 2);
	waitq_wake(&queue, 1);
	fiber_run_ready();
	cr_assert_eq(woken, 5);
}

__attribute__((noinline)) static void use_stack(void *depth) /* 11 frames of a page: inlining would make them larger */
{
	volatile char page[4000];
	page[0] = 1;
	if (depth)
		use_stack((char *)depth - 1);
	step += page[0];
}

Test(fiber, many_fibers_reuse_stacks)
{
	for (int i = 0; i < 3000; i++) {
		start(use_stack, (void *)10);
		fiber_run_ready();
	}
	cr_assert_eq(step, 3000 * 11);
}
