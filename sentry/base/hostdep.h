/* hostdep.h - the few things that base/ needs from the host. Declared here, made in platform/hostdep.c with the calls
 * of platform/host.c, because includes point one way (base <- platform).
 */
#ifndef SENTRY_BASE_HOSTDEP_H
#define SENTRY_BASE_HOSTDEP_H

#include "sentry/base/types.h"

/* Address space without memory behind it yet, at exactly addr (0: anywhere). NULL when refused. */
must_check void *hostdep_reserve(uint64_t addr, size_t bytes);
/* Faults the pages in now, which is cheaper than one by one. Best effort. */
void hostdep_populate(void *memory, size_t bytes);
/* Gives the pages back; they read as zero afterwards. */
void hostdep_discard(void *memory, size_t bytes);
/* Makes the pages inaccessible: a guard. */
void hostdep_guard(void *memory, size_t bytes);

/* CLOCK_MONOTONIC of the host in nanoseconds. */
uint64_t hostdep_monotonic_ns(void);

/* One line to the sentry's standard error, best effort. */
void hostdep_stderr(const char *text, size_t bytes);

#endif
