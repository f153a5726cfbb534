/* autoconf.c - see autoconf.h.
 *
 *     UNTRIED --others are asked--> TRIED --nobody has it for TRIAL_NS--> VALID, and everybody is told
 *                                     +-----somebody else has it--------> DUPLICATE, for ever
 *
 * Addresses are used from the beginning (optimistic, RFC 4429), so that no program has to wait for a trial; ndp.c heeds
 * what that forbids. IPv4 addresses are announced at once, as Linux does with arp_notify.
 *
 * Where routers are asked, the link makes an address of its own from its hardware address (RFC 4291 appendix A) and
 * takes from advertisements: default routes, networks that are on the link, addresses in them, the MTU of IPv6. All of
 * these end with their lifetimes. Advertisements are hostile input. They come from the link itself (hop limit 255, a
 * link-local source) and are whole or nothing; there are at most ROUTER_LIMIT routers and PREFIX_LIMIT networks, and
 * who comes later has no place; a network is 64 bits of global unicast; addresses and routes that a person has given
 * stay as they are; the MTU may only be less than the link's. A lifetime is shortened to two hours at least (RFC 4862
 * section 5.5.3 (e)).
 *
 * Limits: members of netlink's groups are not told of any of this. Resolvers, routes other than the default one, router
 * preferences and hop limits that are told are ignored. A router is used while its lifetime lasts, whether it answers
 * or not; of several the first one heard. Neither private nor stable opaque interface identifiers: the hardware address
 * is a random one.
 */
#include "netstack/autoconf.h"

#include "netstack/arp.h"
#include "netstack/ndp.h"
#include "netstack/net.h"
#include "netstack/route.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include <arpa/inet.h>
#include <errno.h>

#define TRIAL_NS        (1 * NS_PER_S) /* RETRANS_TIMER, for the one probe of RFC 4862 section 5.1 */
#define ASK_NS          (4 * NS_PER_S) /* RTR_SOLICITATION_INTERVAL */
#define ASK_TIMES       3              /* MAX_RTR_SOLICITATIONS */
#define WAIT_NS         (3 * NS_PER_S) /* that programs wait for a router */
#define SHORT_NS        (7200 * NS_PER_S)
#define FOR_EVER_S      UINT32_MAX
#define MESSAGE_BYTES   1500u
#define UNIT_BYTES      8u /* of options */
#define NETWORK_BITS    64
#define ROUTER_METRIC   1024 /* as Linux gives them */
#define NETWORK_METRIC  256
#define MTU6_LEAST      1280u
#define OPTION_PREFIX   3
#define OPTION_MTU      5
#define PREFIX_ON_LINK  0x80
#define PREFIX_ADDRESS  0x40
#define GLOBAL_UNICAST  0x20 /* 2000::/3 */
#define UNIQUE_LOCAL    0xfc /* fc00::/7 */
#define IDENTIFIER_FLIP 0x02 /* "universal" is the other way round in an interface identifier */

/* The fixed part behind the ICMPv6 header: reachable time and retransmission timer. */
struct advertisement {
	uint32_t reachable_ms, retransmit_ms;
};

struct prefix_option {
	uint8_t type, size, bits, flags;
	uint32_t valid_s, preferred_s, reserved;
	struct net_addr net;
};
_Static_assert(sizeof(struct prefix_option) == 32, "RFC 4861 section 4.6.2");

struct mtu_option {
	uint8_t type, size;
	uint16_t reserved;
	uint32_t mtu;
};
_Static_assert(sizeof(struct mtu_option) == 8, "RFC 4861 section 4.6.4");

/* A route that a router has told: to everywhere by itself, or to a network on the link. */
struct learned {
	struct net_addr addr; /* of the router or network; any: an empty place */
	uint64_t until_ns;
};

struct autoconf {
	struct link *link;
	bool ask_routers;
	bool heard;     /* one has answered */
	unsigned asked; /* times */
	uint64_t ask_ns, wait_until_ns;
	struct fiber *waiter; /* in autoconf_wait */
	struct learned routers[ROUTER_LIMIT], networks[PREFIX_LIMIT];
	struct net_timer timer;
};

static uint64_t lifetime_end(uint32_t seconds)
{
	return seconds == FOR_EVER_S ? DEADLINE_NONE : clock_now_ns() + seconds * NS_PER_S;
}

