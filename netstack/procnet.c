/* procnet.c - /proc/net: interfaces, sockets with a port, routes; in the columns of Linux, which netstat(8), psutil and
 * Go read (proc(5), Documentation/networking/proc_net_tcp.rst).
 *
 * Limits: no tables of AF_UNIX and AF_NETLINK sockets, no counters of protocols (snmp, netstat).
 */
#include "netstack/procnet.h"

#include "netstack/device.h"
#include "netstack/ports.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <inttypes.h>
#include <sys/stat.h>

#define UDP_BOUND 7 /* what unconnected datagram sockets show as their state: TCP_CLOSE */

static int show_dev(const struct node_ref *ref, struct text *out)
{
	const struct link *link;

	(void)ref;
	text_add_string(out,
			"Inter-|   Receive                                                |  Transmit\n"
			" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
			"fifo colls carrier compressed\n");
	for (unsigned place = 0; (link = device_at(place)); place++)
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
	bool stream = sock->protocol == IP_PROTOCOL_TCP;
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;
	unsigned state = stream ? tcp->state : sock->remote.port ? (unsigned)TCP_ESTABLISHED : UDP_BOUND;
	uint32_t waiting = stream ? tcp_unacked_bytes(sock) : 0;
	uint32_t arrived = stream ? tcp_readable_bytes(sock) : ((const struct udp_sock *)sock)->queued_bytes;

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

/* ------------------------------------------------------------------------------------------------ addresses */

static int show_if_inet6(const struct node_ref *ref, struct text *out)
{
	const struct link *link;
	struct net_addr addr;
	uint8_t prefix;

	(void)ref;
	for (unsigned i = 0; (link = device_at(i)); i++)
		for (unsigned place = 0; device_address(link, place, &addr, &prefix); place++) {
			if (net_addr_is_v4(&addr))
				continue;
			for (unsigned byte = 0; byte < sizeof addr.bytes; byte++)
				text_printf(out, "%02x", addr.bytes[byte]);
			text_printf(out, " %02x %02x %02x %02x %8s\n", link->index, prefix,
				    link->kind == LINK_LOOPBACK ? 0x10 : 0, 0x80, link->name);
		}
	return 0;
}

const struct node_desc procnet_files[PROCNET_FILES] = {
	NODE_FILE("dev", show_dev),
	NODE_FILE("tcp", show_tcp),
	NODE_FILE("tcp6", show_tcp6),
	NODE_FILE("udp", show_udp),
	NODE_FILE("udp6", show_udp6),
	NODE_FILE("if_inet6", show_if_inet6),
	NODE_TEXT("raw", COLUMNS4 " ref pointer drops\n"),
	NODE_TEXT("raw6", COLUMNS6 " ref pointer drops\n"),
	NODE_TEXT("route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"),
	NODE_TEXT("arp", "IP address       HW type     Flags       HW address            Mask     Device\n"),
	NODE_TEXT("ipv6_route", ""),
};
