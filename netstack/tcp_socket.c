/* tcp_socket.c - what a program does with a TCP socket: connect, listen, accept, send, receive, poll (tcp(7)).
 *
 * Bytes are copied from the writer into blocks of the send queue, and from the packets' blocks to the reader. Both
 * copies may PARK; a mutex for each direction keeps others out during one copy, and what a writer fills is not in the
 * queue before it is whole.
 *
 * Limits: no MSG_ZEROCOPY; SO_RCVLOWAT is honoured by reads and by poll.
 */
#include "fs/hooks.h"
#include "netstack/counts.h"
#include "netstack/policy.h"
#include "netstack/ports.h"
#include "netstack/tcp.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>

#define READ_EVENTS  (POLLIN | POLLRDNORM)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM | POLLWRBAND)
#define SMALL_BLOCK  (4096u - (uint32_t)sizeof(struct block))

/* ------------------------------------------------------------------------------------------------ connect, listen */

static int disconnect(struct tcp_sock *tcp)
{
	struct inet_sock *sock = &tcp->inet;

	int error;

	tcp_get(tcp);
	tcp_abort(tcp, 0);
	net_run();
	error = mutex_lock(&tcp->read_mutex); /* who copies still looks at the queue */
	if (!error) {
		tcp_queues_purge(tcp);
		mutex_unlock(&tcp->read_mutex);
	}
	sock->base.error = 0;
	tcp->connecting = tcp->fast_wish = tcp->fast_deferred = false;
	sock->shutdown = 0;
	inet_ends_forget(sock);
	tcp_put(tcp);
	return error;
}

/* All but the SYN. */
static int connect_open(struct tcp_sock *tcp, const struct socket_address *address)
{
	struct inet_sock *sock = &tcp->inet;
	struct net_end remote = {0};
	struct route route;
	int error = inet_end_read(sock, address, &remote);

	if (error)
		return error;
	net_addr_any_is_here(&remote.addr);
	if (net_addr_is_multicast(&remote.addr) || net_addr_is_broadcast(&remote.addr))
		return -ENETUNREACH;
	error = inet_route(sock, &sock->local.addr, &remote, &route);
	if (error)
		return error;
	struct net_addr before = sock->local.addr;
	sock->local.addr = route.source;
	if (!sock->local.port)
		error = port_choose(sock, &remote);
	else if (connection_find(&sock->local, &remote))
		error = -EADDRNOTAVAIL;
	if (error) {
		sock->local.addr = before;
		return error;
	}
	error = policy_connect(sock, &remote, &route);
	if (error) {
		inet_ends_forget(sock);
		return error;
	}
	sock->remote = remote;
	sock->shutdown = 0;
	net_counts.tcp.active++;
	tcp_begin(tcp, net_random());
	tcp->own_mss = tcp_own_mss(tcp, route.mtu);
	tcp->state = TCP_SYN_SENT;
	connection_enter(sock);
	tcp->connecting = true;
	return 0;
}

/* TCP_FASTOPEN_CONNECT: connect(2) is done at once, and the SYN waits for the first data, if there is a cookie. */
static bool connect_deferred(struct tcp_sock *tcp)
{
	tcp->fast_wish |= tcp->fast_connect && tcp_settings.fastopen & 1;
	tcp->fast_deferred = tcp->fast_wish && tcp->fast_connect && fastopen_cookie(&tcp->inet.remote.addr);
	return tcp->fast_deferred;
}

/* PARKS until the handshake has an end. */
static int connect_wait(struct tcp_sock *tcp)
{
	struct socket *base = &tcp->inet.base;
	int error = WAIT_EVENT(&tcp->inet.wait, tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECEIVED,
			       socket_deadline(base->send_timeout_ns));

	if (error == -ETIMEDOUT)
		return -EINPROGRESS;
	return error ? socket_wait_error(error, base->send_timeout_ns) : 0;
}

/* What the handshake has come to, for a caller who has not been told yet. */
static int connect_result(struct tcp_sock *tcp)
{
	int error;

	tcp->connecting = tcp->fast_deferred = false;
	if (tcp->state != TCP_CLOSED)
		return 0;
	tcp->fast_wish = false;
	tcp->inet.shutdown = 0;
	inet_ends_forget(&tcp->inet);
	error = socket_error_take(&tcp->inet.base);
	return error ? error : -ECONNABORTED;
}