/* ------------------------------------------------------------------------------------------------ routes */

static struct route_entry router_entry(const struct autoconf *autoconf, const struct learned *router)
{
	return (struct route_entry){
		.net = NET_ADDR_ANY6,
		.advertised = true,
		.gateway = router->addr,
		.link = autoconf->link,
		.metric = ROUTER_METRIC + (uint32_t)(router - autoconf->routers),
	};
}

static struct route_entry network_entry(const struct autoconf *autoconf, const struct learned *network)
{
	return (struct route_entry){
		.net = network->addr,
		.prefix = NETWORK_BITS,
		.connected = true,
		.link = autoconf->link,
		.metric = NETWORK_METRIC,
	};
}

/* Where addr is, or could be; NULL: it is not there, and there is no room. */
static struct learned *place_of(struct learned *places, unsigned count, const struct net_addr *addr)
{
	struct learned *empty = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (net_addr_equal(&places[i].addr, addr))
			return &places[i];
		if (!empty && net_addr_is_any(&places[i].addr))
			empty = &places[i];
	}
	return empty;
}

typedef struct route_entry make_entry(const struct autoconf *autoconf, const struct learned *place);

static void forget(const struct autoconf *autoconf, struct learned *place, make_entry *make)
{
	struct route_entry entry = make(autoconf, place);
	const struct route_entry *found = route_like(&entry);

	if (found)
		route_remove(found);
	place->addr = NET_ADDR_ANY6;
}

/* The route through addr holds for so long; 0: no more. */
static void learn(const struct autoconf *autoconf, struct learned *places, unsigned count, make_entry *make,
		  const struct net_addr *addr, uint32_t seconds)
{
	struct learned *place = place_of(places, count, addr);
	bool known = place && !net_addr_is_any(&place->addr);

	if (!place || (!known && !seconds))
		return;
	if (!seconds) {
		forget(autoconf, place, make);
		return;
	}
	place->addr = *addr;
	place->until_ns = lifetime_end(seconds);
	struct route_entry entry = make(autoconf, place);
	if (!known && route_add(&entry))
		place->addr = NET_ADDR_ANY6; /* a person has given it, or there are too many routes */
}

static void expire(const struct autoconf *autoconf, struct learned *places, unsigned count, make_entry *make)
{
	for (unsigned i = 0; i < count; i++)
		if (!net_addr_is_any(&places[i].addr) && places[i].until_ns <= clock_now_ns())
			forget(autoconf, &places[i], make);
}

/* ------------------------------------------------------------------------------------------------ addresses */

/* The network's 64 bits, and the hardware address as the other 64 (RFC 2464 section 4). */
static struct net_addr address_in(const struct net_addr *net, const struct link *link)
{
	struct net_addr addr = *net;

	memcpy(addr.bytes + 8, link->hardware, 3);
	memcpy(addr.bytes + 13, link->hardware + 3, 3);
	addr.bytes[8] ^= IDENTIFIER_FLIP;
	addr.bytes[11] = 0xff;
	addr.bytes[12] = 0xfe;
	return addr;
}

static struct net_addr own_address(const struct link *link)
{
	return address_in(&(struct net_addr){.bytes = {0xfe, 0x80}}, link);
}

static unsigned advertised_count(const struct link *link)
{
	const struct link_address *item = NULL;
	unsigned count = 0;

	while ((item = link_address_next(link, item)))
		count += item->advertised;
	return count;
}

static void take_address(struct autoconf *autoconf, const struct prefix_option *option)
{
	struct link *link = autoconf->link;
	struct net_addr addr = address_in(&option->net, link);
	struct link_address *item = link_address_find(link, &addr);
	uint64_t until_ns = lifetime_end(net32(option->valid_s)), least_ns = clock_now_ns() + SHORT_NS;

	if (item && !item->advertised)
		return; /* a person's */
	if (!item) {
		if (!option->valid_s || advertised_count(link) == PREFIX_LIMIT ||
		    link_address_add(link, &addr, NETWORK_BITS))
			return;
		item = link_address_find(link, &addr);
		item->state = ADDRESS_UNTRIED;
		item->advertised = true;
		item->valid_until_ns = until_ns;
	}
	if (until_ns > least_ns || until_ns > item->valid_until_ns)
		item->valid_until_ns = until_ns;
	else if (item->valid_until_ns > least_ns)
		item->valid_until_ns = least_ns;
	item->preferred_until_ns = lifetime_end(net32(option->preferred_s));
}

