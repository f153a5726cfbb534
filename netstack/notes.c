/* notes.c - control data of datagrams: what a receiver wants to know of a packet, and what a sender wants for one
 * (ip(7), ipv6(7), RFC 3542).
 *
 * Which options a note belongs to goes by the packet's family: an IPv6 socket that got an IPv4 packet answers with the
 * notes of IPv4, as Linux does (ip6_datagram_recv_ctl, ip_cmsg_recv).
 */
#include "netstack/inet.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

static void notes4(const struct inet_options *options, const struct buf *buf, struct socket_message *message)
{
	struct in_pktinfo info = {.ipi_ifindex = (int)buf->link->index};
	int hops = buf->hops;

	if (options->receive_packet_info) {
		info.ipi_spec_dst.s_addr = info.ipi_addr.s_addr = buf->target.words[3];
		socket_note_add(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
	if (options->receive_hops)
		socket_note_add(message, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
	if (options->receive_class)
		socket_note_add(message, IPPROTO_IP, IP_TOS, &buf->traffic_class, sizeof buf->traffic_class);
	if (options->receive_target) {
		struct sockaddr_in end = {.sin_family = AF_INET,
					  .sin_port = net16(buf->target_port),
					  .sin_addr.s_addr = buf->target.words[3]};
		socket_note_add(message, IPPROTO_IP, IP_ORIGDSTADDR, &end, sizeof end);
	}
}

static void notes6(const struct inet_options *options, const struct buf *buf, struct socket_message *message)
{
	struct in6_pktinfo info = {.ipi6_ifindex = buf->link->index};
	int hops = buf->hops, traffic_class = buf->traffic_class;

	if (options->receive_packet_info6) {
		memcpy(&info.ipi6_addr, buf->target.bytes, sizeof info.ipi6_addr);
		socket_note_add(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
	if (options->receive_hops6)
		socket_note_add(message, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
	if (options->receive_class6)
		socket_note_add(message, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
	if (options->receive_target) {
		struct sockaddr_in6 end = {.sin6_family = AF_INET6, .sin6_port = net16(buf->target_port)};
		memcpy(&end.sin6_addr, buf->target.bytes, sizeof end.sin6_addr);
		socket_note_add(message, IPPROTO_IPV6, IPV6_ORIGDSTADDR, &end, sizeof end);
	}
}

void inet_notes_add(const struct inet_sock *sock, const struct buf *buf, struct socket_message *message)
{
	if (net_addr_is_v4(&buf->target))
		notes4(&sock->options, buf, message);
	else
		notes6(&sock->options, buf, message);
}

/* ------------------------------------------------------------------------------------------------ wishes */

static int number_of(const char *data, size_t size, int least, int most, int16_t *out)
{
	int number;

	if (size < sizeof number)
		return -EINVAL;
	memcpy(&number, data, sizeof number);
	if (number < least || number > most)
		return -EINVAL;
	*out = (int16_t)number;
	return 0;
}

static int wish4(int type, const char *data, size_t size, struct inet_wish *out)
{
	struct in_pktinfo info;

	switch (type) {
	case IP_TTL:
		return number_of(data, size, 1, 255, &out->hops);
	case IP_TOS:
		if (size == 1) {
			out->traffic_class = *(const uint8_t *)data;
			return 0;
		}
		return number_of(data, size, 0, 255, &out->traffic_class);
	case IP_PKTINFO:
		if (size != sizeof info)
			return -EINVAL;
		memcpy(&info, data, sizeof info);
		out->source = net_addr_v4(net32(info.ipi_spec_dst.s_addr));
		out->link = (uint32_t)info.ipi_ifindex;
		return out->link && !link_by_index(out->link) ? -ENODEV : 0;
	default:
		return -EINVAL;
	}
}

static int wish6(int type, const char *data, size_t size, struct inet_wish *out)
{
	struct in6_pktinfo info;

	switch (type) {
	case IPV6_HOPLIMIT:
		return size == sizeof(int) ? number_of(data, size, -1, 255, &out->hops) : -EINVAL;
	case IPV6_TCLASS:
		return size == sizeof(int) ? number_of(data, size, -1, 255, &out->traffic_class) : -EINVAL;
	case IPV6_PKTINFO:
		if (size != sizeof info)
			return -EINVAL;
		memcpy(&info, data, sizeof info);
		memcpy(out->source.bytes, &info.ipi6_addr, sizeof out->source.bytes);
		out->link = info.ipi6_ifindex;
		return out->link && !link_by_index(out->link) ? -ENODEV : 0;
	case IPV6_DONTFRAG: {
		int16_t number;
		int error = size == sizeof(int) ? number_of(data, size, 0, 1, &number) : -EINVAL;
		if (!error)
			out->unfragmented = (int8_t)number;
		return error;
	}
	default:
		return -EINVAL;
	}
}

/* SOL_SOCKET: what __sock_cmsg_send takes in Linux, but for SCM_* of Unix sockets, which pass. */
static int wish_socket(int type, const char *data, size_t size, struct inet_wish *out)
{
	switch (type) {
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		if (size != sizeof out->stamps)
			return -EINVAL;
		memcpy(&out->stamps, data, sizeof out->stamps);
		return out->stamps & ~(uint32_t)SOF_TIMESTAMPING_TX_RECORD_MASK ? -EINVAL : 0;
	case SO_MARK:
	case SO_PRIORITY:
		return size == sizeof(uint32_t) ? 0 : -EINVAL;
	case ABI_SCM_RIGHTS:
	case ABI_SCM_CREDENTIALS:
		return 0;
	default:
		return -EINVAL;
	}
}

static int wish_udp(int type, const char *data, size_t size, struct inet_wish *out)
{
	if (type != UDP_SEGMENT || size != sizeof out->segment)
		return -EINVAL;
	memcpy(&out->segment, data, sizeof out->segment);
	return 0;
}

int inet_wish_parse(const struct inet_sock *sock, const struct socket_message *message, struct inet_wish *out)
{
	const char *control = message->control;
	size_t at = 0, size = control ? message->control_size : 0;
	int error = 0;

	*out = (struct inet_wish){
		.hops = -1,
		.traffic_class = -1,
		.unfragmented = -1,
		.source = NET_ADDR_ANY6,
		.stamps = sock->base.timestamping & SOF_TIMESTAMPING_TX_RECORD_MASK,
	};
	while (!error && size - at >= sizeof(struct abi_cmsghdr)) {
		struct abi_cmsghdr header;
		memcpy(&header, control + at, sizeof header);
		if (header.size < sizeof header || header.size > size - at)
			return -EINVAL;
		const char *data = control + at + sizeof header;
		if (header.level == IPPROTO_IP)
			error = wish4(header.type, data, header.size - sizeof header, out);
		else if (header.level == IPPROTO_IPV6 && inet_is_v6(sock))
			error = wish6(header.type, data, header.size - sizeof header, out);
		else if (header.level == ABI_SOL_SOCKET)
			error = wish_socket(header.type, data, header.size - sizeof header, out);
		else if (header.level == IPPROTO_UDP && sock->kind == INET_UDP)
			error = wish_udp(header.type, data, header.size - sizeof header, out);
		if (ABI_CMSG_ALIGN(header.size) >= size - at)
			break;
		at += ABI_CMSG_ALIGN(header.size);
	}
	return error;
}
