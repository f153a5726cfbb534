/* group.c - see group.h.
 *
 *   nobody --first socket joins--> CHANGED --told REPORT_TIMES--> SETTLED --query--> ASKED --told--> SETTLED
 *      ^                                                             |
 *      +----- told REPORT_TIMES ----- LEFT <--last socket leaves-----+
 *
 * A router that speaks the older version (IGMPv2, MLDv1) is answered in it, as long as it has been heard lately.
 * The group of all hosts and the groups that neighbours ask in (ndp.h) are always heard, and need no report.
 *
 * Limits: GROUP_LIMIT groups in all, GROUP_SOCKET_LIMIT a socket, as net.ipv4.igmp_max_memberships. No source filters:
 * IP_ADD_SOURCE_MEMBERSHIP and its kin are ENOPROTOOPT, and so a query for sources is answered like one for the group.
 * IGMPv1 is taken for version 2. Nobody is told about groups of the loopback.
 */
#include "netstack/group.h"

#include "netstack/icmp.h"
#include "netstack/ndp.h"
#include "netstack/net.h"
#include "netstack/policy.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include "sentry/base/text.h"
#include <errno.h>
#include <netinet/in.h>

#define REPORT_TIMES     2 /* the robustness variable */
#define REPORT_MS        1000
#define OLD_QUERIER_NS   (260 * NS_PER_S) /* RFC 3376 section 8.12 */
#define RESPONSE_MS_MOST 60000u

#define IGMP_QUERY   0x11
#define IGMP2_REPORT 0x16
#define IGMP2_LEAVE  0x17
#define IGMP3_REPORT 0x22
#define MLD1_REPORT  131
#define MLD1_DONE    132
#define MLD2_REPORT  143
#define IGMP2_BYTES  8u
#define MLD1_BYTES   24u

/* What a report says of a group: the record types of RFC 3376 section 4.2.12 and RFC 3810 section 5.2.12. */
enum record { RECORD_IS = 2, RECORD_LEAVE = 3, RECORD_JOIN = 4 };

struct group {
	struct list node; /* of all */
	struct link *link;
	struct net_addr addr;
	uint32_t users;   /* memberships of sockets; 0: left, and still to be told */
	unsigned to_tell; /* reports of the last change that are still due */
	struct net_timer timer;
};

struct membership {
	struct list node; /* of its socket's groups */
	struct group *group;
};

static struct groups {
	struct list all;
	uint32_t count;
} * groups; /* in the arena */
static struct slab group_slab = SLAB(group), membership_slab = SLAB(membership);

static struct group *group_find(const struct link *link, const struct net_addr *addr)
{
	struct group *item;

	list_for_each (item, &groups->all, node) {
		if (item->link == link && net_addr_equal(&item->addr, addr))
			return item;
	}
	return NULL;
}

/* ------------------------------------------------------------------------------------------------ who listens */

/* All nodes: of the link, of the interface (RFC 4291 section 2.7.1). */
static const struct net_addr everybody6[] = {{.bytes = {0xff, 0x02, [15] = 1}}, {.bytes = {0xff, 0x01, [15] = 1}}};

static bool is_own(const struct link *link, const struct net_addr *group)
{
	const struct link_address *item = NULL;

	if (net_addr_is_v4(group))
		return net_addr_to_v4(group) == INADDR_ALLHOSTS_GROUP;
	if (net_addr_equal(group, &everybody6[0]) || net_addr_equal(group, &everybody6[1]))
		return true;
	while ((item = link_address_next(link, item))) {
		struct net_addr asked = ndp_group(&item->addr);
		if (!net_addr_is_v4(&item->addr) && net_addr_equal(&asked, group))
			return true;
	}
	return false;
}

bool group_is_heard(const struct link *link, const struct net_addr *addr)
{
	const struct group *group = group_find(link, addr);

	return (group && group->users) || is_own(link, addr);
}

static struct membership *membership_find(const struct inet_sock *sock, const struct link *link,
					  const struct net_addr *addr)
{
	struct membership *item;

	list_for_each (item, &sock->groups, node) {
		if (item->group->link == link && net_addr_equal(&item->group->addr, addr))
			return item;
	}
	return NULL;
}

