/* mirror.h - an Ethernet link whose other end is ourselves in a mirror.
 *
 * One stack cannot be two hosts. But when every frame that it sends to its neighbour comes back with source and target
 * exchanged, at each layer, it looks as if the neighbour had sent it: MIRROR_NEAR is our address, MIRROR_FAR the
 * neighbour's, and a connection to MIRROR_FAR arrives as one from MIRROR_FAR. Checksums do not notice, because addition
 * commutes. So ARP, NDP, fragments and path MTUs are exercised with both ends in one process and one virtual time.
 */
#ifndef TESTS_WIRE_MIRROR_H
#define TESTS_WIRE_MIRROR_H

#include "netstack/link.h"

#define MIRROR_NEAR4 0x0a000001u
#define MIRROR_FAR4  0x0a000002u
struct net_addr mirror_addr(bool v6, bool far);

/* Makes the link, with both families' addresses. NULL: no memory. */
struct link *mirror_new(uint32_t mtu);
/* A frame as it comes back. It is changed in place; the payload of reports is made its own. */
void mirror_turn(struct buf *frame);
/* Is it an IP packet of more than mtu bytes that must not be cut? Then the report that a router would send; it takes
 * the frame. NULL: it fits, and nothing happens to the frame. */
struct buf *mirror_too_big(struct buf *frame, uint32_t mtu);
/* Which bytes a wire may break so that a receiver must notice: those under a checksum of this frame alone. (Two flips
 * in two fragments of one datagram may cancel each other in its checksum.) false: none. */
bool mirror_breakable(const struct buf *frame, uint32_t *from, uint32_t *to);

#endif
