/* fragment.c - see fragment.h.
 *
 * What has come of a packet waits, sorted, until every byte is there or FRAGMENT_LIFE_NS have passed. Pieces that
 * overlap end the packet: no honest sender makes them (RFC 5722 section 4; Linux does the same for IPv4), and whoever
 * filters by the first piece could be deceived. An exact duplicate is only dropped.
 *
 * Limits: FRAGMENT_PACKETS unfinished packets and FRAGMENT_TOTAL_BYTES in all: the oldest goes. Atomic fragments
 * (RFC 6946) are whole packets to the caller and do not come here.
 */
#include "netstack/fragment.h"

#include "netstack/icmp.h"
#include "netstack/net.h"
#include "netstack/route.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>

#define FRAGMENT_LIFE_NS (30 * NS_PER_S) /* net.ipv4.ipfrag_time; RFC 8200 says 60 */
#define FRAGMENT_UNIT    8u

struct assembly {
	struct list node; /* the oldest first */
	struct net_addr source, target;
	uint32_t id;
	uint8_t protocol;
	uint32_t end;       /* where the last piece ends; 0: it has not come */
	uint32_t bytes;     /* of all pieces */
	struct list pieces; /* struct buf by sequence, which is the offset */
	struct net_timer timer;
};

static struct assemblies {
	struct list all;
	uint32_t count;
	uint64_t bytes;
} * assemblies; /* in the arena */
static struct slab assembly_slab = SLAB(assembly);

static void give_up(struct assembly *assembly)
{
	while (!list_empty(&assembly->pieces))
		buf_free(list_first(&assembly->pieces, struct buf, node));
	net_timer_disarm(&assembly->timer);
	list_remove(&assembly->node);
	assemblies->count--;
	assemblies->bytes -= assembly->bytes;
	slab_free(&assembly_slab, assembly);
}

static void time_passed(struct net_timer *timer)
{
	struct assembly *assembly = container_of(timer, struct assembly, timer);
	struct buf *first = list_empty(&assembly->pieces) ? NULL : list_first(&assembly->pieces, struct buf, node);

	if (first && !first->sequence) { /* whose sender can be told: the piece that names the ports is there */
		list_remove(&first->node);
		icmp_unreachable(first, ICMP_REASSEMBLY_TIME);
	}
	give_up(assembly);
}

