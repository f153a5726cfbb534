/* policy_frame.c - frames that nobody has judged on their way down: what AF_PACKET sockets, and raw sockets that bring
 * their own network header, want to send.
 *
 * Such a frame must say the truth about who sends it (Ethernet, ARP and IP source), be whole, have no source route, and
 * go where a rule with addresses allows. Nobody here needs to speak for neighbours: ARP only asks for and answers with
 * our own addresses, discovery of IPv6 is the stack's own affair.
 *
 * Limits: IPv6 extension headers are refused, all of them; so are fragments, whose ports nobody can see.
 */
#include "netstack/policy.h"

#include "netstack/ether.h"
#include "netstack/policy_audit.h"

#define ARP_BYTES           28u
#define ARP_SENDER_HARDWARE 8
#define ARP_SENDER          14
#define FRONT_BYTES         (ETHER_HEADER_BYTES + 60u + 8u) /* Ethernet, the longest IPv4 header, ports */

static bool refuse(const struct net_end *remote, const char *reason)
{
	struct policy_process process;

	audit_process(&process);
	audit_write(&(struct audit_event){
		.event = "raw", .reason = reason, .remote = remote, .rule = POLICY_NO_RULE, .process = &process});
	return false;
}

/* Only as ourselves, or as somebody who has no address yet (RFC 5227). */
static bool arp_acceptable(const struct link *link, const uint8_t *arp, uint32_t size)
{
	struct net_addr sender = net_addr_v4(0);

	if (size < ARP_BYTES)
		return refuse(NULL, "a frame that is cut short");
	memcpy(sender.bytes + 12, arp + ARP_SENDER, 4);
	if (memcmp(arp + ARP_SENDER_HARDWARE, link->hardware, LINK_HARDWARE_BYTES) != 0 ||
	    (!net_addr_is_any(&sender) && !link_has_address(link, &sender)))
		return refuse(NULL, "ARP in the name of somebody else");
	return true;
}

/* The packet's route as far as the judgement needs it. */
static bool packet_acceptable(const struct link *link, const struct net_addr *source, const struct net_addr *target,
			      uint8_t protocol, const uint8_t *transport, uint32_t size)
{
	/* Only what ports and types are read from is in the header room. */
	static struct buf front;
	struct route route = {.link = (struct link *)(uintptr_t)link, .source = *source};
	uint32_t n = MIN(size, 8u);

	if (!link_has_address(link, source))
		return refuse(&(struct net_end){.addr = *target}, "a source address that is not the sandbox's");
	front = (struct buf){.header_at = (uint8_t)(BUF_HEADER_BYTES - n)};
	memcpy(front.header + front.header_at, transport, n);
	return !policy_leaves(&route, target, protocol, true, &front);
}

static bool ip4_acceptable(const struct link *link, const uint8_t *ip, uint32_t size)
{
	struct ip4_header header;

	if (size < sizeof header)
		return refuse(NULL, "a frame that is cut short");
	memcpy(&header, ip, sizeof header);
	uint32_t length = (header.version_length & 15) * 4u;
	struct net_addr source = net_addr_v4(net32(header.source)), target = net_addr_v4(net32(header.target));
	struct net_end remote = {.addr = target};
	if (header.version_length >> 4 != 4 || length < sizeof header || length > size)
		return refuse(&remote, "a packet whose header makes no sense");
	if (length > sizeof header)
		return refuse(&remote, "a packet with IP options, such as a source route");
	if (net16(header.fragment) & (IP4_MORE_FRAGMENTS | IP4_FRAGMENT_MASK))
		return refuse(&remote, "a fragment that a program made itself");
	return packet_acceptable(link, &source, &target, header.protocol, ip + length, size - length);
}

static bool ip6_acceptable(const struct link *link, const uint8_t *ip, uint32_t size)
{
	struct ip6_header header;

	if (size < sizeof header)
		return refuse(NULL, "a frame that is cut short");
	memcpy(&header, ip, sizeof header);
	struct net_end remote = {.addr = header.target};
	if (ip[0] >> 4 != 6 || net_addr_is_v4(&header.target))
		return refuse(&remote, "a packet whose header makes no sense");
	switch (header.protocol) {
	case IP_PROTOCOL_TCP:
	case IP_PROTOCOL_UDP:
	case IP_PROTOCOL_ICMPV6:
		return packet_acceptable(link, &header.source, &header.target, header.protocol, ip + sizeof header,
					 size - (uint32_t)sizeof header);
	default:
		return refuse(&remote, "a packet with IPv6 extension headers, such as a route or a fragment");
	}
}

bool policy_packet(const struct link *link, const struct buf *packet)
{
	uint8_t front[FRONT_BYTES] = {0};
	uint32_t size = buf_copy(packet, front, sizeof front);

	return (front[0] >> 4 == 4 ? ip4_acceptable : ip6_acceptable)(link, front, size);
}

bool policy_frame(const struct link *link, const struct buf *frame)
{
	uint8_t front[FRONT_BYTES];
	struct ether_header ether;
	uint32_t size = buf_copy(frame, front, sizeof front);

	if (size < sizeof ether)
		return refuse(NULL, "a frame that is cut short");
	memcpy(&ether, front, sizeof ether);
	if (memcmp(ether.source, link->hardware, sizeof ether.source) != 0)
		return refuse(NULL, "a frame in the name of somebody else");
	const uint8_t *payload = front + sizeof ether;
	size -= (uint32_t)sizeof ether;
	switch (net16(ether.type)) {
	case ETHER_TYPE_ARP:
		return arp_acceptable(link, payload, size);
	case ETHER_TYPE_IP4:
		return ip4_acceptable(link, payload, size);
	case ETHER_TYPE_IP6:
		return ip6_acceptable(link, payload, size);
	default:
		return refuse(NULL, "a frame that is neither ARP nor IP");
	}
}
