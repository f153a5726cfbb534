/* sort.c - heap sort. The C library's qsort may ask the host for memory, which the jail forbids. */
#include "sentry/base/sort.h"

typedef int compare_function(const void *left, const void *right);

/* Lets the item at a place sink until no child of it is larger. */
static void sink(void **items, size_t at, size_t count, compare_function *compare)
{
	void *item = items[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && compare(items[child], items[child + 1]) < 0)
			child++;
		if (compare(item, items[child]) >= 0)
			break;
		items[at] = items[child];
	}
	items[at] = item;
}

void sort_pointers(void **items, size_t count, compare_function *compare)
{
	for (size_t i = count / 2; i-- > 0;)
		sink(items, i, count, compare);
	for (size_t left = count; left-- > 1;) {
		void *largest = items[0];
		items[0] = items[left];
		items[left] = largest;
		sink(items, 0, left, compare);
	}
}