int tcp_connect(struct inet_sock *sock, const struct socket_address *address, bool nonblock)
{
	struct tcp_sock *tcp = tcp_of(sock);
	int error = 0;

	if (address->family == ABI_AF_UNSPEC)
		return disconnect(tcp);
	if (tcp_is_deferred(tcp))
		return -EISCONN;
	if (!tcp->connecting) {
		if (tcp->state != TCP_CLOSED)
			return -EISCONN;
		if (sock->base.error)
			return socket_error_take(&sock->base);
		error = connect_open(tcp, address);
		if (error || connect_deferred(tcp))
			return error;
		tcp_send_syn(tcp);
		net_run();
		/* Over the loopback it is over by now, but a program that does not wait is told so later, as by Linux.
		 */
		if (nonblock)
			return -EINPROGRESS;
	} else if (nonblock && (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)) {
		return -EALREADY;
	}
	error = connect_wait(tcp);
	return error ? error : connect_result(tcp);
}

int tcp_listen(struct inet_sock *sock, int backlog)
{
	struct tcp_sock *tcp = tcp_of(sock);
	int error = 0;

	if (tcp->state != TCP_CLOSED && tcp->state != TCP_LISTEN)
		return -EINVAL;
	if (tcp->state == TCP_CLOSED) {
		if (!sock->local.port)
			error = port_bind(sock, NULL, &sock->local);
		if (!error)
			error = port_listen(sock);
		if (error)
			return error;
		tcp->state = TCP_LISTEN;
		sock->base.listening = true;
		sock->shutdown = 0;
	}
	tcp->backlog = MIN((uint32_t)backlog, (uint32_t)SOCKET_BACKLOG_LIMIT);
	return 0;
}

