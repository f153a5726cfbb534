/* raw.c - see raw.h. Every packet for us passes by all raw sockets of its protocol before a transport gets it
 * (raw_local_deliver in Linux). IPv4 sockets see the IP header, IPv6 ones do not. What a socket sends goes through the
 * same routes and links as everything else.
 *
 * Limits: RAW_SOCKET_LIMIT sockets. A header that the program brings (IP_HDRINCL) has no options, and its packet is
 * never cut.
 */
#include "netstack/raw.h"

#include "netstack/net.h"
#include "netstack/ports.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>

#define ICMP6_FILTER_WORDS 8
#define ICMP6_SUM_AT       2 /* where an ICMPv6 message has its checksum */
#define SOL_RAW_LEVEL      255

struct raw_sock {
	struct datagram_sock datagram; /* first */
	struct list node;
	uint32_t filter4;                     /* ICMP_FILTER: a bit for each type that is not wanted */
	uint32_t filter6[ICMP6_FILTER_WORDS]; /* ICMP6_FILTER: the same */
	int32_t sum_at;                       /* IPV6_CHECKSUM: offset in the payload; -1: none */
};

static struct list *raws; /* all of them; in the arena */
static uint32_t raw_count;
static struct slab raw_slab = SLAB(raw_sock);

int raw_init(void)
{
	raws = arena_alloc(sizeof *raws);
	if (!raws)
		return -ENOMEM;
	list_init(raws);
	return 0;
}

static struct raw_sock *raw_of(struct inet_sock *sock)
{
	assert(sock->kind == INET_RAW);
	return (struct raw_sock *)sock;
}

struct inet_sock *raw_sock_new(uint16_t family, uint8_t protocol, uint32_t uid)
{
	struct raw_sock *raw = raw_count < RAW_SOCKET_LIMIT ? slab_new(&raw_slab) : NULL;

	if (!raw)
		return NULL;
	inet_setup(&raw->datagram.inet, INET_RAW, family, protocol, uid);
	datagram_setup(&raw->datagram);
	raw->datagram.inet.options.header_included = protocol == IPPROTO_RAW;
	raw->sum_at = family == ABI_AF_INET6 && protocol == IP_PROTOCOL_ICMPV6 ? ICMP6_SUM_AT : -1;
	list_init(&raw->node);
	list_push_back(raws, &raw->node);
	raw_count++;
	return &raw->datagram.inet;
}

void raw_release(struct inet_sock *sock)
{
	list_remove(&raw_of(sock)->node);
	datagram_release(sock);
}

void raw_sock_free(struct inet_sock *sock)
{
	raw_count--;
	slab_free(&raw_slab, raw_of(sock));
}

int raw_connect(struct inet_sock *sock, const struct socket_address *address)
{
	return datagram_connect(sock, address);
}

const struct inet_sock *raw_next(const struct inet_sock *item)
{
	const struct list *next = item ? ((const struct raw_sock *)item)->node.next : raws->next;

	return next == raws ? NULL : &list_entry(next, struct raw_sock, node)->datagram.inet;
}

/* ------------------------------------------------------------------------------------------------ out */

/* The IPv4 header that the program has brought: what Linux completes in it is completed (raw_send_hdrinc). */
static int header4_complete(const struct datagram_out *way, struct buf *buf)
{
	struct ip4_header header;
	uint32_t size = buf_size(buf);

	if (!buf_pull(buf, &header, sizeof header))
		return -EINVAL;
	if ((header.version_length & 15) * 4u > size)
		return -EINVAL;
	header.size = net16((uint16_t)size);
	if (!header.source)
		header.source = way->route.source.words[3];
	if (!header.id)
		header.id = (uint16_t)net_random();
	header.checksum = 0;
	uint64_t sum = sum_add(0, &header, sizeof header);
	uint32_t options = (header.version_length & 15) * 4u - MIN((header.version_length & 15) * 4u, IP4_HEADER_BYTES);
	if (options) {
		uint8_t bytes[40];
		sum = sum_add(sum, bytes, buf_copy(buf, bytes, options));
	}
	header.checksum = sum_fold(sum);
	memcpy(buf_push(buf, sizeof header), &header, sizeof header);
	return 0;
}

