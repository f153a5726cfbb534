/* neighbour.c - see neighbour.h.
 *
 *   INCOMPLETE  --answer-->  REACHABLE  --REACHABLE_NS-->  STALE  --a packet-->  DELAY  --DELAY_NS-->  PROBE
 *       |                       ^                                                  |                     |
 *       |                       +------------------------- answer -----------------+---------------------+
 *       +-- ASK_TIMES without an answer: forgotten --------------------------------------------------- --+
 *
 * Only answers to our own questions are believed: the first one to a question to everybody, and to the question to a
 * known neighbour his own. What anybody says unasked makes no entry and changes none. When it contradicts one, the
 * known neighbour is asked at once: the honest one answers, and who has gone is forgotten after ASK_TIMES questions, as
 * when a router hands its address on to another. So spoofed ARP and neighbour messages do nothing but that.
 *
 * Limits: NEIGHBOUR_LIMIT entries (the one unused for longest goes), NEIGHBOUR_QUEUE packets that wait for one (the
 * oldest goes). That a connection makes progress is not taken for a proof: one packet in REACHABLE_NS is the price.
 */
#include "netstack/neighbour.h"

#include "netstack/arp.h"
#include "netstack/ether.h"
#include "netstack/icmp.h"
#include "netstack/ndp.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>

#define BUCKETS      256
#define REACHABLE_NS (30 * NS_PER_S) /* RFC 4861 section 10 */
#define DELAY_NS     (5 * NS_PER_S)
#define ASK_NS       (1 * NS_PER_S)
#define ASK_TIMES    3

static struct neighbours {
	struct list buckets[BUCKETS];
	struct list by_age;
	uint32_t count;
} * neighbours; /* in the arena */
static struct slab neighbour_slab = SLAB(neighbour);

static struct list *bucket_of(const struct net_addr *addr)
{
	return &neighbours->buckets[(net_addr_hash(addr) >> 32) % BUCKETS];
}

static struct neighbour *find(const struct link *link, const struct net_addr *addr)
{
	struct neighbour *item;

	list_for_each (item, bucket_of(addr), node) {
		if (item->link == link && net_addr_equal(&item->addr, addr))
			return item;
	}
	return NULL;
}

static struct buf *waiting_take(struct neighbour *neighbour)
{
	struct buf *buf = list_first(&neighbour->waiting, struct buf, node);

	list_remove(&buf->node);
	neighbour->waiting_count--;
	return buf;
}

static void forget(struct neighbour *neighbour)
{
	while (neighbour->waiting_count) {
		struct buf *buf = waiting_take(neighbour);
		icmp_failed(buf, EHOSTUNREACH);
	}
	net_timer_disarm(&neighbour->timer);
	list_remove(&neighbour->node);
	list_remove(&neighbour->by_age);
	neighbours->count--;
	slab_free(&neighbour_slab, neighbour);
}

static struct neighbour *neighbour_new(struct link *link, const struct net_addr *addr)
{
	if (neighbours->count >= NEIGHBOUR_LIMIT)
		forget(list_first(&neighbours->by_age, struct neighbour, by_age));
	struct neighbour *new = slab_new(&neighbour_slab);
	if (!new)
		return NULL;
	new->link = link;
	new->addr = *addr;
	list_init(&new->waiting);
	net_timer_setup(&new->timer, NET_TIMER_NEIGHBOUR);
	list_push_back(bucket_of(addr), &new->node);
	list_push_back(&neighbours->by_age, &new->by_age);
	neighbours->count++;
	return new;
}

static void state_set(struct neighbour *neighbour, enum neighbour_state state, uint64_t lasts_ns)
{
	neighbour->state = state;
	if (lasts_ns)
		net_timer_arm(&neighbour->timer, clock_now_ns() + lasts_ns);
	else
		net_timer_disarm(&neighbour->timer);
}

