/* icmp.h - control messages: ICMP (RFC 792, RFC 1122 section 3.2.2) and ICMPv6 (RFC 4443). */
#ifndef NETSTACK_ICMP_H
#define NETSTACK_ICMP_H

#include "netstack/ip.h"

enum icmp_reason { ICMP_PROTOCOL_UNREACHABLE, ICMP_PORT_UNREACHABLE, ICMP_REASSEMBLY_TIME, ICMP_REASONS };

struct icmp_header {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t rest;
};

/* An ICMP or ICMPv6 packet, its IP header taken off. Takes it. */
void icmp_input(struct buf *buf);
/* Tells the sender of a packet why it came to nothing, unless one must not. Takes the packet. */
void icmp_unreachable(struct buf *buf, enum icmp_reason reason);
/* A packet of our own, its network header on, that could not be sent: tells the socket that it came from. Takes it. */
void icmp_failed(struct buf *buf, int error);
/* Puts the header on a message, whose body is in buf, with its checksum. */
void icmp_push(const struct net_addr *source, const struct net_addr *target, struct icmp_header header,
	       struct buf *buf);
/* Sends a message, whose body is in buf, with its checksum. Takes buf. */
void icmp_send(const struct route *route, const struct net_addr *target, struct icmp_header header, uint8_t hops,
	       struct buf *buf);

#endif
