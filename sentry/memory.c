/* memory.c - the sandbox's memory as one sum.
 *
 * Limits: a sample is of one moment: what came and went between two is in none, nor in the peak.
 */
#include "sentry/memory.h"
#include "fs/facts.h"
#include "platform/host.h"
#include "sentry/base/fiber.h"

#define FRESH_NS        (100 * NS_PER_MS)
#define COST_SHARE      8 /* an exact sample for those who are told takes at most one part in so many of the time */
#define EXACT_FROM_PART 8 /* below so small a part of the memory nobody minds pages counted twice */

#define KEPT_PART       32 /* of the memory files leave so small a part to processes */
#define ROOM_FRESH_NS   (1 * NS_PER_MS)
#define ROOM_COST_SHARE 4 /* a sample for those who write takes at most one part in so many of the time */

static uint64_t peak_bytes;
static struct {
	uint64_t bytes;       /* in use at the last sample, without what is leaving */
	uint64_t at_ns;       /* when that was */
	uint64_t took_ns;     /* and for how long */
	uint64_t files_since; /* what files have been granted from then on */
} last;

uint64_t memory_total(const struct platform_memory *memory)
{
	return memory->guests + memory->shared + memory->sentry;
}

void memory_sample(struct platform_memory *out, uint64_t exact_from)
{
	uint64_t start = host_monotonic_ns();

	platform_memory_get(out, false);
	if (memory_total(out) > exact_from)
		platform_memory_get(out, true);
	uint64_t total = memory_total(out);
	peak_bytes = MAX(peak_bytes, total);
	last.bytes = total - MIN(out->leaving, total);
	last.at_ns = host_monotonic_ns();
	last.took_ns = last.at_ns - start;
	last.files_since = 0;
}

static uint64_t most_of_files(void)
{
	return facts.memory_bytes - facts.memory_bytes / KEPT_PART;
}

static bool fits(uint64_t bytes)
{
	return last.bytes + last.files_since + bytes <= most_of_files();
}

/* Refuses only on fresh knowledge: what was given back since the last sample is not known here, and a sample is not to
 * be had for every write. In between the OOM kill stands behind it. */
bool memory_has_room(uint64_t bytes)
{
	uint64_t age_ns = host_monotonic_ns() - last.at_ns;
	struct platform_memory now;

	if (!facts.memory_limited)
		return true;
	if (!fits(bytes) && (last.files_since || age_ns > ROOM_FRESH_NS)) {
		if (age_ns < ROOM_COST_SHARE * last.took_ns)
			return true;
		memory_sample(&now, most_of_files());
	}
	if (!fits(bytes))
		return false;
	last.files_since += bytes;
	return true;
}

void memory_forget(void)
{
	last.at_ns = 0;
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
