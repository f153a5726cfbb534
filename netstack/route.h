/* route.h - where packets go: addresses of our own, routes by longest prefix (RFC 1812 section 5.2.4.3), path MTUs. */
#ifndef NETSTACK_ROUTE_H
#define NETSTACK_ROUTE_H

#include "netstack/link.h"

/* What the sender wishes. */
struct route_wish {
	struct net_addr source; /* any, or the address that the caller is bound to */
	struct net_addr target;
	uint32_t link; /* an index: this link only (SO_BINDTODEVICE, a scope, IP_MULTICAST_IF); 0: any */
};

/* Where packets to a target go, and which address of ours they come from. */
struct route {
	struct link *link;
	struct net_addr source;
	struct net_addr next; /* the neighbour that gets them: a gateway, or the target */
	uint32_t mtu;         /* of the whole path, as far as it is known */
};

/* -ENETUNREACH; -EINVAL when the source is no address of ours; -ENETDOWN. */
must_check int route_find(const struct route_wish *wish, struct route *out);

/* Is it an address that packets to us may bear: one of ours, not a group and no broadcast. */
bool route_is_ours(const struct net_addr *addr);
/* May a socket be bound to it: any, one of ours, a group, a broadcast. */
bool route_is_bindable(const struct net_addr *addr);
/* 255.255.255.255, or the broadcast address of one of the link's networks. */
bool route_is_broadcast(const struct link *link, const struct net_addr *addr);
/* The address of the link that a packet to target comes from (RFC 6724 as far as it matters: same family, same scope,
 * still preferred, the first given). NULL: it has none. Borrowed. */
const struct net_addr *route_source(const struct link *link, const struct net_addr *target);

/* An entry of the table of routes. The networks of links' addresses have theirs. */
struct route_entry {
	struct list node; /* longest prefix first, then the lower metric */
	struct net_addr net;
	uint8_t prefix;          /* bits of the family */
	bool connected;          /* made from an address of the link */
	bool advertised;         /* a router has told of itself */
	struct net_addr gateway; /* any: the target is on the link itself */
	struct net_addr source;  /* preferred; any: the link's */
	struct link *link;
	uint32_t metric;
};
/* Once at start. -ENOMEM. */
must_check int route_init(void);
/* Copies the entry. -ENOMEM, also at ROUTE_LIMIT; -EEXIST; -EINVAL: gateway or source of the other family. */
must_check int route_add(const struct route_entry *entry);
/* The one of the same network, link and metric. Borrowed; NULL: none. */
const struct route_entry *route_like(const struct route_entry *like);
/* The entry is one of the table's. */
void route_remove(const struct route_entry *entry);
/* Gives the link the address, with the route to its network. Errors of link_address_add and route_add. */
must_check int route_address_add(struct link *link, const struct net_addr *addr, uint8_t prefix);
/* The table in its order, NULL first; NULL behind the last. Borrowed. */
const struct route_entry *route_next(const struct route_entry *entry);

/* Somebody on the way to target could not pass on more than mtu bytes (RFC 1191, RFC 8201): remembered for
 * PATH_LIFE_NS, never below the least that each host must take. Returns the path's MTU now. */
uint32_t route_mtu_learn(const struct net_addr *target, uint32_t mtu);

#endif
