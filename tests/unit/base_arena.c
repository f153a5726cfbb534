/* base_arena.c - the arena: sizes, zeroing, reuse, growth; slabs keep their addresses. */
#include "sentry/base/arena.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct thing {
	uint64_t words[5];
};
static struct slab things = SLAB(thing);

static void init(void)
{
	cr_assert_eq(arena_init(), 0);
}

TestSuite(arena, .init = init);

static bool is_zero(const char *memory, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (memory[i])
			return false;
	return true;
}

Test(arena, every_size_is_zeroed_aligned_and_distinct)
{
	for (size_t bytes = 1; bytes < 3 * PAGE_SIZE; bytes += 7) {
		char *a = arena_alloc(bytes), *b = arena_alloc(bytes);
		cr_assert(a && b && ((uintptr_t)a & 15) == 0);
		cr_assert(a + bytes <= b || b + bytes <= a, "%zu bytes overlap", bytes);
		cr_assert(is_zero(a, bytes) && is_zero(b, bytes));
		memset(a, 0xff, bytes);
		memset(b, 0xff, bytes);
		arena_free(a, bytes);
		arena_free(b, bytes);
	}
}

Test(arena, random_use_never_mixes_blocks)
{
	enum { SLOTS = 200 };
	static struct {
		unsigned char *memory;
		size_t bytes;
		unsigned char mark;
	} slot[SLOTS];
	uint64_t seed = 42;
	for (int n = 0; n < 20000; n++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		unsigned i = (seed >> 33) % SLOTS;
		if (slot[i].memory) {
			for (size_t k = 0; k < slot[i].bytes; k += 61)
				cr_assert_eq(slot[i].memory[k], slot[i].mark);
			arena_free(slot[i].memory, slot[i].bytes);
			slot[i].memory = NULL;
			continue;
		}
		size_t limit = n % 50 ? 2000 : 400000;
		slot[i].bytes = 1 + (seed >> 20) % limit;
		slot[i].mark = n;
		slot[i].memory = arena_alloc(slot[i].bytes);
		cr_assert(is_zero((char *)slot[i].memory, slot[i].bytes));
		memset(slot[i].memory, slot[i].mark, slot[i].bytes);
	}
}

Test(arena, too_large_is_refused)
{
	cr_assert_null(arena_alloc((1ul << 30) + 1));
}

Test(arena, realloc_keeps_content_and_clears_the_rest)
{
	char *text = arena_alloc(10);
	memcpy(text, "123456789", 10);
	text = arena_realloc(text, 10, 100000);
	cr_assert_str_eq(text, "123456789");
	cr_assert(is_zero(text + 10, 100000 - 10));
	text = arena_realloc(text, 100000, 4);
	cr_assert_eq(memcmp(text, "1234", 4), 0);
	arena_free(text, 4);
}

Test(arena, slabs_count_and_reuse)
{
	struct thing *a = slab_new(&things), *b = slab_new(&things);
	cr_assert_eq(slab_count(&things), 2);
	a->words[4] = 1;
	slab_free(&things, a);
	struct thing *c = slab_new(&things);
	cr_assert_eq(a, c);
	cr_assert_eq(c->words[4], 0);
	slab_free(&things, b);
	slab_free(&things, c);
	cr_assert_eq(slab_count(&things), 0);
}

static unsigned hits;
static void count_hit(const char *slab, uint64_t address, uint64_t value)
{
	(void)address;
	cr_assert_str_eq(slab, "thing");
	cr_assert_eq(value, 0x123456789abcull);
	hits++;
}

Test(arena, scan_finds_what_looks_like_a_pointer_into_a_range)
{
	struct thing *a = slab_new(&things);
	a->words[3] = 0x123456789abcull;
	arena_scan(0x123456789000ull, 0x12345678a000ull, count_hit);
	cr_assert_eq(hits, 1);
	slab_free(&things, a);
}

static size_t resident_bytes(void)
{
	unsigned long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	cr_assert_eq(fscanf(file, "%lu %lu", &size, &resident), 2);
	fclose(file);
	return resident * PAGE_SIZE;
}

Test(arena, small_pieces_are_given_back_to_the_host)
{
	enum { PIECES = 1024, PIECE_BYTES = 65536 };
	static char *piece[PIECES];
	size_t before = resident_bytes();

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < PIECES; i++) {
			piece[i] = arena_alloc(PIECE_BYTES);
			cr_assert(piece[i] && is_zero(piece[i], PIECE_BYTES));
			memset(piece[i], 1, PIECE_BYTES);
		}
		cr_assert_gt(resident_bytes(), before + PIECES * PIECE_BYTES / 2);
		for (int i = 0; i < PIECES; i++) /* every other one first, so that they merge late */
			arena_free(piece[(i * 2 + (i >= PIECES / 2)) % PIECES], PIECE_BYTES);
		cr_assert_lt(resident_bytes(), before + PIECES * PIECE_BYTES / 2);
	}
}
