/* packet_ring.h - frames in memory that an AF_PACKET socket shares with the guest: PACKET_RX_RING, TPACKET_V2 (the
 * kernel's Documentation/networking/packet_mmap.rst), which libpcap needs.
 */
#ifndef NETSTACK_PACKET_RING_H
#define NETSTACK_PACKET_RING_H

#include "netstack/buf.h"
#include <linux/if_packet.h>

struct packet_ring {
	uint32_t host_file; /* of hostfile.h; valid while memory is */
	char *memory;       /* mapped here, too; NULL: there is no ring */
	size_t bytes;
	uint32_t block_bytes, frame_bytes, frames_a_block, frames, next; /* next: the frame to fill */
	uint32_t reserve;                                                /* PACKET_RESERVE */
};

/* What is told about a frame beside its bytes. */
struct packet_facts {
	struct sockaddr_ll from;
	uint32_t size; /* on the link */
	uint64_t stamp_ns;
};

/* frames 0: the ring goes. -EINVAL, -EBUSY, -ENOMEM. */
must_check int packet_ring_set(struct packet_ring *ring, const struct tpacket_req *wanted);
void packet_ring_fini(struct packet_ring *ring);
/* Copies a frame, its link header first (link_bytes of it), at most limit bytes. false: the guest has left no room. */
bool packet_ring_put(struct packet_ring *ring, const struct buf *buf, uint32_t link_bytes, uint32_t limit,
		     const struct packet_facts *facts);
/* Is there a frame that the guest has not given back? */
bool packet_ring_readable(const struct packet_ring *ring);

#endif