bool group_is_for(const struct inet_sock *sock, const struct link *link, const struct net_addr *group)
{
	bool all = net_addr_is_v4(group) ? sock->options.multicast_all4 : sock->options.multicast_all6;

	return all || membership_find(sock, link, group);
}

/* ------------------------------------------------------------------------------------------------ reports */

/* An IPv4 header with the option that makes routers look (RFC 2113): 24 bytes. */
static void send_igmp(struct link *link, const struct net_addr *target, const void *message, uint32_t size)
{
	const struct net_addr *source = route_source(link, target);
	static const uint8_t router_alert[4] = {0x94, 4, 0, 0};
	struct buf *buf = source ? buf_new() : NULL;
	struct ip4_header header = {
		.version_length = 0x46,
		.traffic_class = 0xc0,
		.size = net16((uint16_t)(sizeof header + sizeof router_alert + size)),
		.fragment = net16(IP4_DONT_FRAGMENT),
		.hops = 1,
		.protocol = IP_PROTOCOL_IGMP,
		.target = target->words[3],
	};

	if (!buf)
		return;
	header.source = source->words[3];
	header.checksum = sum_fold(sum_add(sum_add(0, &header, sizeof header), router_alert, sizeof router_alert));
	memcpy(buf_push(buf, size), message, size);
	memcpy(buf_push(buf, sizeof router_alert), router_alert, sizeof router_alert);
	memcpy(buf_push(buf, sizeof header), &header, sizeof header);
	buf->judged = true; /* policy_group */
	link_send(link, target, buf);
}

static void report4(const struct group *group, enum record record, bool old)
{
	static const uint32_t routers = INADDR_ALLRTRS_GROUP, report_group = 0xe0000016; /* 224.0.0.22 */
	struct {
		uint8_t type, code;
		uint16_t checksum;
		uint32_t group;
	} v2 = {.type = record == RECORD_LEAVE ? IGMP2_LEAVE : IGMP2_REPORT, .group = group->addr.words[3]};
	struct {
		uint8_t type, reserved;
		uint16_t checksum, reserved2, count;
		uint8_t record, auxiliary;
		uint16_t sources;
		uint32_t group;
	} v3 = {.type = IGMP3_REPORT, .count = net16(1), .record = (uint8_t)record, .group = group->addr.words[3]};

	if (old) {
		struct net_addr target = record == RECORD_LEAVE ? net_addr_v4(routers) : group->addr;
		v2.checksum = sum_fold(sum_add(0, &v2, sizeof v2));
		send_igmp(group->link, &target, &v2, sizeof v2);
	} else {
		struct net_addr target = net_addr_v4(report_group);
		v3.checksum = sum_fold(sum_add(0, &v3, sizeof v3));
		send_igmp(group->link, &target, &v3, sizeof v3);
	}
}

/* The address of the link that is good on the link only, or none (RFC 3810 section 5.2.13). */
static struct net_addr local_source(const struct link *link)
{
	const struct link_address *item = NULL;

	while ((item = link_address_next(link, item)))
		if (!net_addr_is_v4(&item->addr) && net_addr_is_link_local(&item->addr))
			return item->addr;
	return NET_ADDR_ANY6;
}

static void report6(const struct group *group, enum record record, bool old)
{
	static const struct net_addr routers = {.bytes = {0xff, 0x02, [15] = 2}};
	static const struct net_addr report_group = {.bytes = {0xff, 0x02, [15] = 0x16}};
	static const uint8_t alert[8] = {IP_PROTOCOL_ICMPV6, 0, 5, 2, 0, 0, 1, 0}; /* RFC 2711, and padding */
	struct {
		uint8_t record, auxiliary;
		uint16_t sources;
		uint8_t group[sizeof group->addr.bytes];
	} v2 = {.record = (uint8_t)record};
	_Static_assert(sizeof v2 == 20, "RFC 3810 section 5.2.5");
	struct net_addr target = !old ? report_group : record == RECORD_LEAVE ? routers : group->addr;
	struct route route = {.link = group->link, .source = local_source(group->link), .mtu = group->link->mtu};
	struct icmp_header header = {.type = !old                     ? MLD2_REPORT
					     : record == RECORD_LEAVE ? MLD1_DONE
								      : MLD1_REPORT,
				     .rest = old ? 0 : net32(1)};
	struct ip_meta meta = {.protocol = 0, .hops = 1};
	struct buf *buf = buf_new();

	if (!buf)
		return;
	memcpy(v2.group, group->addr.bytes, sizeof v2.group);
	if (old)
		memcpy(buf_push(buf, sizeof group->addr), &group->addr, sizeof group->addr);
	else
		memcpy(buf_push(buf, sizeof v2), &v2, sizeof v2);
	icmp_push(&route.source, &target, header, buf);
	memcpy(buf_push(buf, sizeof alert), alert, sizeof alert);
	ip_push(&route, &target, &meta, NULL, buf);
	buf->judged = true;
	link_send(group->link, &target, buf);
}

