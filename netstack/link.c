/* link.c - links and their queues; the loopback, which is nothing but a queue.
 *
 * Limits: LINK_LIMIT links. A full queue drops (LINK_INPUT_LIMIT), and the transport above repairs that.
 */
#include "netstack/link.h"

#include "netstack/ether.h"
#include "netstack/gso.h"
#include "netstack/policy.h"
#include "netstack/uplink.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <stdio.h>

#define GSO_BYTES 65535u /* what an IPv4 header can say */

static struct links {
	struct list all; /* struct link; the loopback first */
	uint32_t last_index;
	struct link loopback;
} * links; /* in the arena */
static struct slab link_slab = SLAB(link), address_slab = SLAB(link_address);
static link_wire *bad_wire;
static void (*watcher)(struct link *link, const struct buf *buf, bool outgoing);

static void enter(struct link *link, const char *name)
{
	snprintf(link->name, sizeof link->name, "%s", name);
	link->index = ++links->last_index;
	link->up = true;
	list_init(&link->addresses);
	list_init(&link->input);
	list_push_back(&links->all, &link->node);
}

int link_init(void)
{
	links = arena_alloc(sizeof *links);
	if (!links)
		return -ENOMEM;
	list_init(&links->all);
	links->loopback = (struct link){.kind = LINK_LOOPBACK, .mtu = LOOPBACK_MTU};
	enter(&links->loopback, "lo");
	struct net_addr v4 = net_addr_v4(NET_V4_LOOPBACK), v6 = NET_ADDR_LOOP6;
	int error = link_address_add(&links->loopback, &v4, 8);
	return error ? error : link_address_add(&links->loopback, &v6, 128);
}

struct link *link_loopback(void)
{
	return &links->loopback;
}

int link_ether_new(const char *name, const uint8_t hardware[LINK_HARDWARE_BYTES], uint32_t mtu, uint32_t port,
		   struct link **out)
{
	if (link_by_name(name))
		return -EEXIST;
	struct link *link = links->last_index < LINK_LIMIT ? slab_new(&link_slab) : NULL;
	if (!link)
		return -ENOMEM;
	*link = (struct link){
		.kind = LINK_ETHER,
		.mtu = mtu,
		.sums = true,
		.gso_bytes = GSO_BYTES,
		.port = port,
	};
	memcpy(link->hardware, hardware, sizeof link->hardware);
	enter(link, name);
	*out = link;
	return 0;
}

int link_address_add(struct link *link, const struct net_addr *addr, uint8_t prefix)
{
	assert(prefix <= (net_addr_is_v4(addr) ? 32 : 128));
	if (link_address_find(link, addr))
		return -EEXIST;
	struct link_address *new = link->address_count < ADDRESS_LIMIT ? slab_new(&address_slab) : NULL;
	if (!new)
		return -ENOMEM;
	*new = (struct link_address){
		.addr = *addr,
		.prefix = prefix,
		.preferred_until_ns = DEADLINE_NONE,
		.valid_until_ns = DEADLINE_NONE,
	};
	list_push_back(&link->addresses, &new->node);
	link->address_count++;
	return 0;
}

void link_address_remove(struct link *link, const struct link_address *item)
{
	struct link_address *gone;

	list_for_each (gone, &link->addresses, node)
		if (gone == item)
			break;
	list_remove(&gone->node);
	slab_free(&address_slab, gone);
	link->address_count--;
}

bool link_address_is_secondary(const struct link *link, const struct link_address *item)
{
	const struct link_address *other = NULL;

	if (!net_addr_is_v4(&item->addr))
		return false;
	while ((other = link_address_next(link, other)) && other != item)
		if (other->prefix == item->prefix && link_prefix_holds(&other->addr, other->prefix, &item->addr))
			return true;
	return false;
}

struct link *link_next(const struct link *link)
{
	const struct list *next = link ? link->node.next : links->all.next;

	return next == &links->all ? NULL : list_entry(next, struct link, node);
}

struct link *link_by_index(uint32_t index)
{
	struct link *link = NULL;

	while ((link = link_next(link)) && link->index != index)
		;
	return link;
}

