/* gso.c - see gso.h.
 *
 * All headers of a frame of ours lie in its header room, so a segment is a copy of them and a slice of the same block:
 * no payload is copied. What differs from segment to segment: the IP length and IPv4's checksum, the place in the
 * sequence, FIN and PSH (the last one's), CWR (the first one's: RFC 3168 section 6.1.2), the TCP checksum.
 *
 * Limits: Ethernet frames without VLAN tag, IPv6 without extension headers: what our own ip.c makes.
 */
#include "netstack/gso.h"

#include "netstack/ether.h"
#include "netstack/ip.h"
#include "netstack/tcp.h"

struct headers {
	struct ip4_header ip4;
	struct ip6_header ip6;
	struct tcp_header tcp;
};

static bool is_v4(const struct buf *frame)
{
	return frame->header[frame->header_at + ETHER_HEADER_BYTES] >> 4 == 4;
}

static uint8_t *ip_at(struct buf *frame)
{
	return frame->header + frame->header_at + ETHER_HEADER_BYTES;
}

/* Makes the headers those of a segment of its own. */
static void finish(struct buf *frame, uint8_t flags_off)
{
	uint8_t *ip = ip_at(frame);
	bool v4 = is_v4(frame);
	uint32_t ip_bytes = v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
	uint32_t size = buf_size(frame) - ETHER_HEADER_BYTES - ip_bytes;
	struct headers h;
	uint64_t sum;

	if (v4) {
		memcpy(&h.ip4, ip, sizeof h.ip4);
		h.ip4.size = net16((uint16_t)(size + ip_bytes));
		h.ip4.checksum = 0;
		h.ip4.checksum = sum_fold(sum_add(0, &h.ip4, sizeof h.ip4));
		memcpy(ip, &h.ip4, sizeof h.ip4);
		struct net_addr source = net_addr_v4(net32(h.ip4.source)), target = net_addr_v4(net32(h.ip4.target));
		sum = sum_pseudo(&source, &target, IP_PROTOCOL_TCP, size);
	} else {
		memcpy(&h.ip6, ip, sizeof h.ip6);
		h.ip6.size = net16((uint16_t)size);
		memcpy(ip, &h.ip6, sizeof h.ip6);
		sum = sum_pseudo(&h.ip6.source, &h.ip6.target, IP_PROTOCOL_TCP, size);
	}
	memcpy(&h.tcp, ip + ip_bytes, sizeof h.tcp);
	h.tcp.flags &= (uint8_t)~flags_off;
	h.tcp.checksum = 0;
	memcpy(ip + ip_bytes, &h.tcp, sizeof h.tcp);
	sum = sum_add(sum, ip + ip_bytes, size - frame->size);
	h.tcp.checksum = sum_fold(frame->size ? sum_add(sum, frame->block->data + frame->offset, frame->size) : sum);
	memcpy(ip + ip_bytes, &h.tcp, sizeof h.tcp);
	frame->segment = 0;
}

/* The rest of the frame begins n bytes later. */
static void advance(struct buf *frame, uint32_t n)
{
	uint8_t *tcp = ip_at(frame) + (is_v4(frame) ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	struct tcp_header header;

	memcpy(&header, tcp, sizeof header);
	header.sequence = net32(net32(header.sequence) + n);
	header.flags &= (uint8_t)~TCP_CWR;
	memcpy(tcp, &header, sizeof header);
	frame->offset += n;
	frame->size -= n;
}

struct buf *gso_next(struct buf **frame)
{
	struct buf *rest = *frame, *first;
	uint32_t segment = rest->segment;

	assert(segment);
	if (rest->size <= segment) {
		finish(rest, 0);
		*frame = NULL;
		return rest;
	}
	first = buf_clone(rest);
	if (!first)
		return NULL;
	first->size = segment;
	finish(first, TCP_FIN | TCP_PSH);
	advance(rest, segment);
	return first;
}
