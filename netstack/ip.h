/* ip.h - the network layer: IPv4 (RFC 791, RFC 1122) and IPv6 (RFC 8200), in and out. */
#ifndef NETSTACK_IP_H
#define NETSTACK_IP_H

#include "netstack/route.h"

#define IP_PROTOCOL_ICMP    1
#define IP_PROTOCOL_IGMP    2
#define IP_PROTOCOL_TCP     6
#define IP_PROTOCOL_UDP     17
#define IP_PROTOCOL_ICMPV6  58
#define IP_PROTOCOL_UDPLITE 136
#define IP_DEFAULT_HOPS     64 /* RFC 1700, net.ipv4.ip_default_ttl */
#define ECN_MASK            3  /* of the traffic class (RFC 3168 section 5) */
#define ECN_CAPABLE         2
#define ECN_EXPERIENCED     3
#define IP4_HEADER_BYTES    20u
#define IP6_HEADER_BYTES    40u
#define IP_PACKET_LIMIT     65535u /* of IPv4, all in all */

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

/* Behind the IPv6 header when a packet has been cut. */
struct ip6_fragment {
	uint8_t protocol, reserved;
	uint16_t offset; /* in bytes, with the flag IP6_MORE_FRAGMENTS */
	uint32_t id;
};
_Static_assert(sizeof(struct ip6_fragment) == 8, "RFC 8200 section 4.5");
#define IP6_MORE_FRAGMENTS 1
#define IP6_FRAGMENT_MASK  0xfff8

struct ip_meta {
	uint8_t protocol, hops, traffic_class;
	bool dont_fragment;
	bool raw; /* made by a program: a raw socket's (policy.h) */
};
/* Takes buf, which has its transport header, and cuts it where it does not fit the path. -EMSGSIZE when it must not be
 * cut, or is larger than any packet; -EACCES and others of policy_leaves. */
int ip_output(const struct route *route, const struct net_addr *target, const struct ip_meta *meta, struct buf *buf);
/* Which part of a packet that was cut; offset in bytes. */
struct ip_piece {
	uint32_t id, offset;
	bool more;
};
/* Puts the network header on; piece: NULL for a whole packet. For fragment.c. */
void ip_push(const struct route *route, const struct net_addr *target, const struct ip_meta *meta,
	     const struct ip_piece *piece, struct buf *buf);
/* For a packet that may be cut: another one than those of the last thousands, so that pieces of two never meet, and not
 * easily guessed (RFC 7739 section 5.3). */
uint32_t ip_identification(void);
/* A packet from a link. Takes it. */
void ip_input(struct buf *buf);

#endif
