/* procnet.c - /proc/net: interfaces, sockets with a port, routes; in the columns of Linux, which netstat(8), psutil and
 * Go read (proc(5), Documentation/networking/proc_net_tcp.rst).
 *
 * Unix domain sockets are shown by fs/unix_socket_list.c, counts by procstat.c.
 Groups are known to group.c,
 * AF_NETLINK sockets to netlink.c.
 */
#include "netstack/procnet.h"

#include "netstack/group.h"
#include "netstack/neighbour.h"
#include "netstack/netlink.h"
#include "netstack/packet.h"
#include "netstack/ports.h"
#include "netstack/raw.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <inttypes.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <stdio.h>
#include <sys/stat.h>

#define UDP_BOUND 7 /* what unconnected datagram sockets show as their state: TCP_CLOSE */

static int show_dev(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out,
			"Inter-|   Receive                                                |  Transmit\n"
			" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
			"fifo colls carrier compressed\n");
	for (const struct link *link = NULL; (link = link_next(link));)
		text_printf(out,
			    "%6s: %7" PRIu64 " %7" PRIu64 "    0 %4" PRIu64 "    0     0          0         0 %8" PRIu64
			    " %7" PRIu64 "    0 %4" PRIu64 "    0     0       0          0\n",
			    link->name, link->received.bytes, link->received.packets, link->received.dropped,
			    link->sent.bytes, link->sent.packets, link->sent.dropped);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ sockets */

static void add_end(struct text *out, const struct inet_sock *sock, const struct net_end *end)
{
	if (inet_is_v6(sock))
		text_printf(out, "%08X%08X%08X%08X:%04X ", end->addr.words[0], end->addr.words[1], end->addr.words[2],
			    end->addr.words[3], end->port);
	else
		text_printf(out, "%08X:%04X ", end->addr.words[3], end->port);
}

static void add_socket(struct text *out, unsigned place, const struct inet_sock *sock)
{
	bool stream = inet_is_stream(sock);
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;
	unsigned state = stream ? tcp->state : sock->remote.port ? (unsigned)TCP_ESTABLISHED : UDP_BOUND;
	uint32_t waiting = stream ? tcp_unacked_bytes(sock) : 0;
	uint32_t arrived = stream ? tcp_readable_bytes(sock) : datagram_of(sock)->queued_bytes;

	if (stream && tcp->state == TCP_LISTEN)
		arrived = tcp->accepted_count;
	text_printf(out, "%*u: ", stream ? 4 : 5, place);
	add_end(out, sock, &sock->local);
	add_end(out, sock, &sock->remote);
	text_printf(out, "%02X %08X:%08X %02X:%08X %08X %5u %8d %" PRIu64 " %u %016x", state, waiting, arrived, 0, 0, 0,
		    sock->uid, 0, sock->file ? sock->file->inode->ino : (uint64_t)0, sock->ref.count, 0);
	if (stream)
		text_printf(out, " %" PRIu64 " 0 0 %u -1\n", (uint64_t)(tcp->rto_ns / (10 * NS_PER_MS)),
			    tcp->mss ? tcp->cwnd / tcp->mss : 0);
	else
		text_add_string(out, " 0\n");
}

static void add_sockets(struct text *out, uint8_t protocol, bool v6)
{
	const struct inet_sock *sock = NULL;
	unsigned place = 0;

	while ((sock = socket_next(sock)))
		if (sock->protocol == protocol && inet_is_v6(sock) == v6)
			add_socket(out, place++, sock);
}

static void add_raw(struct text *out, bool v6)
{
	for (const struct inet_sock *sock = NULL; (sock = raw_next(sock));)
		if (inet_is_v6(sock) == v6)
			add_socket(out, sock->protocol, sock);
}

#define COLUMNS4 "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
#define COLUMNS6                                                                                                       \
	"  sl  local_address                         remote_address                        st tx_queue rx_queue tr "   \
	"tm->when retrnsmt   uid  timeout inode"

static int show_tcp(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, COLUMNS4 "\n");
	add_sockets(out, IP_PROTOCOL_TCP, false);
	return 0;
}

static int show_tcp6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, COLUMNS6 "\n");
	add_sockets(out, IP_PROTOCOL_TCP, true);
	return 0;
}

static int show_udp(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, " " COLUMNS4 " ref pointer drops\n");
	add_sockets(out, IP_PROTOCOL_UDP, false);
	return 0;
}

static int show_udp6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, COLUMNS6 " ref pointer drops\n");
	add_sockets(out, IP_PROTOCOL_UDP, true);
	return 0;
}

static int show_raw(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, COLUMNS4 " ref pointer drops\n");
	add_raw(out, false);
	return 0;
}

static int show_raw6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, COLUMNS6 " ref pointer drops\n");
	add_raw(out, true);
	return 0;
}

static int show_udplite(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, " " COLUMNS4 " ref pointer drops\n");
	add_sockets(out, IP_PROTOCOL_UDPLITE, false);
	return 0;
}

