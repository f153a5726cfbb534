/* ip.h - the network layer: IPv4 (RFC 791, RFC 1122), IPv6 (RFC 8200), addresses of our own, routes. */
#ifndef NETSTACK_IP_H
#define NETSTACK_IP_H

#include "netstack/link.h"

#define IP_PROTOCOL_ICMP   1
#define IP_PROTOCOL_TCP    6
#define IP_PROTOCOL_UDP    17
#define IP_PROTOCOL_ICMPV6 58
#define IP_DEFAULT_HOPS    64 /* RFC 1700, net.ipv4.ip_default_ttl */
#define IP4_HEADER_BYTES   20u
#define IP6_HEADER_BYTES   40u
#define IP_PACKET_LIMIT    65535u /* of IPv4, all in all */

struct ip4_header {
	uint8_t version_length, traffic_class;
	uint16_t size, id, fragment;
	uint8_t hops, protocol;
	uint16_t checksum;
	uint32_t source, target;
};
_Static_assert(sizeof(struct ip4_header) == IP4_HEADER_BYTES, "RFC 791 section 3.1");
#define IP4_DONT_FRAGMENT  0x4000
#define IP4_MORE_FRAGMENTS 0x2000
#define IP4_FRAGMENT_MASK  0x1fff

struct ip6_header {
	uint32_t version_class_flow;
	uint16_t size;
	uint8_t protocol, hops;
	struct net_addr source, target;
};
_Static_assert(sizeof(struct ip6_header) == IP6_HEADER_BYTES, "RFC 8200 section 3");

/* Where packets to a target go, and which address of ours they come from. */
struct route {
	struct link *link;
	struct net_addr source;
	uint32_t mtu;
};

/* source: any, or the address that the caller is bound to. -ENETUNREACH; -EINVAL when the source is no address of ours.
 */
must_check int route_find(const struct net_addr *source, const struct net_addr *target, struct route *out);
/* Is it an address that packets to us may bear? */
bool ip_is_ours(const struct net_addr *addr);
/* May a socket be bound to it: any, one of ours, or a group. */
bool ip_is_bindable(const struct net_addr *addr);

struct ip_meta {
	uint8_t protocol, hops, traffic_class;
	bool dont_fragment;
};
/* Takes buf, which has its transport header. -EMSGSIZE when it does not fit the link. */
int ip_output(const struct route *route, const struct net_addr *target, const struct ip_meta *meta, struct buf *buf);
/* A packet from a link. Takes it. */
void ip_input(struct buf *buf);

#endif
