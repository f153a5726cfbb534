/* ranges.c - sets of address ranges: a sorted array, moved on insertion.
 *
 * Limits: insertion is linear in the number of ranges; the sets of patch.c have one element a mapped library or shared
 * mapping.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first range that ends behind addr. */
static unsigned first_after(const struct ranges *set, uint64_t addr)
{
	unsigned low = 0, high = set->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (set->range[middle].end > addr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int insert(struct ranges *set, unsigned at, uint64_t start, uint64_t end)
{
	if (set->count == set->room) {
		unsigned room = set->room ? 2 * set->room : 8;
		/* Not realloc: for large ones that is mremap, which the jail forbids. */
		struct range *range = malloc(room * sizeof *range);
		if (!range)
			return -ENOMEM;
		if (set->count)
			memcpy(range, set->range, set->count * sizeof *range);
		free(set->range);
		set->range = range;
		set->room = room;
	}
	memmove(set->range + at + 1, set->range + at, (set->count - at) * sizeof *set->range);
	set->range[at] = (struct range){start, end};
	set->count++;
	return 0;
}

static void erase(struct ranges *set, unsigned at, unsigned n)
{
	memmove(set->range + at, set->range + at + n, (set->count - at - n) * sizeof *set->range);
	set->count -= n;
}

int ranges_remove(struct ranges *set, uint64_t start, uint64_t end)
{
	unsigned i = first_after(set, start);

	assert(start <= end);
	if (start == end)
		return 0;
	while (i < set->count && set->range[i].start < end) {
		struct range *range = &set->range[i];
		if (range->start < start && range->end > end) {
			uint64_t tail = range->end;
			int error = insert(set, i + 1, end, tail);
			set->range[i].end = start; /* when memory is short the tail is forgotten */
			return error;
		}
		if (range->start < start) {
			range->end = start;
			i++;
		} else if (range->end > end) {
			range->start = end;
		} else {
			erase(set, i, 1);
		}
	}
	return 0;
}

int ranges_add(struct ranges *set, uint64_t start, uint64_t end)
{
	unsigned first, last;

	assert(start < end);
	first = start ? first_after(set, start - 1) : 0; /* what touches start is taken in */
	for (last = first; last < set->count && set->range[last].start <= end; last++) {
		start = MIN(start, set->range[last].start);
		end = MAX(end, set->range[last].end);
	}
	if (first == last)
		return insert(set, first, start, end);
	set->range[first] = (struct range){start, end};
	erase(set, first + 1, last - first - 1);
	return 0;
}

bool ranges_cover(const struct ranges *set, uint64_t start, uint64_t end)
{
	unsigned i = first_after(set, start);

	return i < set->count && set->range[i].start <= start && end <= set->range[i].end;
}

bool ranges_touch(const struct ranges *set, uint64_t start, uint64_t end)
{
	unsigned i = first_after(set, start);

	return start < end && i < set->count && set->range[i].start < end;
}

bool ranges_next(const struct ranges *set, uint64_t start, uint64_t end, struct range *out)
{
	unsigned i = first_after(set, start);

	/* Nothing is in an empty piece, not even in the middle of a range: loops over the pieces end by this. */
	if (start >= end || i == set->count || set->range[i].start >= end)
		return false;
	out->start = MAX(start, set->range[i].start);
	out->end = MIN(end, set->range[i].end);
	return true;
}

int ranges_copy(struct ranges *to, const struct ranges *from)
{
	memset(to, 0, sizeof *to);
	if (!from->count)
		return 0;
	to->range = malloc(from->count * sizeof *to->range);
	if (!to->range)
		return -ENOMEM;
	memcpy(to->range, from->range, from->count * sizeof *to->range);
	to->count = to->room = from->count;
	return 0;
}

void ranges_clear(struct ranges *set)
{
	free(set->range);
	memset(set, 0, sizeof *set);
}
