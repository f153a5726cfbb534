/* ether.c - see ether.h.
 *
 * Limits: no VLAN tags, no LLC: such frames are dropped. Frames for other hardware addresses are dropped too, so a
 * promiscuous link below does no harm.
 */
#include "netstack/ether.h"

#include "netstack/arp.h"
#include "netstack/group.h"
#include "netstack/ip.h"
#include "netstack/neighbour.h"

const uint8_t ether_broadcast[LINK_HARDWARE_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void ether_send(struct link *link, const uint8_t target[LINK_HARDWARE_BYTES], uint16_t type, struct buf *buf)
{
	struct ether_header header = {.type = net16(type)};

	memcpy(header.target, target, sizeof header.target);
	memcpy(header.source, link->hardware, sizeof header.source);
	memcpy(buf_push(buf, sizeof header), &header, sizeof header);
	link_transmit(link, buf);
}

/* RFC 1112 section 6.4, RFC 2464 section 7. */
static void group_hardware(const struct net_addr *group, uint8_t out[LINK_HARDWARE_BYTES])
{
	static const uint8_t prefix4[3] = {0x01, 0x00, 0x5e};

	if (net_addr_is_v4(group)) {
		memcpy(out, prefix4, sizeof prefix4);
		memcpy(out + 3, group->bytes + 13, 3);
		out[3] &= 0x7f;
	} else {
		out[0] = out[1] = 0x33;
		memcpy(out + 2, group->bytes + 12, 4);
	}
}

/* What we send to many reaches our own sockets as well, as if it had come by the link. */
static void copy_to_ourselves(struct link *link, const struct net_addr *to, const struct buf *packet)
{
	struct buf *copy = !net_addr_is_multicast(to) || group_is_heard(link, to) ? buf_clone(packet) : NULL;

	if (!copy)
		return;
	copy->looped = copy->summed = true;
	link_deliver(link_loopback(), copy);
	copy->link = link;
}

void ether_output(struct link *link, const struct net_addr *to, struct buf *buf)
{
	uint16_t type = net_addr_is_v4(to) ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6;
	uint8_t hardware[LINK_HARDWARE_BYTES];

	if (buf->to_ourselves)
		copy_to_ourselves(link, to, buf);
	if (net_addr_is_multicast(to)) {
		group_hardware(to, hardware);
		ether_send(link, hardware, type, buf);
	} else if (route_is_broadcast(link, to)) {
		ether_send(link, ether_broadcast, type, buf);
	} else {
		neighbour_output(link, to, buf);
	}
}

void ether_input(struct buf *frame)
{
	struct ether_header header;
	struct link *link = frame->link;

	if (!buf_pull(frame, &header, sizeof header))
		goto drop;
	/* The lowest bit of the first byte: a group, or everybody. */
	if (!(header.target[0] & 1) && memcmp(header.target, link->hardware, sizeof header.target))
		goto drop;
	switch (net16(header.type)) {
	case ETHER_TYPE_IP4:
	case ETHER_TYPE_IP6:
		ip_input(frame);
		return;
	case ETHER_TYPE_ARP:
		arp_input(frame);
		return;
	default:
		break;
	}
drop:
	link->received.dropped++;
	buf_free(frame);
}
