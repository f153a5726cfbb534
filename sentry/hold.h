/* hold.h - guest threads are kept from running for a while: by --cpus and by --memory. */
#ifndef SENTRY_HOLD_H
#define SENTRY_HOLD_H

#include "sentry/base/types.h"

enum hold_reason { HOLD_CPU = 1, HOLD_MEMORY = 2 };

/* Once at start. */
void hold_init(void);
/* Every guest thread is called out of its code, and none goes on before hold_end. Calls that are under way are
 * finished. For a reason that holds already: nothing. */
void hold_begin(enum hold_reason reason);
void hold_end(enum hold_reason reason);
/* For any reason? */
bool hold_active(void);

struct task;
/* PARKS until the sandbox may go on, or the task is killed. */
void hold_wait(struct task *task);

#endif
