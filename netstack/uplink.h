/* uplink.h - how frames of Ethernet links leave the sandbox and come in: through host files that were handed over at
 * start.
 */
#ifndef NETSTACK_UPLINK_H
#define NETSTACK_UPLINK_H

#include "netstack/link.h"

enum uplink_kind {
	UPLINK_FRAMES, /* one read or write is one frame */
	/* The same with a virtio-net header (struct virtio_net_hdr) before each frame: TAP, AF_PACKET. Frames may be
	 * larger than the link's MTU, and their checksums unfinished. */
	UPLINK_VNET_FRAMES,
	UPLINK_STREAM, /* frames one after the other on a stream, each with its length before it (passt(1)) */
};

/* A new port for link_ether_new. file: of hostfile.h, for reading and writing, not blocking; it stays the caller's.
 * Gives its number. -ENOMEM, also at UPLINK_LIMIT. */
must_check int uplink_new(enum uplink_kind kind, uint32_t file, uint32_t *out);
/* From now on the link's frames are read, whenever there are some. */
void uplink_start(struct link *link);
/* Takes a whole frame. */
void uplink_send(struct link *link, struct buf *frame);

#endif
