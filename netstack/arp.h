/* arp.h - address resolution for IPv4 (RFC 826). */
#ifndef NETSTACK_ARP_H
#define NETSTACK_ARP_H

#include "netstack/link.h"

/* Asks who has the address: everybody, or the one neighbour whose hardware address is given (RFC 1122 section 2.3.2.1).
 */
void arp_request(struct link *link, const struct net_addr *addr, const uint8_t hardware[LINK_HARDWARE_BYTES]);
/* Tells everybody whose address it is now: who knew another hardware address for it takes ours (RFC 5227 section 2.3).
 */
void arp_announce(struct link *link, const struct net_addr *addr);
/* An ARP packet, its Ethernet header taken off. Takes it. */
void arp_input(struct buf *buf);

#endif
