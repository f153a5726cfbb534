/* stats.h - --stats: what a sandbox took, said at its end. */
#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include "runtime/options.h"

/* On the sentry's standard error, after its last guest has ended and before the process does. */
void stats_print(enum stats_form form, uint64_t wall_ns);

#endif
