/* link.h - what the network layer sends packets through: today the loopback; links to the outside come beside it.
 *
 * A packet that is sent belongs to the link. Links never park and never call up: what comes in waits in the link's
 * queue until net_run takes it (net.h), so the depth of the stack does not grow with the number of packets.
 */
#ifndef NETSTACK_LINK_H
#define NETSTACK_LINK_H

#include "netstack/buf.h"

enum link_kind { LINK_LOOPBACK, LINK_KINDS };

#define LINK_NAME_BYTES 16 /* IFNAMSIZ */

struct link {
	enum link_kind kind;
	char name[LINK_NAME_BYTES];
	uint32_t index; /* as if_nametoindex(3) */
	uint32_t mtu;   /* bytes of a packet with its IP header */
	bool up;
	bool sums;         /* packets need their transport's checksum */
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
/* Takes buf. */
void link_send(struct link *link, struct buf *buf);
/* Puts a packet into the link's queue, as if it had just arrived. Takes buf. */
void link_deliver(struct link *link, struct buf *buf);
/* For tests: what a bad wire does to packets. It may change buf, or keep it and deliver it later; false: it has taken
 * buf. NULL: a good wire. */
typedef bool link_wire(struct link *link, struct buf *buf);
void link_wire_set(link_wire *wire);
/* The oldest packet that has arrived, or NULL. Gives. */
struct buf *link_receive(struct link *link);

#endif
