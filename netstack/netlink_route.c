/* netlink_route.c - questions about links, addresses, routes and neighbours, as getifaddrs(3), ip(8) and the libraries
 * of Go and musl ask them (rtnetlink(7)).
 * Changes: netlink_change.c. Rules are Linux's own three, and cannot be changed.
 */
#include "netstack/netlink_answer.h"

#include "fs/socket.h"
#include "netstack/device.h"
#include "netstack/ether.h"
#include "netstack/neighbour.h"
#include "netstack/route.h"
#include "sentry/base/fiber.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/in_route.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

/* ------------------------------------------------------------------------------------------------ links, addresses */

void netlink_tell_link(struct netlink_writer *w, const struct link *link, uint16_t flags, uint32_t changed)
{
	static const uint8_t nobody[LINK_HARDWARE_BYTES];
	bool loopback = link->kind == LINK_LOOPBACK;
	uint8_t on = loopback ? IF_OPER_UNKNOWN : IF_OPER_UP, state = link->up ? on : IF_OPER_DOWN;
	struct rtnl_link_stats64 stats = {
		.rx_packets = link->received.packets,
		.tx_packets = link->sent.packets,
		.rx_bytes = link->received.bytes,
		.tx_bytes = link->sent.bytes,
		.rx_dropped = link->received.dropped,
		.tx_dropped = link->sent.dropped,
	};
	struct ifinfomsg *info = netlink_begin(w, RTM_NEWLINK, flags, sizeof *info);

	if (!info)
		return;
	info->ifi_type = loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	info->ifi_index = (int)link->index;
	info->ifi_flags = device_flags(link) | (link->up ? 1u << 16 /* IFF_LOWER_UP */ : 0);
	info->ifi_change = changed;
	netlink_attribute(w, IFLA_IFNAME, link->name, (uint32_t)strlen(link->name) + 1);
	netlink_attribute32(w, IFLA_TXQLEN, 1000);
	netlink_attribute(w, IFLA_OPERSTATE, &state, 1);
	netlink_attribute(w, IFLA_LINKMODE, &(uint8_t){0}, 1);
	netlink_attribute32(w, IFLA_MTU, link->mtu);
	netlink_attribute32(w, IFLA_GROUP, 0);
	netlink_attribute(w, IFLA_ADDRESS, link->hardware, sizeof link->hardware);
	netlink_attribute(w, IFLA_BROADCAST, loopback ? nobody : ether_broadcast, sizeof nobody);
	netlink_attribute(w, IFLA_QDISC, "noqueue", 8);
	netlink_attribute(w, IFLA_STATS64, &stats, sizeof stats);
}

/* The bytes of an address in its own family. */
static void attribute_address(struct netlink_writer *w, uint16_t type, const struct net_addr *addr)
{
	bool v4 = net_addr_is_v4(addr);

	netlink_attribute(w, type, v4 ? (const void *)&addr->words[3] : addr->bytes, v4 ? 4 : 16);
}

static uint8_t family_of(const struct net_addr *addr)
{
	return net_addr_is_v4(addr) ? ABI_AF_INET : ABI_AF_INET6;
}

