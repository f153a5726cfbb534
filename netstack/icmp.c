/* icmp.c - answers to pings, reports about packets that nobody wants, and what such reports from others mean.
 *
 * A report quotes the packet that it is about. It is believed only when it quotes what one of our sockets can have sent
 * (RFC 5927 section 4), and a TCP connection that has been established never ends by one.
 *
 * A report that a packet was too big tells the path's MTU (RFC 1191, RFC 8201), which is believed under the same
 * condition.
 *
 * Limits: no redirects, no timestamps. Reports to the outside are at most REPORTS_PER_S a second (RFC 1812 section
 * 4.3.2.8), so that nobody uses us to knock at others; over the loopback their reader pays for them.
 */
#include "netstack/icmp.h"

#include "netstack/counts.h"
#include "netstack/errors.h"
#include "netstack/group.h"
#include "netstack/ndp.h"
#include "netstack/ping.h"
#include "netstack/ports.h"
#include "netstack/raw.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include "sentry/base/fiber.h"
#include <errno.h>

#define ICMP4_ECHO_REPLY    0
#define ICMP4_UNREACHABLE   3
#define ICMP4_ECHO          8
#define ICMP4_TIME          11
#define ICMP6_UNREACHABLE   1
#define ICMP6_TOO_BIG       2
#define ICMP6_TIME          3
#define ICMP6_PARAMETER     4
#define ICMP6_ECHO          128
#define ICMP6_ECHO_REPLY    129
#define ICMP4_CODE_PROTOCOL 2
#define ICMP4_CODE_HOST     1
#define ICMP4_CODE_PORT     3
#define ICMP4_CODE_TOO_BIG  4
#define ICMP6_CODE_ADDRESS  3
#define ICMP6_CODE_PORT     4
#define ICMP6_CODE_NEXT     1
#define ICMP_CODE_ASSEMBLY  1
#define ICMP6_NEXT_HEADER   6     /* where the field is that an ICMP6_PARAMETER means */
#define QUOTE4_BYTES        548u  /* a report has at most 576 bytes in all (RFC 1812 section 4.3.2.3) */
#define QUOTE6_BYTES        1232u /* the least IPv6 MTU, less the headers (RFC 4443 section 2.4 (c)) */
#define REPORTS_PER_S       100   /* to the outside */

void icmp_push(const struct net_addr *source, const struct net_addr *target, struct icmp_header header, struct buf *buf)
{
	bool v4 = net_addr_is_v4(target);

	net_counts.icmp[!v4].out[header.type]++;
	header.checksum = 0;
	struct icmp_header *pushed = buf_push(buf, sizeof header);
	memcpy(pushed, &header, sizeof header);
	uint64_t sum = v4 ? 0 : sum_pseudo(source, target, IP_PROTOCOL_ICMPV6, buf_size(buf));
	header.checksum = sum_fold(sum_buf(sum, buf));
	memcpy(pushed, &header, sizeof header);
}

void icmp_send(const struct route *route, const struct net_addr *target, struct icmp_header header, uint8_t hops,
	       struct buf *buf)
{
	struct ip_meta meta = {.protocol = net_addr_is_v4(target) ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6,
			       .hops = hops};

	icmp_push(&route->source, target, header, buf);
	(void)ip_output(route, target, &meta, buf);
}

/* The same by our routes. Takes buf. */
static void answer(const struct net_addr *source, const struct net_addr *target, struct icmp_header header,
		   struct buf *buf)
{
	struct route_wish wish = {.source = *source, .target = *target};
	struct route route;

	if (route_find(&wish, &route))
		buf_free(buf);
	else
		icmp_send(&route, target, header, IP_DEFAULT_HOPS, buf);
}

/* May one more report leave by the link? */
static bool report_allowed(const struct link *link)
{
	static uint64_t second_ns;
	static unsigned sent;

	if (link->kind == LINK_LOOPBACK)
		return true;
	if (clock_now_ns() - second_ns >= NS_PER_S) {
		second_ns = clock_now_ns();
		sent = 0;
	}
	return sent++ < REPORTS_PER_S;
}

static const struct icmp_header reports[ICMP_REASONS][2] = {
	/* IPv4, IPv6 */
	[ICMP_PROTOCOL_UNREACHABLE] = {{.type = ICMP4_UNREACHABLE, .code = ICMP4_CODE_PROTOCOL},
				       {.type = ICMP6_PARAMETER,
					.code = ICMP6_CODE_NEXT,
					.rest = __builtin_bswap32(ICMP6_NEXT_HEADER)}},
	[ICMP_PORT_UNREACHABLE] = {{.type = ICMP4_UNREACHABLE, .code = ICMP4_CODE_PORT},
				   {.type = ICMP6_UNREACHABLE, .code = ICMP6_CODE_PORT}},
	[ICMP_REASSEMBLY_TIME] = {{.type = ICMP4_TIME, .code = ICMP_CODE_ASSEMBLY},
				  {.type = ICMP6_TIME, .code = ICMP_CODE_ASSEMBLY}},
};