/* Does what is due for an address now. false: it is gone. */
static bool tend(struct link *link, struct link_address *item)
{
	bool v4 = net_addr_is_v4(&item->addr);

	if (item->valid_until_ns <= clock_now_ns()) {
		link_address_remove(link, item);
		return false;
	}
	if (item->state == ADDRESS_UNTRIED && !v4) {
		item->state = ADDRESS_TRIED;
		item->tried_until_ns = clock_now_ns() + TRIAL_NS;
		ndp_probe(link, &item->addr);
	} else if (item->state == ADDRESS_UNTRIED ||
		   (item->state == ADDRESS_TRIED && item->tried_until_ns <= clock_now_ns())) {
		item->state = ADDRESS_VALID;
		(v4 ? arp_announce : ndp_announce)(link, &item->addr);
	}
	return true;
}

bool autoconf_objection(const struct link *link, const struct net_addr *addr)
{
	struct link_address *item = link_address_find(link, addr);
	char text[INET6_ADDRSTRLEN];

	if (!item || item->state != ADDRESS_TRIED)
		return false;
	item->state = ADDRESS_DUPLICATE;
	struct net_addr own = own_address(link);
	if (net_addr_equal(addr, &own))
		link->autoconf->ask_routers = false; /* the others would have the same end (RFC 4862 section 5.4.5) */
	log_error("somebody else on %s has the address %s: the sandbox does without", link->name,
		  inet_ntop(AF_INET6, addr->bytes, text, sizeof text));
	return true;
}

/* ------------------------------------------------------------------------------------------------ time */

/* The earliest time at which something is due. */
static uint64_t next_due(const struct autoconf *autoconf)
{
	const struct link_address *item = NULL;
	uint64_t next = autoconf->ask_routers && autoconf->asked < ASK_TIMES ? autoconf->ask_ns : DEADLINE_NONE;

	while ((item = link_address_next(autoconf->link, item))) {
		next = MIN(next, item->valid_until_ns);
		if (item->state == ADDRESS_UNTRIED)
			next = 0;
		else if (item->state == ADDRESS_TRIED)
			next = MIN(next, item->tried_until_ns);
	}
	for (unsigned i = 0; i < ROUTER_LIMIT; i++)
		if (!net_addr_is_any(&autoconf->routers[i].addr))
			next = MIN(next, autoconf->routers[i].until_ns);
	for (unsigned i = 0; i < PREFIX_LIMIT; i++)
		if (!net_addr_is_any(&autoconf->networks[i].addr))
			next = MIN(next, autoconf->networks[i].until_ns);
	return next;
}

static void arm(struct autoconf *autoconf)
{
	uint64_t next = next_due(autoconf);

	if (next == DEADLINE_NONE)
		net_timer_disarm(&autoconf->timer);
	else
		net_timer_arm(&autoconf->timer, MAX(next, clock_now_ns()));
}

static void time_passed(struct net_timer *timer)
{
	struct autoconf *autoconf = container_of(timer, struct autoconf, timer);
	struct link *link = autoconf->link;
	struct link_address *item, *after;

	list_for_each_safe (item, after, &link->addresses, node)
		(void)tend(link, item);
	expire(autoconf, autoconf->routers, ROUTER_LIMIT, router_entry);
	expire(autoconf, autoconf->networks, PREFIX_LIMIT, network_entry);
	if (autoconf->ask_routers && autoconf->asked < ASK_TIMES && autoconf->ask_ns <= clock_now_ns()) {
		struct net_addr own = own_address(link);
		autoconf->asked++;
		autoconf->ask_ns = clock_now_ns() + ASK_NS;
		ndp_ask_routers(link, &own);
	}
	arm(autoconf);
}

void autoconf_init(void)
{
	net_timer_register(NET_TIMER_AUTOCONF, time_passed);
}

