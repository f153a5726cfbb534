/* limits.c - the values of the options that limit a sandbox. */
#include "runtime/limits.h"

#include "runtime/fail.h"
#include "sentry/base/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MOST 1e9
#define CPUS_LEAST   0.01
#define CPUS_MOST    10000

/* Digits alone; false: something else, or more than 64 bits. */
static bool read_number(const char *text, const char **end, uint64_t *out)
{
	char *stop;

	errno = 0;
	unsigned long long value = strtoull(text, &stop, 10);
	*end = stop;
	*out = value;
	return *text >= '0' && *text <= '9' && !errno;
}

uint64_t parse_size(const char *option, const char *text, uint64_t least)
{
	static const char units[] = "KMGT";
	uint64_t size;
	const char *end;
	bool right = read_number(text, &end, &size);

	if (right && *end) {
		const char *unit = strchr(units, *end & ~0x20);
		unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;
		right = shift && !end[1] && size <= (ULLONG_MAX >> shift);
		size <<= shift;
	}
	if (!right || size > INT64_MAX)
		fail("%s %s: use a size such as 512M or 2G", option, text);
	if (size < least)
		fail("%s %s: too little; give at least %llu%s", option, text,
		     (unsigned long long)(least >> 20 ? least >> 20 : least), least >> 20 ? "M" : " byte");
	return size;
}

uint64_t parse_seconds(const char *option, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds > 0) || !(seconds <= SECONDS_MOST))
		fail("%s %s: use a number of seconds greater than 0 and up to %.0f", option, text, SECONDS_MOST);
	uint64_t ns = (uint64_t)(seconds * (double)NS_PER_S);
	return ns ? ns : 1;
}

uint64_t parse_cpus(const char *text)
{
	char *end;
	double cpus = strtod(text, &end);

	if (end == text || *end || !(cpus >= CPUS_LEAST) || !(cpus <= CPUS_MOST))
		fail("--cpus %s: use a number of CPUs from %g to %d, such as 2 or 0.5", text, CPUS_LEAST, CPUS_MOST);
	return (uint64_t)(cpus * 1000 + 0.5);
}

unsigned parse_pids(const char *text)
{
	uint64_t count;
	const char *end;

	if (!read_number(text, &end, &count) || *end || !count || count > TASK_LIMIT)
		fail("--pids %s: use a number of processes and threads from 1 to %d", text, TASK_LIMIT);
	return (unsigned)count;
}

/* By the number that getrlimit(2) knows them by. */
static const char *const names[RLIMIT_COUNT] = {
	"cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
	"memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
};

/* The part of text up to stop: a number, or "unlimited". */
static uint64_t read_limit(const char *whole, const char *text, const char **end)
{
	static const char unlimited[] = "unlimited";
	uint64_t value;

	if (!strncmp(text, unlimited, sizeof unlimited - 1)) {
		*end = text + sizeof unlimited - 1;
		return ABI_RLIM_INFINITY;
	}
	if (!read_number(text, end, &value))
		fail("--ulimit %s: use NAME=SOFT[:HARD], each a number or unlimited", whole);
	return value;
}

void parse_ulimit(struct options *o, const char *text)
{
	size_t length = strcspn(text, "=");
	struct rlimit64_pair limit;
	unsigned i = 0;
	const char *end;

	while (i < RLIMIT_COUNT && (strlen(names[i]) != length || strncmp(names[i], text, length)))
		i++;
	if (i == RLIMIT_COUNT || !text[length])
		fail("--ulimit %s: use NAME=SOFT[:HARD] with a name of prlimit(1), such as nofile, fsize, nproc, cpu, "
		     "stack",
		     text);
	limit.soft = limit.hard = read_limit(text, text + length + 1, &end);
	if (*end == ':')
		limit.hard = read_limit(text, end + 1, &end);
	if (*end)
		fail("--ulimit %s: use NAME=SOFT[:HARD], each a number or unlimited", text);
	if (limit.soft > limit.hard)
		fail("--ulimit %s: the soft limit is above the hard one; write the larger one last", text);
	if (i == ABI_RLIMIT_NOFILE && limit.hard > FD_LIMIT)
		fail("--ulimit %s: use at most %d files", text, FD_LIMIT);
	o->ulimits[i] = limit;
	o->ulimits_set |= 1u << i;
}
