/* icmp.c - answers to pings, reports about packets that nobody wants, and what such reports from others mean.
 *
 * A report quotes the packet that it is about. It is believed only when it quotes what one of our sockets can have sent
 * (RFC 5927 section 4), and a TCP connection that has been established never ends by one.
 *
 * Limits: no redirects, no timestamps, no path MTU yet; reports are not limited in rate, because over the loopback
 * their reader pays for them.
 */
#include "netstack/icmp.h"

#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <errno.h>

#define ICMP4_ECHO_REPLY    0
#define ICMP4_UNREACHABLE   3
#define ICMP4_ECHO          8
#define ICMP6_UNREACHABLE   1
#define ICMP6_ECHO          128
#define ICMP6_ECHO_REPLY    129
#define ICMP4_CODE_PROTOCOL 2
#define ICMP4_CODE_PORT     3
#define ICMP6_CODE_PORT     4
#define ICMP6_PARAMETER     4
#define ICMP6_CODE_NEXT     1
#define QUOTE4_BYTES        548u  /* a report has at most 576 bytes in all (RFC 1812 section 4.3.2.3) */
#define QUOTE6_BYTES        1232u /* the least IPv6 MTU, less the headers (RFC 4443 section 2.4 (c)) */

struct icmp_header {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t rest;
};

/* Sends what buf holds behind the header to target. Takes buf. */
static void send(const struct net_addr *source, const struct net_addr *target, struct icmp_header header,
		 struct buf *buf)
{
	bool v4 = net_addr_is_v4(target);
	struct ip_meta meta = {.protocol = v4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6, .hops = IP_DEFAULT_HOPS};
	struct route route;

	if (route_find(source, target, &route)) {
		buf_free(buf);
		return;
	}
	header.checksum = 0;
	struct icmp_header *pushed = buf_push(buf, sizeof header);
	memcpy(pushed, &header, sizeof header);
	uint64_t sum = v4 ? 0 : sum_pseudo(&route.source, target, IP_PROTOCOL_ICMPV6, buf_size(buf));
	header.checksum = sum_fold(sum_buf(sum, buf));
	memcpy(pushed, &header, sizeof header);
	(void)ip_output(&route, target, &meta, buf);
}

void icmp_unreachable(struct buf *buf, enum icmp_reason reason)
{
	bool v4 = net_addr_is_v4(&buf->source), port = reason == ICMP_PORT_UNREACHABLE;
	struct icmp_header header = {.type = ICMP4_UNREACHABLE, .code = port ? ICMP4_CODE_PORT : ICMP4_CODE_PROTOCOL};
	/* Never about a report, nor to or about many (RFC 1122 section 3.2.2). */
	bool allowed = buf->protocol != IP_PROTOCOL_ICMP && buf->protocol != IP_PROTOCOL_ICMPV6 &&
		       !net_addr_is_multicast(&buf->target) && !net_addr_is_broadcast(&buf->target) &&
		       !net_addr_is_any(&buf->source);
	struct block *block = allowed ? block_new(v4 ? QUOTE4_BYTES : QUOTE6_BYTES) : NULL;
	struct buf *report = block ? buf_new() : NULL;

	if (report) {
		if (!v4)
			header = port ? (struct icmp_header){.type = ICMP6_UNREACHABLE, .code = ICMP6_CODE_PORT}
				      : (struct icmp_header){.type = ICMP6_PARAMETER,
							     .code = ICMP6_CODE_NEXT,
							     .rest = net32(6)}; /* the next-header field */
		buf_rewind(buf);
		block->used = buf_copy(buf, block->data, block->capacity);
		buf_attach(report, block, 0, block->used);
		send(&buf->target, &buf->source, header, report);
	}
	if (block)
		block_put(block);
	buf_free(buf);
}

/* ------------------------------------------------------------------------------------------------ reports of others */

/* What the quoted packet was: its ends and protocol. */
static bool quoted(struct buf *buf, uint8_t *protocol, struct net_end *source, struct net_end *target)
{
	struct ip4_header v4;
	struct ip6_header v6;
	uint16_t ports[2];

	if (net_addr_is_v4(&buf->target)) {
		if (!buf_pull(buf, &v4, sizeof v4) || (v4.version_length & 15) < 5 ||
		    !buf_skip(buf, (v4.version_length & 15) * 4u - (uint32_t)sizeof v4))
			return false;
		*protocol = v4.protocol;
		source->addr = net_addr_v4(net32(v4.source));
		target->addr = net_addr_v4(net32(v4.target));
	} else {
		if (!buf_pull(buf, &v6, sizeof v6))
			return false;
		*protocol = v6.protocol;
		source->addr = v6.source;
		target->addr = v6.target;
	}
	if (!buf_pull(buf, ports, sizeof ports))
		return false;
	source->port = net16(ports[0]);
	target->port = net16(ports[1]);
	return true;
}

static int error_of(bool v4, uint8_t code)
{
	if (v4)
		return code == ICMP4_CODE_PORT       ? ECONNREFUSED
		       : code == ICMP4_CODE_PROTOCOL ? ENOPROTOOPT
						     : EHOSTUNREACH;
	return code == ICMP6_CODE_PORT ? ECONNREFUSED : EHOSTUNREACH;
}

static void report_input(struct buf *buf, bool v4, uint8_t code)
{
	struct net_end source, target;
	uint8_t protocol;

	if (!quoted(buf, &protocol, &source, &target) || !ip_is_ours(&source.addr))
		return;
	if (protocol == IP_PROTOCOL_UDP)
		udp_error(&source, &target, error_of(v4, code));
	else if (protocol == IP_PROTOCOL_TCP)
		tcp_error(&source, &target, error_of(v4, code));
}

void icmp_input(struct buf *buf)
{
	bool v4 = net_addr_is_v4(&buf->target);
	struct icmp_header header;
	uint64_t sum = v4 ? 0 : sum_pseudo(&buf->source, &buf->target, IP_PROTOCOL_ICMPV6, buf_size(buf));

	if ((buf->protocol == IP_PROTOCOL_ICMP) != v4 || (!buf->summed && sum_fold(sum_buf(sum, buf))) ||
	    !buf_pull(buf, &header, sizeof header)) {
		buf_free(buf);
		return;
	}
	if (header.type == (v4 ? ICMP4_ECHO : ICMP6_ECHO) && !net_addr_is_multicast(&buf->target)) {
		struct net_addr source = buf->target, target = buf->source;
		header.type = v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
		send(&source, &target, header, buf);
		return;
	}
	if (header.type == (v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE))
		report_input(buf, v4, header.code);
	buf_free(buf);
}
