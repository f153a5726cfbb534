/* oom.h - the limit of --memory over the whole sandbox, and who dies for it. */
#ifndef SENTRY_OOM_H
#define SENTRY_OOM_H

#include "sentry/task.h"

/* From now on; 0: none. */
void oom_limit_set(uint64_t bytes);

/* Looks, and kills if need be. Returns how long it need not look again, in ns; DEADLINE_NONE without a limit. */
uint64_t oom_check(void);

/* Processes killed so far, for memory.events and /proc/vmstat. */
uint64_t oom_kills(void);

/* What /proc/PID/oom_score says: 0 to 2000. */
unsigned oom_score(const struct process *process);

#endif
