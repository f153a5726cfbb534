/* facts.c - one sandbox, one set of facts. They are fixed at start but for the names, which a guest that may can
 * change.
 */
#include "fs/facts.h"
#include "platform/host.h"
#include <stdio.h>

/* Where nobody has said. */
#define MEMORY_UNKNOWN (4ull << 30)

struct facts facts = {.hostname = "usbx",
		      .domainname = "(none)",
		      .cpu_count = 1,
		      .memory_bytes = MEMORY_UNKNOWN,
		      .boot_id = "00000000-0000-4000-8000-000000000000"};

void facts_uuid(char out[37])
{
	uint8_t b[16];

	host_random(b, sizeof b);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void facts_init(const char *hostname, unsigned cpu_count, uint64_t limit_bytes, uint64_t machine_bytes)
{
	snprintf(facts.hostname, sizeof facts.hostname, "%s", hostname);
	facts.cpu_count = MAX(cpu_count, 1u);
	facts.memory_limited = limit_bytes && (!machine_bytes || limit_bytes < machine_bytes);
	if (facts.memory_limited)
		facts.memory_bytes = limit_bytes;
	else if (machine_bytes)
		facts.memory_bytes = machine_bytes;
	facts_uuid(facts.boot_id);
	snprintf(facts.core_pattern, sizeof facts.core_pattern, "core");
	facts.core_uses_pid = false;
}
