/* fragment.h - packets that are larger than a link: cut on the way out, put together on the way in (RFC 791
 * section 3.2, RFC 8200 section 4.5, RFC 815).
 */
#ifndef NETSTACK_FRAGMENT_H
#define NETSTACK_FRAGMENT_H

#include "netstack/ip.h"

/* Once at start. -ENOMEM. */
must_check int fragment_init(void);

/* Sends a packet, its transport header on, in pieces that fit the route. Takes buf. -ENOBUFS. */
int fragment_output(const struct route *route, const struct net_addr *target, const struct ip_meta *meta,
		    struct buf *buf);

/* Where a fragment belongs. */
struct fragment {
	uint32_t id;
	uint32_t offset; /* bytes of the packet before it */
	bool more;
	uint8_t header_bytes; /* of the network header in whole, before the fragment header */
};
/* One piece, headers taken off and told in buf's fields and whole. Takes buf; gives the packet when it was the last
 * missing piece, headers taken off and whole marked as if it had come so; NULL otherwise. */
must_check struct buf *fragment_input(struct buf *buf, const struct fragment *fragment);

#endif