static void report(const struct group *group, enum record record)
{
	bool v4 = net_addr_is_v4(&group->addr), old = group->link->old_querier_until_ns[!v4] > clock_now_ns();

	if (group->link->kind == LINK_ETHER && policy_group(&group->addr))
		(v4 ? report4 : report6)(group, record, old);
}

static void free_group(struct group *group)
{
	net_timer_disarm(&group->timer);
	list_remove(&group->node);
	groups->count--;
	slab_free(&group_slab, group);
}

static void arm(struct group *group, uint32_t within_ms)
{
	net_timer_arm(&group->timer, clock_now_ns() + net_random() % within_ms * NS_PER_MS);
}

static void tell_change(struct group *group)
{
	report(group, group->users ? RECORD_JOIN : RECORD_LEAVE);
	group->to_tell--;
	if (group->to_tell)
		arm(group, REPORT_MS);
	else if (!group->users)
		free_group(group);
}

static void time_passed(struct net_timer *timer)
{
	struct group *group = container_of(timer, struct group, timer);

	if (group->to_tell)
		tell_change(group);
	else
		report(group, RECORD_IS);
}

int group_init(void)
{
	groups = arena_alloc(sizeof *groups);
	if (!groups)
		return -ENOMEM;
	list_init(&groups->all);
	net_timer_register(NET_TIMER_GROUP, time_passed);
	return 0;
}

static void changed(struct group *group)
{
	group->to_tell = REPORT_TIMES;
	net_timer_disarm(&group->timer);
	if (group->link->kind == LINK_ETHER) {
		tell_change(group);
	} else {
		group->to_tell = 0;
		if (!group->users)
			free_group(group);
	}
}

/* ------------------------------------------------------------------------------------------------ queries */

/* about: one group, or any for all. Answers are spread over the time that the router gives, so that not everybody
 * answers at once. */
static void queried(struct link *link, const struct net_addr *about, uint32_t response_ms)
{
	uint32_t within_ms = MIN(MAX(response_ms, 1u), RESPONSE_MS_MOST);
	struct group *group;

	list_for_each (group, &groups->all, node) {
		bool meant = net_addr_is_any(about) ? net_addr_is_v4(&group->addr) == net_addr_is_v4(about)
						    : net_addr_equal(&group->addr, about);
		if (group->link == link && group->users && meant && !group->timer.armed)
			arm(group, within_ms);
	}
}

/* The floating point form of RFC 3376 section 4.1.1 and RFC 3810 section 5.1.3, with so many bits of mantissa. */
static uint32_t code_value(uint32_t code, unsigned mantissa_bits)
{
	uint32_t exponent_bits = 3, top = 1u << (mantissa_bits + exponent_bits);

	if (code < top)
		return code;
	uint32_t mantissa = code & ((1u << mantissa_bits) - 1), exponent = code >> mantissa_bits & 7;
	return (mantissa | 1u << mantissa_bits) << (exponent + 3);
}

void group_igmp_input(struct buf *buf)
{
	struct {
		uint8_t type, code;
		uint16_t checksum;
		uint32_t group;
	} query;
	uint32_t size = buf_size(buf);
	bool good = buf->link->kind == LINK_ETHER && buf->hops == 1 && !sum_fold(sum_buf(0, buf)) &&
		    buf_pull(buf, &query, sizeof query) && query.type == IGMP_QUERY;

	if (good) {
		struct net_addr about = net_addr_v4(net32(query.group));
		bool old = size == IGMP2_BYTES;
		if (old)
			buf->link->old_querier_until_ns[0] = clock_now_ns() + OLD_QUERIER_NS;
		/* Tenths of a second; of version 1, which has no such field, ten seconds. */
		queried(buf->link, &about, 100 * (!query.code ? 100 : old ? query.code : code_value(query.code, 4)));
	}
	buf_free(buf);
}