int tcp_accept(struct inet_sock *sock, bool nonblock, struct inet_sock **out)
{
	struct tcp_sock *tcp = tcp_of(sock), *child;

	if (tcp->state != TCP_LISTEN)
		return -EINVAL;
	if (list_empty(&tcp->accepted) && nonblock)
		return -EAGAIN;
	int error = WAIT_EVENT(&sock->wait, !list_empty(&tcp->accepted) || tcp->state != TCP_LISTEN,
			       socket_deadline(sock->base.receive_timeout_ns));
	if (error)
		return socket_wait_error(error, sock->base.receive_timeout_ns);
	if (list_empty(&tcp->accepted))
		return -EINVAL; /* shut down */
	child = list_first(&tcp->accepted, struct tcp_sock, listener_node);
	list_remove(&child->listener_node);
	tcp->accepted_count--;
	child->listener = NULL;
	*out = &child->inet;
	tcp_put(tcp);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ sending */

static uint32_t queued_bytes(const struct tcp_sock *tcp)
{
	return seq_after(tcp->send_end, tcp->una) ? tcp->send_end - tcp->una : 0;
}

/* The send buffer grows with the congestion window until somebody sets it. */
static uint32_t send_limit(const struct tcp_sock *tcp)
{
	uint32_t bytes = tcp->inet.base.send_bytes;

	return bytes == tcp->auto_send ? MAX(bytes, MIN(2 * MIN(tcp->cwnd, TCP_SEND_LIMIT), TCP_SEND_LIMIT)) : bytes;
}

/* TCP_NOTSENT_LOWAT keeps what is not even sent low. */
static bool has_room(const struct tcp_sock *tcp)
{
	return queued_bytes(tcp) < send_limit(tcp) &&
	       (!tcp->unsent_low || tcp_unsent_bytes(&tcp->inet) < tcp->unsent_low);
}

static bool may_send(const struct tcp_sock *tcp)
{
	return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT;
}

/* PARKS until there is room in the buffer. */
static int send_wait(struct tcp_sock *tcp, bool nonblock, uint64_t deadline_ns)
{
	struct inet_sock *sock = &tcp->inet;
	bool opening = false;

	for (;;) {
		if (sock->base.error)
			return socket_error_take(&sock->base);
		opening = tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED;
		if (sock->shutdown & INET_SHUT_WRITE || (!may_send(tcp) && !opening))
			return -EPIPE;
		if (!opening && has_room(tcp))
			return 0;
		if (nonblock)
			return -EAGAIN;
		int error = WAIT_EVENT(&sock->wait,
				       sock->base.error || sock->shutdown & INET_SHUT_WRITE ||
					       (may_send(tcp)
							? has_room(tcp)
							: tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECEIVED),
				       deadline_ns);
		if (error)
			return socket_wait_error(error, sock->base.send_timeout_ns);
	}
}

/* How much a new block shall hold, so that segments rarely span two. */
static uint32_t block_bytes(const struct tcp_sock *tcp, size_t left)
{
	uint32_t whole = MAX(BLOCK_LIMIT_BYTES / tcp->mss, 1u) * tcp->mss;

	return left <= SMALL_BLOCK ? SMALL_BLOCK : (uint32_t)MIN(left, (size_t)MIN(whole, BLOCK_LIMIT_BYTES));
}

/* The block that the next bytes go to: the rest of the last one, or a new one. Gives. */
static struct block *block_to_fill(struct tcp_sock *tcp, size_t left)
{
	struct tcp_chunk *last =
		list_empty(&tcp->send_queue) ? NULL : list_entry(tcp->send_queue.prev, struct tcp_chunk, node);

	if (last && last->offset + last->size == last->block->used && last->block->used < last->block->capacity) {
		block_get(last->block);
		return last->block;
	}
	return block_new(block_bytes(tcp, left));
}

/* The n bytes behind what the block has used become part of the queue. */
static int queue_add(struct tcp_sock *tcp, struct block *block, uint32_t n)
{
	struct tcp_chunk *last =
		list_empty(&tcp->send_queue) ? NULL : list_entry(tcp->send_queue.prev, struct tcp_chunk, node);

	if (!last || last->block != block || last->offset + last->size != block->used) {
		last = tcp_chunk_of(block);
		if (!last)
			return -ENOBUFS;
		last->offset = block->used;
		list_push_back(&tcp->send_queue, &last->node);
	}
	last->size += n;
	block->used += n;
	tcp->send_end += n;
	tcp_clock_start(&tcp->stats.busy_since_ns);
	return 0;
}

/* Bytes that have just been queued: may they leave? -ECONNRESET: the connection is no more. */
static int inspect(struct tcp_sock *tcp, const void *bytes, uint32_t size)
{
	int held = policy_inspect(&tcp->inet, bytes, size);

	if (held >= 0) {
		tcp->held = (uint32_t)held;
		return 0;
	}
	tcp_abort(tcp, -held);
	return socket_error_take(&tcp->inet.base);
}

/* PARKS. What fits one block goes from the caller into the queue. Nothing of it is there before all of it is. */
static ssize_t fill(struct tcp_sock *tcp, struct socket_message *message)
{
	struct block *block = block_to_fill(tcp, message->data->left);
	int error;

	if (!block)
		return -ENOBUFS;
	size_t n = MIN(message->data->left, (size_t)(block->capacity - block->used));
	ssize_t taken = uio_take(message->data, block->data + block->used, n);
	if (taken > 0 && (!may_send(tcp) || tcp->inet.shutdown & INET_SHUT_WRITE))
		taken = tcp->inet.base.error ? socket_error_take(&tcp->inet.base) : -EPIPE;
	if (taken > 0) {
		error = queue_add(tcp, block, (uint32_t)taken);
		if (!error && policy_inspects(&tcp->inet))
			error = inspect(tcp, block->data + block->used - taken, (uint32_t)taken);
		taken = error ? error : taken;
	}
	block_put(block);
	return taken;
}

/* PARKS. One block's worth from the caller into the queue: bytes or error. */
static ssize_t send_step(struct tcp_sock *tcp, struct socket_message *message, uint64_t deadline_ns)
{
	int error = send_wait(tcp, message->nonblock, deadline_ns);

	if (error)
		return error;
	error = mutex_lock(&tcp->send_mutex);
	if (error)
		return error;
	ssize_t taken = fill(tcp, message);
	mutex_unlock(&tcp->send_mutex);
	return taken;
}
static ssize_t send_all(struct tcp_sock *tcp, struct socket_message *message)
{
	uint64_t deadline_ns = socket_deadline(tcp->inet.base.send_timeout_ns);
	ssize_t done = 0, step = 0;
	bool room = true;

	do {
		/* Let the peer work before we wait for it. */
		if (queued_bytes(tcp) >= send_limit(tcp)) {
			tcp_output(tcp, false);
			net_run();
		}
		step = send_step(tcp, message, deadline_ns);
		if (step > 0)
			done += step;
		room = step > 0 && message->data->left;
		if (step > 0 && room && seq_before(tcp->nxt + tcp->mss, tcp->send_end))
			tcp_output(tcp, false);
	} while (room);
	return done ? done : step;
}

/* The first bytes, which the SYN shall bring along. Consumes; PARKS. */
static ssize_t open_with_data(struct tcp_sock *tcp, struct socket_message *message, uint32_t room)
{
	struct inet_sock *sock = &tcp->inet;
	struct block *block = block_new(MAX(room, 1u));
	int error = 0;

	if (!block)
		return -ENOBUFS;
	bool deferred = tcp_is_deferred(tcp);
	ssize_t taken = uio_take(message->data, block->data, MIN((size_t)room, message->data->left));
	if (taken > 0 && deferred) /* others may have come first meanwhile */
		error = tcp_is_deferred(tcp) ? 0 : -EPIPE;
	else if (taken > 0)
		error = tcp->state == TCP_CLOSED ? connect_open(tcp, &message->address) : -EISCONN;
	if (taken > 0 && !error) {
		bool watched = policy_inspects(sock);
		tcp->fast_deferred = false;
		tcp->fast_wish = !watched; /* not even once it has been judged */
		error = queue_add(tcp, block, (uint32_t)taken);
		if (!error && watched)
			error = inspect(tcp, block->data, (uint32_t)taken);
		if (!error)
			tcp_send_syn(tcp);
	}
	block_put(block);
	net_run();
	return error ? error : taken;
}

/* As connect(2), and asks for a cookie. PARKS. */
static int open_without_data(struct tcp_sock *tcp, struct socket_message *message)
{
	if (tcp_is_deferred(tcp)) {
		tcp->fast_deferred = false;
		tcp_send_syn(tcp);
		net_run();
		if (message->nonblock)
			return -EINPROGRESS;
	}
	tcp->fast_wish = true;
	return tcp_connect(&tcp->inet, &message->address, message->nonblock);
}

/* MSG_FASTOPEN, or the first send after a connect(2) that was deferred. PARKS. How many bytes are on their way when the
 * connection is; errors of connect(2). */
static ssize_t fast_open(struct tcp_sock *tcp, struct socket_message *message)
{
	struct inet_sock *sock = &tcp->inet;
	const struct tcp_cookie *cookie;
	struct net_end remote = sock->remote;
	int error = 0;

	if (!(tcp_settings.fastopen & 1))
		return -EOPNOTSUPP;
	if (!tcp_is_deferred(tcp)) {
		if (message->address.size >= sizeof message->address.family && message->address.family == ABI_AF_UNSPEC)
			return -EOPNOTSUPP;
		if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED)
			return -EALREADY;
		if (tcp->state != TCP_CLOSED)
			return -EISCONN;
		error = inet_end_read(sock, &message->address, &remote);
	}
	if (error)
		return error;
	cookie = fastopen_cookie(&remote.addr);
	uint32_t room = cookie ? MIN(fastopen_room(tcp, cookie), BLOCK_LIMIT_BYTES) : 0;
	if (!room || !message->data->left)
		return open_without_data(tcp, message);
	ssize_t taken = open_with_data(tcp, message, room);
	if (taken <= 0 || message->nonblock)
		return taken;
	error = connect_wait(tcp);
	if (error == -EINPROGRESS) /* in the time of SO_SNDTIMEO: it goes on */
		return taken;
	if (!error)
		error = connect_result(tcp);
	return error ? error : taken;
}

