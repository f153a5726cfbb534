/* tree.h - ordered trees: the red-black trees of <bsd/sys/tree.h> (libbsd), as static functions of one file. */
#ifndef SENTRY_BASE_TREE_H
#define SENTRY_BASE_TREE_H

#include <bsd/sys/tree.h>

/* libbsd's RB_GENERATE_STATIC names an attribute macro that it does not define on Linux. */
#define TREE_GENERATE(name, type, field, compare)                                                                      \
	RB_GENERATE_INTERNAL(name, type, field, compare, __attribute__((unused)) static)

#endif