static int show_udplite6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, COLUMNS6 " ref pointer drops\n");
	add_sockets(out, IP_PROTOCOL_UDPLITE, true);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ addresses */

static void add_hex(struct text *out, const struct net_addr *addr)
{
	for (unsigned byte = 0; byte < sizeof addr->bytes; byte++)
		text_printf(out, "%02x", addr->bytes[byte]);
}

static int show_if_inet6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	for (const struct link *link = NULL; (link = link_next(link));) {
		const struct link_address *item = NULL;
		while ((item = link_address_next(link, item))) {
			if (net_addr_is_v4(&item->addr))
				continue;
			unsigned scope = link->kind == LINK_LOOPBACK           ? 0x10
					 : net_addr_is_link_local(&item->addr) ? 0x20
									       : 0;
			add_hex(out, &item->addr);
			text_printf(out, " %02x %02x %02x %02x %8s\n", link->index, item->prefix, scope, 0x80,
				    link->name);
		}
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ routes */

static bool is_v4_route(const struct route_entry *entry)
{
	return net_addr_is_v4(&entry->net);
}

#define ROUTE_LINE "%-127s\n" /* as wide as Linux makes the lines of its oldest table */

static int show_route(const struct node_ref *ref, struct text *out)
{
	char line[128];

	(void)ref;
	text_printf(out, ROUTE_LINE,
		    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	for (const struct route_entry *entry = NULL; (entry = route_next(entry));) {
		bool gateway = !net_addr_is_any(&entry->gateway);
		if (!is_v4_route(entry))
			continue;
		snprintf(line, sizeof line, "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0", entry->link->name,
			 entry->net.words[3], entry->gateway.words[3],
			 RTF_UP | (gateway ? RTF_GATEWAY : 0) | (entry->prefix == 32 ? RTF_HOST : 0), entry->metric,
			 net32((uint32_t)(0xffffffffull << (32 - entry->prefix))));
		text_printf(out, ROUTE_LINE, line);
	}
	return 0;
}

static int show_ipv6_route(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	for (const struct route_entry *entry = NULL; (entry = route_next(entry));) {
		if (is_v4_route(entry))
			continue;
		bool gateway = !net_addr_is_any(&entry->gateway);
		add_hex(out, &entry->net);
		text_printf(out, " %02x ", entry->prefix);
		add_hex(out, &NET_ADDR_ANY6);
		text_add_string(out, " 00 ");
		add_hex(out, &entry->gateway);
		text_printf(out, " %08x 00000001 00000000 %08x %8s\n", entry->metric,
			    RTF_UP | (gateway ? RTF_GATEWAY : 0), entry->link->name);
	}
	return 0;
}

static int show_arp(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_add_string(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
	for (const struct neighbour *item = NULL; (item = neighbour_next(item));) {
		const uint8_t *a = item->addr.bytes + 12, *h = item->hardware;
		char dotted[16];
		if (!net_addr_is_v4(&item->addr))
			continue;
		snprintf(dotted, sizeof dotted, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		text_printf(out, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n", dotted,
			    ARPHRD_ETHER, item->state == NEIGHBOUR_INCOMPLETE ? 0 : ATF_COM, h[0], h[1], h[2], h[3],
			    h[4], h[5], item->link->name);
	}
	return 0;
}

static int show_packet(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	packet_show(out);
	return 0;
}

static int show_igmp(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	group_show4(out);
	return 0;
}

static int show_igmp6(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	group_show6(out);
	return 0;
}

static int show_netlink(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	netlink_show(out);
	return 0;
}

const struct node_desc procnet_files[PROCNET_FILES] = {
	NODE_FILE("dev", show_dev),
	NODE_FILE("tcp", show_tcp),
	NODE_FILE("tcp6", show_tcp6),
	NODE_FILE("udp", show_udp),
	NODE_FILE("udp6", show_udp6),
	NODE_FILE("udplite", show_udplite),
	NODE_FILE("udplite6", show_udplite6),
	NODE_FILE("if_inet6", show_if_inet6),
	NODE_FILE("raw", show_raw),
	NODE_FILE("raw6", show_raw6),
	NODE_FILE("route", show_route),
	NODE_FILE("arp", show_arp),
	NODE_FILE("ipv6_route", show_ipv6_route),
	NODE_FILE("packet", show_packet),
	NODE_FILE("unix", socket_show_unix),
	NODE_FILE("sockstat", procstat_show_sockstat),
	NODE_FILE("sockstat6", procstat_show_sockstat6),
	NODE_FILE("snmp", procstat_show_snmp),
	NODE_FILE("snmp6", procstat_show_snmp6),
	NODE_FILE("netstat", procstat_show_netstat),
	NODE_FILE("igmp", show_igmp),
	NODE_FILE("igmp6", show_igmp6),
	NODE_FILE("netlink", show_netlink),
};