struct link *link_by_name(const char *name)
{
	struct link *link = NULL;

	while ((link = link_next(link)) && strcmp(link->name, name))
		;
	return link;
}

struct link_address *link_address_find(const struct link *link, const struct net_addr *addr)
{
	struct link_address *item;

	list_for_each (item, &link->addresses, node) {
		if (net_addr_equal(&item->addr, addr))
			return item;
	}
	return NULL;
}

bool link_has_address(const struct link *link, const struct net_addr *addr)
{
	const struct link_address *item = link_address_find(link, addr);

	return item && item->state != ADDRESS_DUPLICATE;
}

struct link *link_by_address(const struct net_addr *addr)
{
	struct link *link = NULL;

	while ((link = link_next(link)) && !link_has_address(link, addr))
		;
	return link;
}

const struct link_address *link_address_next(const struct link *link, const struct link_address *item)
{
	const struct list *next = item ? item->node.next : link->addresses.next;

	return next == &link->addresses ? NULL : list_entry(next, struct link_address, node);
}

bool link_prefix_holds(const struct net_addr *net, uint8_t prefix, const struct net_addr *addr)
{
	if (net_addr_is_v4(net) != net_addr_is_v4(addr))
		return false;
	unsigned bits = prefix + (net_addr_is_v4(net) ? 96u : 0u), whole = bits / 8, rest = bits % 8;
	return !memcmp(net->bytes, addr->bytes, whole) &&
	       (!rest || !((net->bytes[whole] ^ addr->bytes[whole]) >> (8 - rest)));
}

/* ------------------------------------------------------------------------------------------------ packets */

void link_wire_set(link_wire *wire)
{
	bad_wire = wire;
	links->loopback.sums = wire;
}

void link_deliver(struct link *link, struct buf *buf)
{
	buf->link = link;
	if (link->input_count >= LINK_INPUT_LIMIT) {
		link->received.dropped++;
		buf_free(buf);
		return;
	}
	link->received.packets++;
	link->received.bytes += buf_size(buf);
	if (watcher)
		watcher(link, buf, false);
	list_push_back(&link->input, &buf->node);
	link->input_count++;
}

/* Counts a packet out; false: it has been dropped, or the test's wire has taken it. */
static bool leave(struct link *link, struct buf *buf, bool room)
{
	if (!link->up || !room) {
		link->sent.dropped++;
		buf_free(buf);
		return false;
	}
	link->sent.packets++;
	link->sent.bytes += buf_size(buf);
	if (watcher)
		watcher(link, buf, true);
	return !bad_wire || bad_wire(link, buf);
}

void link_send(struct link *link, const struct net_addr *to, struct buf *buf)
{
	if (link->kind == LINK_ETHER) {
		/* Now, before any neighbour is asked for. */
		if (!buf->judged && !policy_packet(link, buf)) {
			link->sent.dropped++;
			buf_free(buf);
			return;
		}
		buf->judged = true;
		ether_output(link, to, buf);
		return;
	}
	buf->summed = !bad_wire; /* nothing can have changed it */
	if (leave(link, buf, link->input_count < LINK_INPUT_LIMIT))
		link_deliver(link, buf);
}

void link_inject(struct link *link, struct buf *buf)
{
	assert(link->kind == LINK_LOOPBACK);
	buf->summed = false;
	if (leave(link, buf, link->input_count < LINK_INPUT_LIMIT))
		link_deliver(link, buf);
}

void link_tap_set(void (*tap)(struct link *link, const struct buf *buf, bool outgoing))
{
	watcher = tap;
}

static void transmit(struct link *link, struct buf *frame)
{
	if (leave(link, frame, true))
		uplink_send(link, frame);
}

void link_transmit(struct link *link, struct buf *frame)
{
	struct buf *one;

	assert(link->kind == LINK_ETHER);
	if (!frame->judged && !policy_frame(link, frame)) {
		link->sent.dropped++;
		buf_free(frame);
		return;
	}
	if (!frame->segment || link->offload) {
		transmit(link, frame);
		return;
	}
	while (frame && (one = gso_next(&frame)))
		transmit(link, one);
	buf_free(frame); /* what no memory was left for is lost, like any packet */
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
