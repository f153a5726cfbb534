/* memory.h - how much memory the sandbox as a whole takes: /proc/meminfo, sysinfo(2), the control group, and the limit
 * of --memory (oom.h).
 */
#ifndef SENTRY_MEMORY_H
#define SENTRY_MEMORY_H

#include "platform/platform.h"

/* What is in use now. Where the sum is above exact_from bytes, pages that processes share count once, which takes the
 * host longer. */
void memory_sample(struct platform_memory *out, uint64_t exact_from);
uint64_t memory_total(const struct platform_memory *memory);
/* A file may grow by so many bytes: a write is refused before anybody must die for it. Always true without --memory. */
bool memory_has_room(uint64_t bytes);
/* What was known is out of date: somebody has been killed, and has it no longer. */
void memory_forget(void);

/* The same for those who are only told: a tenth of a second old at most, and never more than there is. */
void memory_recent(struct platform_memory *out);
uint64_t memory_used_bytes(void);
uint64_t memory_peak_bytes(void); /* the most that any sample has seen */

#endif
