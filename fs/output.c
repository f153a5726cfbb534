/* output.c - the limit of --max-output. Exactly so many bytes come out; whoever writes one more ends the sandbox, so
 * that nobody waits for a program that has nothing but output to give.
 */
#include "fs/output.h"
#include "fs/hooks.h"
#include <stdio.h>

static uint64_t limit, left;

void output_limit_set(uint64_t bytes)
{
	limit = left = bytes;
}

bool output_is_limited(void)
{
	return limit;
}

static void reached(void)
{
	char message[128];

	snprintf(message, sizeof message, "stopped after --max-output %llu bytes of output", (unsigned long long)limit);
	hook_limit_reached(message);
}

bool output_may_grow(uint64_t bytes)
{
	if (limit && bytes > limit)
		reached();
	return !limit || bytes <= limit;
}

size_t output_take(size_t n)
{
	if (!limit || !n)
		return n;
	if (!left) {
		reached();
		return 0;
	}
	n = MIN(n, left);
	left -= n;
	return n;
}

void output_give_back(size_t n)
{
	if (limit)
		left += n;
}