static void ask(struct neighbour *neighbour)
{
	const uint8_t *hardware = neighbour->state == NEIGHBOUR_PROBE ? neighbour->hardware : NULL;

	neighbour->asked++;
	net_timer_arm(&neighbour->timer, clock_now_ns() + ASK_NS);
	if (net_addr_is_v4(&neighbour->addr))
		arp_request(neighbour->link, &neighbour->addr, hardware);
	else
		ndp_solicit(neighbour->link, &neighbour->addr, hardware);
}

static void probe(struct neighbour *neighbour)
{
	neighbour->state = NEIGHBOUR_PROBE;
	neighbour->asked = 0;
	ask(neighbour);
}

static void time_passed(struct net_timer *timer)
{
	struct neighbour *neighbour = container_of(timer, struct neighbour, timer);

	switch (neighbour->state) {
	case NEIGHBOUR_REACHABLE:
		state_set(neighbour, NEIGHBOUR_STALE, 0);
		break;
	case NEIGHBOUR_DELAY:
		probe(neighbour);
		break;
	case NEIGHBOUR_INCOMPLETE:
	case NEIGHBOUR_PROBE:
		if (neighbour->asked < ASK_TIMES)
			ask(neighbour);
		else
			forget(neighbour);
		break;
	case NEIGHBOUR_STALE:
		assert(!"a stale neighbour has no timer");
	}
}

int neighbour_init(void)
{
	neighbours = arena_alloc(sizeof *neighbours);
	if (!neighbours)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&neighbours->buckets[i]);
	list_init(&neighbours->by_age);
	net_timer_register(NET_TIMER_NEIGHBOUR, time_passed);
	return 0;
}

static uint16_t type_of(const struct neighbour *neighbour)
{
	return net_addr_is_v4(&neighbour->addr) ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6;
}

static void wait_for_answer(struct neighbour *neighbour, struct buf *buf)
{
	if (neighbour->waiting_count >= NEIGHBOUR_QUEUE)
		buf_free(waiting_take(neighbour));
	list_push_back(&neighbour->waiting, &buf->node);
	neighbour->waiting_count++;
}

void neighbour_output(struct link *link, const struct net_addr *to, struct buf *buf)
{
	struct neighbour *neighbour = find(link, to);
	bool unknown = !neighbour;

	if (unknown && !(neighbour = neighbour_new(link, to))) {
		link->sent.dropped++;
		buf_free(buf);
		return;
	}
	list_remove(&neighbour->by_age);
	list_push_back(&neighbours->by_age, &neighbour->by_age);
	if (neighbour->state == NEIGHBOUR_INCOMPLETE) {
		wait_for_answer(neighbour, buf);
		if (unknown)
			ask(neighbour);
		return;
	}
	if (neighbour->state == NEIGHBOUR_STALE)
		state_set(neighbour, NEIGHBOUR_DELAY, DELAY_NS);
	ether_send(link, neighbour->hardware, type_of(neighbour), buf);
}

void neighbour_heard(struct link *link, const struct net_addr *addr, const uint8_t hardware[LINK_HARDWARE_BYTES],
		     bool answered)
{
	struct neighbour *neighbour = find(link, addr);

	if (!neighbour)
		return;
	if (neighbour->state == NEIGHBOUR_INCOMPLETE) {
		if (!answered)
			return;
		memcpy(neighbour->hardware, hardware, sizeof neighbour->hardware);
	} else if (memcmp(neighbour->hardware, hardware, sizeof neighbour->hardware) != 0) {
		if (neighbour->state != NEIGHBOUR_PROBE)
			probe(neighbour);
		return;
	} else if (!answered || neighbour->state != NEIGHBOUR_PROBE) {
		return; /* an answer proves something only while we wait for one */
	}
	neighbour->asked = 0;
	state_set(neighbour, NEIGHBOUR_REACHABLE, REACHABLE_NS);
	while (neighbour->waiting_count)
		ether_send(link, neighbour->hardware, type_of(neighbour), waiting_take(neighbour));
}

const struct neighbour *neighbour_next(const struct neighbour *neighbour)
{
	const struct list *next = neighbour ? neighbour->by_age.next : neighbours->by_age.next;

	return next == &neighbours->by_age ? NULL : list_entry(next, struct neighbour, by_age);
}
