/* uplink.c - see uplink.h.
 *
 * Two fibers a port: one reads, as long as there is something, a burst at a time, and then waits for the host; the
 * other waits for room when a write would have had to wait. A frame that finds room is written at once by whoever sends
 * it.
 *
 * What comes from outside is as hostile as what comes from inside: lengths are checked here, everything else by
 * ether.c and above.
 *
 * Limits: UPLINK_LIMIT ports, UPLINK_QUEUE frames that wait for room (further ones are dropped, and TCP sends them
 * again); frames of at most FRAME_BYTES. A stream whose framing is broken is not read any more.
 */
#include "netstack/uplink.h"

#include "netstack/ether.h"
#include "netstack/ip.h"
#include "netstack/net.h"
#include "netstack/tcp.h"
#include "platform/hostio.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sys/uio.h>

#define FRAME_BYTES       (65536u + ETHER_HEADER_BYTES)
#define LENGTH_BYTES      4u /* before each frame of a stream, in network order */
#define VNET_HEADER_BYTES ((uint32_t)sizeof(struct virtio_net_hdr))
#define LARGE_BYTES       16384u /* a frame of so many keeps the block that it was read into */
#define BURST_FRAMES      64     /* read before they are looked at, and others may run */
#define BURST_BYTES       (256u << 10)
#define TCP_LENGTH_AT     12u
#define TCP_CHECKSUM_AT   16u

struct uplink {
	enum uplink_kind kind;
	uint32_t file;
	struct link *link;   /* NULL: not started */
	struct list waiting; /* struct buf: frames to send */
	uint32_t waiting_count;
	struct block *spare;        /* of frames: what the next one is read into; NULL: none yet */
	uint32_t in_bytes;          /* of a stream: read and not yet whole frames */
	uint32_t out_at, out_bytes; /* of a stream: a frame that has left in part */
	char in[LENGTH_BYTES + FRAME_BYTES], out[LENGTH_BYTES + FRAME_BYTES];
};

static struct uplinks {
	uint32_t count;
	struct uplink *port[UPLINK_LIMIT];
} * uplinks; /* in the arena */
static struct fiber *writers[UPLINK_LIMIT];

int uplink_new(enum uplink_kind kind, uint32_t file, uint32_t *out)
{
	if (!uplinks && !(uplinks = arena_alloc(sizeof *uplinks)))
		return -ENOMEM;
	struct uplink *port = uplinks->count < UPLINK_LIMIT ? arena_alloc(sizeof *port) : NULL;
	if (!port)
		return -ENOMEM;
	port->kind = kind;
	port->file = file;
	list_init(&port->waiting);
	*out = uplinks->count;
	uplinks->port[uplinks->count++] = port;
	return 0;
}

static struct uplink *port_of(const struct link *link)
{
	assert(uplinks && link->port < uplinks->count);
	return uplinks->port[link->port];
}

/* ------------------------------------------------------------------------------------------------ in */

static void deliver(struct uplink *port, struct block *block, const struct virtio_net_hdr *vnet)
{
	uint32_t offset = vnet ? VNET_HEADER_BYTES : 0;
	struct buf *frame = buf_new();

	if (!frame) {
		port->link->received.dropped++;
		return;
	}
	buf_attach(frame, block, offset, block->used - offset);
	/* The host's word, not the peer's: an unfinished checksum has never been on a wire. */
	frame->summed = vnet && vnet->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID);
	frame->segment = vnet && vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE ? vnet->gso_size : 0;
	link_deliver(port->link, frame);
}

/* What has been read into the spare block. A small frame moves to a block of its size: a queue of them would otherwise
 * hold far more memory than bytes. */
static void deliver_spare(struct uplink *port)
{
	struct block *block = port->spare;
	struct virtio_net_hdr header = {0};
	uint32_t offset = port->kind == UPLINK_VNET_FRAMES ? VNET_HEADER_BYTES : 0;
	bool whole = block->used > offset && block->used < block->capacity; /* a full block: the end may be missing */

	if (!whole) {
		port->link->received.dropped++;
		return;
	}
	memcpy(&header, block->data, offset);
	if (block->used >= LARGE_BYTES) {
		port->spare = NULL;
	} else {
		struct block *small = block_new(block->used);
		if (!small) {
			port->link->received.dropped++;
			return;
		}
		memcpy(small->data, block->data, block->used);
		small->used = block->used;
		block = small;
	}
	deliver(port, block, offset ? &header : NULL);
	block_put(block);
}

/* One frame. -EAGAIN: there is none. */
static int read_frame(struct uplink *port)
{
	char nothing[1];

	if (!port->spare)
		port->spare = block_new(BLOCK_LIMIT_BYTES);
	struct block *block = port->spare;
	/* Without memory the frame is lost, but the host's queue must move. */
	ssize_t n = hostio_try_read(port->file, block ? block->data : nothing, block ? block->capacity : sizeof nothing,
				    -1);
	if (n == -EINVAL) { /* a kind of large segment that virtio-net headers cannot tell (virtio_net_hdr_from_skb) */
		port->link->received.dropped++;
		return 0;
	}
	if (n <= 0)
		return n ? (int)n : -EPIPE;
	if (!block) {
		port->link->received.dropped++;
		return 0;
	}
	block->used = (uint32_t)n;
	deliver_spare(port);
	return 0;
}