void icmp_unreachable(struct buf *buf, enum icmp_reason reason)
{
	bool v4 = net_addr_is_v4(&buf->source);
	/* Never about a report, nor to or about many (RFC 1122 section 3.2.2). */
	bool allowed = buf->protocol != IP_PROTOCOL_ICMP && buf->protocol != IP_PROTOCOL_ICMPV6 &&
		       !net_addr_is_multicast(&buf->target) && !route_is_broadcast(buf->link, &buf->target) &&
		       !net_addr_is_any(&buf->source) && report_allowed(buf->link);
	struct block *block = allowed ? block_new(v4 ? QUOTE4_BYTES : QUOTE6_BYTES) : NULL;
	struct buf *report = block ? buf_new() : NULL;

	if (report) {
		buf_rewind(buf);
		block->used = buf_copy(buf, block->data, block->capacity);
		buf_attach(report, block, 0, block->used);
		answer(&buf->target, &buf->source, reports[reason][!v4], report);
	}
	if (block)
		block_put(block);
	buf_free(buf);
}

/* ------------------------------------------------------------------------------------------------ reports of others */

/* A packet that a report quotes, or that could not leave. */
struct quote {
	uint8_t protocol;
	struct net_end source, target;
	uint32_t sequence; /* of TCP */
};

/* Leaves buf at the quoted transport header. */
static bool quote_read(struct buf *buf, bool v4, struct quote *quote)
{
	struct ip4_header h4;
	struct ip6_header h6;
	struct {
		uint16_t source, target;
		uint32_t sequence;
	} head;

	if (v4) {
		if (!buf_pull(buf, &h4, sizeof h4) || (h4.version_length & 15) < 5 ||
		    !buf_skip(buf, (h4.version_length & 15) * 4u - (uint32_t)sizeof h4))
			return false;
		if (net16(h4.fragment) & IP4_FRAGMENT_MASK)
			return false; /* only the first piece names the ports */
		quote->protocol = h4.protocol;
		quote->source.addr = net_addr_v4(net32(h4.source));
		quote->target.addr = net_addr_v4(net32(h4.target));
	} else {
		if (!buf_pull(buf, &h6, sizeof h6))
			return false;
		quote->protocol = h6.protocol;
		quote->source.addr = h6.source;
		quote->target.addr = h6.target;
	}
	if (buf_copy(buf, &head, sizeof head) != sizeof head) /* as much as every report quotes */
		return false;
	quote->source.port = net16(head.source);
	quote->target.port = net16(head.target);
	quote->sequence = net32(head.sequence);
	return true;
}

/* buf: what is left of the report, from the quoted transport header on; NULL: nothing. */
static void tell_socket(const struct quote *quote, const struct inet_report *report, const struct buf *buf)
{
	if (quote->protocol == IP_PROTOCOL_TCP)
		tcp_error(&quote->source, &quote->target, quote->sequence, report->error);
	else if (udp_is_protocol(quote->protocol))
		udp_error(quote->protocol, report, buf);
	else if (buf && (quote->protocol == IP_PROTOCOL_ICMP || quote->protocol == IP_PROTOCOL_ICMPV6))
		ping_error(report, buf);
	if (buf)
		raw_error(report, quote->protocol, buf);
}

void icmp_failed(struct buf *buf, int error)
{
	struct inet_report report = {.error = error};
	struct quote quote;
	uint8_t version = 0;

	(void)buf_copy(buf, &version, 1);
	bool v4 = version >> 4 == 4;
	if (quote_read(buf, v4, &quote)) {
		/* As if a router had said so: ours (ipv4_link_failure in Linux). */
		report.origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
		report.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
		report.code = v4 ? ICMP4_CODE_HOST : ICMP6_CODE_ADDRESS;
		report.offender = quote.source.addr;
		report.local = quote.source;
		report.target = quote.target;
		tell_socket(&quote, &report, buf);
	}
	buf_free(buf);
}

struct meaning {
	int error;
	bool hard; /* nothing will get through */
};

