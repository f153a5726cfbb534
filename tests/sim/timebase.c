/* timebase.c - the simulated host's clocks in place of the processor's time stamp counter (sentry/timebase.h): the same
 * seed must give the same times.
 */
#include "sentry/timebase.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/vvar.h"

#include <time.h>

static uint32_t file = HOSTFILE_NONE;

int timebase_init(void)
{
	return hostfile_memory("vvar", VVAR_BYTES, &file);
}

uint32_t timebase_file(void)
{
	return file;
}

void timebase_tick(void) {}

int timebase_ns(int clock, uint64_t *ns)
{
	struct timespec now;
	int error = host_clock_gettime(clock, &now);

	if (!error)
		*ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	return error;
}
