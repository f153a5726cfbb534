/* route.c - see route.h.
 *
 * The table is a list in the order of preference: a sandbox has a handful of routes, and the first that holds the
 * target is the one. What is ours goes over the loopback whatever the table says, as in Linux's table "local".
 *
 * Path MTUs are learned from reports that quote a packet of ours (icmp.c) and kept in a small table by target; a full
 * one forgets the oldest. An attacker who forges reports makes packets as small as PATH_MTU_LEAST, never smaller.
 *
 * Limits: no policy rules, no multipath, no blackholes; of two sources the first of the right scope.
 */
#include "netstack/route.h"

#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>

#define PATH_SLOTS      256
#define PATH_LIFE_NS    (600 * NS_PER_S) /* RFC 1191 section 6.3, net.ipv4.route.mtu_expires */
#define PATH4_MTU_LEAST 552u             /* net.ipv4.route.min_pmtu */
#define PATH6_MTU_LEAST 1280u            /* RFC 8200 section 5 */

struct path {
	struct net_addr target;
	uint32_t mtu;
	uint64_t until_ns; /* 0: empty */
};

static struct routes {
	struct list entries;
	uint32_t count;
	struct path paths[PATH_SLOTS];
} * routes; /* in the arena */
static struct slab entry_slab = SLAB(route_entry);