ssize_t tcp_send(struct inet_sock *sock, struct socket_message *message)
{
	struct tcp_sock *tcp = tcp_of(sock);
	ssize_t result = 0, opened = 0;

	tcp->more = message->flags & ABI_MSG_MORE;
	if (message->flags & ABI_MSG_FASTOPEN || tcp_is_deferred(tcp))
		opened = fast_open(tcp, message);
	if (opened < 0) {
		result = opened;
	} else if (message->data->left && !(opened && message->nonblock)) {
		result = send_all(tcp, message);
	} else if (!opened) {
		result = sock->base.error ? socket_error_take(&sock->base) : 0;
		if (!result && (sock->shutdown & INET_SHUT_WRITE || tcp->state == TCP_CLOSED))
			result = -EPIPE;
	}
	if (opened > 0)
		result = opened + MAX(result, (ssize_t)0);
	/* A byte that some servers leave out of the stream would change what was inspected. */
	if (result > 0 && message->flags & ABI_MSG_OOB && !policy_inspects(sock)) {
		tcp->urgent_out = tcp->send_end;
		tcp->urgent_sending = tcp->push_pending = true;
	}
	if (tcp->state != TCP_CLOSED)
		tcp_output(tcp, false);
	net_run();
	if (result == -EPIPE && !(message->flags & ABI_MSG_NOSIGNAL))
		hook_signal_caller(SIGPIPE);
	return result;
}

