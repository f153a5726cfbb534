/* procstat.c - /proc/net/snmp, snmp6, netstat, sockstat and sockstat6: how many sockets there are and what went through
 * the stack, in the columns that ss -s, netstat -s and psutil look for (proc(5),
 * Documentation/networking/snmp_counter.rst).
 *
 * Limits: snmp tells of IPv4 (TCP: of both), snmp6 of IPv6, as Linux's do; netstat has Linux's IpExt, but nothing of
 * TcpExt and MPTcpExt. Counts of what this
 * stack never does (forwarding, address masks) are always 0; those of pieces of packets, and of packets to groups,
 * are not kept.
 */
#include "netstack/procnet.h"

#include "fs/socket.h"
#include "netstack/counts.h"
#include "netstack/ip.h"
#include "netstack/ports.h"
#include "netstack/raw.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <inttypes.h>
#include <stdio.h>

struct net_counts net_counts;

/* ------------------------------------------------------------------------------------------------ sockstat */

/* What is counted of one family's sockets. */
struct census {
	unsigned tcp, udp, udplite, raw, orphans, time_wait;
	uint64_t tcp_bytes, udp_bytes;
};

static void count_tcp(const struct inet_sock *sock, struct census *out)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;

	out->tcp_bytes += (uint64_t)tcp->ready_bytes + tcp->ahead_bytes + tcp_unacked_bytes(sock);
	if (tcp->state == TCP_TIME_WAIT)
		out->time_wait++;
	else if (tcp->state != TCP_CLOSED)
		out->tcp++;
	if (tcp->state != TCP_TIME_WAIT && tcp->state != TCP_CLOSED && !sock->file && !tcp->listener)
		out->orphans++;
}

static struct census census_take(bool v6)
{
	struct census census = {0};

	for (const struct inet_sock *sock = NULL; (sock = socket_next(sock));) {
		if (inet_is_v6(sock) != v6)
			continue;
		if (sock->protocol == IP_PROTOCOL_TCP) {
			count_tcp(sock, &census);
		} else if (udp_is_protocol(sock->protocol)) {
			*(sock->protocol == IP_PROTOCOL_UDP ? &census.udp : &census.udplite) += 1;
			census.udp_bytes += datagram_of(sock)->queued_bytes;
		}
	}
	for (const struct inet_sock *sock = NULL; (sock = raw_next(sock));)
		census.raw += inet_is_v6(sock) == v6;
	return census;
}

int procstat_show_sockstat(const struct node_ref *ref, struct text *out)
{
	struct census v4 = census_take(false), v6 = census_take(true);
	uint64_t tcp_pages = (v4.tcp_bytes + v6.tcp_bytes + PAGE_SIZE - 1) / PAGE_SIZE;
	uint64_t udp_pages = (v4.udp_bytes + v6.udp_bytes + PAGE_SIZE - 1) / PAGE_SIZE;
	unsigned waiting = v4.time_wait + v6.time_wait;

	(void)ref;
	text_printf(out, "sockets: used %u\n", socket_count());
	text_printf(out, "TCP: inuse %u orphan %u tw %u alloc %u mem %" PRIu64 "\n", v4.tcp, v4.orphans + v6.orphans,
		    waiting, tcp_sock_count() - waiting, tcp_pages);
	text_printf(out, "UDP: inuse %u mem %" PRIu64 "\nUDPLITE: inuse %u\n", v4.udp, udp_pages, v4.udplite);
	text_printf(out, "RAW: inuse %u\nFRAG: inuse 0 memory 0\n", v4.raw);
	return 0;
}

