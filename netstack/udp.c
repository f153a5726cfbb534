/* udp.c - see udp.h.
 *
 * A datagram is copied from its sender once; the receiver's queue holds the same block, and the copy to the receiver is
 * the second. It is taken out of the queue before that copy, which may PARK.
 *
 * UDP-Lite differs in its checksum alone: the header says how many bytes it covers, where UDP says how many there are.
 *
 * Limits: no segmentation offload (UDP_SEGMENT), groups on the loopback alone; an error queue (MSG_ERRQUEUE) is always
 * empty.
 */
#include "netstack/udp.h"

#include "netstack/counts.h"
#include "netstack/icmp.h"
#include "netstack/net.h"
#include "netstack/ports.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>

#define UDP_HEADER_BYTES  8u
#define LITE_SEND_CSCOV   10 /* UDPLITE_SEND_CSCOV and _RECV_CSCOV, which no header of the C library has */
#define LITE_RECV_CSCOV   11
#define UDP_PAYLOAD_LIMIT 65507u /* IPv4's; IPv6 has 20 bytes more, which Linux does not use without jumbograms */
#define UDP_CHARGE_BYTES  768u   /* what a datagram counts besides its bytes: Linux's truesize of a small one */
#define READ_EVENTS       (POLLIN | POLLRDNORM)
#define WRITE_EVENTS      (POLLOUT | POLLWRNORM | POLLWRBAND)

struct udp_header {
	uint16_t source, target, size, checksum; /* size: of UDP-Lite the bytes under the checksum */
};
_Static_assert(sizeof(struct udp_header) == UDP_HEADER_BYTES, "RFC 768");

static struct slab udp_slab = SLAB(udp_sock);

static struct udp_sock *udp_of(struct inet_sock *sock)
{
	assert(udp_is_protocol(sock->protocol));
	return (struct udp_sock *)sock;
}

static struct udp_counts *counts_of(uint8_t protocol)
{
	return protocol == IP_PROTOCOL_UDP ? &net_counts.udp : &net_counts.udplite;
}

struct inet_sock *udp_sock_new(uint16_t family, uint8_t protocol, uint32_t uid)
{
	struct udp_sock *udp = slab_new(&udp_slab);

	if (!udp)
		return NULL;
	inet_setup(&udp->inet, family, ABI_SOCK_DGRAM, protocol, uid);
	list_init(&udp->queue);
	return &udp->inet;
}

void udp_sock_free(struct inet_sock *sock)
{
	slab_free(&udp_slab, udp_of(sock));
}

static uint32_t charge_of(const struct buf *buf)
{
	return buf->size + UDP_CHARGE_BYTES;
}

static struct buf *queue_take(struct udp_sock *udp)
{
	struct buf *buf = list_first(&udp->queue, struct buf, node);

	list_remove(&buf->node);
	udp->queued_bytes -= charge_of(buf);
	return buf;
}

static void pending_drop(struct udp_sock *udp)
{
	if (udp->pending.block)
		block_put(udp->pending.block);
	udp->pending.block = NULL;
}

void udp_release(struct inet_sock *sock)
{
	struct udp_sock *udp = udp_of(sock);

	port_release(sock);
	while (!list_empty(&udp->queue))
		buf_free(queue_take(udp));
	pending_drop(udp);
}

/* ------------------------------------------------------------------------------------------------ out */

int udp_connect(struct inet_sock *sock, const struct socket_address *address)
{
	struct net_end remote;
	struct route route;

	if (address->family == ABI_AF_UNSPEC) {
		inet_ends_forget(sock);
		return 0;
	}
	int error = inet_end_read(sock, address, &remote);
	if (error)
		return error;
	net_addr_any_is_here(&remote.addr);
	if (net_addr_is_broadcast(&remote.addr) && !(sock->base.flags & 1ull << ABI_SO_BROADCAST))
		return -EACCES;
	sock->remote.port = 0; /* a new wish for the route: what was connected before does not count */
	if (!sock->addr_bound)
		sock->local.addr = net_addr_any(inet_is_v6(sock));
	error = inet_route(sock, &remote.addr, &route);
	if (!error && !sock->local.port)
		error = port_choose(sock, &remote);
	if (error)
		return error;
	sock->local.addr = route.source;
	sock->remote = remote;
	return 0;
}

