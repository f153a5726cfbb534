/* netlink_change.c - changes that a program with CAP_NET_ADMIN makes: addresses and routes of the loopback, its MTU, up
 * and down (rtnetlink(7); ip-address(8), ip-route(8), ip-link(8)). Members of the groups are told (netlink_announce).
 *
 * Only a sandbox without a way to the outside may change anything. With an uplink, addresses and routes are what the
 * host gave, and part of what the policy rests on: an address of the resolver's on the loopback, for one, would have a
 * program answer the stack's own questions for names, and so choose what an allowed name may be connected to.
 *
 * Limits: groups are not told of routes in the table "local", which follow the addresses; addresses have no lifetime,
 * label or peer of their own, and are never told of as tentative; no routes but unicast ones in the table "main", with
 * one next hop; MTUs from MTU_LEAST.
 * While it is down connect(2) fails with ENETDOWN; Linux lets a datagram socket connect, and fails what it sends.
 */
#include "netstack/netlink_answer.h"

#include "fs/cred.h"
#include "fs/socket.h"
#include "netstack/device.h"
#include "netstack/route.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#define MTU_LEAST     1280u /* IPv6's least (RFC 8200 section 5) */
#define METRIC_USER_6 1024u /* of IPv6 routes that do not say one: IP6_RT_PRIO_USER */

/* An attribute with an address of that family; false: it is not there. */
static bool find_address(const char *body, uint32_t size, uint32_t header, uint16_t type, uint8_t family,
			 struct net_addr *out)
{
	bool v6 = family == ABI_AF_INET6;

	*out = net_addr_any(v6);
	return netlink_find(body, size, header, type, v6 ? (void *)out : &out->words[3], v6 ? 16 : 4);
}

static uint8_t family_bits(uint8_t family)
{
	return family == ABI_AF_INET6 ? 128 : 32;
}

/* ------------------------------------------------------------------------------------------------ addresses */

static void announce_route(const struct netlink_writer *cause, uint16_t type, const struct route_entry *entry)
{
	struct netlink_writer w;

	if (!netlink_announce_begin(&w, cause))
		return;
	netlink_tell_route(&w, type, 0, entry);
	netlink_announce(&w, net_addr_is_v4(&entry->net) ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE);
}

