/* link.h - what the network layer sends packets through: the loopback, and Ethernet links to the outside.
 *
 * A packet that is sent belongs to the link. Links never park and never call up: what comes in waits in the link's
 * queue until net_run takes it (net.h), so the depth of the stack does not grow with the number of packets. Links are
 * made at start and are there for ever. Addresses may come and go.
 */
#ifndef NETSTACK_LINK_H
#define NETSTACK_LINK_H

#include "netstack/buf.h"

enum link_kind { LINK_LOOPBACK, LINK_ETHER, LINK_KINDS };

#define LINK_NAME_BYTES     16 /* IFNAMSIZ */
#define LINK_HARDWARE_BYTES 6

enum link_address_state {
	ADDRESS_VALID,
	ADDRESS_UNTRIED,   /* in use, and others are still to be asked whether they have it, or to be told */
	ADDRESS_TRIED,     /* in use, and others have been asked (RFC 4429) */
	ADDRESS_DUPLICATE, /* somebody else has it: it is not ours */
};

struct link_address {
	struct list node;
	struct net_addr addr;
	uint8_t prefix; /* bits of the address's own family */
	enum link_address_state state;
	bool advertised;                                             /* made from what a router has told */
	uint64_t tried_until_ns, preferred_until_ns, valid_until_ns; /* CLOCK_MONOTONIC; DEADLINE_NONE: for ever */
};

struct autoconf;

struct link {
	struct list node; /* of all links, by index */
	enum link_kind kind;
	char name[LINK_NAME_BYTES];
	uint32_t index; /* as if_nametoindex(3) */
	uint32_t mtu;   /* bytes of a packet with its IP header */
	uint32_t mtu6;  /* the same for IPv6, where a router has said less; 0: none has */
	uint8_t hardware[LINK_HARDWARE_BYTES];
	bool up;
	bool sums;          /* packets need their transport's checksum */
	bool offload;       /* whoever takes the frames cuts those with buf->segment (gso.h) */
	uint32_t gso_bytes; /* an IP packet of TCP may be so large, to be cut into segments; 0: never above mtu */
	uint64_t old_querier_until_ns[2]; /* IPv4, IPv6: a router asks in the older version (group.c) */
	uint32_t port;                    /* of an Ethernet link: where its frames go (uplink.h) */
	struct list addresses;            /* struct link_address, in the order they were given */
	struct autoconf *autoconf;        /* NULL: its addresses need no trial, and there are no others (autoconf.h) */
	uint32_t address_count;
	struct list input; /* struct buf: arrived, not yet looked at */
	uint32_t input_count;
	struct {
		uint64_t packets, bytes, dropped;
	} sent, received;
};

#define LOOPBACK_MTU     65536u
#define LINK_INPUT_LIMIT 4096u /* packets that wait in a link's queue; more are dropped, as a full ring does */

/* Makes the loopback; once at start. -ENOMEM. */
must_check int link_init(void);
struct link *link_loopback(void);
/* An Ethernet link without addresses; port: see uplink.h. -ENOMEM, -EEXIST. */
must_check int link_ether_new(const char *name, const uint8_t hardware[LINK_HARDWARE_BYTES], uint32_t mtu,
			      uint32_t port, struct link **out);
/* -ENOMEM, -EEXIST. */
must_check int link_address_add(struct link *link, const struct net_addr *addr, uint8_t prefix);
/* The item is one of the link's. */
void link_address_remove(struct link *link, const struct link_address *item);
/* Is another address of its network older (IFA_F_SECONDARY)? Only of IPv4. */
bool link_address_is_secondary(const struct link *link, const struct link_address *item);
/* Whatever its state. Borrowed; NULL: the link has no such address. */
struct link_address *link_address_find(const struct link *link, const struct net_addr *addr);
/* Links by index, NULL first; NULL behind the last. Borrowed. */
struct link *link_next(const struct link *link);
/* Borrowed; NULL: none. */
struct link *link_by_index(uint32_t index);
/* As by SIOCGIFINDEX. Borrowed; NULL: none. */
struct link *link_by_name(const char *name);
/* The one whose own address it is. Borrowed; NULL: none. */
struct link *link_by_address(const struct net_addr *addr);
/* Is it one of the link's own addresses, and nobody else's? */
bool link_has_address(const struct link *link, const struct net_addr *addr);
/* Addresses of a link, NULL first; NULL behind the last. Borrowed. */
const struct link_address *link_address_next(const struct link *link, const struct link_address *item);
/* Is it within addr's network of prefix bits? */
bool link_prefix_holds(const struct net_addr *net, uint8_t prefix, const struct net_addr *addr);

/* Takes buf, a packet with its IP header; to: the neighbour that it goes to first (a gateway, or its target). */
void link_send(struct link *link, const struct net_addr *to, struct buf *buf);
/* Puts a packet (of an Ethernet link: a frame) into the link's queue, as if it had just arrived. Takes buf. */
void link_deliver(struct link *link, struct buf *buf);
/* A packet for the loopback that a program has made: as link_send, but its checksums are still to be looked at. */
void link_inject(struct link *link, struct buf *buf);
/* Who looks at every packet (of an Ethernet link: frame) that comes in or leaves, without changing it; NULL: nobody. */
void link_tap_set(void (*tap)(struct link *link, const struct buf *buf, bool outgoing));
/* For tests: what a bad wire does to packets and frames. It may change buf, or keep it and deliver it later; false: it
 * has taken buf. NULL: a good wire. */
typedef bool link_wire(struct link *link, struct buf *buf);
void link_wire_set(link_wire *wire);
/* The oldest that has arrived at a link, or NULL. Gives. */
struct buf *link_receive(struct link *link);

/* The lowest way out of an Ethernet link: takes a whole frame. For ether.c. */
void link_transmit(struct link *link, struct buf *frame);

#endif