/* Where this datagram goes. */
static int find_remote(struct inet_sock *sock, const struct socket_message *message, struct net_end *out)
{
	if (!message->address.size) {
		*out = sock->remote;
		return sock->remote.port ? 0 : -EDESTADDRREQ;
	}
	int error = inet_end_read(sock, &message->address, out);
	if (error)
		return error;
	if (!out->port)
		return -EINVAL;
	net_addr_any_is_here(&out->addr);
	if (net_addr_is_broadcast(&out->addr) && !(sock->base.flags & 1ull << ABI_SO_BROADCAST))
		return -EACCES;
	return 0;
}

/* PARKS. A packet with the message's bytes. */
static int payload_new(struct socket_message *message, struct buf **out)
{
	uint32_t size = (uint32_t)message->data->left;
	struct block *block = size ? block_new(size) : NULL;
	struct buf *buf = !size || block ? buf_new() : NULL;
	int error = buf ? 0 : -ENOBUFS;

	if (!error && size) {
		if (uio_take(message->data, block->data, size) != (ssize_t)size) {
			error = -EFAULT;
		} else {
			block->used = size;
			buf_attach(buf, block, 0, size);
		}
	}
	if (block)
		block_put(block);
	if (error) {
		buf_free(buf);
		return error;
	}
	*out = buf;
	return 0;
}

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

static int datagram_output(struct inet_sock *sock, const struct net_end *remote, const struct route *route,
			   const struct inet_wish *wish, struct buf *buf)
{
	uint32_t size = buf->size + UDP_HEADER_BYTES, covered = coverage_sent(udp_of(sock), size);
	struct udp_header header = {net16(sock->local.port), net16(remote->port), net16((uint16_t)covered), 0};
	int16_t hops = wish->hops >= 0 ? wish->hops : sock->options.hops;
	struct ip_meta meta = {
		.protocol = sock->protocol,
		.hops = hops < 0 ? IP_DEFAULT_HOPS : (uint8_t)hops,
		.traffic_class = wish->traffic_class >= 0 ? (uint8_t)wish->traffic_class : sock->options.traffic_class,
		/* IP_PMTUDISC_WANT: what fits goes whole or comes back as a report; what does not is cut here. */
		.dont_fragment = sock->options.mtu_discover > 1 ||
				 (sock->options.mtu_discover == 1 && size + IP6_HEADER_BYTES <= route->mtu),
	};
	struct udp_header *pushed = buf_push(buf, sizeof header);

	counts_of(sock->protocol)->out += net_addr_is_v4(&remote->addr);
	memcpy(pushed, &header, sizeof header);
	if (route->link->sums) {
		uint64_t pseudo = sum_pseudo(&route->source, &remote->addr, sock->protocol, size);
		uint16_t sum;
		if (!sum_front(buf, pseudo, covered, &sum)) {
			buf_free(buf);
			return -ENOBUFS;
		}
		pushed->checksum = sum ? sum : 0xffff; /* 0 would mean "none" */
	}
	return ip_output(route, &remote->addr, &meta, buf);
}

/* The way of a datagram, and a port for it to come from. */
static int find_way(struct inet_sock *sock, const struct net_end *remote, const struct inet_wish *wish,
		    struct route *out)
{
	struct route_wish by_source = {.source = wish->source, .target = remote->addr};
	int error = net_addr_is_any(&wish->source) ? inet_route(sock, &remote->addr, out) : route_find(&by_source, out);

	return !error && !sock->local.port ? port_choose(sock, remote) : error;
}

/* Sends what has grown. */
static int pending_flush(struct udp_sock *udp)
{
	struct route route;
	int error = find_way(&udp->inet, &udp->pending.remote, &udp->pending.wish, &route);
	struct buf *buf = error ? NULL : buf_new();

	if (buf) {
		buf_attach(buf, udp->pending.block, 0, udp->pending.block->used);
		error = datagram_output(&udp->inet, &udp->pending.remote, &route, &udp->pending.wish, buf);
	} else if (!error) {
		error = -ENOBUFS;
	}
	pending_drop(udp);
	return error;
}