/* What reports mean for a program: icmp_err_convert and icmpv6_err_convert in Linux, RFC 1122 section 4.1.3.3. */
static struct meaning meaning_of(bool v4, const struct icmp_header *header)
{
	static const struct meaning unreachable4[] = {
		{ENETUNREACH, false},  {EHOSTUNREACH, false}, {ENOPROTOOPT, true},  {ECONNREFUSED, true},
		{EMSGSIZE, false},     {EOPNOTSUPP, false},   {ENETUNREACH, true},  {EHOSTDOWN, true},
		{ENONET, true},        {ENETUNREACH, true},   {EHOSTUNREACH, true}, {ENETUNREACH, false},
		{EHOSTUNREACH, false}, {EHOSTUNREACH, true},  {EHOSTUNREACH, true}, {EHOSTUNREACH, true},
	};
	static const struct meaning unreachable6[] = {
		{ENETUNREACH, false}, {EACCES, true}, {EHOSTUNREACH, false}, {EHOSTUNREACH, false},
		{ECONNREFUSED, true}, {EACCES, true}, {EACCES, true},
	};
	const struct meaning *table = v4 ? unreachable4 : unreachable6;
	size_t count = v4 ? COUNT(unreachable4) : COUNT(unreachable6);

	if (header->type == (v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE))
		return header->code < count ? table[header->code] : (struct meaning){v4 ? EHOSTUNREACH : EPROTO, v4};
	if (!v4 && header->type == ICMP6_TOO_BIG)
		return (struct meaning){EMSGSIZE, false};
	if (!v4 && header->type == ICMP6_PARAMETER)
		return (struct meaning){EPROTO, true};
	return (struct meaning){EHOSTUNREACH, false};
}

/* Is it for who sent the quoted packet, and is that one of our sockets? */
static void report_input(struct buf *buf, bool v4, const struct icmp_header *header)
{
	bool too_big = v4 ? header->type == ICMP4_UNREACHABLE && header->code == ICMP4_CODE_TOO_BIG
			  : header->type == ICMP6_TOO_BIG;
	struct meaning meaning = meaning_of(v4, header);
	struct quote quote;

	if (!quote_read(buf, v4, &quote) || !net_addr_equal(&quote.source.addr, &buf->target))
		return;
	struct inet_report report = {
		.origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
		.type = header->type,
		.code = header->code,
		.error = meaning.error,
		.hard = meaning.hard,
		.offender = buf->source,
		.local = quote.source,
		.target = quote.target,
	};
	if (too_big)
		report.info = v4 ? net32(header->rest) & 0xffff : net32(header->rest);
	else if (!v4 && header->type == ICMP6_PARAMETER)
		report.info = net32(header->rest);
	if (too_big && quote.protocol == IP_PROTOCOL_TCP) {
		tcp_too_big(&quote.source, &quote.target, quote.sequence, report.info);
		return;
	}
	if (too_big) {
		if (!udp_is_protocol(quote.protocol) ||
		    !datagram_find(quote.protocol, &quote.source, &quote.target, NULL))
			return;
		(void)route_mtu_learn(&quote.target.addr, report.info);
		report.hard = true; /* as Linux has it without IP_PMTUDISC_DONT (__udp4_lib_err) */
	}
	tell_socket(&quote, &report, buf);
}

static bool is_report(bool v4, uint8_t type)
{
	return v4 ? type == ICMP4_UNREACHABLE || type == ICMP4_TIME
		  : type == ICMP6_UNREACHABLE || type == ICMP6_TOO_BIG || type == ICMP6_TIME || type == ICMP6_PARAMETER;
}

void icmp_input(struct buf *buf)
{
	bool v4 = net_addr_is_v4(&buf->target);
	struct icmp_header header;
	uint64_t sum = v4 ? 0 : sum_pseudo(&buf->source, &buf->target, IP_PROTOCOL_ICMPV6, buf_size(buf));

	if ((buf->protocol == IP_PROTOCOL_ICMP) != v4 || (!buf->summed && sum_fold(sum_buf(sum, buf))) ||
	    !buf_pull(buf, &header, sizeof header)) {
		net_counts.icmp[!v4].in_wrong++;
		buf_free(buf);
		return;
	}
	net_counts.icmp[!v4].in[header.type]++;
	if (header.type == (v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY)) {
		memcpy(buf_push(buf, sizeof header), &header, sizeof header);
		ping_input(buf);
		buf_free(buf);
		return;
	}
	if (!v4 && header.type == MLD_QUERY) {
		group_mld_query(buf, (uint16_t)(net32(header.rest) >> 16));
		return;
	}
	if (!v4 && header.type >= NDP_FIRST && header.type <= NDP_LAST) {
		ndp_input(header.type, header.code, header.rest, buf);
		return;
	}
	/* Pings of many are not answered (net.ipv4.icmp_echo_ignore_broadcasts). */
	if (header.type == (v4 ? ICMP4_ECHO : ICMP6_ECHO) && route_is_ours(&buf->target)) {
		struct net_addr source = buf->target, target = buf->source;
		header.type = v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
		answer(&source, &target, header, buf);
		return;
	}
	if (is_report(v4, header.type))
		report_input(buf, v4, &header);
	buf_free(buf);
}
