/* loop.c - the one loop. fiber_run_ready runs every fiber that can go on, platform_poll finds out which can next and is
 * the one place to sleep. The loop ends when boot says so, or when the platform reports that the sandbox must not go
 * on. The page from which guests read their clocks is kept up to date by the way.
 */
#include "sentry/loop.h"
#include "platform/platform.h"
#include "sentry/base/fiber.h"
#include "sentry/timebase.h"

#ifdef USBX_ARENA_SCAN
#include "sentry/base/scan.h"
#endif

#define SCAN_TURNS 500 /* of the loop between two scans */

static bool stopping;

/* In a build for that test alone (build/usbx-scan): a pointer into code ends it all (design D5). */
static void scan_sometimes(void)
{
#ifdef USBX_ARENA_SCAN
	static unsigned turns;

	if (stopping || turns++ % SCAN_TURNS == 0) {
		unsigned found = scan_code(NULL);
		assert(!found);
	}
#endif
}

void loop_run(void)
{
	stopping = false;
	while (!stopping && !platform_fatal()) {
		fiber_run_ready();
		scan_sometimes();
		timebase_tick();
		if (!stopping)
			platform_poll(fiber_any_ready() ? 0 : fiber_next_deadline_ns());
	}
}

void loop_stop(void)
{
	stopping = true;
}