int procstat_show_sockstat6(const struct node_ref *ref, struct text *out)
{
	struct census v6 = census_take(true);

	(void)ref;
	text_printf(out,
		    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\nRAW6: inuse %u\nFRAG6: inuse 0 memory 0\n",
		    v6.tcp, v6.udp, v6.udplite, v6.raw);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ snmp */

static void show_ip(struct text *out)
{
	text_add_string(out,
			"Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos "
			"InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds "
			"ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits\n");
	text_printf(out, "Ip: 2 %u %" PRIu64 " %" PRIu64 " 0 0 0 0 %" PRIu64 " %" PRIu64 " 0 %" PRIu64, IP_DEFAULT_HOPS,
		    net_counts.ip[0].in, net_counts.ip[0].in_wrong, net_counts.ip[0].delivered, net_counts.ip[0].out,
		    net_counts.ip[0].no_route);
	text_printf(out, " 0 0 0 0 0 0 0 %" PRIu64 "\n", net_counts.ip[0].out);
}

/* The types that have a column of their own, in its order: unreachable to address mask reply (RFC 792, 950). */
static const uint8_t icmp_columns[] = {3, 11, 12, 4, 5, 8, 0, 13, 14, 17, 18};

static uint64_t icmp_sum(const uint64_t types[ICMP_TYPES])
{
	uint64_t sum = 0;

	for (unsigned type = 0; type < ICMP_TYPES; type++)
		sum += types[type];
	return sum;
}

static void show_icmp(struct text *out)
{
	text_add_string(out, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs "
			     "InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps "
			     "OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds "
			     "OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps "
			     "OutTimestampReps OutAddrMasks OutAddrMaskReps\n");
	text_printf(out, "Icmp: %" PRIu64 " %" PRIu64 " %" PRIu64, icmp_sum(net_counts.icmp[0].in),
		    net_counts.icmp[0].in_wrong, net_counts.icmp[0].in_wrong);
	for (unsigned i = 0; i < COUNT(icmp_columns); i++)
		text_printf(out, " %" PRIu64, net_counts.icmp[0].in[icmp_columns[i]]);
	text_printf(out, " %" PRIu64 " 0 0 0", icmp_sum(net_counts.icmp[0].out));
	for (unsigned i = 0; i < COUNT(icmp_columns); i++)
		text_printf(out, " %" PRIu64, net_counts.icmp[0].out[icmp_columns[i]]);
	text_add_char(out, '\n');
}

/* The types that there were, by name and then by number. */
static void show_icmp_types(struct text *out)
{
	if (!icmp_sum(net_counts.icmp[0].in) && !icmp_sum(net_counts.icmp[0].out))
		return;
	for (unsigned line = 0; line < 2; line++) {
		text_add_string(out, "IcmpMsg:");
		for (unsigned sent = 0; sent < 2; sent++) {
			const uint64_t *types = sent ? net_counts.icmp[0].out : net_counts.icmp[0].in;
			for (unsigned type = 0; type < ICMP_TYPES; type++) {
				if (types[type] && !line)
					text_printf(out, " %sType%u", sent ? "Out" : "In", type);
				else if (types[type])
					text_printf(out, " %" PRIu64, types[type]);
			}
		}
		text_add_char(out, '\n');
	}
}

static unsigned connections_now(void)
{
	unsigned count = 0;

	for (const struct inet_sock *sock = NULL; (sock = socket_next(sock));)
		if (sock->protocol == IP_PROTOCOL_TCP) {
			enum tcp_state state = ((const struct tcp_sock *)sock)->state;
			count += state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
		}
	return count;
}

static void show_tcp_counts(struct text *out)
{
	uint64_t again = MIN(net_counts.tcp.again, net_counts.tcp.out);

	text_add_string(out,
			"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
			"CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
	text_printf(out, "Tcp: 1 200 120000 -1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u",
		    net_counts.tcp.active, net_counts.tcp.passive, net_counts.tcp.failed, net_counts.tcp.reset,
		    connections_now());
	text_printf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    net_counts.tcp.in, net_counts.tcp.out - again, net_counts.tcp.again, net_counts.tcp.in_wrong,
		    net_counts.tcp.out_reset, net_counts.tcp.in_wrong);
}

static void show_udp_counts(struct text *out, const char *name, const struct udp_counts *counts)
{
	text_printf(out,
		    "%s: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti "
		    "MemErrors\n",
		    name);
	text_printf(out, "%s: %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 %" PRIu64 " 0 0\n", name,
		    counts->in, counts->no_port, counts->in_wrong + counts->in_full, counts->out, counts->in_full,
		    counts->in_wrong);
}

int procstat_show_snmp(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	show_ip(out);
	show_icmp(out);
	show_icmp_types(out);
	show_tcp_counts(out);
	show_udp_counts(out, "Udp", &net_counts.udp[0]);
	show_udp_counts(out, "UdpLite", &net_counts.udplite[0]);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ snmp6 */

static void add_count(struct text *out, const char *group, const char *name, uint64_t value)
{
	char whole[64];

	snprintf(whole, sizeof whole, "%s%s", group, name);
	text_printf(out, "%-32s\t%" PRIu64 "\n", whole, value);
}

static void show_ip6(struct text *out, const struct ip_counts *ip)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"InReceives", ip->in},
		{"InHdrErrors", ip->in_wrong},
		{"InTooBigErrors", 0},
		{"InNoRoutes", 0},
		{"InAddrErrors", 0},
		{"InUnknownProtos", 0},
		{"InTruncatedPkts", 0},
		{"InDiscards", 0},
		{"InDelivers", ip->delivered},
		{"OutForwDatagrams", 0},
		{"OutRequests", ip->out},
		{"OutDiscards", 0},
		{"OutNoRoutes", ip->no_route},
		{"ReasmTimeout", 0},
		{"ReasmReqds", 0},
		{"ReasmOKs", 0},
		{"ReasmFails", 0},
		{"FragOKs", 0},
		{"FragFails", 0},
		{"FragCreates", 0},
		{"InMcastPkts", 0},
		{"OutMcastPkts", 0},
		{"InOctets", ip->in_bytes},
		{"OutOctets", ip->out_bytes},
		{"InMcastOctets", 0},
		{"OutMcastOctets", 0},
		{"InBcastOctets", 0},
		{"OutBcastOctets", 0},
		{"InNoECTPkts", ip->in_ecn[0]},
		{"InECT1Pkts", ip->in_ecn[1]},
		{"InECT0Pkts", ip->in_ecn[2]},
		{"InCEPkts", ip->in_ecn[3]},
		{"OutTransmits", ip->out},
	};

	for (unsigned i = 0; i < COUNT(rows); i++)
		add_count(out, "Ip6", rows[i].name, rows[i].value);
}

