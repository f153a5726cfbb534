/* arp.c - see arp.h.
 *
 * We answer for addresses of the link itself, and learn from who answers us (neighbour.c).
 *
 * Limits: as Linux, we do not probe whether others have our addresses before we use them, but answer those who probe,
 * and do not give an address up when somebody else claims it (RFC 5227 section 2.4 (c)).
 */
#include "netstack/arp.h"

#include "netstack/ether.h"
#include "netstack/neighbour.h"
#include "netstack/route.h"

#define ARP_ETHERNET 1
#define ARP_REQUEST  1
#define ARP_REPLY    2

struct arp_packet {
	uint16_t hardware_type, protocol_type;
	uint8_t hardware_size, protocol_size;
	uint16_t operation;
	uint8_t sender_hardware[LINK_HARDWARE_BYTES], sender[4];
	uint8_t target_hardware[LINK_HARDWARE_BYTES], target[4];
};
_Static_assert(sizeof(struct arp_packet) == 28, "RFC 826");

static struct net_addr addr_of(const uint8_t bytes[4])
{
	struct net_addr addr = net_addr_v4(0);

	memcpy(addr.bytes + 12, bytes, 4);
	return addr;
}

static void send(struct link *link, uint16_t operation, const struct net_addr *source, const struct net_addr *target,
		 const uint8_t *hardware, const uint8_t *to)
{
	struct buf *buf = buf_new();
	struct arp_packet packet = {
		.hardware_type = net16(ARP_ETHERNET),
		.protocol_type = net16(ETHER_TYPE_IP4),
		.hardware_size = LINK_HARDWARE_BYTES,
		.protocol_size = 4,
		.operation = net16(operation),
	};

	if (!buf)
		return; /* asked again later */
	memcpy(packet.sender_hardware, link->hardware, sizeof packet.sender_hardware);
	memcpy(packet.sender, source->bytes + 12, sizeof packet.sender);
	if (hardware)
		memcpy(packet.target_hardware, hardware, sizeof packet.target_hardware);
	memcpy(packet.target, target->bytes + 12, sizeof packet.target);
	memcpy(buf_push(buf, sizeof packet), &packet, sizeof packet);
	buf->judged = true; /* it says nothing but who we are and whom we look for */
	ether_send(link, to, ETHER_TYPE_ARP, buf);
}

void arp_request(struct link *link, const struct net_addr *addr, const uint8_t hardware[LINK_HARDWARE_BYTES])
{
	const struct net_addr *source = route_source(link, addr);

	if (source)
		send(link, ARP_REQUEST, source, addr, NULL, hardware ? hardware : ether_broadcast);
}

void arp_announce(struct link *link, const struct net_addr *addr)
{
	send(link, ARP_REQUEST, addr, addr, NULL, ether_broadcast);
}

void arp_input(struct buf *buf)
{
	struct link *link = buf->link;
	struct arp_packet packet;
	bool good = buf_pull(buf, &packet, sizeof packet) && packet.hardware_type == net16(ARP_ETHERNET) &&
		    packet.protocol_type == net16(ETHER_TYPE_IP4) && packet.hardware_size == LINK_HARDWARE_BYTES &&
		    packet.protocol_size == 4 && !(packet.sender_hardware[0] & 1);

	buf_free(buf);
	if (!good)
		return;
	struct net_addr sender = addr_of(packet.sender), target = addr_of(packet.target);
	bool nobody = net_addr_is_any(&sender); /* a probe for duplicates (RFC 5227 section 2.1.1) */
	if (net_addr_is_multicast(&sender) || route_is_broadcast(link, &sender) || route_is_ours(&sender))
		return;
	bool for_us = link_has_address(link, &target);
	if (!nobody)
		neighbour_heard(link, &sender, packet.sender_hardware, for_us && packet.operation == net16(ARP_REPLY));
	if (for_us && packet.operation == net16(ARP_REQUEST))
		send(link, ARP_REPLY, &target, &sender, packet.sender_hardware, packet.sender_hardware);
}
