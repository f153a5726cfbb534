/* confine.h - the seccomp program of a helper process that does one small thing in a loop (the factory of stubs, the
 * tracer). The sentry's own is made in jail.c, those of stubs in systrap/filter*.c.
 */
#ifndef PLATFORM_CONFINE_H
#define PLATFORM_CONFINE_H

#include "sentry/base/types.h"

#define CONFINE_CALLS 16 /* at most */

/* From now on this process may make these calls, of 64-bit code, and dies of any other. NO_NEW_PRIVS must be set.
 * False: the host refuses. */
must_check bool confine(const uint32_t *calls, unsigned count);

#endif
