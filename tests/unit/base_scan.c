/* base_scan.c - the scan for pointers into code finds a planted one, of the program and of a library, and no other. */
#include "sentry/base/arena.h"
#include "sentry/base/scan.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct holder {
	uint64_t data[3];
	void (*function)(void);
};
static struct slab holder_slab = SLAB(holder);
static unsigned hits;
static const char *hit_slab;
static uint64_t hit_address, hit_value;

static void note(const char *slab, uint64_t address, uint64_t value)
{
	hits++;
	hit_slab = slab;
	hit_address = address;
	hit_value = value;
}

static void some_function(void)
{
	hits = 0;
}

Test(base_scan, an_arena_of_data_is_clean)
{
	cr_assert_eq(arena_init(), 0);
	struct holder *holder = slab_new(&holder_slab);
	holder->data[0] = (uint64_t)holder;
	holder->data[1] = (uint64_t)&hits; /* data, not code */
	cr_assert_eq(scan_code(note), 0);
	cr_assert_eq(hits, 0);
}

Test(base_scan, a_planted_function_pointer_is_found)
{
	cr_assert_eq(arena_init(), 0);
	struct holder *holder = slab_new(&holder_slab);
	holder->function = some_function;
	cr_assert_eq(scan_code(note), 1);
	cr_assert_eq(hits, 1);
	cr_assert_str_eq(hit_slab, "holder");
	cr_assert_eq(hit_address, (uint64_t)&holder->function);
	cr_assert_eq(hit_value, (uint64_t)some_function);
	holder->function = NULL;
	cr_assert_eq(scan_code(note), 0);
}

Test(base_scan, one_in_a_block_and_one_of_a_library_are_found)
{
	cr_assert_eq(arena_init(), 0);
	void **block = arena_alloc(3 * PAGE_SIZE);
	block[700] = (void *)(uintptr_t)qsort;
	cr_assert_eq(scan_code(note), 1);
	arena_free(block, 3 * PAGE_SIZE);
}
