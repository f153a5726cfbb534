/* udp.c - see udp.h. The queue and the reading of it are in datagram.c.
 *
 * UDP-Lite differs in its checksum alone: the header says how many bytes it covers, where UDP says how many there are.
 *
 * Limits: UDP_GRO is accepted, but a receiver never gets several datagrams as one (which Linux does not promise
 * either); no encapsulation (UDP_ENCAP).
 */
#include "netstack/udp.h"

#include "netstack/counts.h"
#include "netstack/group.h"
#include "netstack/icmp.h"
#include "netstack/net.h"
#include "netstack/ports.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <netinet/udp.h>

#define UDP_HEADER_BYTES  8u
#define LITE_SEND_CSCOV   10 /* UDPLITE_SEND_CSCOV and _RECV_CSCOV, which no header of the C library has */
#define LITE_RECV_CSCOV   11
#define UDP_PAYLOAD_LIMIT 65507u /* IPv4's; IPv6 has 20 bytes more, which Linux does not use without jumbograms */
#define UDP_SEGMENTS      128u   /* UDP_MAX_SEGMENTS in Linux */

struct udp_header {
	uint16_t source, target, size, checksum; /* size: of UDP-Lite the bytes under the checksum */
};
_Static_assert(sizeof(struct udp_header) == UDP_HEADER_BYTES, "RFC 768");

static struct slab udp_slab = SLAB(udp_sock);

static struct udp_sock *udp_of(struct inet_sock *sock)
{
	assert(sock->kind == INET_UDP);
	return (struct udp_sock *)sock;
}

struct udp_counts *udp_counts(uint8_t protocol, const struct net_addr *addr)
{
	return &(protocol == IP_PROTOCOL_UDP ? net_counts.udp : net_counts.udplite)[!net_addr_is_v4(addr)];
}

struct inet_sock *udp_sock_new(uint16_t family, uint8_t protocol, uint32_t uid)
{
	struct udp_sock *udp = slab_new(&udp_slab);

	if (!udp)
		return NULL;
	inet_setup(&udp->datagram.inet, INET_UDP, family, protocol, uid);
	datagram_setup(&udp->datagram);
	return &udp->datagram.inet;
}

void udp_sock_free(struct inet_sock *sock)
{
	slab_free(&udp_slab, udp_of(sock));
}

static void pending_drop(struct udp_sock *udp)
{
	if (udp->pending.block)
		block_put(udp->pending.block);
	udp->pending.block = NULL;
}

void udp_release(struct inet_sock *sock)
{
	datagram_release(sock);
	pending_drop(udp_of(sock));
}

int udp_connect(struct inet_sock *sock, const struct socket_address *address)
{
	return datagram_connect(sock, address);
}

/* ------------------------------------------------------------------------------------------------ out */

/* The checksum of a packet's first covered bytes, and of the pseudo header. false: no memory to look at a part. */
static bool sum_front(const struct buf *buf, uint64_t pseudo, uint32_t covered, uint16_t *out)
{
	struct buf *front = covered < buf_size(buf) ? buf_clone(buf) : NULL;

	if (covered < buf_size(buf) && !front)
		return false;
	if (front)
		buf_cut(front, covered);
	*out = sum_fold(sum_buf(pseudo, front ? front : buf));
	buf_free(front);
	return true;
}

/* What the header says of a datagram's size, and how many bytes the checksum covers. */
static uint32_t coverage_sent(const struct udp_sock *udp, uint32_t size)
{
	return udp->coverage.sent ? MIN(size, (uint32_t)udp->coverage.sent) : size;
}

/* Takes buf: the payload of one datagram. */
static int send_one(struct inet_sock *sock, const struct datagram_out *way, struct buf *buf)
{
	uint32_t size = buf_size(buf) + UDP_HEADER_BYTES, covered = coverage_sent(udp_of(sock), size);
	struct udp_header header = {net16(sock->local.port), net16(way->remote.port), net16((uint16_t)covered), 0};
	struct udp_header *pushed = buf_push(buf, sizeof header);

	memcpy(pushed, &header, sizeof header);
	if (way->route.link->sums) {
		uint64_t pseudo = sum_pseudo(&way->route.source, &way->remote.addr, sock->protocol, size);
		uint16_t sum;
		if (!sum_front(buf, pseudo, covered, &sum)) {
			buf_free(buf);
			return -ENOBUFS;
		}
		pushed->checksum = sum ? sum : 0xffff; /* 0 would mean "none" */
	}
	udp_counts(sock->protocol, &way->remote.addr)->out++;
	return datagram_output(sock, way, sock->protocol, buf);
}

