/* ndp.h - neighbour discovery for IPv6 (RFC 4861). */
#ifndef NETSTACK_NDP_H
#define NETSTACK_NDP_H

#include "netstack/link.h"

#define NDP_FIRST 133 /* the ICMPv6 types of discovery: router solicitation to redirect */
#define NDP_LAST  137

/* Asks who has the address: its group, or the one neighbour whose hardware address is given. */
void ndp_solicit(struct link *link, const struct net_addr *addr, const uint8_t hardware[LINK_HARDWARE_BYTES]);
/* Asks whether somebody else has it, as one who has no address yet (RFC 4862 section 5.4.2). */
void ndp_probe(struct link *link, const struct net_addr *addr);
/* Tells everybody whose address it is now (RFC 4861 section 7.2.6). */
void ndp_announce(struct link *link, const struct net_addr *addr);
/* Asks routers to tell of themselves; source: good on the link only. */
void ndp_ask_routers(struct link *link, const struct net_addr *source);
/* A message of type NDP_FIRST to NDP_LAST, checksum right, type and code taken off with the ICMPv6 header; rest: the
 * header's last word. Takes buf. */
void ndp_input(uint8_t type, uint8_t code, uint32_t rest, struct buf *buf);
/* The group that the owner of an address listens to (RFC 4291 section 2.7.1). */
struct net_addr ndp_group(const struct net_addr *addr);

#endif