static uint8_t scope_of(const struct net_addr *addr)
{
	if (net_addr_is_loopback(addr))
		return RT_SCOPE_HOST;
	return !net_addr_is_v4(addr) && net_addr_is_link_local(addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static uint32_t flags_of(const struct link *link, const struct link_address *item)
{
	static const uint32_t by_state[] = {
		[ADDRESS_UNTRIED] = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC,
		[ADDRESS_TRIED] = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC,
		[ADDRESS_DUPLICATE] = IFA_F_TENTATIVE | IFA_F_DADFAILED,
		[ADDRESS_VALID] = 0,
	};
	uint32_t flags = net_addr_is_v4(&item->addr) ? 0 : by_state[item->state];

	if (item->valid_until_ns == DEADLINE_NONE)
		flags |= IFA_F_PERMANENT;
	if (item->preferred_until_ns <= clock_now_ns())
		flags |= IFA_F_DEPRECATED;
	if (link_address_is_secondary(link, item))
		flags |= IFA_F_SECONDARY;
	return flags;
}

static uint32_t seconds_left(uint64_t until_ns)
{
	if (until_ns == DEADLINE_NONE)
		return UINT32_MAX;
	return until_ns > clock_now_ns() ? (uint32_t)((until_ns - clock_now_ns()) / NS_PER_S) : 0;
}

void netlink_tell_address(struct netlink_writer *w, uint16_t type, uint16_t flags, const struct link *link,
			  const struct link_address *item)
{
	bool v4 = net_addr_is_v4(&item->addr);
	uint32_t kind = flags_of(link, item);
	struct ifa_cacheinfo lifetimes = {.ifa_prefered = seconds_left(item->preferred_until_ns),
					  .ifa_valid = seconds_left(item->valid_until_ns)};
	struct ifaddrmsg *info = netlink_begin(w, type, flags, sizeof *info);

	if (!info)
		return;
	info->ifa_family = family_of(&item->addr);
	info->ifa_prefixlen = item->prefix;
	info->ifa_flags = (uint8_t)kind;
	info->ifa_scope = scope_of(&item->addr);
	info->ifa_index = link->index;
	attribute_address(w, IFA_ADDRESS, &item->addr);
	if (v4) {
		attribute_address(w, IFA_LOCAL, &item->addr);
		if (link->kind == LINK_ETHER) {
			struct net_addr all =
				net_addr_v4((uint32_t)(net_addr_to_v4(&item->addr) | 0xffffffffull >> item->prefix));
			attribute_address(w, IFA_BROADCAST, &all);
		}
		netlink_attribute(w, IFA_LABEL, link->name, (uint32_t)strlen(link->name) + 1);
	}
	netlink_attribute32(w, IFA_FLAGS, kind);
	netlink_attribute(w, IFA_CACHEINFO, &lifetimes, sizeof lifetimes);
}

/* The kernel's own table: what is ours is local; the loopback's whole network is. */
static void tell_local_route(struct netlink_writer *w, const struct link *link, const struct link_address *item)
{
	bool v4 = net_addr_is_v4(&item->addr), loopback = link->kind == LINK_LOOPBACK;
	uint8_t prefix = loopback ? item->prefix : v4 ? 32 : 128;
	struct net_addr net =
		v4 ? net_addr_v4(net_addr_to_v4(&item->addr) & (uint32_t)(0xffffffffull << (32 - prefix))) : item->addr;
	struct rtmsg *info = netlink_begin(w, RTM_NEWROUTE, NLM_F_MULTI, sizeof *info);

	if (!info)
		return;
	info->rtm_family = family_of(&net);
	info->rtm_dst_len = prefix;
	info->rtm_table = RT_TABLE_LOCAL;
	info->rtm_protocol = RTPROT_KERNEL;
	info->rtm_scope = v4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	info->rtm_type = RTN_LOCAL;
	netlink_attribute32(w, RTA_TABLE, RT_TABLE_LOCAL);
	attribute_address(w, RTA_DST, &net);
	if (v4)
		attribute_address(w, RTA_PREFSRC, &item->addr);
	netlink_attribute32(w, RTA_OIF, link->index);
}

/* All addresses: of IPv4, then of IPv6. */
static void each_address(struct netlink_writer *w, uint8_t asked,
			 void (*tell)(struct netlink_writer *, const struct link *, const struct link_address *))
{
	static const uint8_t families[] = {ABI_AF_INET, ABI_AF_INET6};

	for (unsigned which = 0; which < COUNT(families); which++)
		for (const struct link *link = NULL; (link = link_next(link));)
			for (const struct link_address *item = NULL; (item = link_address_next(link, item));)
				if (family_of(&item->addr) == families[which] && (!asked || asked == families[which]))
					tell(w, link, item);
}

static void tell_address(struct netlink_writer *w, const struct link *link, const struct link_address *item)
{
	netlink_tell_address(w, RTM_NEWADDR, NLM_F_MULTI, link, item);
}

void netlink_tell_route(struct netlink_writer *w, uint16_t type, uint16_t flags, const struct route_entry *entry)
{
	bool v4 = net_addr_is_v4(&entry->net);
	struct rtmsg *info = netlink_begin(w, type, flags, sizeof *info);

	if (!info)
		return;
	info->rtm_family = family_of(&entry->net);
	info->rtm_dst_len = entry->prefix;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = entry->connected ? RTPROT_KERNEL : entry->advertised ? RTPROT_RA : RTPROT_BOOT;
	info->rtm_scope = v4 && net_addr_is_any(&entry->gateway) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	info->rtm_type = RTN_UNICAST;
	netlink_attribute32(w, RTA_TABLE, RT_TABLE_MAIN);
	if (entry->prefix)
		attribute_address(w, RTA_DST, &entry->net);
	if (entry->metric)
		netlink_attribute32(w, RTA_PRIORITY, entry->metric);
	if (!net_addr_is_any(&entry->gateway))
		attribute_address(w, RTA_GATEWAY, &entry->gateway);
	if (!net_addr_is_any(&entry->source))
		attribute_address(w, RTA_PREFSRC, &entry->source);
	netlink_attribute32(w, RTA_OIF, entry->link->index);
}

static void each_route(struct netlink_writer *w, uint8_t family)
{
	for (const struct route_entry *entry = NULL; (entry = route_next(entry));)
		if (!family || family == family_of(&entry->net))
			netlink_tell_route(w, RTM_NEWROUTE, NLM_F_MULTI, entry);
	each_address(w, family, tell_local_route);
}

static void each_neighbour(struct netlink_writer *w, uint8_t family)
{
	static const uint16_t states[] = {
		[NEIGHBOUR_INCOMPLETE] = NUD_INCOMPLETE, [NEIGHBOUR_REACHABLE] = NUD_REACHABLE,
		[NEIGHBOUR_STALE] = NUD_STALE,           [NEIGHBOUR_DELAY] = NUD_DELAY,
		[NEIGHBOUR_PROBE] = NUD_PROBE,
	};

	for (const struct neighbour *item = NULL; (item = neighbour_next(item));) {
		if (family && family != family_of(&item->addr))
			continue;
		struct ndmsg *info = netlink_begin(w, RTM_NEWNEIGH, NLM_F_MULTI, sizeof *info);
		if (!info)
			return;
		info->ndm_family = family_of(&item->addr);
		info->ndm_ifindex = (int)item->link->index;
		info->ndm_state = states[item->state];
		info->ndm_type = RTN_UNICAST;
		attribute_address(w, NDA_DST, &item->addr);
		if (item->state != NEIGHBOUR_INCOMPLETE)
			netlink_attribute(w, NDA_LLADDR, item->hardware, sizeof item->hardware);
	}
}

/* RTM_GETROUTE for one target ("ip route get"). */
static void answer_one_route(struct netlink_writer *w, const char *body, uint32_t size)
{
	struct rtmsg asked = {0}, *info;
	struct route_wish wish;
	struct route route;
	uint32_t v4 = 0;

	memcpy(&asked, body, MIN(size, (uint32_t)sizeof asked));
	wish = (struct route_wish){.source = net_addr_any(asked.rtm_family == ABI_AF_INET6)};
	wish.target = wish.source;
	if (asked.rtm_family == ABI_AF_INET6) {
		(void)!netlink_find(body, size, sizeof asked, RTA_DST, &wish.target, sizeof wish.target);
	} else {
		(void)!netlink_find(body, size, sizeof asked, RTA_DST, &v4, sizeof v4);
		wish.target.words[3] = v4;
	}
	(void)!netlink_find(body, size, sizeof asked, RTA_OIF, &wish.link, sizeof wish.link);
	int error = route_find(&wish, &route);
	if (error) {
		netlink_error(w, error);
		return;
	}
	if (!(info = netlink_begin(w, RTM_NEWROUTE, 0, sizeof *info)))
		return;
	bool local = route_is_ours(&wish.target);
	info->rtm_family = family_of(&wish.target);
	info->rtm_dst_len = net_addr_is_v4(&wish.target) ? 32 : 128;
	info->rtm_table = RT_TABLE_MAIN; /* Linux keeps both tables in one until somebody adds a rule */
	info->rtm_type = local ? RTN_LOCAL : RTN_UNICAST;
	info->rtm_flags = RTM_F_CLONED | (local ? RTCF_LOCAL : 0);
	netlink_attribute32(w, RTA_TABLE, info->rtm_table);
	attribute_address(w, RTA_DST, &wish.target);
	if (!local && !net_addr_equal(&route.next, &wish.target))
		attribute_address(w, RTA_GATEWAY, &route.next);
	netlink_attribute32(w, RTA_OIF, route.link->index);
	attribute_address(w, RTA_PREFSRC, &route.source);
}

/* The rules by which Linux chooses tables: local, main, default (ip-rule(8)). */
static void each_rule(struct netlink_writer *w, uint8_t asked)
{
	static const struct {
		uint8_t family, table;
		uint32_t priority;
	} rules[] = {
		{ABI_AF_INET, RT_TABLE_LOCAL, 0},       {ABI_AF_INET, RT_TABLE_MAIN, 32766},
		{ABI_AF_INET, RT_TABLE_DEFAULT, 32767}, {ABI_AF_INET6, RT_TABLE_LOCAL, 0},
		{ABI_AF_INET6, RT_TABLE_MAIN, 32766},
	};

	for (unsigned which = 0; which < COUNT(rules); which++) {
		struct fib_rule_hdr *rule;
		if ((asked && asked != rules[which].family) ||
		    !(rule = netlink_begin(w, RTM_NEWRULE, NLM_F_MULTI, sizeof *rule)))
			continue;
		rule->family = rules[which].family;
		rule->table = rules[which].table;
		rule->action = FR_ACT_TO_TBL;
		netlink_attribute32(w, FRA_TABLE, rules[which].table);
		netlink_attribute32(w, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
		netlink_attribute(w, FRA_PROTOCOL, &(uint8_t){RTPROT_KERNEL}, 1);
		if (rules[which].priority)
			netlink_attribute32(w, FRA_PRIORITY, rules[which].priority);
	}
}

/* RTM_GETLINK for one: by index, or by name. */
static void answer_one_link(struct netlink_writer *w, const char *body, uint32_t size)
{
	struct ifinfomsg info = {0};
	char name[LINK_NAME_BYTES + 1] = {0};

	memcpy(&info, body, MIN(size, (uint32_t)sizeof info));
	(void)!netlink_find(body, size, sizeof info, IFLA_IFNAME, name, LINK_NAME_BYTES);
	for (const struct link *link = NULL; (link = link_next(link));)
		if ((int)link->index == info.ifi_index || (*name && !strcmp(link->name, name))) {
			netlink_tell_link(w, link, 0, 0);
			return;
		}
	netlink_error(w, -ENODEV);
}

static void answer_dump(struct netlink_writer *w, uint8_t family)
{
	switch (w->request->nlmsg_type) {
	case RTM_GETLINK:
		for (const struct link *link = NULL; (link = link_next(link));)
			netlink_tell_link(w, link, NLM_F_MULTI, 0);
		break;
	case RTM_GETADDR:
		each_address(w, family, tell_address);
		break;
	case RTM_GETROUTE:
		each_route(w, family);
		break;
	case RTM_GETNEIGH:
		each_neighbour(w, family);
		break;
	case RTM_GETRULE:
		each_rule(w, family);
		break;
	case RTM_GETQDISC:
		break; /* there are none */
	default:
		netlink_error(w, -EOPNOTSUPP);
		return;
	}
	netlink_done(w);
}

void netlink_route_answer(struct netlink_writer *w, const char *body, uint32_t size)
{
	uint16_t type = w->request->nlmsg_type, flags = w->request->nlmsg_flags;
	uint8_t family = size ? (uint8_t)body[0] : 0;

	if ((type & 3) != 2) { /* RTM_NEW*, RTM_DEL*, RTM_SET* */
		int error = netlink_route_change(w, body, size);
		if (error || flags & NLM_F_ACK)
			netlink_error(w, error);
	} else if (flags & NLM_F_DUMP) {
		answer_dump(w, family);
	} else if (type == RTM_GETLINK) {
		answer_one_link(w, body, size);
	} else if (type == RTM_GETROUTE) {
		answer_one_route(w, body, size);
	} else {
		netlink_error(w, -EOPNOTSUPP);
	}
}
