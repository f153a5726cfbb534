/* bounce.h - buffers of the sentry that bytes pass through on their way between the host and a guest.
 *
 * A buffer belongs to one operation from get to put, across PARKS points. They are kept for the next one; their content
 * is whatever the last one left: never hand out a byte that was not written in this use.
 */
#ifndef FS_BOUNCE_H
#define FS_BOUNCE_H

#include "sentry/base/types.h"

#define BOUNCE_BYTES (64 * 1024ul)

must_check void *bounce_get(void); /* BOUNCE_BYTES, page aligned; NULL: no memory */
void bounce_put(void *buffer);

#endif