static void net_of(struct net_addr *addr, uint8_t prefix)
{
	for (unsigned bit = prefix + (net_addr_is_v4(addr) ? 96u : 0u); bit < 128; bit++)
		addr->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static void announce_address(const struct netlink_writer *cause, uint16_t type, const struct link *link,
			     const struct link_address *item)
{
	struct netlink_writer w;

	if (!netlink_announce_begin(&w, cause))
		return;
	netlink_tell_address(&w, type, 0, link, item);
	netlink_announce(&w, net_addr_is_v4(&item->addr) ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR);
}

static const struct link_address *address_find(const struct link *link, const struct net_addr *addr, uint8_t prefix)
{
	const struct link_address *item = NULL;

	while ((item = link_address_next(link, item)))
		if (item->prefix == prefix && net_addr_equal(&item->addr, addr))
			break;
	return item;
}

/* The route to an address's network. IPv4's networks of the loopback are all local, and have none. */
static const struct route_entry *network_of(const struct link *link, const struct net_addr *addr, uint8_t prefix)
{
	const struct route_entry *entry = NULL;
	struct net_addr net = *addr;

	net_of(&net, prefix);
	while ((entry = route_next(entry)))
		if (entry->connected && entry->link == link && entry->prefix == prefix &&
		    net_addr_equal(&entry->net, &net))
			break;
	return entry;
}

static void network_remove(const struct netlink_writer *cause, const struct link *link, const struct link_address *gone)
{
	const struct route_entry *entry = network_of(link, &gone->addr, gone->prefix);

	for (const struct link_address *item = NULL; entry && (item = link_address_next(link, item));)
		if (item->prefix == gone->prefix && link_prefix_holds(&entry->net, entry->prefix, &item->addr))
			return;
	if (!entry)
		return;
	announce_route(cause, RTM_DELROUTE, entry);
	route_remove(entry);
}

static int address_add(const struct netlink_writer *cause, struct link *link, const struct net_addr *addr,
		       uint8_t prefix)
{
	/* What nobody can be, and what would be told from an IPv4 address no more. */
	if (net_addr_is_multicast(addr) || net_addr_is_any(addr) || net_addr_is_broadcast(addr))
		return -EADDRNOTAVAIL;
	if (link_has_address(link, addr)) /* with another length */
		return -EEXIST;
	bool v6 = !net_addr_is_v4(addr);
	const struct route_entry *old = v6 ? network_of(link, addr, prefix) : NULL;
	int error = v6 ? route_address_add(link, addr, prefix) : link_address_add(link, addr, prefix);
	const struct route_entry *new = v6 ? network_of(link, addr, prefix) : NULL;
	const struct link_address *item = address_find(link, addr, prefix);
	if (error) { /* an address without its route is none */
		if (item)
			link_address_remove(link, item);
		return error;
	}
	if (new && !old)
		announce_route(cause, RTM_NEWROUTE, new);
	announce_address(cause, RTM_NEWADDR, link, item);
	return 0;
}

static void address_drop(const struct netlink_writer *cause, struct link *link, const struct link_address *item)
{
	struct link_address gone = *item;

	announce_address(cause, RTM_DELADDR, link, item);
	link_address_remove(link, item);
	if (!net_addr_is_v4(&gone.addr))
		network_remove(cause, link, &gone);
}

/* An IPv4 network's further addresses go with its first one (net.ipv4.conf.*.promote_secondaries is 0). */
static void address_remove(const struct netlink_writer *cause, struct link *link, const struct link_address *item)
{
	bool first = net_addr_is_v4(&item->addr) && !link_address_is_secondary(link, item);
	const struct link_address *other = item;

	while (first && (other = link_address_next(link, other)))
		if (other->prefix == item->prefix && link_prefix_holds(&item->addr, item->prefix, &other->addr)) {
			address_drop(cause, link, other);
			other = item;
		}
	address_drop(cause, link, item);
}

static int change_address(const struct netlink_writer *w, const char *body, uint32_t size)
{
	struct ifaddrmsg info;
	struct net_addr addr;

	if (size < sizeof info)
		return -EINVAL;
	memcpy(&info, body, sizeof info);
	bool new = w->request->nlmsg_type == RTM_NEWADDR, v6 = info.ifa_family == ABI_AF_INET6;
	if (info.ifa_family != ABI_AF_INET && !v6)
		return -EOPNOTSUPP;
	if (!find_address(body, size, sizeof info, IFA_LOCAL, info.ifa_family, &addr) &&
	    (!v6 || !find_address(body, size, sizeof info, IFA_ADDRESS, info.ifa_family, &addr)))
		return -EINVAL;
	if (info.ifa_prefixlen > family_bits(info.ifa_family))
		return -EINVAL;
	struct link *link = link_by_index(info.ifa_index);
	if (!link)
		return -ENODEV;
	if (v6 && net_addr_is_v4(&addr))
		return -EADDRNOTAVAIL;
	const struct link_address *item = address_find(link, &addr, info.ifa_prefixlen);
	if (!new && !item)
		return -EADDRNOTAVAIL;
	if (!new)
		address_remove(w, link, item);
	else if (!item)
		return address_add(w, link, &addr, info.ifa_prefixlen);
	else if (!(w->request->nlmsg_flags & NLM_F_REPLACE) || w->request->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ routes */

/* The link to a gateway: one that is reached without another. */
static int gateway_link(const struct net_addr *gateway, struct link **link)
{
	if (route_is_ours(gateway)) {
		*link = link_loopback();
		return 0;
	}
	for (const struct route_entry *entry = NULL; (entry = route_next(entry));)
		if (link_prefix_holds(&entry->net, entry->prefix, gateway) && net_addr_is_any(&entry->gateway)) {
			*link = entry->link;
			return 0;
		}
	return -ENETUNREACH;
}

/* What a request says of a route. entry->link: NULL, and *any_metric, where it does not say. */
static int route_read(const char *body, uint32_t size, struct route_entry *entry, bool *any_metric)
{
	struct rtmsg info;
	uint32_t table, index = 0;

	if (size < sizeof info)
		return -EINVAL;
	memcpy(&info, body, sizeof info);
	if (info.rtm_family != ABI_AF_INET && info.rtm_family != ABI_AF_INET6)
		return -EOPNOTSUPP;
	if (info.rtm_dst_len > family_bits(info.rtm_family) || info.rtm_type > RTN_MAX)
		return -EINVAL;
	table = info.rtm_table;
	(void)!netlink_find(body, size, sizeof info, RTA_TABLE, &table, sizeof table);
	if ((table != RT_TABLE_MAIN && table != RT_TABLE_UNSPEC) || info.rtm_src_len || info.rtm_tos ||
	    (info.rtm_type != RTN_UNICAST && info.rtm_type != RTN_UNSPEC) ||
	    netlink_find(body, size, sizeof info, RTA_MULTIPATH, &index, sizeof index))
		return -EOPNOTSUPP;
	*entry = (struct route_entry){.prefix = info.rtm_dst_len};
	(void)!find_address(body, size, sizeof info, RTA_DST, info.rtm_family, &entry->net);
	(void)!find_address(body, size, sizeof info, RTA_GATEWAY, info.rtm_family, &entry->gateway);
	(void)!find_address(body, size, sizeof info, RTA_PREFSRC, info.rtm_family, &entry->source);
	*any_metric = !netlink_find(body, size, sizeof info, RTA_PRIORITY, &entry->metric, sizeof entry->metric);
	struct net_addr net = entry->net;
	net_of(&net, entry->prefix);
	if (info.rtm_family == ABI_AF_INET && !net_addr_equal(&net, &entry->net))
		return -EINVAL;
	entry->net = net;
	if (info.rtm_family == ABI_AF_INET6 && net_addr_is_v4(&net))
		return -EINVAL;
	(void)!netlink_find(body, size, sizeof info, RTA_OIF, &index, sizeof index);
	entry->link = index ? link_by_index(index) : NULL;
	return index && !entry->link ? -ENODEV : 0;
}

static const struct route_entry *same_route(const struct route_entry *wish, bool any_metric)
{
	const struct route_entry *entry = NULL;

	while ((entry = route_next(entry)))
		if (entry->prefix == wish->prefix && net_addr_equal(&entry->net, &wish->net) &&
		    (any_metric || entry->metric == wish->metric))
			break;
	return entry;
}

static int route_new(const struct netlink_writer *w, struct route_entry *wish, bool any_metric)
{
	uint16_t flags = w->request->nlmsg_flags;
	bool v4 = net_addr_is_v4(&wish->net), has_gateway = !net_addr_is_any(&wish->gateway);
	struct link *link = wish->link;

	if (any_metric)
		wish->metric = v4 ? 0 : METRIC_USER_6;
	int error = has_gateway ? gateway_link(&wish->gateway, &link) : 0;
	if (error)
		return error;
	if (!link)
		return -ENODEV;
	if (!link->up)
		return -ENETDOWN;
	if (wish->link && wish->link != link)
		return -EINVAL;
	if (!net_addr_is_any(&wish->source) && !route_is_ours(&wish->source))
		return -EINVAL;
	wish->link = link;
	const struct route_entry *old = same_route(wish, false);
	if (old && !(flags & NLM_F_REPLACE))
		return -EEXIST;
	if (!old && !(flags & NLM_F_CREATE))
		return -ENOENT;
	if (old && net_addr_equal(&old->gateway, &wish->gateway) && net_addr_equal(&old->source, &wish->source))
		return 0;
	if (old)
		route_remove(old);
	if (!(error = route_add(wish)))
		announce_route(w, RTM_NEWROUTE, wish);
	return error;
}

static int change_route(const struct netlink_writer *w, const char *body, uint32_t size)
{
	struct route_entry wish;
	bool any_metric;
	int error = route_read(body, size, &wish, &any_metric);

	if (error)
		return error;
	if (w->request->nlmsg_type == RTM_NEWROUTE)
		return route_new(w, &wish, any_metric);
	const struct route_entry *entry = same_route(&wish, any_metric);
	if (!entry || (wish.link && wish.link != entry->link) ||
	    (!net_addr_is_any(&wish.gateway) && !net_addr_equal(&wish.gateway, &entry->gateway)))
		return -ESRCH;
	announce_route(w, RTM_DELROUTE, entry);
	route_remove(entry);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ links */

static void announce_link(const struct netlink_writer *cause, const struct link *link, uint32_t changed)
{
	struct netlink_writer w;

	if (!netlink_announce_begin(&w, cause))
		return;
	netlink_tell_link(&w, link, 0, changed);
	netlink_announce(&w, RTNLGRP_LINK);
}

/* Without a link there is no route through it; its IPv6 addresses go too (addrconf_ifdown). */
static void link_down(const struct netlink_writer *w, struct link *link)
{
	link->up = false;
	announce_link(w, link, IFF_UP);
	for (const struct link_address *item = NULL; (item = link_address_next(link, item));)
		if (!net_addr_is_v4(&item->addr)) {
			address_remove(w, link, item);
			item = NULL;
		}
	for (const struct route_entry *entry = NULL; (entry = route_next(entry));)
		if (entry->link == link) {
			route_remove(entry);
			entry = NULL;
		}
}

static int link_up(const struct netlink_writer *w, struct link *link)
{
	link->up = true;
	announce_link(w, link, IFF_UP);
	return link_has_address(link, &NET_ADDR_LOOP6) ? 0 : address_add(w, link, &NET_ADDR_LOOP6, 128);
}

/* The link that a request is about, by index or name. */
static struct link *link_named(const char *body, uint32_t size)
{
	char name[LINK_NAME_BYTES + 1] = {0};
	struct ifinfomsg info;

	memcpy(&info, body, sizeof info);
	if (info.ifi_index)
		return link_by_index((uint32_t)info.ifi_index);
	return netlink_find(body, size, sizeof info, IFLA_IFNAME, name, LINK_NAME_BYTES) ? link_by_name(name) : NULL;
}

/* Does it ask for nothing but up, down, and an MTU? */
static bool link_wish_is_known(const char *body, uint32_t size)
{
	struct rtattr attr;

	for (uint32_t at = NLMSG_ALIGN(sizeof(struct ifinfomsg)); size >= sizeof attr && at <= size - sizeof attr;) {
		memcpy(&attr, body + at, sizeof attr);
		if (attr.rta_len < sizeof attr || attr.rta_len > size - at)
			break;
		if (attr.rta_type != IFLA_IFNAME && attr.rta_type != IFLA_MTU && attr.rta_type != IFLA_EXT_MASK)
			return false;
		at += RTA_ALIGN(attr.rta_len);
	}
	return true;
}

static int change_link(const struct netlink_writer *w, const char *body, uint32_t size, bool allowed)
{
	struct ifinfomsg info;
	uint32_t mtu;

	if (size < sizeof info)
		return -EINVAL;
	memcpy(&info, body, sizeof info);
	struct link *link = link_named(body, size);
	if (!link)
		return w->request->nlmsg_flags & NLM_F_CREATE && allowed ? -EOPNOTSUPP : -ENODEV;
	uint32_t asked = info.ifi_change ? info.ifi_change : info.ifi_flags ? UINT32_MAX : 0;
	bool has_mtu = netlink_find(body, size, sizeof info, IFLA_MTU, &mtu, sizeof mtu) && mtu != link->mtu;
	uint32_t changed = (device_flags(link) ^ info.ifi_flags) & asked & ~(uint32_t)IFF_RUNNING;
	if ((changed & ~(uint32_t)IFF_UP) || !link_wish_is_known(body, size))
		return allowed ? -EOPNOTSUPP : -EPERM;
	if (!changed && !has_mtu)
		return 0; /* scripts say "lo up" to be sure */
	if (!allowed)
		return -EPERM;
	if (has_mtu && (mtu < MTU_LEAST || mtu > LOOPBACK_MTU))
		return -EINVAL;
	if (has_mtu)
		link->mtu = mtu;
	if (changed && !link->up)
		return link_up(w, link);
	if (changed)
		link_down(w, link);
	else
		announce_link(w, link, 0);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ all of them */

int netlink_route_change(const struct netlink_writer *w, const char *body, uint32_t size)
{
	uint16_t type = w->request->nlmsg_type;
	bool allowed = !link_next(link_loopback());

	if (!cred_capable(w->cred, CAP_NET_ADMIN))
		return -EPERM;
	if (type == RTM_NEWLINK || type == RTM_SETLINK)
		return change_link(w, body, size, allowed);
	if (!allowed)
		return -EPERM;
	switch (type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return change_address(w, body, size);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return change_route(w, body, size);
	default:
		return -EOPNOTSUPP;
	}
}
