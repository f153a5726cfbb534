/* governor.h - keeps the sandbox within its memory and its CPU time (oom.h, cpulimit.h). */
#ifndef SENTRY_GOVERNOR_H
#define SENTRY_GOVERNOR_H

#include "sentry/cpulimit.h"

/* Something is to be done before a guest thread runs: governor_enter. */
extern bool governor_alert;

/* Starts it where there is a limit (memory_bytes 0: none there). -EAGAIN. */
must_check int governor_start(uint64_t memory_bytes, const struct cpulimit_config *cpu);

struct task;
/* Called when governor_alert is set. true: it has PARKED; the caller looks at everything again. */
bool governor_enter(struct task *task);

#endif
