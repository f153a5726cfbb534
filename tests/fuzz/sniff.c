/* sniff.c - hostile bytes as the beginning of a connection: what is seen does not depend on how the bytes are cut, what
 * is held back was taken, and names are names.
 *
 *     make fuzz
 */
#include "netstack/policy_sniff.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What was seen, as a number. */
static uint64_t feed(uint16_t port, const uint8_t *bytes, uint32_t size, uint32_t piece)
{
	static struct policy_sniff sniff;
	enum sniff_event event = SNIFF_MORE;
	uint64_t seen = 0xcbf29ce484222325ull;
	uint32_t taken = 0;
	char again[POLICY_NAME_BYTES];

	sniff_start(&sniff, port);
	while (taken < size && event != SNIFF_DONE && event != SNIFF_BAD) {
		uint32_t end = size - taken < piece ? size : taken + piece;
		while (taken < end && event != SNIFF_DONE && event != SNIFF_BAD) {
			uint32_t n = sniff_take(&sniff, bytes + taken, end - taken, &event);
			must(n <= end - taken && (n || event != SNIFF_MORE));
			taken += n;
			must(sniff.held <= taken);
			if (event == SNIFF_NAME && *sniff.name)
				must(policy_name_normalize(sniff.name, strlen(sniff.name), again) &&
				     !strcmp(again, sniff.name));
			if (event == SNIFF_NAME)
				must(!sniff.held);
			for (const char *c = sniff.name; event == SNIFF_NAME && *c; c++)
				seen = (seen ^ (uint8_t)*c) * 0x100000001b3ull;
			if (event != SNIFF_MORE)
				seen = (seen ^ event) * 0x100000001b3ull;
			if (event == SNIFF_BAD)
				must(sniff_reason(&sniff));
		}
	}
	return seen ^ (event == SNIFF_DONE || event == SNIFF_BAD ? 0 : sniff.held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = {443, 80, 8080};

	if (size < 2)
		return 0;
	uint16_t port = ports[data[0] % COUNT(ports)];
	uint32_t piece = 1u + data[1];
	uint64_t whole = feed(port, data + 2, (uint32_t)size - 2, UINT32_MAX);
	must(feed(port, data + 2, (uint32_t)size - 2, piece) == whole);
	must(feed(port, data + 2, (uint32_t)size - 2, 1) == whole);
	return 0;
}