/* ------------------------------------------------------------------------------------------------ receiving */

/* The sequence number of the first byte that a reader gets. */
static uint32_t head(const struct tcp_sock *tcp)
{
	return tcp->rcv_nxt - tcp->fin_received - tcp->ready_bytes;
}

static ssize_t receive_urgent(struct tcp_sock *tcp, struct socket_message *message)
{
	bool here = tcp->urgent_valid && !tcp->urgent_taken;

	if (tcp->inet.base.flags & 1ull << ABI_SO_OOBINLINE || !here)
		return -EINVAL;
	uint32_t skip = tcp->urgent_in - head(tcp);
	struct buf *buf;
	if (skip >= tcp->ready_bytes) /* announced, and not yet here */
		return tcp->inet.shutdown & INET_SHUT_READ ? 0 : -EAGAIN;
	list_for_each (buf, &tcp->ready, node) {
		if (skip < buf->size)
			break;
		skip -= buf->size;
	}
	char byte = buf->block->data[buf->offset + skip];
	tcp->urgent_taken = !(message->flags & ABI_MSG_PEEK);
	message->out_flags |= ABI_MSG_OOB;
	return message->data->left ? uio_put(message->data, &byte, 1) : 0;
}

/* Takes n bytes away from the front, and tells the peer when that is worth it. */
static void consume(struct tcp_sock *tcp, uint32_t n)
{
	struct buf *buf = list_first(&tcp->ready, struct buf, node);

	if (!buf_skip(buf, n))
		assert(!"bytes that are there");
	if (!buf->size)
		buf_free(buf);
	tcp->ready_bytes -= n;
	autotune_copied(tcp, n);
}

/* A window that has opened by much (RFC 9293 section 3.8.6.2.2) is worth a segment: when something is to be
 * acknowledged anyway (the peer may hold its next bytes back until then), or when it is twice what the peer knows. */
static void tell_window(struct tcp_sock *tcp)
{
	uint32_t limit = tcp->inet.base.receive_bytes / 2, room = tcp_receive_room(tcp),
		 known = tcp->edge - tcp->rcv_nxt;

	if (tcp->fin_received || tcp->state == TCP_CLOSED || tcp->state == TCP_LISTEN)
		return;
	if (room < known + MIN(2 * tcp->own_mss, limit / 2) || (!tcp->unacked && room / 2 < known))
		return;
	tcp_output(tcp, true);
	net_run();
}

/* How many of the first packet's bytes can be had before the mark; 0: the mark is here. */
static uint32_t before_mark(const struct tcp_sock *tcp, uint32_t n)
{
	uint32_t distance = tcp->urgent_in - head(tcp);

	return tcp->urgent_valid && distance < n ? distance : n;
}

