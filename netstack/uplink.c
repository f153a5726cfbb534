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
#include "netstack/net.h"
#include "platform/hostio.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include "sentry/base/log.h"
#include <errno.h>
#include <poll.h>

#define FRAME_BYTES  (65536u + ETHER_HEADER_BYTES)
#define LENGTH_BYTES 4u  /* before each frame of a stream, in network order */
#define BURST        256 /* frames read before others may run */

struct uplink {
	enum uplink_kind kind;
	uint32_t file;
	struct link *link;   /* NULL: not started */
	struct list waiting; /* struct buf: frames to send */
	uint32_t waiting_count;
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

static void deliver(struct uplink *port, struct block *block)
{
	struct buf *frame = buf_new();

	if (!frame) {
		port->link->received.dropped++;
		return;
	}
	buf_attach(frame, block, 0, block->used);
	link_deliver(port->link, frame);
}

/* One frame. -EAGAIN: there is none. */
static int read_frame(struct uplink *port)
{
	struct block *block = block_new(MIN(port->link->mtu + 64, FRAME_BYTES));
	char nothing[1];

	if (!block) { /* no memory: the frame is lost, but the host's queue must move */
		ssize_t n = hostio_try_read(port->file, nothing, sizeof nothing, -1);
		port->link->received.dropped++;
		return n < 0 ? (int)n : 0;
	}
	ssize_t n = hostio_try_read(port->file, block->data, block->capacity, -1);
	if (n > 0) {
		block->used = (uint32_t)n;
		deliver(port, block);
	}
	block_put(block);
	return n < 0 ? (int)n : n ? 0 : -EPIPE;
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
			deliver(port, block);
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
		int error = 0;
		for (int i = 0; i < BURST && !error; i++)
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

/* One frame, whole or not at all. -EAGAIN: there is no room. */
static int write_frame(struct uplink *port, const struct buf *frame)
{
	static char bytes[FRAME_BYTES];
	ssize_t n = hostio_try_write(port->file, bytes, buf_copy(frame, bytes, sizeof bytes), -1);

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
	if (fiber_new(writer_main, port, &writers[link->port]) || fiber_new(reader_main, port, &reader))
		log_error("no fiber for the uplink of %s: it stays silent", link->name);
}
