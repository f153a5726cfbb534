/* inet_netlink_change.c - addresses, routes and state of the loopback changed over netlink; who has joined the groups
 * hears of it. In a network of its own. */
#include "network.h"
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static int asker, listener;
static uint32_t sequence = 100;

struct request {
	struct nlmsghdr header;
	char body[256];
};

static void attribute(struct request *r, uint16_t type, const void *data, size_t size)
{
	struct rtattr *attr = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attr), data, size);
	r->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + RTA_SPACE(size));
}

static struct request begin(uint16_t type, int flags, const void *header, size_t size)
{
	struct request r = {.header = {(uint32_t)NLMSG_LENGTH(size), type,
				       (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), ++sequence, 0}};

	memcpy(r.body, header, size);
	return r;
}

/* Sends a request; its error. */
static int ask(struct request *r)
{
	char answer[1024];

	MUST(send(asker, r, r->header.nlmsg_len, 0));
	MUST(recv(asker, answer, sizeof answer, 0));
	struct nlmsghdr *header = (void *)answer;
	struct nlmsgerr *body = NLMSG_DATA(header);
	if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_seq != sequence)
		printf("an answer of type %u\n", header->nlmsg_type);
	return -body->error;
}

#define CHANGE(what, call)                                                                                             \
	do {                                                                                                           \
		int error = (call);                                                                                    \
		printf("%s: %s\n", what, error ? strerrorname_np(error) : "done");                                     \
		tell_news();                                                                                           \
	} while (0)

static void print_attribute(const char *name, uint8_t family, const struct rtattr *attr)
{
	char text[64];

	printf(" %s %s", name, inet_ntop(family, RTA_DATA(attr), text, sizeof text));
}

static void print_address(const struct nlmsghdr *header)
{
	const struct ifaddrmsg *info = NLMSG_DATA(header);
	long left = (long)header->nlmsg_len - (long)NLMSG_LENGTH(sizeof *info);

	printf("%s /%u flags %x scope %u index %u", header->nlmsg_type == RTM_NEWADDR ? "address" : "no address",
	       info->ifa_prefixlen, info->ifa_flags, info->ifa_scope, info->ifa_index);
	for (const struct rtattr *a = IFA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFA_ADDRESS)
			print_attribute("is", info->ifa_family, a);
		if (a->rta_type == IFA_LOCAL)
			print_attribute("local", info->ifa_family, a);
		if (a->rta_type == IFA_LABEL)
			printf(" label %s", (char *)RTA_DATA(a));
	}
}

static void print_route(const struct nlmsghdr *header)
{
	const struct rtmsg *info = NLMSG_DATA(header);
	long left = (long)header->nlmsg_len - (long)NLMSG_LENGTH(sizeof *info);

	printf("%s /%u table %u scope %u type %u", header->nlmsg_type == RTM_NEWROUTE ? "route" : "no route",
	       info->rtm_dst_len, info->rtm_table, info->rtm_scope, info->rtm_type);
	for (const struct rtattr *a = RTM_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_DST)
			print_attribute("to", info->rtm_family, a);
		if (a->rta_type == RTA_GATEWAY)
			print_attribute("via", info->rtm_family, a);
		if (a->rta_type == RTA_PREFSRC)
			print_attribute("from", info->rtm_family, a);
		if (a->rta_type == RTA_OIF)
			printf(" out %u", *(uint32_t *)RTA_DATA(a));
		if (a->rta_type == RTA_PRIORITY)
			printf(" metric %u", *(uint32_t *)RTA_DATA(a));
	}
}

/* What the listener has heard, but for routes of other tables than main, repeated words about the link, and addresses
 * that nobody may use yet. */
static void tell_news(void)
{
	static char bytes[32768];
	struct sockaddr_nl from;
	socklen_t length = sizeof from;
	int said = 0;
	ssize_t n;

	usleep(20000); /* IPv6 tells a moment later */
	while ((n = recvfrom(listener, bytes, sizeof bytes, MSG_DONTWAIT, (void *)&from, &length)) > 0) {
		struct nlmsghdr *header = (void *)bytes;
		const struct rtmsg *route = NLMSG_DATA(header);
		const struct ifaddrmsg *address = NLMSG_DATA(header);
		const struct ifinfomsg *link = NLMSG_DATA(header);
		if ((header->nlmsg_type == RTM_NEWROUTE || header->nlmsg_type == RTM_DELROUTE) &&
		    (route->rtm_table != RT_TABLE_MAIN || route->rtm_type != RTN_UNICAST))
			continue;
		if (header->nlmsg_type == RTM_NEWLINK && said++)
			continue;
		if (header->nlmsg_type == RTM_NEWADDR && address->ifa_flags & IFA_F_TENTATIVE)
			continue;
		printf("  heard in %x from %u: ", from.nl_groups, from.nl_pid);
		if (header->nlmsg_type == RTM_NEWLINK)
			printf("link %d %s", link->ifi_index, link->ifi_flags & IFF_UP ? "up" : "down");
		else if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR)
			print_address(header);
		else
			print_route(header);
		printf("\n");
		length = sizeof from;
	}
}