/* Takes buf: a packet whose IP header is the program's. */
static int send_with_header(const struct inet_sock *sock, const struct datagram_out *way, struct buf *buf)
{
	int error = buf_size(buf) > way->route.mtu ? -EMSGSIZE : 0;

	if (!error && !inet_is_v6(sock))
		error = header4_complete(way, buf);
	if (error)
		buf_free(buf);
	else if (way->route.link->kind == LINK_LOOPBACK)
		link_inject(way->route.link, buf);
	else
		link_send(way->route.link, &way->route.next, buf);
	return error;
}

/* Puts the checksum at its place in the payload: into a copy of it, because others may look at the block. */
static int sum_put(const struct raw_sock *raw, const struct datagram_out *way, struct buf *buf)
{
	uint32_t size = buf_size(buf), at = (uint32_t)raw->sum_at;
	uint16_t sum = 0;

	if (raw->sum_at < 0)
		return 0;
	if (size < at + sizeof sum)
		return -EINVAL;
	char *place = buf->block->data + buf->offset + at;
	memcpy(place, &sum, sizeof sum);
	sum = sum_fold(
		sum_buf(sum_pseudo(&way->route.source, &way->remote.addr, raw->datagram.inet.protocol, size), buf));
	if (!sum && raw->datagram.inet.protocol == IP_PROTOCOL_UDP)
		sum = 0xffff;
	memcpy(place, &sum, sizeof sum);
	return 0;
}

static int target_check(const struct inet_sock *sock, struct datagram_out *way)
{
	uint16_t port = way->remote.port;

	/* An IPv6 address may name the protocol as its port: it must be the socket's (rawv6_sendmsg). */
	if (inet_is_v6(sock) && port && port != sock->protocol && sock->protocol != IPPROTO_RAW)
		return -EINVAL;
	if (inet_is_v6(sock) && port > UINT8_MAX)
		return -EINVAL;
	way->remote.port = 0;
	return 0;
}

ssize_t raw_send(struct inet_sock *sock, struct socket_message *message)
{
	struct datagram_out way;
	struct buf *buf;
	size_t size = message->data->left;

	if (size > IP_PACKET_LIMIT)
		return -EMSGSIZE;
	int error = datagram_begin(sock, message, &way);
	if (!error)
		error = target_check(sock, &way);
	if (!error)
		error = datagram_way(sock, &way);
	if (!error)
		error = datagram_payload(message, &buf);
	if (error)
		return error;
	if (sock->options.header_included) {
		error = send_with_header(sock, &way, buf);
	} else {
		error = sum_put(raw_of(sock), &way, buf);
		if (error)
			buf_free(buf);
		else
			error = datagram_output(sock, &way, sock->protocol, buf);
	}
	net_run();
	return error ? error : (ssize_t)size;
}

/* ------------------------------------------------------------------------------------------------ in */

/* Does the socket's filter of ICMP types drop the message? */
static bool type_unwanted(const struct raw_sock *raw, const struct buf *buf)
{
	uint8_t type = 0;

	if (buf->protocol != IP_PROTOCOL_ICMP && buf->protocol != IP_PROTOCOL_ICMPV6)
		return false;
	if (!buf_copy(buf, &type, sizeof type))
		return true;
	if (buf->protocol == IP_PROTOCOL_ICMPV6)
		return raw->filter6[type / 32] >> type % 32 & 1;
	return type < 32 && raw->filter4 >> type & 1;
}

static bool sum_wrong(const struct raw_sock *raw, const struct buf *buf)
{
	if (raw->sum_at < 0 || buf->summed)
		return false;
	return sum_fold(sum_buf(sum_pseudo(&buf->source, &buf->target, buf->protocol, buf_size(buf)), buf));
}

static bool fits(const struct inet_sock *sock, const struct net_addr *local, const struct net_addr *remote)
{
	return inet_is_v6(sock) != net_addr_is_v4(local) &&
	       (net_addr_is_any(&sock->local.addr) || net_addr_equal(&sock->local.addr, local)) &&
	       (!sock->connected || net_addr_equal(&sock->remote.addr, remote));
}

/* The packet as a reader gets it: with an IPv4 header, and without what a link has padded. NULL: no memory. */
static struct buf *copy_for_reader(const struct buf *buf)
{
	struct buf *copy = buf_clone(buf);
	struct ip4_header header;

