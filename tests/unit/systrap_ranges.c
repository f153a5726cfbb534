/* systrap_ranges.c - sets of address ranges against a bitmap of the same. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "platform/systrap/systrap.h"

#define UNITS 64

/* What next must say: the first run of ones in [start, end). */
static bool model_next(const bool model[UNITS], uint64_t start, uint64_t end, struct range *out)
{
	uint64_t at = start;

	while (at < end && !model[at])
		at++;
	if (at >= end)
		return false;
	out->start = at;
	while (at < end && model[at])
		at++;
	out->end = at;
	return true;
}

static void compare(const struct ranges *set, const bool model[UNITS])
{
	for (uint64_t start = 0; start < UNITS; start++)
		for (uint64_t end = start; end < UNITS; end++) {
			struct range want = {0, 0}, got = {0, 0};
			bool any = model_next(model, start, end, &want);

			cr_assert_eq(ranges_next(set, start, end, &got), any, "next in [%lu, %lu)", start, end);
			cr_assert_eq(ranges_touch(set, start, end), any);
			if (!any)
				continue;
			cr_assert(got.start == want.start && got.end == want.end);
			cr_assert_eq(ranges_cover(set, start, end), want.start == start && want.end == end);
		}
}

Test(systrap_ranges, model)
{
	bool model[UNITS] = {false};
	struct ranges set = {0};

	srand(7);
	for (int round = 0; round < 2000; round++) {
		uint64_t a = (uint64_t)rand() % UNITS, b = (uint64_t)rand() % UNITS;
		uint64_t start = MIN(a, b), end = MAX(a, b);
		bool add = rand() % 2 && start < end;

		cr_assert_eq(add ? ranges_add(&set, start, end) : ranges_remove(&set, start, end), 0);
		memset(model + start, add, end - start);
		if (round % 10 == 0)
			compare(&set, model);
		for (unsigned i = 1; i < set.count; i++)
			cr_assert_lt(set.range[i - 1].end, set.range[i].start, "sorted, disjoint, not touching");
	}
	ranges_clear(&set);
}

/* The piece that is left when a range ends at the end of what is looked through: empty, inside a larger range. */
Test(systrap_ranges, empty_piece)
{
	struct ranges set = {0};
	struct range out;
	int pieces = 0;

	cr_assert_eq(ranges_add(&set, 0x1000, 0x9000), 0);
	for (uint64_t at = 0x2000; ranges_next(&set, at, 0x4000, &out) && pieces < 10; at = out.end)
		pieces++;
	cr_assert_eq(pieces, 1);
	cr_assert_not(ranges_touch(&set, 0x4000, 0x4000));
	ranges_clear(&set);
}
