/* ip.c - IPv4 and IPv6 in and out.
 *
 * Headers are pulled out of a packet by value and checked there (RFC 1122 section 3.2.1, RFC 8200 section 4). What is
 * wrong is dropped without a word: answers to broken packets only help attackers. Both versions leave the same facts in
 * struct buf, so everything above is written once.
 *
 * Limits: nothing is forwarded. IPv4 options and IPv6 extension headers are skipped; source routes are refused
 * (RFC 6274 section 3.13.2.3, RFC 5095). No jumbograms.
 */
#include "netstack/ip.h"

#include "netstack/counts.h"
#include "netstack/fragment.h"
#include "netstack/group.h"
#include "netstack/icmp.h"
#include "netstack/net.h"
#include "netstack/policy.h"
#include "netstack/raw.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <errno.h>

#define IP4_OPTION_END       0
#define IP4_OPTION_NOP       1
#define IP4_OPTION_LOOSE     131
#define IP4_OPTION_STRICT    137
#define IP4_OPTIONS_BYTES    40
#define IP6_HOP_BY_HOP       0
#define IP6_ROUTING          43
#define IP6_FRAGMENT         44
#define IP6_NO_NEXT          59
#define IP6_DESTINATION      60
#define IP6_EXTENSIONS_LIMIT 8

/* ------------------------------------------------------------------------------------------------ out */

uint32_t ip_identification(void)
{
	static uint32_t last;

	if (!last)
		last = net_random();
	last += 1 + net_random() % 16;
	return last;
}

static void push4(const struct route *route, const struct net_addr *target, const struct ip_meta *meta,
		  const struct ip_piece *piece, struct buf *buf)
{
	uint32_t size = buf_size(buf) + IP4_HEADER_BYTES;
	uint16_t flags = meta->dont_fragment ? IP4_DONT_FRAGMENT : 0;
	struct ip4_header header = {
		.version_length = 0x45,
		.traffic_class = meta->traffic_class,
		.size = net16((uint16_t)size),
		.id = piece                 ? (uint16_t)piece->id
		      : meta->dont_fragment ? 0
					    : (uint16_t)ip_identification(),
		.fragment =
			net16(piece ? (uint16_t)(piece->offset / 8 | (piece->more ? IP4_MORE_FRAGMENTS : 0)) : flags),
		.hops = meta->hops,
		.protocol = meta->protocol,
		.source = route->source.words[3],
		.target = target->words[3],
	};

	header.checksum = sum_fold(sum_add(0, &header, sizeof header));
	memcpy(buf_push(buf, sizeof header), &header, sizeof header);
}

static void push6(const struct route *route, const struct net_addr *target, const struct ip_meta *meta,
		  const struct ip_piece *piece, struct buf *buf)
{
	struct ip6_header header = {
		.version_class_flow = net32(6u << 28 | (uint32_t)meta->traffic_class << 20),
		.protocol = piece ? IP6_FRAGMENT : meta->protocol,
		.hops = meta->hops,
		.source = route->source,
		.target = *target,
	};

	if (piece) {
		struct ip6_fragment fragment = {
			.protocol = meta->protocol,
			.offset = net16((uint16_t)(piece->offset | (piece->more ? IP6_MORE_FRAGMENTS : 0))),
			.id = piece->id,
		};
		memcpy(buf_push(buf, sizeof fragment), &fragment, sizeof fragment);
	}
	header.size = net16((uint16_t)buf_size(buf));
	memcpy(buf_push(buf, sizeof header), &header, sizeof header);
}

void ip_push(const struct route *route, const struct net_addr *target, const struct ip_meta *meta,
	     const struct ip_piece *piece, struct buf *buf)
{
	(net_addr_is_v4(target) ? push4 : push6)(route, target, meta, piece, buf);
}

