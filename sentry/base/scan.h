/* scan.h - proof of design D5: no object of the arena points into code, so that a saved arena is good in another
 * process. */
#ifndef SENTRY_BASE_SCAN_H
#define SENTRY_BASE_SCAN_H

#include "sentry/base/types.h"

/* Looks at every word in use for an address inside code (the program's, and of each library it is linked with) and
 * calls found for it, or logs an error when found is NULL. Returns how many. For test builds: it reads the whole arena.
 */
unsigned scan_code(void (*found)(const char *slab, uint64_t address, uint64_t value));

#endif
