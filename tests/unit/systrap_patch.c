/* systrap_patch.c - a call site is being patched by one thread while another one maps something where its trampoline
 * goes.
 *
 * The patching thread must wait for the agent to map the trampoline; holding the agent's lock keeps it there for as
 * long as the other thread needs. Whatever that one does, its memory is its own afterwards and the site goes on
 * working.
 */
#include <criterion/criterion.h>

#include "platform/systrap/systrap.h"
#include "tests/unit/systrap.h"

#define AREA 0x40000000ull

/* A page of its own, so that its trampolines have one too. */
#define OWN_PAGE __attribute__((aligned(4096)))

/* The thread whose call is patched. */
OWN_PAGE GUEST static void guest_traps(void)
{
	for (;;)
		CALL0(SYS_getuid);
}

/* The other: the answer of getppid is an address to count up at, whose content it reports. */
OWN_PAGE GUEST static void guest_counts(void)
{
	for (;;) {
		volatile unsigned long *at = (unsigned long *)CALL0(SYS_getppid);
		CALL1(SYS_write, ++*at);
	}
}

static struct {
	struct aspace *as;
	struct uthread *traps, *counts;
	uint64_t site, place; /* of the call, and of the page of its trampoline */
	bool caught;          /* the call has got through to us */
} scene;

static struct stop next_call(struct uthread *thread, uint64_t nr)
{
	struct stop stop;

	do
		uthread_wait(thread, &stop);
	while (stop.kind == STOP_KICK);
	cr_assert(stop.kind == STOP_SYSCALL && stop.nr == nr, "stop %d, call %lu, at %#lx", stop.kind, stop.nr,
		  stop.rip);
	return stop;
}

static uint64_t count_at(uint64_t addr)
{
	uthread_answer(scene.counts, (long)addr);
	uint64_t value = next_call(scene.counts, SYS_write).args[0];
	uthread_answer(scene.counts, 0);
	next_call(scene.counts, SYS_getppid);
	return value;
}

static void change(enum mem_kind kind, uint64_t addr, uint64_t size)
{
	struct mem_op op = {
		.kind = kind, .prot = MEM_READ | MEM_WRITE, .file = MEM_NO_FILE, .addr = addr, .size = size};

	if (kind == MEM_REMAP) {
		op.addr = AREA;
		op.new_addr = addr;
		op.new_size = size;
	}
	cr_assert_eq(aspace_mem(scene.as, scene.counts, &op), 0);
}

static void map_over(void)
{
	change(MEM_MAP, scene.place - PAGE_SIZE, 3 * PAGE_SIZE);
	cr_assert_eq(count_at(scene.place), 1);
}

/* The operation is on its way: the thread makes it after the agent has made its own. */
static void map_over_later(void)
{
	change(MEM_MAP, scene.place, PAGE_SIZE);
}

static void map_and_unmap(void)
{
	map_over();
	change(MEM_UNMAP, scene.place, PAGE_SIZE);
	cr_assert_eq(count_at(GUEST_DATA), 1);
}

static void move_over(void)
{
	change(MEM_MAP, AREA, PAGE_SIZE);
	cr_assert_eq(count_at(AREA), 1);
	change(MEM_REMAP, scene.place, PAGE_SIZE);
	cr_assert_eq(count_at(scene.place), 2);
}

/* Leaves the trampoline alone. */
static void unmap_around(void)
{
	change(MEM_UNMAP, scene.place - 4 * PAGE_SIZE, 8 * PAGE_SIZE);
	cr_assert_eq(count_at(GUEST_DATA), 1);
}

static void catcher(void *argument)
{
	next_call(scene.traps, SYS_getuid); /* PARKS in the middle of the patch */
	scene.caught = true;
	fiber_wake(argument);
}

static void scene_set(void)
{
	const unsigned char *code = (unsigned char *)guest_traps, call[] = {0x0f, 0x05};
	const unsigned char *at = memmem(code, 64, call, sizeof call);
	int32_t displacement;

	memcpy(&displacement, at + 1, sizeof displacement);
	scene.caught = false;
	scene.as = test_aspace();
	scene.site = GUEST_CODE + (uint64_t)(at - (unsigned char *)__start_guestcode);
	scene.place = page_down(scene.site + 5 + (uint64_t)(int64_t)displacement);
	scene.counts = test_thread(scene.as, guest_counts);
	next_call(scene.counts, SYS_getppid);
	cr_assert_eq(count_at(GUEST_DATA + 8), 1); /* its sites are patched from here on */
	scene.traps = test_thread(scene.as, guest_traps);
}

/* What happens while the patch waits for the agent; free: the site is patched all the same. */
static void play(void (*meanwhile)(void), bool free)
{
	struct fiber *fiber;
	unsigned char byte;

	scene_set();
	cr_assert(!scene.as->agent_busy && !ranges_cover(&scene.as->patches.trampolines, scene.place, scene.place + 1));
	scene.as->agent_busy = true;
	cr_assert_eq(fiber_new(catcher, fiber_current(), &fiber), 0);
	while (!scene.as->patches.active || !ranges_cover(&scene.as->patches.trampolines, scene.place, scene.place + 1))
		(void)!fiber_park_until(host_monotonic_ns() + NS_PER_MS);
	meanwhile();
	cr_assert(!scene.caught);
	scene.as->agent_busy = false;
	waitq_wake(&scene.as->agent_free, 0);
	while (!scene.caught)
		(void)!fiber_park_until(host_monotonic_ns() + NS_PER_MS);
	cr_assert_eq(aspace_read(scene.as, NULL, &byte, UADDR(scene.site), 1), 0);
	cr_assert_eq(byte, free ? 0xe9 : 0x0f);
	cr_assert_eq(aspace_avoid(scene.as, scene.place, PAGE_SIZE), free ? scene.place : 0);
	if (!free) { /* what is mapped there is memory of the guest's, now and when it is mapped anew */
		uint64_t first = count_at(meanwhile == map_and_unmap ? GUEST_DATA : scene.place);
		change(MEM_MAP, scene.place, PAGE_SIZE);
		cr_assert_eq(count_at(scene.place), 1, "after %lu", first);
	}
	for (int i = 0; i < 5; i++) {
		uthread_answer(scene.traps, 0);
		cr_assert_eq(next_call(scene.traps, SYS_getuid).rip, scene.site + 2);
	}
	cr_assert_eq(count_at(free ? GUEST_DATA : scene.place), 2);
	test_end(scene.traps);
	test_end(scene.counts);
	aspace_free(scene.as);
}

static void scenes(void)
{
	play(map_over, false);
	play(map_over_later, false);
	play(map_and_unmap, false);
	play(move_over, false);
	play(unmap_around, true);
	cr_assert_null(platform_fatal());
}

Test(systrap_patch, somebody_takes_the_trampolines_place, .timeout = 60)
{
	test_run(scenes);
}