/* At the mark: the byte is skipped unless it belongs to the stream, and the mark is passed. */
static void pass_mark(struct tcp_sock *tcp)
{
	tcp->urgent_valid = false;
	if (!(tcp->inet.base.flags & 1ull << ABI_SO_OOBINLINE))
		consume(tcp, 1);
}

/* PARKS. Copies what is there, up to a mark. Bytes, or an error when there are none. */
static ssize_t take_ready(struct tcp_sock *tcp, struct socket_message *message, ssize_t had)
{
	bool discard = message->flags & ABI_MSG_TRUNC;
	ssize_t done = 0;

	while (!list_empty(&tcp->ready) && message->data->left) {
		struct buf *buf = list_first(&tcp->ready, struct buf, node);
		uint32_t n = before_mark(tcp, (uint32_t)MIN((size_t)buf->size, message->data->left));
		if (!n) {
			if (had + done)
				break;
			pass_mark(tcp);
			continue;
		}
		ssize_t put = discard ? (ssize_t)n : uio_put(message->data, buf->block->data + buf->offset, n);
		if (discard)
			message->data->left -= n;
		if (put <= 0)
			return done ? done : put;
		consume(tcp, (uint32_t)put);
		done += put;
		if ((uint32_t)put < n)
			break;
	}
	return done;
}

/* What MSG_PEEK shows, from..to of what is there: behind SO_PEEK_OFF; up to a mark, or past the mark that it is at. */
struct view {
	uint32_t from, to;
};

static struct view peek_view(const struct tcp_sock *tcp)
{
	uint32_t offset = (uint32_t)MAX(tcp->inet.base.peek_offset, 0), distance = tcp->urgent_in - head(tcp);
	struct view view = {.from = offset, .to = tcp->ready_bytes};

	if (tcp->urgent_valid && distance == offset && !socket_flag(&tcp->inet.base, ABI_SO_OOBINLINE))
		view.from++;
	else if (tcp->urgent_valid && distance > offset)
		view.to = MIN(view.to, distance);
	view.to = MAX(view.to, view.from);
	return view;
}

/* PARKS. As take_ready, and leaves everything where it is. */
static ssize_t peek_ready(const struct tcp_sock *tcp, struct socket_message *message)
{
	struct view view = peek_view(tcp);
	ssize_t done = 0;
	struct buf *buf;

	list_for_each (buf, &tcp->ready, node) {
		uint32_t skip = MIN(view.from, buf->size), end = MIN(view.to, buf->size);
		uint32_t n = (uint32_t)MIN((size_t)(end - skip), message->data->left);
		ssize_t put = n ? uio_put(message->data, buf->block->data + buf->offset + skip, n) : 0;
		if (put < 0)
			return done ? done : put;
		done += put;
		if ((uint32_t)put < end - skip || end < buf->size)
			break;
		view.from -= skip;
		view.to -= end;
	}
	return done;
}

/* SO_PEEK_OFF moves on with what is seen, and back with what is taken. */
static void peek_move(struct tcp_sock *tcp, bool peek, ssize_t n)
{
	int32_t *offset = &tcp->inet.base.peek_offset;

	if (*offset >= 0 && n > 0)
		*offset = (int32_t)(peek ? MIN(*offset + n, (ssize_t)INT32_MAX) : MAX(*offset - n, (ssize_t)0));
}

/* Nothing is there: the end, an error, or (1) a reason to wait. */
static ssize_t nothing_ready(struct tcp_sock *tcp)
{
	struct inet_sock *sock = &tcp->inet;

	if (sock->base.error)
		return socket_error_take(&sock->base);
	if (sock->shutdown & INET_SHUT_READ)
		return 0;
	return tcp->state == TCP_CLOSED ? -ENOTCONN : 1;
}

/* Is there so much, or something before a mark; or nothing to wait for? */
static bool readable(const struct tcp_sock *tcp, bool peek, size_t wanted)
{
	struct view view = peek ? peek_view(tcp) : (struct view){0, tcp->ready_bytes};
	uint32_t n = view.to - view.from;

	return n >= wanted || (tcp->urgent_valid && n) || tcp->inet.base.error || tcp->inet.shutdown & INET_SHUT_READ ||
	       tcp->state == TCP_CLOSED;
}

