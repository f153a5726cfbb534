/* datagram.c - see datagram.h.
 *
 * A packet is copied from its sender once; the receiver's queue holds the same block, and the copy to the receiver is
 * the second. It is taken out of the queue before that copy, which may PARK.
 */
#include "netstack/datagram.h"

#include "netstack/counts.h"
#include "netstack/errors.h"
#include "netstack/net.h"
#include "netstack/ports.h"
#include "netstack/udp.h"
#include "sentry/base/fiber.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <sys/socket.h>

#define CHARGE_BYTES 768u /* what a packet counts besides its bytes: Linux's truesize of a small one */
#define READ_EVENTS  (POLLIN | POLLRDNORM)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM | POLLWRBAND)

void datagram_setup(struct datagram_sock *datagram)
{
	list_init(&datagram->queue);
}

static uint32_t charge_of(const struct buf *buf)
{
	return buf_size(buf) + CHARGE_BYTES;
}

static struct buf *queue_take(struct datagram_sock *datagram, struct buf *buf)
{
	list_remove(&buf->node);
	datagram->queued_bytes -= charge_of(buf);
	return buf;
}

static struct buf *queue_first(const struct datagram_sock *datagram)
{
	return list_empty(&datagram->queue) ? NULL : list_first(&datagram->queue, struct buf, node);
}

void datagram_release(struct inet_sock *sock)
{
	struct datagram_sock *datagram = datagram_of(sock);

	port_release(sock);
	while (!list_empty(&datagram->queue))
		buf_free(queue_take(datagram, queue_first(datagram)));
	inet_fini(sock);
}

/* ------------------------------------------------------------------------------------------------ out */

static bool may_broadcast(const struct inet_sock *sock, const struct net_addr *addr)
{
	return !net_addr_is_broadcast(addr) || socket_flag(&sock->base, SO_BROADCAST);
}

int datagram_connect(struct inet_sock *sock, const struct socket_address *address)
{
	struct net_end remote = {0};
	struct route route;

	if (address->family == ABI_AF_UNSPEC) {
		inet_ends_forget(sock);
		return 0;
	}
	int error = inet_end_read(sock, address, &remote);
	if (error)
		return error;
	net_addr_any_is_here(&remote.addr);
	if (!may_broadcast(sock, &remote.addr))
		return -EACCES;
	sock->remote.port = 0; /* a new wish for the route: what was connected before does not count */
	sock->connected = false;
	if (!sock->addr_bound)
		sock->local.addr = net_addr_any(inet_is_v6(sock));
	error = inet_route(sock, &sock->local.addr, &remote, &route);
	if (!error && sock->kind != INET_RAW && !sock->local.port)
		error = port_choose(sock, &remote);
	if (error)
		return error;
	if (net_addr_is_link_local(&remote.addr) && !sock->device)
		sock->device = remote.link;
	sock->local.addr = route.source;
	sock->remote = remote;
	sock->connected = true;
	return 0;
}

/* Where this one goes. */
static int find_remote(struct inet_sock *sock, const struct socket_message *message, struct net_end *out)
{
	if (!message->address.size) {
		*out = sock->remote;
		return sock->connected ? 0 : -EDESTADDRREQ;
	}
	int error = inet_end_read(sock, &message->address, out);
	if (error)
		return error;
	net_addr_any_is_here(&out->addr);
	return may_broadcast(sock, &out->addr) ? 0 : -EACCES;
}

int datagram_begin(struct inet_sock *sock, const struct socket_message *message, struct datagram_out *out)
{
	out->remote = (struct net_end){0};
	if (message->flags & ABI_MSG_OOB)
		return -EOPNOTSUPP;
	if (sock->shutdown & INET_SHUT_WRITE)
		return -EPIPE;
	if (sock->base.error)
		return socket_error_take(&sock->base);
	int error = find_remote(sock, message, &out->remote);
	return error ? error : inet_wish_parse(sock, message, &out->wish);
}

int datagram_way(struct inet_sock *sock, struct datagram_out *out)
{
	const struct net_addr *source = net_addr_is_any(&out->wish.source) ? &sock->local.addr : &out->wish.source;
	struct net_end target = out->remote;

	if (out->wish.link)
		target.link = out->wish.link;
	return inet_route(sock, source, &target, &out->route);
}

int datagram_payload(struct socket_message *message, struct buf **out)
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

static uint8_t hops_of(const struct inet_sock *sock, const struct datagram_out *way)
{
	bool many = net_addr_is_multicast(&way->remote.addr);
	int16_t wanted = way->wish.hops >= 0 ? way->wish.hops
			 : many              ? sock->options.multicast_hops
					     : sock->options.hops;

	return wanted >= 0 ? (uint8_t)wanted : many ? 1 : IP_DEFAULT_HOPS;
}

