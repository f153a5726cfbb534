/* timebase.h - the sandbox's clocks from the TSC, the same for the sentry and for the vDSO (sentry/vvar.h).
 *
 * Deadlines inside the sentry stay the host's CLOCK_MONOTONIC, which the monotonic clock here follows within a
 * microsecond.
 */
#ifndef SENTRY_TIMEBASE_H
#define SENTRY_TIMEBASE_H

#include "sentry/base/types.h"

/* Called once at start (by the loader's vDSO): makes the page. -errno. Without it every clock is the host's. */
must_check int timebase_init(void);

/* The host file that guests map (VVAR_BYTES, to be mapped shared and read-only); HOSTFILE_NONE before timebase_init.
 * Borrowed. */
uint32_t timebase_file(void);

/* A clock of clock_gettime(2) that is not a CPU clock: REALTIME, MONOTONIC, RAW, BOOTTIME, TAI, the coarse ones.
 * -EINVAL. */
must_check int timebase_ns(int clock, uint64_t *ns);

/* Each step of the loop: measures the host's clocks again when it is time to. Cheap otherwise. */
void timebase_tick(void);

#endif
