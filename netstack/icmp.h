/* icmp.h - control messages: ICMP (RFC 792, RFC 1122 section 3.2.2) and ICMPv6 (RFC 4443). */
#ifndef NETSTACK_ICMP_H
#define NETSTACK_ICMP_H

#include "netstack/ip.h"

enum icmp_reason { ICMP_PROTOCOL_UNREACHABLE, ICMP_PORT_UNREACHABLE };

/* An ICMP or ICMPv6 packet, its IP header taken off. Takes it. */
void icmp_input(struct buf *buf);
/* Tells the sender of a packet that nobody is here for it, unless one must not. Takes the packet. */
void icmp_unreachable(struct buf *buf, enum icmp_reason reason);

#endif