int fragment_init(void)
{
	assemblies = arena_alloc(sizeof *assemblies);
	if (!assemblies)
		return -ENOMEM;
	list_init(&assemblies->all);
	net_timer_register(NET_TIMER_FRAGMENT, time_passed);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ in */

static struct assembly *assembly_find(const struct buf *buf, uint32_t id)
{
	struct assembly *item;

	list_for_each (item, &assemblies->all, node) {
		if (item->id == id && item->protocol == buf->protocol && net_addr_equal(&item->source, &buf->source) &&
		    net_addr_equal(&item->target, &buf->target))
			return item;
	}
	while (assemblies->count >= FRAGMENT_PACKETS || assemblies->bytes >= FRAGMENT_TOTAL_BYTES)
		give_up(list_first(&assemblies->all, struct assembly, node));
	item = slab_new(&assembly_slab);
	if (!item)
		return NULL;
	item->source = buf->source;
	item->target = buf->target;
	item->id = id;
	item->protocol = buf->protocol;
	list_init(&item->pieces);
	net_timer_setup(&item->timer, NET_TIMER_FRAGMENT);
	net_timer_arm(&item->timer, clock_now_ns() + FRAGMENT_LIFE_NS);
	list_push_back(&assemblies->all, &item->node);
	assemblies->count++;
	return item;
}

/* -EEXIST: the same piece again. -EINVAL: it contradicts what is there. */
static int piece_enter(struct assembly *assembly, struct buf *buf, const struct fragment *fragment)
{
	uint32_t start = fragment->offset, end = start + buf_size(buf);
	struct list *behind = &assembly->pieces;
	struct buf *item;

	list_for_each (item, &assembly->pieces, node) {
		uint32_t item_end = item->sequence + buf_size(item);
		if (item->sequence == start && item_end == end)
			return -EEXIST;
		if (item->sequence < end && start < item_end)
			return -EINVAL;
		if (item->sequence < start)
			behind = &item->node;
		if (!fragment->more && item_end > end)
			return -EINVAL;
	}
	if ((!fragment->more && assembly->end && assembly->end != end) || (assembly->end && end > assembly->end))
		return -EINVAL;
	if (!fragment->more)
		assembly->end = end;
	buf->sequence = start;
	list_insert_between(&buf->node, behind, behind->next);
	assembly->bytes += buf_size(buf);
	assemblies->bytes += buf_size(buf);
	return 0;
}

/* The network header of the first piece, as the whole packet would have had it. */
static void header_restore(struct buf *packet, struct buf *first, const struct fragment *fragment, uint32_t size)
{
	uint8_t *header = buf_push(packet, fragment->header_bytes);

	buf_rewind(first);
	bool pulled = buf_pull(first, header, fragment->header_bytes);
	assert(pulled);
	if (net_addr_is_v4(&packet->source)) {
		struct ip4_header *v4 = (void *)header;
		v4->version_length = 0x45; /* options stayed behind */
		v4->size = net16((uint16_t)(size + fragment->header_bytes));
		v4->fragment = v4->checksum = 0;
		v4->checksum = sum_fold(sum_add(0, v4, sizeof *v4));
	} else {
		struct ip6_header *v6 = (void *)header;
		v6->size = net16((uint16_t)size);
		v6->protocol = packet->protocol;
	}
}

static struct buf *assembly_finish(struct assembly *assembly, const struct fragment *fragment)
{
	struct block *block = assembly->bytes <= BLOCK_LIMIT_BYTES ? block_new(assembly->bytes) : NULL;
	struct buf *packet = block ? buf_new() : NULL;
	struct buf *first = list_first(&assembly->pieces, struct buf, node), *item;

	if (packet) {
		list_for_each (item, &assembly->pieces, node) {
			block->used += buf_copy(item, block->data + item->sequence, buf_size(item));
		}
		buf_attach(packet, block, 0, block->used);
		packet->link = first->link;
		packet->source = first->source;
		packet->target = first->target;
		packet->protocol = first->protocol;
		packet->hops = first->hops;
		packet->traffic_class = first->traffic_class;
		header_restore(packet, first, fragment, block->used);
		buf_mark(packet);
		bool skipped = buf_skip(packet, fragment->header_bytes);
		assert(skipped);
	}
	if (block)
		block_put(block);
	give_up(assembly);
	return packet;
}

struct buf *fragment_input(struct buf *buf, const struct fragment *fragment)
{
	uint32_t size = buf_size(buf);
	/* RFC 791: all but the last are whole units; none reaches beyond the largest packet (the "ping of death"). */
	bool good = size && (!fragment->more || !(size % FRAGMENT_UNIT)) &&
		    fragment->offset + size <= IP_PACKET_LIMIT - fragment->header_bytes;
	struct assembly *assembly = good ? assembly_find(buf, fragment->id) : NULL;
	int error = assembly ? piece_enter(assembly, buf, fragment) : -EINVAL;

	if (error) {
		buf->link->received.dropped++;
		buf_free(buf);
		if (assembly && error == -EINVAL)
			give_up(assembly);
		return NULL;
	}
	return assembly->bytes == assembly->end ? assembly_finish(assembly, fragment) : NULL;
}

/* ------------------------------------------------------------------------------------------------ out */

/* Bytes [from, from + n) of the packet, headers and payload; shares the payload. NULL: no memory. */
static struct buf *piece_of(const struct buf *packet, uint32_t from, uint32_t n)
{
	uint32_t headers = BUF_HEADER_BYTES - packet->header_at;
	uint32_t here = from < headers ? MIN(n, headers - from) : 0;
	struct buf *piece = buf_new();

	if (!piece)
		return NULL;
	if (n > here)
		buf_attach(piece, packet->block, packet->offset + from + here - headers, n - here);
	memcpy(buf_push(piece, here), packet->header + packet->header_at + from, here);
	return piece;
}

int fragment_output(const struct route *route, const struct net_addr *target, const struct ip_meta *meta,
		    struct buf *buf)
{
	bool v4 = net_addr_is_v4(target);
	uint32_t fixed = v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES + (uint32_t)sizeof(struct ip6_fragment);
	uint32_t most = (route->mtu - fixed) / FRAGMENT_UNIT * FRAGMENT_UNIT, size = buf_size(buf);
	struct ip_piece piece = {.id = ip_identification()};

	for (uint32_t at = 0; at < size; at += most) {
		uint32_t n = MIN(most, size - at);
		struct buf *one = piece_of(buf, at, n);
		if (!one) {
			buf_free(buf);
			return -ENOBUFS; /* the pieces that have left are for nothing, as when one is lost */
		}
		one->judged = buf->judged;
		one->to_ourselves = buf->to_ourselves;
		piece.offset = at;
		piece.more = at + n < size;
		ip_push(route, target, meta, &piece, one);
		link_send(route->link, &route->next, one);
	}
	buf_free(buf);
	return 0;
}