static void show_icmp6(struct text *out, const struct icmp_counts *icmp)
{
	static const struct {
		uint8_t type;
		const char *name;
	} types[] = {
		{1, "DestUnreachs"},
		{2, "PktTooBigs"},
		{3, "TimeExcds"},
		{4, "ParmProblems"},
		{128, "Echos"},
		{129, "EchoReplies"},
		{130, "GroupMembQueries"},
		{131, "GroupMembResponses"},
		{132, "GroupMembReductions"},
		{133, "RouterSolicits"},
		{134, "RouterAdvertisements"},
		{135, "NeighborSolicits"},
		{136, "NeighborAdvertisements"},
		{137, "Redirects"},
		{143, "MLDv2Reports"},
	};

	add_count(out, "Icmp6", "InMsgs", icmp_sum(icmp->in));
	add_count(out, "Icmp6", "InErrors", icmp->in_wrong);
	add_count(out, "Icmp6", "OutMsgs", icmp_sum(icmp->out));
	add_count(out, "Icmp6", "OutErrors", 0);
	add_count(out, "Icmp6", "InCsumErrors", icmp->in_wrong);
	add_count(out, "Icmp6", "OutRateLimitHost", 0);
	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned i = 0; i < COUNT(types); i++)
			add_count(out, sent ? "Icmp6Out" : "Icmp6In", types[i].name,
				  (sent ? icmp->out : icmp->in)[types[i].type]);
	for (unsigned sent = 0; sent < 2; sent++)
		for (unsigned type = 0; type < ICMP_TYPES; type++) {
			uint64_t count = (sent ? icmp->out : icmp->in)[type];
			char name[16];
			snprintf(name, sizeof name, "Type%u", type);
			if (count)
				add_count(out, sent ? "Icmp6Out" : "Icmp6In", name, count);
		}
}

static void show_udp6(struct text *out, const char *group, const struct udp_counts *udp, bool lite)
{
	add_count(out, group, "InDatagrams", udp->in);
	add_count(out, group, "NoPorts", udp->no_port);
	add_count(out, group, "InErrors", udp->in_wrong + udp->in_full);
	add_count(out, group, "OutDatagrams", udp->out);
	add_count(out, group, "RcvbufErrors", udp->in_full);
	add_count(out, group, "SndbufErrors", 0);
	add_count(out, group, "InCsumErrors", udp->in_wrong);
	if (!lite)
		add_count(out, group, "IgnoredMulti", 0);
	add_count(out, group, "MemErrors", 0);
}

int procstat_show_snmp6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	show_ip6(out, &net_counts.ip[1]);
	show_icmp6(out, &net_counts.icmp[1]);
	show_udp6(out, "Udp6", &net_counts.udp[1], false);
	show_udp6(out, "UdpLite6", &net_counts.udplite[1], true);
	return 0;
}

int procstat_show_netstat(const struct node_ref *ref, struct text *out)
{
	const struct ip_counts *ip = &net_counts.ip[0];

	(void)ref;
	text_add_string(out, "IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts "
			     "InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets "
			     "InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps\n");
	text_printf(out, "IpExt: 0 0 0 0 0 0 %" PRIu64 " %" PRIu64 " 0 0 0 0 0", ip->in_bytes, ip->out_bytes);
	for (unsigned bits = 0; bits < COUNT(ip->in_ecn); bits++)
		text_printf(out, " %" PRIu64, ip->in_ecn[bits]);
	text_add_string(out, " 0\n");
	return 0;
}