/* The whole frames at the start of what has been read; -EPROTO: the stream makes no sense. */
static int split(struct uplink *port)
{
	uint32_t at = 0, length;

	while (port->in_bytes - at >= LENGTH_BYTES) {
		memcpy(&length, port->in + at, sizeof length);
		length = net32(length);
		if (length > FRAME_BYTES)
			return -EPROTO;
		if (port->in_bytes - at - LENGTH_BYTES < length)
			break;
		struct block *block = length ? block_new(length) : NULL;
		if (block) {
			memcpy(block->data, port->in + at + LENGTH_BYTES, length);
			block->used = length;
			deliver(port, block, NULL);
			block_put(block);
		} else {
			port->link->received.dropped++;
		}
		at += LENGTH_BYTES + length;
	}
	memmove(port->in, port->in + at, port->in_bytes - at);
	port->in_bytes -= at;
	return 0;
}

static int read_stream(struct uplink *port)
{
	ssize_t n = hostio_try_read(port->file, port->in + port->in_bytes, sizeof port->in - port->in_bytes, -1);

	if (n <= 0)
		return n ? (int)n : -EPIPE;
	port->in_bytes += (uint32_t)n;
	return split(port);
}

static void reader_main(void *argument)
{
	struct uplink *port = argument;

	for (;;) {
		uint64_t before = port->link->received.bytes;
		int error = 0;
		for (int i = 0; i < BURST_FRAMES && !error && port->link->received.bytes - before < BURST_BYTES; i++)
			error = port->kind == UPLINK_STREAM ? read_stream(port) : read_frame(port);
		clock_refresh();
		net_run();
		if (error == -EAGAIN)
			error = hostio_poll(port->file, POLLIN, DEADLINE_NONE);
		else if (!error)
			fiber_yield();
		if (error < 0 && error != -EINTR && error != -ENETDOWN) {
			log_error("the uplink of %s has ended (error %d): nothing comes in any more", port->link->name,
				  -error);
			port->link->up = false;
			return;
		}
	}
}

/* ------------------------------------------------------------------------------------------------ out */

/* What the host is to finish: a packet that stands for many segments (gso.h), with the checksum of each. */
static struct virtio_net_hdr vnet_header(const struct buf *frame)
{
	uint8_t head[ETHER_HEADER_BYTES + IP6_HEADER_BYTES + TCP_HEADER_BYTES];

	if (!frame->segment || buf_copy(frame, head, sizeof head) < sizeof head)
		return (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
	bool v4 = head[ETHER_HEADER_BYTES] >> 4 == 4;
	uint16_t start = (uint16_t)(ETHER_HEADER_BYTES + (v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES));
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = (uint16_t)(start + (head[start + TCP_LENGTH_AT] >> 4) * 4),
		.gso_size = frame->segment,
		.csum_start = start,
		.csum_offset = TCP_CHECKSUM_AT,
	};
}

/* One frame, whole or not at all. -EAGAIN: there is no room. */
static int write_frame(struct uplink *port, const struct buf *frame)
{
	struct virtio_net_hdr header = vnet_header(frame);
	struct iovec parts[] = {
		{&header, port->kind == UPLINK_VNET_FRAMES ? VNET_HEADER_BYTES : 0},
		{(void *)(frame->header + frame->header_at), BUF_HEADER_BYTES - frame->header_at},
		{frame->block ? frame->block->data + frame->offset : NULL, frame->size},
	};
	ssize_t n = hostio_try_send(port->file, parts, COUNT(parts));

	return n < 0 ? (int)n : 0;
}

/* The rest of the frame that has left in part. */
static int write_rest(struct uplink *port)
{
	while (port->out_at < port->out_bytes) {
		ssize_t n = hostio_try_write(port->file, port->out + port->out_at, port->out_bytes - port->out_at, -1);
		if (n <= 0)
			return n ? (int)n : -EAGAIN;
		port->out_at += (uint32_t)n;
	}
	return 0;
}

static int write_stream(struct uplink *port, const struct buf *frame)
{
	int error = write_rest(port);
	uint32_t length = net32(buf_size(frame));

	if (error)
		return error;
	memcpy(port->out, &length, sizeof length);
	port->out_at = 0;
	port->out_bytes = LENGTH_BYTES + buf_copy(frame, port->out + LENGTH_BYTES, FRAME_BYTES);
	error = write_rest(port);
	return error == -EAGAIN ? 0 : error; /* the frame is ours: the rest follows */
}

static int write_one(struct uplink *port, const struct buf *frame)
{
	return port->kind == UPLINK_STREAM ? write_stream(port, frame) : write_frame(port, frame);
}

static void writer_main(void *argument)
{
	struct uplink *port = argument;

	for (;;) {
		int error = write_rest(port);
		while (error != -EAGAIN && port->waiting_count) {
			struct buf *frame = list_first(&port->waiting, struct buf, node);
			error = write_one(port, frame);
			if (error == -EAGAIN)
				break;
			port->waiting_count--;
			buf_free(frame);
		}
		if (error == -EAGAIN)
			(void)!hostio_poll(port->file, POLLOUT, DEADLINE_NONE);
		else
			fiber_park();
	}
}

void uplink_send(struct link *link, struct buf *frame)
{
	struct uplink *port = port_of(link);
	int error = port->waiting_count || port->out_at < port->out_bytes ? -EAGAIN : write_one(port, frame);
	bool later = error == -EAGAIN && port->waiting_count < UPLINK_QUEUE;

	if (later) {
		list_push_back(&port->waiting, &frame->node);
		port->waiting_count++;
	} else {
		link->sent.dropped += !!error;
		buf_free(frame);
	}
	if (port->waiting_count || port->out_at < port->out_bytes)
		fiber_wake(writers[link->port]);
}

void uplink_start(struct link *link)
{
	struct uplink *port = port_of(link);
	struct fiber *reader;

	port->link = link;
	link->offload = port->kind == UPLINK_VNET_FRAMES;
	if (fiber_new(writer_main, port, &writers[link->port]) || fiber_new(reader_main, port, &reader))
		log_error("no fiber for the uplink of %s: it stays silent", link->name);
}