void group_mld_query(struct buf *buf, uint16_t response_ms)
{
	uint32_t size = buf_size(buf) + (uint32_t)sizeof(struct icmp_header);
	struct net_addr about;

	if (buf->link->kind == LINK_ETHER && buf->hops == 1 && net_addr_is_link_local(&buf->source) &&
	    buf_pull(buf, &about, sizeof about) && !net_addr_is_v4(&about)) {
		bool old = size == MLD1_BYTES;
		if (old)
			buf->link->old_querier_until_ns[1] = clock_now_ns() + OLD_QUERIER_NS;
		queried(buf->link, &about, old ? response_ms : code_value(response_ms, 12));
	}
	buf_free(buf);
}

/* ------------------------------------------------------------------------------------------------ sockets */

static int join(struct inet_sock *sock, struct link *link, const struct net_addr *addr)
{
	struct membership *item, *new;
	unsigned count = 0;

	if (!link)
		return -ENODEV;
	if (membership_find(sock, link, addr))
		return -EADDRINUSE;
	list_for_each (item, &sock->groups, node)
		count++;
	struct group *group = group_find(link, addr);
	if (count >= GROUP_SOCKET_LIMIT || (!group && groups->count >= GROUP_LIMIT) ||
	    !(new = slab_new(&membership_slab)))
		return -ENOBUFS;
	if (!group && !(group = slab_new(&group_slab))) {
		slab_free(&membership_slab, new);
		return -ENOBUFS;
	}
	if (!group->link) {
		group->link = link;
		group->addr = *addr;
		net_timer_setup(&group->timer, NET_TIMER_GROUP);
		list_push_back(&groups->all, &group->node);
		groups->count++;
	}
	new->group = group;
	list_push_back(&sock->groups, &new->node);
	if (!group->users++)
		changed(group);
	return 0;
}

static void leave(struct membership *item)
{
	struct group *group = item->group;

	list_remove(&item->node);
	slab_free(&membership_slab, item);
	if (!--group->users)
		changed(group);
}

void group_leave_all(struct inet_sock *sock)
{
	while (!list_empty(&sock->groups))
		leave(list_first(&sock->groups, struct membership, node));
}

/* The link that is meant: by number, by an address of its own, or by the route to the group. */
static struct link *link_meant(uint32_t index, const struct net_addr *own, const struct net_addr *group)
{
	struct route_wish wish = {.source = net_addr_any(!net_addr_is_v4(group)), .target = *group};
	struct route route;

	if (index)
		return link_by_index(index);
	if (own && !net_addr_is_any(own))
		return link_by_address(own);
	return route_find(&wish, &route) ? NULL : route.link;
}

static int change(struct inet_sock *sock, bool joins, struct link *link, const struct net_addr *group)
{
	if (!net_addr_is_multicast(group))
		return -EINVAL;
	if (joins)
		return join(sock, link, group);
	struct membership *item = link ? membership_find(sock, link, group) : NULL;
	if (!item)
		return link ? -EADDRNOTAVAIL : -ENODEV;
	leave(item);
	return 0;
}

