/* sort.h - sorting without memory of its own and without recursion, in n log n steps whatever the order was. */
#ifndef SENTRY_BASE_SORT_H
#define SENTRY_BASE_SORT_H

#include "sentry/base/types.h"

/* Ascending. compare: negative when left comes first. Equal ones come in any order. */
void sort_pointers(void **items, size_t count, int (*compare)(const void *left, const void *right));

#endif
