/* mirror.c - see mirror.h. */
#include "tests/wire/mirror.h"

#include "netstack/ether.h"
#include "netstack/ip.h"
#include <string.h>

#define ARP_BYTES     28
#define ICMP_BYTES    8
#define ICMP4_UNREACH 3
#define ICMP4_TIME    11
#define ICMP6_ERRORS  128 /* types below are reports */
#define ICMP4_TOO_BIG 4
#define ICMP6_TOO_BIG 2
#define QUOTE_BYTES   128

static const uint8_t near_hardware[6] = {2, 0, 0, 0, 0, 1}, far_hardware[6] = {2, 0, 0, 0, 0, 2};

struct net_addr mirror_addr(bool v6, bool far)
{
	if (!v6)
		return net_addr_v4(far ? MIRROR_FAR4 : MIRROR_NEAR4);
	return (struct net_addr){.bytes = {0xfd, [15] = far ? 2 : 1}};
}

struct link *mirror_new(uint32_t mtu)
{
	struct net_addr v4 = mirror_addr(false, false), v6 = mirror_addr(true, false);
	struct link *link;

	if (link_ether_new("eth0", near_hardware, mtu, 0, &link) || route_address_add(link, &v4, 24) ||
	    route_address_add(link, &v6, 64))
		return NULL;
	return link;
}

/* All headers of a packet that we send are in its header room. */
static uint8_t *at(struct buf *frame, uint32_t offset)
{
	return frame->header + frame->header_at + offset;
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	uint8_t kept[16];

	memcpy(kept, a, n);
	memcpy(a, b, n);
	memcpy(b, kept, n);
}

/* The addresses of an IP packet that begins here; returns its protocol and where that begins. */
static uint8_t turn_ip(uint8_t *ip, uint32_t *next)
{
	bool v4 = ip[0] >> 4 == 4;

	swap(ip + (v4 ? 12 : 8), ip + (v4 ? 16 : 24), v4 ? 4 : 16);
	*next = v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
	return ip[v4 ? 9 : 6];
}

static uint16_t type_of(const struct buf *frame)
{
	struct ether_header header;

	(void)buf_copy(frame, &header, sizeof header);
	return net16(header.type);
}

/* A neighbour message of IPv6 names hardware addresses inside, under the checksum. */
static void turn_discovery(struct buf *frame, uint8_t *icmp, const uint8_t *ip)
{
	struct net_addr source, target, about;
	uint32_t size = (uint32_t)(frame->header + BUF_HEADER_BYTES - icmp);

	memcpy(&source, ip + 8, 16);
	memcpy(&target, ip + 24, 16);
	memcpy(&about, icmp + 8, 16);
	/* Who is asked for is the other one now; hardware addresses as in the Ethernet header. */
	about.bytes[15] = about.bytes[15] == 1 ? 2 : 1;
	memcpy(icmp + 8, &about, 16);
	if (size >= 32)
		memcpy(icmp + 26, far_hardware, 6);
	if (target.bytes[0] == 0xff && target.bytes[11] == 1) /* the group of who is asked */
		target.bytes[15] = about.bytes[15];
	memcpy((uint8_t *)(uintptr_t)ip + 24, &target, 16);
	icmp[2] = icmp[3] = 0;
	uint16_t sum = sum_fold(sum_add(sum_pseudo(&source, &target, IP_PROTOCOL_ICMPV6, size), icmp, size));
	memcpy(icmp + 2, &sum, 2);
}

/* What a report quotes came from the other side, too. */
static void turn_quote(struct buf *frame)
{
	struct block *own = block_new(frame->size);
	uint32_t unused;

	if (!own)
		return;
	memcpy(own->data, frame->block->data + frame->offset, frame->size);
	own->used = frame->size;
	(void)turn_ip((uint8_t *)own->data, &unused);
	block_put(frame->block);
	frame->block = own;
	frame->offset = 0;
}

static void turn_icmp(struct buf *frame, uint8_t *ip, uint8_t *icmp, bool v4)
{
	bool report = v4 ? icmp[0] == ICMP4_UNREACH || icmp[0] == ICMP4_TIME : icmp[0] < ICMP6_ERRORS;

	if (report)
		turn_quote(frame);
	else if (!v4 && (icmp[0] == 135 || icmp[0] == 136))
		turn_discovery(frame, icmp, ip);
}

