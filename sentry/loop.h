/* loop.h - the sentry's one loop: run what is ready, then poll (design D4). */
#ifndef SENTRY_LOOP_H
#define SENTRY_LOOP_H

#include "sentry/base/types.h"

/* Runs until loop_stop, or until platform_fatal says why not. */
void loop_run(void);
void loop_stop(void);

#endif
