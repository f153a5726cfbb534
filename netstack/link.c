/* link.c - links and their queues; the loopback, which is nothing but a queue.
 *
 * Limits: one link, the loopback. A full queue drops (LINK_INPUT_LIMIT), and the transport above repairs that.
 */
#include "netstack/link.h"

#include "sentry/base/arena.h"
#include <errno.h>
#include <stdio.h>

static struct link *loopback; /* in the arena */
static link_wire *bad_wire;

int link_init(void)
{
	loopback = arena_alloc(sizeof *loopback);
	if (!loopback)
		return -ENOMEM;
	*loopback = (struct link){.kind = LINK_LOOPBACK, .index = 1, .mtu = LOOPBACK_MTU, .up = true};
	snprintf(loopback->name, sizeof loopback->name, "lo");
	list_init(&loopback->input);
	return 0;
}

struct link *link_loopback(void)
{
	return loopback;
}

void link_wire_set(link_wire *wire)
{
	bad_wire = wire;
	loopback->sums = wire;
}

void link_deliver(struct link *link, struct buf *buf)
{
	buf->link = link;
	link->received.packets++;
	link->received.bytes += buf_size(buf);
	list_push_back(&link->input, &buf->node);
	link->input_count++;
}

void link_send(struct link *link, struct buf *buf)
{
	assert(link->kind == LINK_LOOPBACK);
	if (!link->up || link->input_count >= LINK_INPUT_LIMIT) {
		link->sent.dropped++;
		buf_free(buf);
		return;
	}
	link->sent.packets++;
	link->sent.bytes += buf_size(buf);
	buf->summed = !bad_wire; /* nothing can have changed it */
	if (!bad_wire || bad_wire(link, buf))
		link_deliver(link, buf);
}

struct buf *link_receive(struct link *link)
{
	if (list_empty(&link->input))
		return NULL;
	struct buf *buf = list_first(&link->input, struct buf, node);
	list_remove(&buf->node);
	link->input_count--;
	return buf;
}