/* struct ip_mreq, or ip_mreqn. */
static int change4(struct inet_sock *sock, bool joins, const void *value, uint32_t size)
{
	struct ip_mreqn wanted = {0};

	if (sock->base.type == ABI_SOCK_STREAM)
		return -EPROTO;
	if (size < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(&wanted, value, MIN(size, (uint32_t)sizeof wanted));
	struct net_addr group = net_addr_v4(net32(wanted.imr_multiaddr.s_addr));
	struct net_addr own = net_addr_v4(net32(wanted.imr_address.s_addr));
	return change(sock, joins, link_meant((uint32_t)wanted.imr_ifindex, &own, &group), &group);
}

static int change6(struct inet_sock *sock, bool joins, const void *value, uint32_t size)
{
	struct ipv6_mreq wanted;
	struct net_addr group;

	if (sock->base.type == ABI_SOCK_STREAM)
		return -EPROTO;
	if (size < sizeof wanted)
		return -EINVAL;
	memcpy(&wanted, value, sizeof wanted);
	memcpy(&group, &wanted.ipv6mr_multiaddr, sizeof group);
	if (net_addr_is_v4(&group))
		return -EINVAL;
	return change(sock, joins, link_meant(wanted.ipv6mr_interface, NULL, &group), &group);
}

/* RFC 3678 section 5.1: either family in a struct sockaddr_storage. */
static int change_any(struct inet_sock *sock, bool joins, int level, const void *value, uint32_t size)
{
	struct group_req wanted;
	struct net_addr group;

	if (size < sizeof wanted)
		return -EINVAL;
	memcpy(&wanted, value, sizeof wanted);
	if (wanted.gr_group.ss_family != (level == IPPROTO_IP ? AF_INET : AF_INET6))
		return level == IPPROTO_IP ? -EINVAL : -EADDRNOTAVAIL;
	if (level == IPPROTO_IP)
		group = net_addr_v4(
			net32(((const struct sockaddr_in *)(const void *)&wanted.gr_group)->sin_addr.s_addr));
	else
		memcpy(&group, &((const struct sockaddr_in6 *)(const void *)&wanted.gr_group)->sin6_addr, sizeof group);
	return change(sock, joins, link_meant(wanted.gr_interface, NULL, &group), &group);
}

int group_option_set(struct inet_sock *sock, int level, int option, const void *value, uint32_t size)
{
	if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !inet_is_v6(sock)))
		return -ENOPROTOOPT;
	if (option == MCAST_JOIN_GROUP || option == MCAST_LEAVE_GROUP)
		return change_any(sock, option == MCAST_JOIN_GROUP, level, value, size);
	if (level == IPPROTO_IP && (option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP))
		return change4(sock, option == IP_ADD_MEMBERSHIP, value, size);
	if (level == IPPROTO_IPV6 && (option == IPV6_JOIN_GROUP || option == IPV6_LEAVE_GROUP))
		return change6(sock, option == IPV6_JOIN_GROUP, value, size);
	return -ENOPROTOOPT;
}

/* ------------------------------------------------------------------------------------------------ /proc/net */

static void show_group4(struct text *out, const struct net_addr *addr, uint32_t users)
{
	text_printf(out, "\t\t\t\t%08X %5u 0:00000000\t\t0\n", addr->words[3], users);
}

void group_show4(struct text *out)
{
	struct net_addr everybody = net_addr_v4(INADDR_ALLHOSTS_GROUP);
	struct group *item;

	text_add_string(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	for (const struct link *link = NULL; (link = link_next(link));) {
		unsigned count = 1;
		list_for_each (item, &groups->all, node)
			count += item->link == link && item->users && net_addr_is_v4(&item->addr);
		text_printf(out, "%u\t%-10s: %5u %7s\n", link->index, link->name, count,
			    link->old_querier_until_ns[0] > clock_now_ns() ? "V2" : "V3");
		list_for_each (item, &groups->all, node)
			if (item->link == link && item->users && net_addr_is_v4(&item->addr))
				show_group4(out, &item->addr, item->users);
		show_group4(out, &everybody, 1);
	}
}

/* flags, as Linux has them: 8 who is never reported, 4 who is in use. */
static void show_group6(struct text *out, const struct link *link, const struct net_addr *addr, uint32_t users,
			unsigned flags)
{
	text_printf(out, "%-4u %-15s ", link->index, link->name);
	for (unsigned byte = 0; byte < sizeof addr->bytes; byte++)
		text_printf(out, "%02x", addr->bytes[byte]);
	text_printf(out, " %5u %08X 0\n", users, flags);
}

void group_show6(struct text *out)
{
	struct group *item;

	for (const struct link *link = NULL; (link = link_next(link));) {
		list_for_each (item, &groups->all, node)
			if (item->link == link && item->users && !net_addr_is_v4(&item->addr))
				show_group6(out, link, &item->addr, item->users, 4);
		const struct link_address *own = NULL;
		while (link->kind == LINK_ETHER && (own = link_address_next(link, own))) {
			struct net_addr asked = ndp_group(&own->addr);
			if (!net_addr_is_v4(&own->addr))
				show_group6(out, link, &asked, 1, 4);
		}
		show_group6(out, link, &everybody6[0], 1, 12);
		show_group6(out, link, &everybody6[1], 1, 8);
	}
}