static ssize_t receive(struct tcp_sock *tcp, struct socket_message *message)
{
	struct inet_sock *sock = &tcp->inet;
	uint64_t deadline_ns = socket_deadline(sock->base.receive_timeout_ns);
	bool peek = message->flags & ABI_MSG_PEEK;
	size_t wanted = message->flags & ABI_MSG_WAITALL ? message->data->left
							 : MIN(message->data->left, (size_t)sock->base.receive_low);
	ssize_t done = 0;

	wanted = MAX(wanted, (size_t)1); /* who wants nothing still waits for something (sock_rcvlowat in Linux) */
	for (;;) {
		ssize_t got = mutex_lock(&tcp->read_mutex);
		if (got)
			return done ? done : got;
		if (!peek || readable(tcp, true, wanted))
			got = peek ? peek_ready(tcp, message) : take_ready(tcp, message, done);
		mutex_unlock(&tcp->read_mutex);
		done += MAX(got, (ssize_t)0);
		peek_move(tcp, peek, got);
		if (got < 0 || (size_t)done >= wanted || (peek && done) || (tcp->ready_bytes && !message->data->left))
			return done ? done : got;
		if (!peek && done)
			tell_window(tcp);
		ssize_t why = nothing_ready(tcp);
		if (why <= 0 || (tcp->urgent_valid && done))
			return done ? done : why;
		if (message->nonblock)
			return done ? done : -EAGAIN;
		int error = WAIT_EVENT(&sock->wait, readable(tcp, peek, peek ? wanted : 1), deadline_ns);
		if (error)
			return done ? done : socket_wait_error(error, sock->base.receive_timeout_ns);
	}
}

ssize_t tcp_receive(struct inet_sock *sock, struct socket_message *message)
{
	struct tcp_sock *tcp = tcp_of(sock);

	if (tcp->state == TCP_LISTEN)
		return -ENOTCONN;
	if (message->flags & ABI_MSG_OOB)
		return receive_urgent(tcp, message);
	ssize_t result = receive(tcp, message);
	tell_window(tcp);
	return result;
}

/* ------------------------------------------------------------------------------------------------ readiness */

uint32_t tcp_poll(struct inet_sock *sock)
{
	struct tcp_sock *tcp = tcp_of(sock);
	bool opening = tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED;
	uint32_t events = 0;

	if (tcp->state == TCP_LISTEN)
		return list_empty(&tcp->accepted) ? 0 : READ_EVENTS;
	if (sock->shutdown == INET_SHUT_BOTH || tcp->state == TCP_CLOSED)
		events |= POLLHUP;
	if (sock->shutdown & INET_SHUT_READ)
		events |= READ_EVENTS | POLLRDHUP;
	if (sock->base.error)
		events |= POLLERR;
	if (opening)
		return events | (tcp_is_deferred(tcp) ? POLLOUT | POLLWRNORM : 0);
	if (tcp->ready_bytes >= MAX(sock->base.receive_low, 1u))
		events |= READ_EVENTS;
	if (sock->shutdown & INET_SHUT_WRITE ||
	    (has_room(tcp) && (uint64_t)queued_bytes(tcp) * 3 <= (uint64_t)send_limit(tcp) * 2))
		events |= POLLOUT | POLLWRNORM;
	if (tcp->urgent_valid && !tcp->urgent_taken)
		events |= POLLPRI;
	return events;
}

uint32_t tcp_readable_bytes(const struct inet_sock *sock)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;

	return before_mark(tcp, tcp->ready_bytes);
}

uint32_t tcp_unacked_bytes(const struct inet_sock *sock)
{
	return queued_bytes((const struct tcp_sock *)sock);
}

uint32_t tcp_unsent_bytes(const struct inet_sock *sock)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;

	return seq_after(tcp->send_end, tcp->nxt) ? tcp->send_end - tcp->nxt : 0;
}

bool tcp_at_mark(const struct inet_sock *sock)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;

	return tcp->urgent_valid && tcp->urgent_in == head(tcp);
}