static int change_address(uint16_t type, int flags, uint8_t family, const char *text, uint8_t prefix, unsigned index)
{
	struct ifaddrmsg info = {.ifa_family = family, .ifa_prefixlen = prefix, .ifa_index = index};
	struct request r = begin(type, flags, &info, sizeof info);
	char bytes[16];

	if (text && inet_pton(family, text, bytes) == 1) {
		attribute(&r, IFA_LOCAL, bytes, family == AF_INET ? 4 : 16);
		attribute(&r, IFA_ADDRESS, bytes, family == AF_INET ? 4 : 16);
	}
	return ask(&r);
}

static int change_route(uint16_t type, int flags, uint8_t family, const char *to, uint8_t prefix, const char *via,
			uint32_t index)
{
	struct rtmsg info = {.rtm_family = family,
			     .rtm_dst_len = prefix,
			     .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = RTPROT_BOOT,
			     .rtm_scope = family == AF_INET && !via && type == RTM_NEWROUTE ? RT_SCOPE_LINK : 0,
			     .rtm_type = RTN_UNICAST};
	char bytes[16];

	if (type == RTM_DELROUTE)
		info.rtm_scope = RT_SCOPE_NOWHERE;
	struct request r = begin(type, flags, &info, sizeof info);
	if (to && inet_pton(family, to, bytes) == 1)
		attribute(&r, RTA_DST, bytes, family == AF_INET ? 4 : 16);
	if (via && inet_pton(family, via, bytes) == 1)
		attribute(&r, RTA_GATEWAY, bytes, family == AF_INET ? 4 : 16);
	if (index)
		attribute(&r, RTA_OIF, &index, sizeof index);
	return ask(&r);
}

static int change_link(uint16_t type, int index, unsigned change, unsigned flags, uint32_t mtu)
{
	struct ifinfomsg info = {.ifi_index = index, .ifi_change = change, .ifi_flags = flags};
	struct request r = begin(type, 0, &info, sizeof info);

	if (mtu)
		attribute(&r, IFLA_MTU, &mtu, sizeof mtu);
	return ask(&r);
}

/* Binds and connects a datagram socket: which address is it from? */
static void reach(int family, const char *text)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	char name[64];
	int fd = MUST(socket(family, SOCK_DGRAM, 0));
	socklen_t length = sizeof address;

	address.any.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		inet_pton(family, text, &address.v4.sin_addr), address.v4.sin_port = htons(9);
	else
		inet_pton(family, text, &address.v6.sin6_addr), address.v6.sin6_port = htons(9);
	int error = connect(fd, &address.any, length) ? errno : 0;
	MUST(getsockname(fd, &address.any, &length));
	inet_ntop(family, family == AF_INET ? (void *)&address.v4.sin_addr : &address.v6.sin6_addr, name, sizeof name);
	printf("  reach %s: %s from %s\n", text, error ? strerrorname_np(error) : "yes", name);
	close(fd);
}

static void addresses(void)
{
	CHANGE("add 10.1.0.1/24", change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, AF_INET, "10.1.0.1", 24, 1));
	CHANGE("add again", change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, AF_INET, "10.1.0.1", 24, 1));
	CHANGE("add 10.1.0.7/24", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET, "10.1.0.7", 24, 1));
	reach(AF_INET, "10.1.0.1");
	reach(AF_INET, "10.1.0.7");
	reach(AF_INET, "10.1.0.99");
	reach(AF_INET, "10.2.0.1");
	reach(AF_INET, "127.0.0.9");
	CHANGE("add fd00::1/64", change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, AF_INET6, "fd00::1", 64, 1));
	CHANGE("add it again", change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, AF_INET6, "fd00::1", 64, 1));
	CHANGE("add it with another length", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET6, "fd00::1", 65, 1));
	reach(AF_INET6, "fd00::1");
	CHANGE("add ff02::1", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET6, "ff02::1", 64, 1));
	CHANGE("add ::", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET6, "::", 64, 1));
	CHANGE("/33", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET, "10.3.0.1", 33, 1));
	CHANGE("no address", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET, NULL, 24, 1));
	CHANGE("no such link", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET, "10.3.0.1", 24, 77));
	CHANGE("remove 10.9.0.1", change_address(RTM_DELADDR, 0, AF_INET, "10.9.0.1", 24, 1));
	CHANGE("remove with another length", change_address(RTM_DELADDR, 0, AF_INET, "10.1.0.1", 25, 1));
	CHANGE("remove fd00::1", change_address(RTM_DELADDR, 0, AF_INET6, "fd00::1", 64, 1));
	CHANGE("remove fd00::1 again", change_address(RTM_DELADDR, 0, AF_INET6, "fd00::1", 64, 1));
	reach(AF_INET6, "fd00::1");
}