int datagram_output(struct inet_sock *sock, const struct datagram_out *way, uint8_t protocol, struct buf *buf)
{
	const struct inet_options *options = &sock->options;
	bool v4 = net_addr_is_v4(&way->remote.addr);
	uint32_t size = buf_size(buf) + (v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	bool whole = !v4 && (way->wish.unfragmented >= 0 ? way->wish.unfragmented : options->dont_fragment6);
	struct ip_meta meta = {
		.protocol = protocol,
		.raw = sock->kind == INET_RAW,
		.hops = hops_of(sock, way),
		.traffic_class =
			way->wish.traffic_class >= 0 ? (uint8_t)way->wish.traffic_class : options->traffic_class,
		/* IP_PMTUDISC_WANT: what fits goes whole or comes back as a report; what does not is cut here. */
		.dont_fragment = whole ||
				 (options->mtu_discover > 1 && options->mtu_discover < IP_PMTUDISC_INTERFACE) ||
				 (options->mtu_discover == 1 && size <= way->route.mtu),
	};
	bool stamped = way->wish.stamps & (SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED);
	struct buf *quoted = stamped ? buf_clone(buf) : NULL;
	buf->to_ourselves = net_addr_is_multicast(&way->remote.addr)
				    ? options->multicast_loop
				    : route_is_broadcast(way->route.link, &way->remote.addr);
	int error = ip_output(&way->route, &way->remote.addr, &meta, buf);
	if (error == -EMSGSIZE)
		errors_too_big(sock, &way->remote, way->route.mtu);
	if (!error && stamped)
		errors_sent(sock, way->wish.stamps, quoted);
	buf_free(quoted);
	return error;
}

/* ------------------------------------------------------------------------------------------------ in */

bool inet_filter(const struct inet_sock *sock, struct buf *buf, uint32_t least)
{
	bool v4 = net_addr_is_v4(&buf->target);
	uint32_t head = BUF_HEADER_BYTES - buf->header_at;
	struct filter_input input = {
		.head = buf->header + buf->header_at,
		.head_bytes = head,
		.rest = buf->size ? (const uint8_t *)buf->block->data + buf->offset : NULL,
		.rest_bytes = buf->size,
		.protocol = v4 ? ETH_P_IP : ETH_P_IPV6,
		.link = buf->link ? buf->link->index : 0,
		.mark = sock->base.mark,
	};

	if (!sock->base.filter)
		return true;
	uint32_t wanted = socket_filter_run(sock->base.filter, &input);
	if (wanted)
		buf_cut(buf, MAX(wanted, least));
	return wanted;
}

void datagram_enqueue(struct datagram_sock *datagram, struct buf *buf)
{
	struct inet_sock *sock = &datagram->inet;
	uint8_t least = net_addr_is_v4(&buf->target) ? sock->options.least_hops4 : sock->options.least_hops6;

	if (sock->shutdown & INET_SHUT_READ || buf->hops < least || !inet_takes_from(sock, buf->link)) {
		buf_free(buf);
		return;
	}
	if (datagram->queued_bytes + charge_of(buf) > sock->base.receive_bytes) {
		datagram->dropped++;
		if (sock->kind == INET_UDP)
			udp_counts(sock->protocol, &buf->source)->in_full++;
		buf_free(buf);
		return;
	}
	if (!buf->stamp_ns && (sock->base.stamps & SOCKET_STAMP_ON || sock->base.timestamping))
		buf->stamp_ns = socket_stamp_now();
	datagram->queued_bytes += charge_of(buf);
	list_push_back(&datagram->queue, &buf->node);
	inet_wake(sock, READ_EVENTS);
}

void datagram_error(struct inet_sock *sock, const struct inet_report *report, const struct buf *buf)
{
	bool v4 = report->origin == SO_EE_ORIGIN_ICMP;
	bool wanted = v4 && !inet_is_v6(sock) ? sock->options.receive_errors : sock->options.receive_errors6;
	struct inet_error error = {
		.facts = {.ee_errno = (uint32_t)report->error,
			  .ee_origin = report->origin,
			  .ee_type = report->type,
			  .ee_code = report->code,
			  .ee_info = report->info},
		.target = report->target,
		.offender = report->offender,
		.has_target = true,
		.has_offender = true,
	};

	/* Only who is connected, or asks for reports, can know which packet was meant (udp(7)). */
	if (!wanted && (!report->hard || !sock->connected))
		return;
	if (wanted)
		errors_add(sock, &error, buf);
	sock->base.error = report->error;
	inet_wake(sock, POLLERR);
}

/* PARKS until there is something; nothing and 0 after a shutdown. */
static int wait_for_packet(struct datagram_sock *datagram, bool nonblock)
{
	struct inet_sock *sock = &datagram->inet;
	uint64_t deadline_ns = socket_deadline(sock->base.receive_timeout_ns);

	while (list_empty(&datagram->queue)) {
		if (sock->base.error)
			return socket_error_take(&sock->base);
		if (sock->shutdown & INET_SHUT_READ)
			return 0;
		if (nonblock)
			return -EAGAIN;
		int error =
			WAIT_EVENT(&sock->wait,
				   !list_empty(&datagram->queue) || sock->base.error || sock->shutdown & INET_SHUT_READ,
				   deadline_ns);
		if (error)
			return socket_wait_error(error, sock->base.receive_timeout_ns);
	}
	return 0;
}

ssize_t inet_packet_put(const struct buf *buf, struct uio *to)
{
	uint32_t head = (uint32_t)MIN((size_t)(BUF_HEADER_BYTES - buf->header_at), to->left);
	ssize_t done = head ? uio_put(to, buf->header + buf->header_at, head) : 0;

	if (done < 0 || (uint32_t)done < head)
		return -EFAULT;
	size_t n = MIN((size_t)buf->size, to->left);
	ssize_t rest = n ? uio_put(to, buf->block->data + buf->offset, n) : 0;
	return rest < 0 || (size_t)rest < n ? -EFAULT : done + rest;
}

/* A copy of the packet that MSG_PEEK shows: with SO_PEEK_OFF, of what lies behind the offset, maybe in a later one
 * (__skb_try_recv_from_queue). NULL: none. */
static struct buf *peek(const struct datagram_sock *datagram, int32_t *offset)
{
	struct buf *buf;

	list_for_each (buf, &datagram->queue, node) {
		uint32_t size = buf_size(buf);
		if (*offset > 0 && (uint32_t)*offset >= size) {
			*offset -= (int32_t)size;
			continue;
		}
		struct buf *copy = buf_clone(buf);
		if (copy && *offset > 0 && !buf_skip(copy, (uint32_t)*offset))
			assert(!"bytes that are there");
		return copy;
	}
	return NULL;
}

/* Where it came from, and all that the socket's options ask for about it. */
static void tell(const struct datagram_sock *datagram, const struct buf *buf, struct socket_message *message)
{
	const struct inet_sock *sock = &datagram->inet;
	struct net_end from = {buf->source, buf->source_port, buf->link ? buf->link->index : 0};

	inet_end_show(sock, &from, &message->address);
	message->stamp_ns = buf->stamp_ns;
	socket_stamps_add(&sock->base, message);
	if (socket_flag(&sock->base, SO_RXQ_OVFL) && datagram->dropped)
		socket_note_add(message, SOL_SOCKET, SO_RXQ_OVFL, &datagram->dropped, sizeof datagram->dropped);
	inet_notes_add(sock, buf, message);
}

ssize_t datagram_receive(struct inet_sock *sock, struct socket_message *message)
{
	struct datagram_sock *datagram = datagram_of(sock);
	bool peeks = message->flags & ABI_MSG_PEEK;
	int32_t offset = peeks ? sock->base.peek_offset : 0;

	if (message->flags & ABI_MSG_OOB)
		return -EOPNOTSUPP;
	int error = wait_for_packet(datagram, message->nonblock);
	if (error || list_empty(&datagram->queue))
		return error;
	struct buf *buf = peeks ? peek(datagram, &offset) : queue_take(datagram, queue_first(datagram));
	if (!buf) /* no memory; or all that is there has been seen: Linux would wait for the next */
		return peeks ? -EAGAIN : -ENOBUFS;
	if (sock->kind == INET_UDP && !peeks)
		udp_counts(sock->protocol, &buf->source)->in++;
	tell(datagram, buf, message);
	uint32_t size = buf_size(buf);
	bool cut = size > message->data->left;
	ssize_t result = inet_packet_put(buf, message->data);
	if (result >= 0 && sock->base.peek_offset >= 0) {
		if (peeks)
			sock->base.peek_offset += (int32_t)result;
		else
			sock->base.peek_offset = MAX(sock->base.peek_offset - (int32_t)size, 0);
	}
	if (result >= 0 && cut) {
		message->out_flags |= ABI_MSG_TRUNC;
		if (message->flags & ABI_MSG_TRUNC)
			result = size;
	}
	buf_free(buf);
	return result;
}

int datagram_shutdown(struct inet_sock *sock, uint32_t how)
{
	if (!sock->connected)
		return -ENOTCONN;
	sock->shutdown |= how;
	inet_wake(sock, READ_EVENTS | WRITE_EVENTS | POLLRDHUP | POLLHUP);
	return 0;
}

uint32_t datagram_poll(struct inet_sock *sock)
{
	uint32_t events = WRITE_EVENTS;

	if (!list_empty(&datagram_of(sock)->queue))
		events |= READ_EVENTS;
	if (sock->base.error)
		events |= POLLERR;
	if (sock->shutdown & INET_SHUT_READ)
		events |= READ_EVENTS | POLLRDHUP;
	if (sock->shutdown == INET_SHUT_BOTH)
		events |= POLLHUP;
	return events;
}

uint32_t datagram_next_bytes(const struct inet_sock *sock)
{
	const struct buf *first = queue_first(datagram_of(sock));

	return first ? buf_size(first) : 0;
}