void mirror_turn(struct buf *frame)
{
	uint8_t *ether = at(frame, 0), *packet = at(frame, ETHER_HEADER_BYTES);
	uint32_t next;

	memcpy(ether + 6, far_hardware, 6);
	if (!(ether[0] & 1))
		memcpy(ether, near_hardware, 6);
	if (type_of(frame) == ETHER_TYPE_ARP) {
		swap(packet + 14, packet + 24, 4); /* who asks, and who is asked for */
		memcpy(packet + 8, far_hardware, 6);
		return;
	}
	bool v4 = packet[0] >> 4 == 4;
	bool group = !v4 && packet[24] == 0xff;
	uint8_t protocol;
	if (group) { /* only the sender changes */
		struct net_addr far = mirror_addr(true, true);
		memcpy(packet + 8, &far, 16);
		next = IP6_HEADER_BYTES;
		protocol = packet[6];
	} else {
		protocol = turn_ip(packet, &next);
	}
	if (protocol == IP_PROTOCOL_ICMP || protocol == IP_PROTOCOL_ICMPV6)
		turn_icmp(frame, packet, packet + next, v4);
}

bool mirror_breakable(const struct buf *frame, uint32_t *from, uint32_t *to)
{
	uint8_t head[ETHER_HEADER_BYTES + IP6_HEADER_BYTES] = {0}, *ip = head + ETHER_HEADER_BYTES;
	bool v4 = type_of(frame) == ETHER_TYPE_IP4;

	(void)buf_copy(frame, head, sizeof head);
	*from = ETHER_HEADER_BYTES + (v4 ? 0 : IP6_HEADER_BYTES);
	*to = buf_size(frame);
	if (v4 && ((ip[6] & 0x3f) | ip[7])) /* a fragment: its header */
		*to = ETHER_HEADER_BYTES + IP4_HEADER_BYTES;
	/* An IPv6 header has no checksum, nor has one for fragments. */
	return v4 || (type_of(frame) == ETHER_TYPE_IP6 && (ip[6] == IP_PROTOCOL_TCP || ip[6] == IP_PROTOCOL_UDP));
}

struct buf *mirror_too_big(struct buf *frame, uint32_t mtu)
{
	uint8_t *packet = at(frame, ETHER_HEADER_BYTES);
	bool v4 = type_of(frame) == ETHER_TYPE_IP4;
	uint32_t size = buf_size(frame) - ETHER_HEADER_BYTES;

	if (type_of(frame) == ETHER_TYPE_ARP || size <= mtu || (v4 && !(packet[6] & 0x40)))
		return NULL;
	struct block *block = block_new(QUOTE_BYTES);
	struct buf *report = block ? buf_new() : NULL;
	if (!report)
		return NULL;
	struct net_addr source = mirror_addr(!v4, true), target = mirror_addr(!v4, false);
	uint8_t icmp[ICMP_BYTES] = {v4 ? ICMP4_UNREACH : ICMP6_TOO_BIG, v4 ? ICMP4_TOO_BIG : 0};
	uint32_t told = net32(mtu);
	memcpy(icmp + 4, &told, sizeof told);
	char head[ETHER_HEADER_BYTES + QUOTE_BYTES];
	uint32_t n = buf_copy(frame, head, sizeof head) - ETHER_HEADER_BYTES;
	memcpy(block->data, head + ETHER_HEADER_BYTES, n);
	block->used = n;
	buf_attach(report, block, 0, n);
	block_put(block);
	memcpy(buf_push(report, sizeof icmp), icmp, sizeof icmp);
	uint64_t sum = v4 ? 0 : sum_pseudo(&source, &target, IP_PROTOCOL_ICMPV6, buf_size(report));
	uint16_t folded = sum_fold(sum_buf(sum, report));
	memcpy(at(report, 2), &folded, sizeof folded);
	struct route route = {.source = source, .mtu = UINT32_MAX};
	struct ip_meta meta = {.protocol = v4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6, .hops = 64};
	ip_push(&route, &target, &meta, NULL, report);
	struct ether_header header = {.type = net16(v4 ? ETHER_TYPE_IP4 : ETHER_TYPE_IP6)};
	memcpy(header.target, near_hardware, 6);
	memcpy(header.source, far_hardware, 6);
	memcpy(buf_push(report, sizeof header), &header, sizeof header);
	buf_free(frame);
	return report;
}