static void routes(void)
{
	int new = NLM_F_CREATE | NLM_F_EXCL;

	CHANGE("route 10.5.0.0/16", change_route(RTM_NEWROUTE, new, AF_INET, "10.5.0.0", 16, NULL, 1));
	CHANGE("again", change_route(RTM_NEWROUTE, new, AF_INET, "10.5.0.0", 16, NULL, 1));
	CHANGE("replace", change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, AF_INET, "10.5.0.0", 16, NULL, 1));
	CHANGE("host bits", change_route(RTM_NEWROUTE, new, AF_INET, "10.6.1.0", 16, NULL, 1));
	CHANGE("too long", change_route(RTM_NEWROUTE, new, AF_INET, "10.6.0.0", 33, NULL, 1));
	CHANGE("no link", change_route(RTM_NEWROUTE, new, AF_INET, "10.6.0.0", 16, NULL, 0));
	CHANGE("no such link", change_route(RTM_NEWROUTE, new, AF_INET, "10.6.0.0", 16, NULL, 77));
	CHANGE("via 10.5.0.1", change_route(RTM_NEWROUTE, new, AF_INET, "10.6.0.0", 16, "10.5.0.1", 0));
	CHANGE("via ourselves", change_route(RTM_NEWROUTE, new, AF_INET, "10.7.0.0", 16, "127.0.0.1", 0));
	CHANGE("via nowhere", change_route(RTM_NEWROUTE, new, AF_INET, "10.7.0.0", 16, "10.77.0.1", 0));
	CHANGE("not create", change_route(RTM_NEWROUTE, 0, AF_INET, "10.8.0.0", 16, NULL, 1));
	CHANGE("fd01::/64", change_route(RTM_NEWROUTE, new, AF_INET6, "fd01::", 64, NULL, 1));
	CHANGE("remove fd01::/64", change_route(RTM_DELROUTE, 0, AF_INET6, "fd01::", 64, NULL, 0));
	CHANGE("remove it again", change_route(RTM_DELROUTE, 0, AF_INET6, "fd01::", 64, NULL, 0));
	CHANGE("remove 10.6.0.0/16", change_route(RTM_DELROUTE, 0, AF_INET, "10.6.0.0", 16, NULL, 0));
	CHANGE("remove 10.6.0.0/16 again", change_route(RTM_DELROUTE, 0, AF_INET, "10.6.0.0", 16, NULL, 0));
}

static void links(void)
{
	CHANGE("down", change_link(RTM_NEWLINK, 1, IFF_UP, 0, 0));
	CHANGE("a route while down", change_route(RTM_NEWROUTE, NLM_F_CREATE, AF_INET, "10.5.0.0", 16, NULL, 1));
	CHANGE("up", change_link(RTM_SETLINK, 1, IFF_UP, IFF_UP, 0));
	reach(AF_INET, "127.0.0.1");
	reach(AF_INET, "10.1.0.7");
	reach(AF_INET6, "::1");
	CHANGE("the route is gone", change_route(RTM_DELROUTE, 0, AF_INET, "10.5.0.0", 16, NULL, 0));
	CHANGE("mtu", change_link(RTM_NEWLINK, 1, 0, 0, 9000));
	CHANGE("no such link", change_link(RTM_NEWLINK, 77, IFF_UP, IFF_UP, 0));
	CHANGE("remove 10.1.0.1 and what follows it", change_address(RTM_DELADDR, 0, AF_INET, "10.1.0.1", 24, 1));
	reach(AF_INET, "10.1.0.7");
}

static void rules(uint8_t family)
{
	struct fib_rule_hdr asked = {.family = family};
	struct request r = begin(RTM_GETRULE, NLM_F_DUMP, &asked, sizeof asked);
	static char answer[16384];

	MUST(send(asker, &r, r.header.nlmsg_len, 0));
	for (bool more = true; more;) {
		long left = MUST(recv(asker, answer, sizeof answer, 0));
		for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			const struct fib_rule_hdr *rule = NLMSG_DATA(h);
			if (h->nlmsg_type != RTM_NEWRULE) {
				more = false;
				break;
			}
			printf("rule: family %u table %u action %u flags %x, %u bytes\n", rule->family, rule->table,
			       rule->action, rule->flags, h->nlmsg_len);
		}
	}
}

int main(void)
{
	struct sockaddr_nl all = {.nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};

	network_of_ones_own();
	asker = MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	listener = MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	MUST(bind(listener, (void *)&all, sizeof all));
	MUST(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){RTNLGRP_IPV4_ROUTE}, sizeof(int)));
	MUST(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){RTNLGRP_IPV6_ROUTE}, sizeof(int)));
	SHOW(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){0}, sizeof(int)));
	SHOW(setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){999}, sizeof(int)));
	rules(AF_INET);
	rules(AF_INET6);
	addresses();
	routes();
	links();
	SHOW(setsockopt(listener, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &(int){RTNLGRP_IPV4_IFADDR}, sizeof(int)));
	CHANGE("add 10.1.0.1/32", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET, "10.1.0.1", 32, 1));
	MUST(seteuid(1000));
	CHANGE("not as a user", change_address(RTM_NEWADDR, NLM_F_CREATE, AF_INET, "10.1.0.2", 32, 1));
	return 0;
}