	if (!copy)
		return NULL;
	copy->source_port = 0;
	if (net_addr_is_v4(&buf->target)) {
		buf_rewind(copy);
		if (buf_copy(copy, &header, sizeof header) == sizeof header)
			buf_cut(copy, net16(header.size));
	}
	return copy;
}

bool raw_input(const struct buf *buf)
{
	bool any = false;
	struct raw_sock *raw;

	list_for_each (raw, raws, node) {
		struct inet_sock *sock = &raw->datagram.inet;
		if (sock->protocol != buf->protocol || !fits(sock, &buf->target, &buf->source))
			continue;
		any = true;
		if (type_unwanted(raw, buf) || sum_wrong(raw, buf))
			continue;
		struct buf *copy = copy_for_reader(buf);
		if (copy && inet_filter(sock, copy, 1))
			datagram_enqueue(&raw->datagram, copy);
		else
			buf_free(copy);
	}
	return any;
}

void raw_error(const struct inet_report *report, uint8_t protocol, const struct buf *buf)
{
	struct raw_sock *raw;

	list_for_each (raw, raws, node) {
		struct inet_sock *sock = &raw->datagram.inet;
		if (sock->protocol == protocol && fits(sock, &report->local.addr, &report->target.addr))
			datagram_error(sock, report, buf);
	}
}

/* ------------------------------------------------------------------------------------------------ options */

int raw_option_get(struct inet_sock *sock, int level, int option, void *value, uint32_t *size)
{
	const struct raw_sock *raw = raw_of(sock);
	bool v6 = inet_is_v6(sock);

	if (level == SOL_RAW_LEVEL && option == ICMP_FILTER && !v6) {
		if (sock->protocol != IP_PROTOCOL_ICMP)
			return -EOPNOTSUPP;
		*size = MIN(*size, (uint32_t)sizeof raw->filter4);
		memcpy(value, &raw->filter4, *size);
		return 0;
	}
	if (level == IPPROTO_ICMPV6 && option == ICMPV6_FILTER && v6) {
		if (sock->protocol != IP_PROTOCOL_ICMPV6)
			return -EOPNOTSUPP;
		*size = MIN(*size, (uint32_t)sizeof raw->filter6);
		memcpy(value, raw->filter6, *size);
		return 0;
	}
	if ((level == SOL_RAW_LEVEL || level == IPPROTO_IPV6) && option == IPV6_CHECKSUM && v6) {
		*size = MIN(*size, (uint32_t)sizeof raw->sum_at);
		memcpy(value, &raw->sum_at, *size);
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_checksum(struct raw_sock *raw, int level, int number)
{
	/* RFC 3542 section 3.1: not of ICMPv6. Linux lets it pass at the level of IPv6 when nothing changes. */
	if (raw->datagram.inet.protocol == IP_PROTOCOL_ICMPV6 && level == IPPROTO_IPV6)
		return -EINVAL;
	if (number > 0 && number & 1)
		return -EINVAL;
	raw->sum_at = MAX(number, -1);
	return 0;
}

int raw_option_set(struct inet_sock *sock, int level, int option, const void *value, uint32_t size)
{
	struct raw_sock *raw = raw_of(sock);
	bool v6 = inet_is_v6(sock);
	int number;

	if (level == SOL_RAW_LEVEL && option == ICMP_FILTER && !v6) {
		if (sock->protocol != IP_PROTOCOL_ICMP)
			return -EOPNOTSUPP;
		memcpy(&raw->filter4, value, MIN(size, (uint32_t)sizeof raw->filter4));
		return 0;
	}
	if (level == IPPROTO_ICMPV6 && option == ICMPV6_FILTER && v6) {
		if (sock->protocol != IP_PROTOCOL_ICMPV6)
			return -EOPNOTSUPP;
		memcpy(raw->filter6, value, MIN(size, (uint32_t)sizeof raw->filter6));
		return 0;
	}
	if ((level == SOL_RAW_LEVEL || level == IPPROTO_IPV6) && option == IPV6_CHECKSUM && v6) {
		if (size < sizeof number)
			return -EINVAL;
		memcpy(&number, value, sizeof number);
		return set_checksum(raw, level, number);
	}
	return -ENOPROTOOPT;
}
