/* neighbour.h - who is reached through which hardware address (RFC 4861 section 7.3, which Linux follows for IPv4 too).
 */
#ifndef NETSTACK_NEIGHBOUR_H
#define NETSTACK_NEIGHBOUR_H

#include "netstack/link.h"
#include "netstack/net.h"

enum neighbour_state {
	NEIGHBOUR_INCOMPLETE, /* asked for; packets wait */
	NEIGHBOUR_REACHABLE,  /* answered lately */
	NEIGHBOUR_STALE,      /* known, and not proven for a while */
	NEIGHBOUR_DELAY,      /* used while stale: soon to be asked */
	NEIGHBOUR_PROBE,      /* being asked again, by itself */
};

struct neighbour {
	struct list node;   /* of its bucket */
	struct list by_age; /* the one unused for longest first */
	struct link *link;
	struct net_addr addr;
	uint8_t hardware[LINK_HARDWARE_BYTES]; /* not of an incomplete one */
	enum neighbour_state state;
	uint32_t asked;      /* times since the last answer */
	struct list waiting; /* struct buf */
	uint32_t waiting_count;
	struct net_timer timer;
};

/* Once at start. -ENOMEM. */
must_check int neighbour_init(void);
/* Sends a packet to a neighbour, now or when it has answered; when it never does, the senders of what waits are told
 * EHOSTUNREACH. Takes buf. */
void neighbour_output(struct link *link, const struct net_addr *to, struct buf *buf);

/* Somebody has said that addr is behind this hardware address; answered: to us, as if we had asked. */
void neighbour_heard(struct link *link, const struct net_addr *addr, const uint8_t hardware[LINK_HARDWARE_BYTES],
		     bool answered);
/* All of them, NULL first; NULL behind the last. Borrowed. */
const struct neighbour *neighbour_next(const struct neighbour *neighbour);

#endif