int ip_output(const struct route *route, const struct net_addr *target, const struct ip_meta *meta, struct buf *buf)
{
	bool v4 = net_addr_is_v4(target);
	uint32_t size = buf_size(buf) + (v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	struct ip_counts *counts = &net_counts.ip[!v4];
	counts->out++;
	counts->out_bytes += size;
	bool fits = size <= route->mtu || buf->segment,
	     possible = size - (v4 ? 0 : IP6_HEADER_BYTES) <= IP_PACKET_LIMIT;

	int error = !possible || (!fits && meta->dont_fragment) ? -EMSGSIZE : 0;

	if (!error)
		error = policy_leaves(route, target, meta->protocol, meta->raw, buf);
	if (error) {
		buf_free(buf);
		return error;
	}
	buf->judged = true;
	if (!fits)
		return fragment_output(route, target, meta, buf);
	ip_push(route, target, meta, NULL, buf);
	link_send(route->link, &route->next, buf);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ in */

/* Options of an IPv4 header: well-formed, and no source route. */
static bool options_acceptable(const uint8_t *options, uint32_t size)
{
	for (uint32_t at = 0; at < size;) {
		if (options[at] == IP4_OPTION_END)
			return true;
		if (options[at] == IP4_OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= size || options[at + 1] < 2 || options[at + 1] > size - at)
			return false;
		if (options[at] == IP4_OPTION_LOOSE || options[at] == IP4_OPTION_STRICT)
			return false;
		at += options[at + 1];
	}
	return true;
}

/* Headers off; fragment: what the packet says of itself as a piece, more and offset 0 when it is whole. */
static bool take4(struct buf *buf, struct fragment *fragment)
{
	struct ip4_header header;
	uint8_t options[IP4_OPTIONS_BYTES];
	uint32_t size = buf_size(buf);

	if (!buf_pull(buf, &header, sizeof header))
		return false;
	uint32_t length = (header.version_length & 15) * 4u, total = net16(header.size);
	if (length < sizeof header || total < length || total > size)
		return false;
	if (!buf_pull(buf, options, length - (uint32_t)sizeof header))
		return false;
	uint64_t sum = sum_add(sum_add(0, &header, sizeof header), options, length - sizeof header);
	if (sum_fold(sum) || !options_acceptable(options, length - (uint32_t)sizeof header))
		return false;
	*fragment = (struct fragment){
		.id = header.id,
		.offset = (net16(header.fragment) & IP4_FRAGMENT_MASK) * 8u,
		.more = net16(header.fragment) & IP4_MORE_FRAGMENTS,
		.header_bytes = IP4_HEADER_BYTES,
	};
	buf_cut(buf, total - length);
	buf->source = net_addr_v4(net32(header.source));
	buf->target = net_addr_v4(net32(header.target));
	buf->protocol = header.protocol;
	buf->hops = header.hops;
	buf->traffic_class = header.traffic_class;
	return true;
}

static bool take_fragment6(struct buf *buf, struct fragment *fragment)
{
	struct ip6_fragment header;

	if (fragment->header_bytes || !buf_pull(buf, &header, sizeof header))
		return false; /* a piece of a piece */
	fragment->id = header.id;
	fragment->offset = net16(header.offset) & IP6_FRAGMENT_MASK;
	fragment->more = net16(header.offset) & IP6_MORE_FRAGMENTS;
	fragment->header_bytes = IP6_HEADER_BYTES;
	buf->protocol = header.protocol;
	return true;
}

/* Skips extension headers; false for those that we do not follow. Behind a fragment header only the first piece has
 * more of them, and they count when the packet is whole. */
static bool take_extensions(struct buf *buf, struct fragment *fragment)
{
	for (int i = 0; i < IP6_EXTENSIONS_LIMIT; i++) {
		uint8_t head[8];
		if (buf->protocol == IP6_FRAGMENT) {
			if (!take_fragment6(buf, fragment))
				return false;
			if (fragment->more || fragment->offset)
				return true;
			continue;
		}
		if (buf->protocol != IP6_HOP_BY_HOP && buf->protocol != IP6_DESTINATION)
			return buf->protocol != IP6_ROUTING && buf->protocol != IP6_NO_NEXT;
		if (!buf_pull(buf, head, sizeof head) || !buf_skip(buf, head[1] * 8u))
			return false;
		buf->protocol = head[0];
	}
	return false;
}

static bool take6(struct buf *buf, struct fragment *fragment)
{
	struct ip6_header header;

	if (!buf_pull(buf, &header, sizeof header) || net16(header.size) > buf_size(buf))
		return false;
	/* A mapped address must not come in by IPv6: it would pass for the IPv4 peer (RFC 6890, draft-itojun). */
	if (net_addr_is_v4(&header.source) || net_addr_is_v4(&header.target) || net_addr_is_multicast(&header.source))
		return false;
	buf_cut(buf, net16(header.size));
	buf->source = header.source;
	buf->target = header.target;
	buf->protocol = header.protocol;
	buf->hops = header.hops;
	buf->traffic_class = (uint8_t)(net32(header.version_class_flow) >> 20);
	return take_extensions(buf, fragment);
}

/* May somebody who has our address say so, because we have asked (ndp.c)? */
static bool is_objection(const struct buf *buf)
{
	const struct link_address *item = link_address_find(buf->link, &buf->source);

	return item && item->state == ADDRESS_TRIED && buf->protocol == IP_PROTOCOL_ICMPV6 &&
	       net_addr_is_multicast(&buf->target);
}

static bool addresses_acceptable(const struct buf *buf)
{
	bool outside = buf->link->kind != LINK_LOOPBACK;
	bool many = route_is_broadcast(buf->link, &buf->target);

	if (net_addr_is_multicast(&buf->source) || route_is_broadcast(buf->link, &buf->source))
		return false;
	/* Over the loopback only we are: else a raw socket could have us answer others, with what it likes. */
	if (!outside && !route_is_ours(&buf->source) && !net_addr_is_loopback(&buf->source) &&
	    !net_addr_is_any(&buf->source))
		return false;
	/* From outside nobody is 127.0.0.1 (RFC 1122 section 3.2.1.3 (g)), and nobody is us. */
	if (outside && !buf->looped &&
	    ((route_is_ours(&buf->source) && !is_objection(buf)) || net_addr_is_loopback(&buf->target)))
		return false;
	if (net_addr_is_multicast(&buf->target))
		return group_is_heard(buf->link, &buf->target);
	return many || route_is_ours(&buf->target);
}

/* To the transports. Takes buf, whose headers are off. */
static void deliver(struct buf *buf)
{
	if (!buf->looped && buf->protocol != IP_PROTOCOL_IGMP && !policy_enters(buf)) {
		buf->link->received.dropped++;
		buf_free(buf);
		return;
	}
	if (buf->protocol != IP_PROTOCOL_TCP)
		buf->segment = 0; /* an echo may send it back as it is */
	bool raw = raw_input(buf);
	switch (buf->protocol) {
	case IP_PROTOCOL_TCP:
		tcp_input(buf);
		break;
	case IP_PROTOCOL_UDP:
	case IP_PROTOCOL_UDPLITE:
		udp_input(buf);
		break;
	case IP_PROTOCOL_ICMP:
	case IP_PROTOCOL_ICMPV6:
		icmp_input(buf);
		break;
	case IP_PROTOCOL_IGMP: /* queries ask what programs may join, and that is asked of the policy when they send */
		group_igmp_input(buf);
		break;
	default:
		if (raw)
			buf_free(buf);
		else
			icmp_unreachable(buf, ICMP_PROTOCOL_UNREACHABLE);
	}
}

void ip_input(struct buf *buf)
{
	struct fragment fragment = {0};
	uint8_t version = 0;
	bool good = buf_copy(buf, &version, 1) == 1;

	version >>= 4;
	struct ip_counts *counts = &net_counts.ip[version == 6];
	counts->in++;
	counts->in_bytes += buf_size(buf);
	buf_mark(buf);
	good = good && (version == 4 ? take4(buf, &fragment) : version == 6 && take6(buf, &fragment));
	if (!good || !addresses_acceptable(buf)) {
		counts->in_wrong++;
		buf->link->received.dropped++;
		buf_free(buf);
		return;
	}
	counts->in_ecn[buf->traffic_class & 3]++;
	if (fragment.more || fragment.offset) {
		buf = fragment_input(buf, &fragment);
		fragment = (struct fragment){.header_bytes = IP6_HEADER_BYTES}; /* not a second time */
		if (!buf)
			return;
		if (!net_addr_is_v4(&buf->source) && !take_extensions(buf, &fragment)) {
			buf_free(buf);
			return;
		}
	}
	counts->delivered++;
	deliver(buf);
}