/* Takes buf: cut into datagrams of that many bytes each (UDP_SEGMENT, udp_send_skb in Linux). */
static int send_segments(struct inet_sock *sock, const struct datagram_out *way, uint32_t segment, struct buf *buf)
{
	uint32_t headers = UDP_HEADER_BYTES + (net_addr_is_v4(&way->remote.addr) ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	int error = segment + headers > way->route.mtu || buf->size > segment * UDP_SEGMENTS ? -EINVAL : 0;

	for (uint32_t at = 0; !error && at < buf->size; at += segment) {
		struct buf *one = buf_new();
		if (one)
			buf_attach(one, buf->block, buf->offset + at, MIN(segment, buf->size - at));
		error = one ? send_one(sock, way, one) : -ENOBUFS;
	}
	buf_free(buf);
	return error;
}

static int send_all(struct inet_sock *sock, const struct datagram_out *way, struct buf *buf)
{
	uint32_t segment = way->wish.segment ? way->wish.segment : udp_of(sock)->segment;

	return segment && buf->size > segment ? send_segments(sock, way, segment, buf) : send_one(sock, way, buf);
}

/* The way of a datagram, and a port for it to come from. */
static int find_way(struct inet_sock *sock, struct datagram_out *way)
{
	int error = datagram_way(sock, way);

	return !error && !sock->local.port ? port_choose(sock, &way->remote) : error;
}

/* Sends what has grown. */
static int pending_flush(struct udp_sock *udp)
{
	struct inet_sock *sock = &udp->datagram.inet;
	int error = find_way(sock, &udp->pending.way);
	struct buf *buf = error ? NULL : buf_new();

	if (buf) {
		buf_attach(buf, udp->pending.block, 0, udp->pending.block->used);
		error = send_all(sock, &udp->pending.way, buf);
	} else if (!error) {
		error = -ENOBUFS;
	}
	pending_drop(udp);
	return error;
}

/* Takes buf: its bytes go behind those that wait; only the first says where to. */
static int pending_append(struct udp_sock *udp, const struct datagram_out *way, struct buf *buf)
{
	if (!udp->pending.block) {
		udp->pending.block = block_new(UDP_PAYLOAD_LIMIT);
		udp->pending.way = *way;
	}
	struct block *block = udp->pending.block;
	bool fits = block && buf->size <= block->capacity - block->used;
	if (fits)
		block->used += buf_copy(buf, block->data + block->used, buf->size);
	buf_free(buf);
	if (fits)
		return 0;
	pending_drop(udp);
	return block ? -EMSGSIZE : -ENOBUFS;
}

ssize_t udp_send(struct inet_sock *sock, struct socket_message *message)
{
	struct udp_sock *udp = udp_of(sock);
	struct datagram_out way;
	struct buf *buf;
	ssize_t size = (ssize_t)message->data->left;
	bool more = udp->cork || message->flags & ABI_MSG_MORE;
	int error = datagram_begin(sock, message, &way);

	if (error && !(error == -EDESTADDRREQ && udp->pending.block))
		return error;
	if (udp->pending.block)
		way = udp->pending.way;
	else if (!way.remote.port)
		return -EINVAL;
	if (size > (ssize_t)UDP_PAYLOAD_LIMIT)
		return -EMSGSIZE;
	error = find_way(sock, &way);
	if (!error)
		error = datagram_payload(message, &buf);
	if (error)
		return error;
	if (!more && !udp->pending.block)
		error = send_all(sock, &way, buf);
	else
		error = pending_append(udp, &way, buf);
	if (!error && !more && udp->pending.block)
		error = pending_flush(udp);
	net_run();
	return error ? error : size;
}

int udp_option_get(struct inet_sock *sock, int option, void *value, uint32_t *size)
{
	const struct udp_sock *udp = udp_of(sock);
	int number;

	switch (option) {
	case UDP_CORK:
		number = udp->cork;
		break;
	case UDP_SEGMENT:
		number = udp->segment;
		break;
	case UDP_GRO:
		number = udp->gather;
		break;
	case LITE_SEND_CSCOV:
		number = udp->coverage.sent;
		break;
	case LITE_RECV_CSCOV:
		number = udp->coverage.wanted;
		break;
	case UDP_ENCAP:
	case UDP_NO_CHECK6_TX:
	case UDP_NO_CHECK6_RX:
		number = 0;
		break;
	default:
		return -ENOPROTOOPT;
	}
	*size = MIN(*size, (uint32_t)sizeof number);
	memcpy(value, &number, *size);
	return 0;
}

/* udplite(7): the header is always covered. */
static int set_coverage(struct udp_sock *udp, int option, int number)
{
	uint16_t covered = !number                          ? 0
			   : number < (int)UDP_HEADER_BYTES ? UDP_HEADER_BYTES
							    : (uint16_t)MIN(number, UINT16_MAX);

	if (udp->datagram.inet.protocol != IP_PROTOCOL_UDPLITE)
		return -ENOPROTOOPT;
	if (option == LITE_SEND_CSCOV) {
		udp->coverage.sent = covered;
	} else {
		udp->coverage.wanted = covered;
		udp->coverage.choosy = true;
	}
	return 0;
}

int udp_option_set(struct inet_sock *sock, int option, const void *value, uint32_t size)
{
	struct udp_sock *udp = udp_of(sock);
	int number;

	if (size < sizeof number)
		return -EINVAL;
	memcpy(&number, value, sizeof number);
	switch (option) {
	case UDP_CORK:
		udp->cork = number;
		if (!udp->cork && udp->pending.block) {
			(void)pending_flush(
				udp); /* whether it went out is not this call's affair (udp_lib_setsockopt) */
			net_run();
		}
		return 0;
	case UDP_SEGMENT:
		if (number < 0 || number > UINT16_MAX)
			return -EINVAL;
		udp->segment = (uint16_t)number;
		return 0;
	case UDP_GRO:
		udp->gather = number;
		return 0;
	case LITE_SEND_CSCOV:
	case LITE_RECV_CSCOV:
		return set_coverage(udp, option, number);
	default:
		return -ENOPROTOOPT;
	}
}

/* ------------------------------------------------------------------------------------------------ in */

/* Takes buf, with its UDP header, which is what a filter sees first. uncovered: that many bytes of the datagram lie
 * outside of its checksum. */
static void enqueue(struct inet_sock *sock, struct buf *buf, uint32_t uncovered)
{
	const struct udp_sock *udp = udp_of(sock);
	uint32_t covered = buf_size(buf) - uncovered, wanted = udp->coverage.wanted;
	bool unwelcome = udp->coverage.choosy && uncovered && (!wanted || covered < wanted);

	if (!unwelcome && inet_filter(sock, buf, UDP_HEADER_BYTES) && buf_skip(buf, UDP_HEADER_BYTES))
		datagram_enqueue(&udp_of(sock)->datagram, buf);
	else
		buf_free(buf);
}

static void deliver_to_many(struct buf *buf, uint32_t uncovered)
{
	struct net_end local = {.addr = buf->target, .port = buf->target_port};
	struct net_end remote = {.addr = buf->source, .port = buf->source_port};
	bool group = net_addr_is_multicast(&buf->target);
	struct inet_sock *sock = NULL;

	while ((sock = datagram_next(buf->protocol, &local, &remote, buf->link, sock))) {
		struct buf *copy = !group || group_is_for(sock, buf->link, &buf->target) ? buf_clone(buf) : NULL;
		if (copy)
			enqueue(sock, copy, uncovered);
	}
	buf_free(buf);
}

static bool sum_holds(const struct buf *buf, uint32_t covered)
{
	uint64_t pseudo = sum_pseudo(&buf->source, &buf->target, buf->protocol, buf_size(buf));
	uint16_t sum;

	return buf->summed || (sum_front(buf, pseudo, covered, &sum) && !sum);
}

/* Looks at the header, and takes off what is behind the datagram; false: it is none. */
static bool header_look(struct buf *buf, struct udp_header *header, uint32_t *uncovered)
{
	uint32_t size = buf_size(buf);
	bool lite = buf->protocol == IP_PROTOCOL_UDPLITE;

	if (buf_copy(buf, header, sizeof *header) != sizeof *header)
		return false;
	uint32_t told = lite && !header->size ? size : net16(header->size);
	if (told < UDP_HEADER_BYTES || told > size)
		return false;
	/* No checksum is a choice of UDP over IPv4 alone. */
	bool unsummed = !header->checksum && !lite && net_addr_is_v4(&buf->source);
	if ((lite && !header->checksum && !buf->summed) || (!unsummed && !sum_holds(buf, lite ? told : size)))
		return false;
	*uncovered = lite ? size - told : 0;
	if (!lite)
		buf_cut(buf, told);
	return true;
}

void udp_input(struct buf *buf)
{
	struct udp_header header;
	uint32_t uncovered;

	if (!header_look(buf, &header, &uncovered)) {
		udp_counts(buf->protocol, &buf->source)->in_wrong++;
		buf_free(buf);
		return;
	}
	buf->source_port = net16(header.source);
	buf->target_port = net16(header.target);
	if (net_addr_is_multicast(&buf->target) || route_is_broadcast(buf->link, &buf->target)) {
		deliver_to_many(buf, uncovered);
		return;
	}
	struct net_end local = {.addr = buf->target, .port = buf->target_port};
	struct net_end remote = {.addr = buf->source, .port = buf->source_port};
	struct inet_sock *sock = datagram_find(buf->protocol, &local, &remote, buf->link);
	if (sock) {
		enqueue(sock, buf, uncovered);
		return;
	}
	udp_counts(buf->protocol, &buf->source)->no_port++;
	icmp_unreachable(buf, ICMP_PORT_UNREACHABLE);
}

void udp_error(uint8_t protocol, const struct inet_report *report, const struct buf *buf)
{
	struct inet_sock *sock = datagram_find(protocol, &report->local, &report->target, NULL);
	struct buf *payload = sock && buf ? buf_clone(buf) : NULL;

	if (sock)
		datagram_error(sock, report, payload && buf_skip(payload, UDP_HEADER_BYTES) ? payload : NULL);
	buf_free(payload);
}
