/* gso.h - large TCP packets that stand for many (generic segmentation offload).
 *
 * TCP makes one header for up to link->gso_bytes of payload and notes in buf->segment how much of it each real segment
 * shall carry. Such a packet goes through IP and Ethernet like any other; at the lowest place it is cut, here, or by
 * the host where the link has `offload` (a TAP device with virtio-net headers). Its TCP checksum field holds the folded
 * sum of the pseudo header for its whole size, not inverted: what virtio-net's VIRTIO_NET_HDR_F_NEEDS_CSUM wants.
 */
#ifndef NETSTACK_GSO_H
#define NETSTACK_GSO_H

#include "netstack/buf.h"

/* Takes the first segment off a frame with buf->segment and gives it, whole and with its checksum; the last one is the
 * frame itself, and *frame is NULL then. NULL: no memory, and nothing has happened. */
must_check struct buf *gso_next(struct buf **frame);

#endif