int route_init(void)
{
	routes = arena_alloc(sizeof *routes);
	if (!routes)
		return -ENOMEM;
	list_init(&routes->entries);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ addresses */

/* The loopback's address that what goes to addr comes from, where addr is ours: all of its IPv4 networks are ours,
 * except 0.0.0.0/8. NULL: none. */
static const struct link_address *home_of(const struct net_addr *addr)
{
	const struct link_address *item = NULL, *found = NULL;
	bool v4 = net_addr_is_v4(addr) && addr->bytes[12];

	while ((item = link_address_next(link_loopback(), item))) {
		if (net_addr_equal(&item->addr, addr)) /* a network's further addresses stand behind its first */
			return found && found->prefix == item->prefix ? found : item;
		if (!found && v4 && item->prefix && link_prefix_holds(&item->addr, item->prefix, addr))
			found = item;
	}
	return found;
}

bool route_is_ours(const struct net_addr *addr)
{
	for (struct link *link = link_loopback(); (link = link_next(link));)
		if (link_has_address(link, addr))
			return true;
	return home_of(addr);
}

bool route_is_broadcast(const struct link *link, const struct net_addr *addr)
{
	const struct link_address *item = NULL;

	if (net_addr_is_broadcast(addr))
		return true;
	if (!net_addr_is_v4(addr))
		return false;
	while ((item = link_address_next(link, item))) {
		if (!net_addr_is_v4(&item->addr) || item->prefix > 30)
			continue; /* RFC 3021: links of two have no broadcast */
		uint32_t rest = UINT32_MAX >> item->prefix;
		if (item->prefix && net_addr_to_v4(addr) == (net_addr_to_v4(&item->addr) | rest))
			return true;
	}
	return false;
}

bool route_is_bindable(const struct net_addr *addr)
{
	if (net_addr_is_any(addr) || net_addr_is_multicast(addr) || route_is_ours(addr))
		return true;
	for (struct link *link = NULL; (link = link_next(link));)
		if (route_is_broadcast(link, addr))
			return true;
	return false;
}

const struct net_addr *route_source(const struct link *link, const struct net_addr *target)
{
	const struct link_address *item = NULL, *best = NULL;
	unsigned most = 0;

	while ((item = link_address_next(link, item))) {
		bool v4 = net_addr_is_v4(&item->addr);
		if (v4 != net_addr_is_v4(target) || item->state == ADDRESS_DUPLICATE)
			continue;
		bool scope = v4 || net_addr_is_link_local(&item->addr) == net_addr_is_link_local(target);
		unsigned worth = 1 + 2 * scope + (item->preferred_until_ns > clock_now_ns());
		if (worth > most) {
			most = worth;
			best = item;
		}
	}
	return best ? &best->addr : NULL;
}

/* ------------------------------------------------------------------------------------------------ the table */

static bool same_family(const struct net_addr *addr, const struct net_addr *net)
{
	return net_addr_is_any(addr) || net_addr_is_v4(addr) == net_addr_is_v4(net);
}

static bool same_entry(const struct route_entry *a, const struct route_entry *b)
{
	return a->prefix == b->prefix && a->metric == b->metric && net_addr_equal(&a->net, &b->net) &&
	       a->link == b->link;
}

const struct route_entry *route_like(const struct route_entry *like)
{
	const struct route_entry *entry = NULL;

	while ((entry = route_next(entry)) && !same_entry(entry, like))
		;
	return entry;
}

int route_add(const struct route_entry *entry)
{
	struct list *behind = &routes->entries;
	struct route_entry *item;

	if (!same_family(&entry->gateway, &entry->net) || !same_family(&entry->source, &entry->net))
		return -EINVAL;
	list_for_each (item, &routes->entries, node) {
		if (same_entry(item, entry))
			return -EEXIST;
		if (item->prefix > entry->prefix || (item->prefix == entry->prefix && item->metric <= entry->metric))
			behind = &item->node;
	}
	struct route_entry *new = routes->count < ROUTE_LIMIT ? slab_new(&entry_slab) : NULL;
	if (!new)
		return -ENOMEM;
	*new = *entry;
	list_insert_between(&new->node, behind, behind->next);
	routes->count++;
	return 0;
}

void route_remove(const struct route_entry *entry)
{
	struct route_entry *gone;

	list_for_each (gone, &routes->entries, node)
		if (gone == entry)
			break;
	list_remove(&gone->node);
	slab_free(&entry_slab, gone);
	routes->count--;
}

int route_address_add(struct link *link, const struct net_addr *addr, uint8_t prefix)
{
	struct route_entry entry = {
		.net = *addr,
		.prefix = prefix,
		.connected = true,
		.gateway = net_addr_any(!net_addr_is_v4(addr)),
		.source = net_addr_is_v4(addr) ? *addr : NET_ADDR_ANY6,
		.link = link,
		.metric = net_addr_is_v4(addr) ? 0 : 256, /* as Linux gives them */
	};
	unsigned kept = prefix + (net_addr_is_v4(addr) ? 96u : 0u);

	for (unsigned bit = kept; bit < 128; bit++)
		entry.net.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	int error = link_address_add(link, addr, prefix);
	if (!error && prefix < (net_addr_is_v4(addr) ? 32 : 128))
		error = route_add(&entry);
	return error == -EEXIST ? 0 : error;
}

const struct route_entry *route_next(const struct route_entry *entry)
{
	const struct list *next = entry ? entry->node.next : routes->entries.next;

	return next == &routes->entries ? NULL : list_entry(next, struct route_entry, node);
}

/* ------------------------------------------------------------------------------------------------ path MTU */

static struct path *path_of(const struct net_addr *target)
{
	return &routes->paths[(net_addr_hash(target) >> 32) % PATH_SLOTS];
}

static uint32_t path_mtu(const struct net_addr *target, uint32_t mtu)
{
	const struct path *path = path_of(target);

	return path->until_ns && net_addr_equal(&path->target, target) && path->until_ns > clock_now_ns()
		       ? MIN(path->mtu, mtu)
		       : mtu;
}

uint32_t route_mtu_learn(const struct net_addr *target, uint32_t mtu)
{
	struct route_wish wish = {.source = net_addr_any(!net_addr_is_v4(target)), .target = *target};
	struct route route;

	if (route_find(&wish, &route) || route.link->kind == LINK_LOOPBACK)
		return UINT32_MAX;
	mtu = MAX(mtu, net_addr_is_v4(target) ? PATH4_MTU_LEAST : PATH6_MTU_LEAST);
	if (mtu < route.mtu)
		*path_of(target) = (struct path){*target, mtu, clock_now_ns() + PATH_LIFE_NS};
	return MIN(mtu, route.mtu);
}

/* ------------------------------------------------------------------------------------------------ look-up */

/* To ourselves. Linux answers from 127.0.0.1 wherever in 127.0.0.0/8 the target is. */
static void route_home(const struct route_wish *wish, struct route *out)
{
	const struct link_address *home = home_of(&wish->target);

	out->link = link_loopback();
	out->next = wish->target;
	out->mtu = out->link->mtu;
	if (!net_addr_is_any(&wish->source))
		out->source = wish->source;
	else
		out->source = home ? home->addr : wish->target;
}

static const struct route_entry *entry_find(const struct route_wish *wish)
{
	const struct route_entry *entry = NULL;

	while ((entry = route_next(entry)))
		if (link_prefix_holds(&entry->net, entry->prefix, &wish->target) && entry->link->up &&
		    (!wish->link || entry->link->index == wish->link))
			return entry;
	return NULL;
}

/* Groups and broadcasts that no route names leave by the link that was wished, or the first to the outside. */
static struct link *link_for_many(const struct route_wish *wish)
{
	struct link *link = NULL;

	if (!net_addr_is_multicast(&wish->target) && !net_addr_is_broadcast(&wish->target) &&
	    !net_addr_is_link_local(&wish->target))
		return NULL;
	bool v4 = net_addr_is_v4(&wish->target);
	while ((link = link_next(link)))
		if (link->up && (wish->link ? link->index == wish->link && (v4 || link->kind == LINK_ETHER)
					    : link->kind == LINK_ETHER && !v4))
			break;
	return link;
}

int route_find(const struct route_wish *wish, struct route *out)
{
	const struct net_addr *source = &wish->source;

	if (!net_addr_is_any(source) && !route_is_ours(source))
		return -EINVAL;
	if (route_is_ours(&wish->target)) {
		route_home(wish, out);
		return out->link->up ? 0 : -ENETDOWN;
	}
	const struct route_entry *entry = entry_find(wish);
	struct link *link = entry ? entry->link : link_for_many(wish);
	if (!link || (net_addr_is_loopback(source) && link->kind != LINK_LOOPBACK))
		return -ENETUNREACH; /* 127.0.0.1 is nobody outside (RFC 1122 section 3.2.1.3 (g)) */
	const struct net_addr *first = route_source(link, &wish->target);
	out->link = link;
	out->next = entry && !net_addr_is_any(&entry->gateway) ? entry->gateway : wish->target;
	out->mtu = path_mtu(&wish->target, !net_addr_is_v4(&wish->target) && link->mtu6 ? link->mtu6 : link->mtu);
	if (!net_addr_is_any(source))
		out->source = *source;
	else if (entry && !net_addr_is_any(&entry->source))
		out->source = entry->source;
	else if (first)
		out->source = *first;
	else
		return -ENETUNREACH;
	return 0;
}
