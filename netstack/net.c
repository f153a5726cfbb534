/* net.c - the stack's engine: the work loop, timers, random numbers.
 *
 * Timers are served by one fiber of their own that sleeps until the earliest deadline. It starts with the first armed
 * timer, so a sandbox that opens no socket has none.
 */
#include "netstack/net.h"

#include "netstack/autoconf.h"
#include "netstack/ether.h"
#include "netstack/fragment.h"
#include "netstack/group.h"
#include "netstack/inet.h"
#include "netstack/ip.h"
#include "netstack/neighbour.h"
#include "netstack/policy.h"
#include "netstack/tcp.h"
#include "platform/host.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/log.h"
#include <errno.h>
#include <string.h>

#define RANDOM_BYTES 512

RB_HEAD(timers, net_timer);

static struct timers *timers; /* in the arena */
static struct fiber *timer_fiber;
static uint64_t timer_sleeps_until;
static void (*fired_by_kind[NET_TIMER_KINDS])(struct net_timer *timer);

static int by_deadline(const struct net_timer *a, const struct net_timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}
TREE_GENERATE(timers, net_timer, node, by_deadline)

int net_init(void)
{
	timers = arena_alloc(sizeof *timers);
	if (!timers)
		return -ENOMEM;
	RB_INIT(timers);
	autoconf_init();
	int error = link_init();
	if (!error)
		error = route_init();
	if (!error)
		error = neighbour_init();
	if (!error)
		error = fragment_init();
	if (!error)
		error = group_init();
	if (!error)
		error = policy_init();
	return error ? error : inet_init();
}

void net_run(void)
{
	static bool running;
	bool worked = true;

	if (running)
		return;
	running = true;
	while (worked) { /* what one link brings may put something into another's queue */
		worked = false;
		for (struct link *link = NULL; (link = link_next(link));) {
			struct buf *buf;
			while ((buf = link_receive(link))) {
				(link->kind == LINK_ETHER ? ether_input : ip_input)(buf);
				worked = true;
			}
		}
		worked |= tcp_acks_output();
	}
	running = false;
}

uint32_t net_random(void)
{
	static uint8_t bytes[RANDOM_BYTES];
	static size_t used = RANDOM_BYTES;
	uint32_t value;

	if (used + sizeof value > sizeof bytes) {
		host_random(bytes, sizeof bytes);
		used = 0;
	}
	memcpy(&value, bytes + used, sizeof value);
	memset(bytes + used, 0, sizeof value); /* told once */
	used += sizeof value;
	return value;
}

/* ------------------------------------------------------------------------------------------------ timers */

static void timers_fire(uint64_t now_ns)
{
	struct net_timer *timer;

	while ((timer = RB_MIN(timers, timers)) && timer->deadline_ns <= now_ns) {
		net_timer_disarm(timer);
		fired_by_kind[timer->kind](timer);
	}
}

static void timer_main(void *unused)
{
	(void)unused;
	for (;;) {
		clock_refresh();
		timers_fire(clock_now_ns());
		net_run();
		struct net_timer *next = RB_MIN(timers, timers);
		timer_sleeps_until = next ? next->deadline_ns : DEADLINE_NONE;
		if (!next)
			fiber_park();
		else
			(void)!fiber_park_until(next->deadline_ns);
	}
}

void net_timer_register(enum net_timer_kind kind, void (*fired)(struct net_timer *timer))
{
	fired_by_kind[kind] = fired;
}

void net_timer_setup(struct net_timer *timer, enum net_timer_kind kind)
{
	assert(fired_by_kind[kind]);
	timer->kind = kind;
	timer->armed = false;
}

void net_timer_arm(struct net_timer *timer, uint64_t deadline_ns)
{
	net_timer_disarm(timer);
	timer->deadline_ns = deadline_ns;
	timer->armed = true;
	RB_INSERT(timers, timers, timer);
	if (!timer_fiber && fiber_new(timer_main, NULL, &timer_fiber))
		log_error("no fiber for the network's timers: connections may hang");
	else if (deadline_ns < timer_sleeps_until)
		fiber_wake(timer_fiber);
}

void net_timer_disarm(struct net_timer *timer)
{
	if (!timer->armed)
		return;
	timer->armed = false;
	RB_REMOVE(timers, timers, timer);
}
