/* cpulimit.h - --cpus, how much CPU time the sandbox may use at a time, and --cpu-time, how much in all. */
#ifndef SENTRY_CPULIMIT_H
#define SENTRY_CPULIMIT_H

#include "sentry/base/types.h"

struct cpulimit_config {
	unsigned host_cpus; /* that the sandbox may run on at most */
	uint64_t milli;     /* thousandths of a CPU; 0: no limit */
	uint64_t total_ns;  /* 0: no limit */
};
void cpulimit_set(const struct cpulimit_config *config);

/* Looks what has been used. Returns how long it need not look again, in ns; DEADLINE_NONE without a limit. */
uint64_t cpulimit_check(void);

/* For the control group's cpu.max and cpu.stat. */
uint64_t cpulimit_milli(void);
void cpulimit_stats(uint64_t *periods, uint64_t *held, uint64_t *held_ns);

#endif
