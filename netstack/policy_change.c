/* policy_change.c - see policy_change.h. One fiber; the other end is usbx's own process, which has checked what it
 * sends (runtime/control.c). When that end goes there are no more changes.
 */
#include "netstack/policy_change.h"

#include "netstack/net.h"
#include "platform/hostio.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include <errno.h>
#include <poll.h>

static struct policy_change *change; /* in the arena */
static uint32_t change_file;

/* PARKS. */
static bool read_all(void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = hostio_read(change_file, (char *)to + done, size - done, -1);
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			n = hostio_poll(change_file, POLLIN, DEADLINE_NONE) < 0 ? -EIO : 0;
		else if (n <= 0)
			return false;
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void change_main(void *unused)
{
	(void)unused;
	while (read_all(change, sizeof *change)) {
		clock_refresh();
		struct policy_changed changed = {.dropped = policy_replace(change)};
		net_run();
		if (hostio_write(change_file, &changed, sizeof changed, -1) != (ssize_t)sizeof changed)
			return;
	}
}

int policy_change_start(uint32_t file)
{
	struct fiber *fiber;

	change = arena_alloc(sizeof *change);
	change_file = file;
	return change ? fiber_new(change_main, NULL, &fiber) : -ENOMEM;
}