/* Takes buf: its bytes go behind those that wait; only the first says where to. */
static int pending_append(struct udp_sock *udp, const struct net_end *remote, const struct inet_wish *wish,
			  struct buf *buf)
{
	if (!udp->pending.block) {
		udp->pending.block = block_new(UDP_PAYLOAD_LIMIT);
		udp->pending.remote = *remote;
		udp->pending.wish = *wish;
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
	struct net_end remote;
	struct inet_wish wish;
	struct route route;
	struct buf *buf;
	ssize_t size = (ssize_t)message->data->left;
	bool more = udp->cork || message->flags & ABI_MSG_MORE;

	if (message->flags & ABI_MSG_OOB)
		return -EOPNOTSUPP;
	if (sock->shutdown & INET_SHUT_WRITE)
		return -EPIPE;
	if (sock->base.error)
		return socket_error_take(&sock->base);
	int error = find_remote(sock, message, &remote);
	if (udp->pending.block) {
		remote = udp->pending.remote;
		error = 0;
	}
	if (!error && size > (ssize_t)UDP_PAYLOAD_LIMIT)
		error = -EMSGSIZE;
	if (!error)
		error = inet_wish_parse(sock, message, &wish);
	if (!error)
		error = find_way(sock, &remote, &wish, &route);
	if (!error)
		error = payload_new(message, &buf);
	if (error)
		return error;
	if (!more && !udp->pending.block)
		error = datagram_output(sock, &remote, &route, &wish, buf);
	else
		error = pending_append(udp, &remote, &wish, buf);
	if (!error && !more && udp->pending.block)
		error = pending_flush(udp);
	net_run();
	return error ? error : size;
}

int udp_option_get(struct inet_sock *sock, int option, void *value, uint32_t *size)
{
	const struct udp_sock *udp = udp_of(sock);
	int number;

	if (option == UDP_CORK)
		number = udp->cork;
	else if (option == LITE_SEND_CSCOV)
		number = udp->coverage.sent;
	else if (option == LITE_RECV_CSCOV)
		number = udp->coverage.wanted;
	else
		return -ENOPROTOOPT;
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

	if (udp->inet.protocol != IP_PROTOCOL_UDPLITE)
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
	if (option == LITE_SEND_CSCOV || option == LITE_RECV_CSCOV)
		return set_coverage(udp, option, number);
	if (option != UDP_CORK)
		return -ENOPROTOOPT;
	udp->cork = number;
	if (!udp->cork && udp->pending.block) {
		(void)pending_flush(udp); /* whether it went out is not this call's affair (udp_lib_setsockopt) */
		net_run();
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ in */

/* uncovered: that many bytes of the datagram lie outside of its checksum. */
static void enqueue(struct udp_sock *udp, struct buf *buf, uint32_t uncovered)
{
	uint32_t covered = buf->size + UDP_HEADER_BYTES - uncovered, wanted = udp->coverage.wanted;
	bool unwelcome = udp->coverage.choosy && uncovered && (!wanted || covered < wanted);

	if (unwelcome || udp->inet.shutdown & INET_SHUT_READ ||
	    udp->queued_bytes + charge_of(buf) > udp->inet.base.receive_bytes) {
		counts_of(udp->inet.protocol)->in_full += net_addr_is_v4(&buf->source);
		buf_free(buf);
		return;
	}
	udp->queued_bytes += charge_of(buf);
	list_push_back(&udp->queue, &buf->node);
	inet_wake(&udp->inet, READ_EVENTS);
}

static void deliver_to_group(struct buf *buf, uint32_t uncovered)
{
	struct inet_sock *sock = NULL;

	while ((sock = datagram_next(buf->protocol, buf->target_port, sock))) {
		bool fits = net_addr_is_any(&sock->local.addr) || net_addr_equal(&sock->local.addr, &buf->target);
		struct buf *copy = fits ? buf_clone(buf) : NULL;
		if (copy)
			enqueue(udp_of(sock), copy, uncovered);
	}
	buf_free(buf);
}

static bool sum_holds(const struct buf *buf, uint32_t covered)
{
	uint64_t pseudo = sum_pseudo(&buf->source, &buf->target, buf->protocol, buf_size(buf));
	uint16_t sum;

	return buf->summed || (sum_front(buf, pseudo, covered, &sum) && !sum);
}

/* Takes the header off, and what is behind the datagram; false: it is none. */
static bool header_take(struct buf *buf, struct udp_header *header, uint32_t *uncovered)
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
	return buf_skip(buf, sizeof *header);
}

void udp_input(struct buf *buf)
{
	struct udp_header header;
	uint32_t uncovered;

	if (!header_take(buf, &header, &uncovered)) {
		counts_of(buf->protocol)->in_wrong += net_addr_is_v4(&buf->source);
		buf_free(buf);
		return;
	}
	buf->source_port = net16(header.source);
	buf->target_port = net16(header.target);
	if (net_addr_is_multicast(&buf->target) || net_addr_is_broadcast(&buf->target)) {
		deliver_to_group(buf, uncovered);
		return;
	}
	struct net_end local = {buf->target, buf->target_port}, remote = {buf->source, buf->source_port};
	struct inet_sock *sock = datagram_find(buf->protocol, &local, &remote);
	if (sock) {
		enqueue(udp_of(sock), buf, uncovered);
		return;
	}
	counts_of(buf->protocol)->no_port += net_addr_is_v4(&buf->source);
	icmp_unreachable(buf, ICMP_PORT_UNREACHABLE);
}

void udp_error(uint8_t protocol, const struct net_end *local, const struct net_end *remote, int error)
{
	struct inet_sock *sock = datagram_find(protocol, local, remote);

	/* Only who is connected can know which datagram was meant (udp(7)). */
	if (!sock || !sock->remote.port)
		return;
	sock->base.error = error;
	inet_wake(sock, POLLERR);
}

/* PARKS until there is something; nothing and 0 after a shutdown. */
static int wait_for_datagram(struct udp_sock *udp, bool nonblock)
{
	struct inet_sock *sock = &udp->inet;
	uint64_t deadline_ns = socket_deadline(sock->base.receive_timeout_ns);

	while (list_empty(&udp->queue)) {
		if (sock->base.error)
			return socket_error_take(&sock->base);
		if (sock->shutdown & INET_SHUT_READ)
			return 0;
		if (nonblock)
			return -EAGAIN;
		int error = WAIT_EVENT(&sock->wait,
				       !list_empty(&udp->queue) || sock->base.error || sock->shutdown & INET_SHUT_READ,
				       deadline_ns);
		if (error)
			return socket_wait_error(error, sock->base.receive_timeout_ns);
	}
	return 0;
}

ssize_t udp_receive(struct inet_sock *sock, struct socket_message *message)
{
	struct udp_sock *udp = udp_of(sock);
	bool peek = message->flags & ABI_MSG_PEEK;

	if (message->flags & ABI_MSG_OOB)
		return -EOPNOTSUPP;
	if (message->flags & ABI_MSG_ERRQUEUE)
		return -EAGAIN;
	int error = wait_for_datagram(udp, message->nonblock);
	if (error || list_empty(&udp->queue))
		return error;
	struct buf *buf = peek ? buf_clone(list_first(&udp->queue, struct buf, node)) : queue_take(udp);
	if (!buf)
		return -ENOBUFS;
	counts_of(sock->protocol)->in += !peek && net_addr_is_v4(&buf->source);
	struct net_end from = {buf->source, buf->source_port};
	inet_end_show(sock, &from, &message->address);
	inet_notes_add(sock, buf, message);
	size_t room = message->data->left, n = MIN((size_t)buf->size, room);
	ssize_t result = n ? uio_put(message->data, buf->block->data + buf->offset, n) : 0;
	if (result >= 0 && (size_t)result < n)
		result = -EFAULT;
	if (result >= 0 && buf->size > room) {
		message->out_flags |= ABI_MSG_TRUNC;
		if (message->flags & ABI_MSG_TRUNC)
			result = buf->size;
	}
	buf_free(buf);
	return result;
}

int udp_shutdown(struct inet_sock *sock, uint32_t how)
{
	if (!sock->remote.port)
		return -ENOTCONN;
	sock->shutdown |= how;
	inet_wake(sock, READ_EVENTS | WRITE_EVENTS | POLLRDHUP | POLLHUP);
	return 0;
}

uint32_t udp_poll(struct inet_sock *sock)
{
	struct udp_sock *udp = udp_of(sock);
	uint32_t events = WRITE_EVENTS;

	if (!list_empty(&udp->queue))
		events |= READ_EVENTS;
	if (sock->base.error)
		events |= POLLERR;
	if (sock->shutdown & INET_SHUT_READ)
		events |= READ_EVENTS | POLLRDHUP;
	if (sock->shutdown == INET_SHUT_BOTH)
		events |= POLLHUP;
	return events;
}

uint32_t udp_next_bytes(const struct inet_sock *sock)
{
	const struct udp_sock *udp = (const struct udp_sock *)sock;

	return list_empty(&udp->queue) ? 0 : list_first(&udp->queue, struct buf, node)->size;
}
