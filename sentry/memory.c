/* memory.c - the sandbox's memory as one sum.
 *
 * Limits: a sample is of one moment: what came and went between two is in none, nor in the peak.
 */
#include "sentry/memory.h"
#include "fs/facts.h"
#include "sentry/base/fiber.h"

#define FRESH_NS        (100 * NS_PER_MS)
#define COST_SHARE      8 /* an exact sample for those who are told takes at most one part in so many of the time */
#define EXACT_FROM_PART 8 /* below so small a part of the memory nobody minds pages counted twice */

static uint64_t peak_bytes;

uint64_t memory_total(const struct platform_memory *memory)
{
	return memory->guests + memory->shared + memory->sentry;
}

void memory_sample(struct platform_memory *out, uint64_t exact_from)
{
	platform_memory_get(out, false);
	if (memory_total(out) > exact_from)
		platform_memory_get(out, true);
	peak_bytes = MAX(peak_bytes, memory_total(out));
}

void memory_recent(struct platform_memory *out)
{
	static struct platform_memory recent;
	static uint64_t next_ns;
	uint64_t now = clock_now_ns();

	if (now >= next_ns) {
		memory_sample(&recent, facts.memory_bytes / EXACT_FROM_PART);
		clock_refresh();
		uint64_t taken = clock_now_ns() - now;
		next_ns = now + MAX(FRESH_NS, COST_SHARE * taken);
	}
	*out = recent;
}

uint64_t memory_used_bytes(void)
{
	struct platform_memory now;

	memory_recent(&now);
	return MIN(memory_total(&now), facts.memory_bytes);
}

uint64_t memory_peak_bytes(void)
{
	(void)memory_used_bytes();
	return peak_bytes;
}
