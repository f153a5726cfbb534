/* ether.h - Ethernet frames (IEEE 802.3, RFC 894, RFC 2464) and who is behind which hardware address. */
#ifndef NETSTACK_ETHER_H
#define NETSTACK_ETHER_H

#include "netstack/link.h"

#define ETHER_HEADER_BYTES 14u
#define ETHER_TYPE_IP4     0x0800
#define ETHER_TYPE_ARP     0x0806
#define ETHER_TYPE_IP6     0x86dd

struct ether_header {
	uint8_t target[LINK_HARDWARE_BYTES], source[LINK_HARDWARE_BYTES];
	uint16_t type;
};
_Static_assert(sizeof(struct ether_header) == ETHER_HEADER_BYTES, "IEEE 802.3 section 3.1");

extern const uint8_t ether_broadcast[LINK_HARDWARE_BYTES];

/* A packet for a neighbour of the link: groups and broadcasts go at once, others once the neighbour's hardware address
 * is known. Takes buf. */
void ether_output(struct link *link, const struct net_addr *to, struct buf *buf);
/* One frame. Takes buf. */
void ether_send(struct link *link, const uint8_t target[LINK_HARDWARE_BYTES], uint16_t type, struct buf *buf);
/* A frame that has arrived. Takes it. */
void ether_input(struct buf *frame);

#endif