int autoconf_start(struct link *link, bool ask_routers)
{
	struct net_addr own = own_address(link);
	struct link_address *item;
	int error = ask_routers ? route_address_add(link, &own, NETWORK_BITS) : 0;

	assert(!link->autoconf);
	clock_refresh(); /* the loop has not begun */
	if (!error && !(link->autoconf = arena_alloc(sizeof *link->autoconf)))
		error = -ENOMEM;
	if (error)
		return error;
	*link->autoconf = (struct autoconf){
		.link = link,
		.ask_routers = ask_routers,
		.ask_ns = clock_now_ns(),
		.wait_until_ns = clock_now_ns() + WAIT_NS,
	};
	list_for_each (item, &link->addresses, node)
		item->state = ADDRESS_UNTRIED;
	net_timer_setup(&link->autoconf->timer, NET_TIMER_AUTOCONF);
	arm(link->autoconf);
	return 0;
}

void autoconf_wait(void)
{
	for (struct link *link = NULL; (link = link_next(link));) {
		struct autoconf *autoconf = link->autoconf;
		bool in_time = true;
		while (autoconf && in_time && autoconf->ask_routers && !autoconf->heard) {
			autoconf->waiter = fiber_current();
			in_time = fiber_park_until(autoconf->wait_until_ns);
			autoconf->waiter = NULL;
		}
	}
}

/* ------------------------------------------------------------------------------------------------ advertisements */

static bool options_are_whole(const uint8_t *bytes, uint32_t size)
{
	while (size >= UNIT_BYTES && bytes[1] && bytes[1] * UNIT_BYTES <= size) {
		size -= bytes[1] * UNIT_BYTES;
		bytes += bytes[1] * UNIT_BYTES;
	}
	return !size;
}

/* What a link can be: neither a group nor an address with a meaning of its own. */
static bool is_network(const struct prefix_option *option)
{
	uint8_t first = option->net.bytes[0];

	return option->bits == NETWORK_BITS && ((first & 0xe0) == GLOBAL_UNICAST || (first & 0xfe) == UNIQUE_LOCAL);
}

static void take_prefix(struct autoconf *autoconf, struct prefix_option option)
{
	if (!is_network(&option) || net32(option.preferred_s) > net32(option.valid_s))
		return;
	option.net.halves[1] = 0;
	if (option.flags & PREFIX_ON_LINK)
		learn(autoconf, autoconf->networks, PREFIX_LIMIT, network_entry, &option.net, net32(option.valid_s));
	if (option.flags & PREFIX_ADDRESS)
		take_address(autoconf, &option);
}

static void take_option(struct autoconf *autoconf, const uint8_t *bytes)
{
	struct prefix_option prefix;
	struct mtu_option mtu;

	if (bytes[0] == OPTION_PREFIX && bytes[1] * UNIT_BYTES == sizeof prefix) {
		memcpy(&prefix, bytes, sizeof prefix);
		take_prefix(autoconf, prefix);
	} else if (bytes[0] == OPTION_MTU && bytes[1] * UNIT_BYTES == sizeof mtu) {
		memcpy(&mtu, bytes, sizeof mtu);
		if (net32(mtu.mtu) >= MTU6_LEAST && net32(mtu.mtu) <= autoconf->link->mtu)
			autoconf->link->mtu6 = net32(mtu.mtu);
	}
}

void autoconf_input(uint32_t rest, struct buf *buf)
{
	struct autoconf *autoconf = buf->link->autoconf;
	uint8_t bytes[MESSAGE_BYTES];
	uint32_t size = buf_size(buf), at = sizeof(struct advertisement);
	bool good = autoconf && autoconf->ask_routers && net_addr_is_link_local(&buf->source) &&
		    !net_addr_is_v4(&buf->source) && size >= at && size <= sizeof bytes &&
		    buf_copy(buf, bytes, size) == size && options_are_whole(bytes + at, size - at);
	struct net_addr router = buf->source;

	buf_free(buf);
	if (!good)
		return;
	learn(autoconf, autoconf->routers, ROUTER_LIMIT, router_entry, &router, net32(rest) & 0xffff);
	for (; at < size; at += bytes[at + 1] * UNIT_BYTES)
		take_option(autoconf, bytes + at);
	autoconf->heard = true;
	autoconf->asked = ASK_TIMES;
	if (autoconf->waiter)
		fiber_wake(autoconf->waiter);
	arm(autoconf);
}
