/* tcp.c - connections: how they begin and end, their timers, their queues.
 *
 * Life. A socket holds one reference through its file, a connection that nobody has accepted through its listener's
 * list; when the file goes while the peer still owes something, the reference becomes the connection's own until
 * tcp_done.
 *
 *     CLOSED -connect-> SYN_SENT --> ESTABLISHED -close-> FIN_WAIT_1 -> FIN_WAIT_2 -> TIME_WAIT -> CLOSED
 *     LISTEN -SYN-> (child) SYN_RECEIVED --> ESTABLISHED -FIN-> CLOSE_WAIT -close-> LAST_ACK -> CLOSED
 *
 * Limits: TCP_TIME_WAIT_LIMIT connections in TIME_WAIT, more are forgotten at once; SO_LINGER with a time is for
 * close(2), close_range(2) and dup2(2): an execve(2) that closes the socket does not wait, nor does the end of a
 * process (that as in Linux).
 */
#include "netstack/tcp.h"

#include "netstack/counts.h"
#include "netstack/policy.h"
#include "netstack/ports.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <poll.h>

#define RTO_FIRST_NS    NS_PER_S /* RFC 6298 section 2.1 */
#define SYN_RETRIES     6        /* net.ipv4.tcp_syn_retries */
#define SYNACK_RETRIES  5
#define RETRIES         15 /* net.ipv4.tcp_retries2 */
#define ORPHAN_RETRIES  8
#define TIME_WAIT_NS    (60 * NS_PER_S)
#define FIN_WAIT_S      60 /* net.ipv4.tcp_fin_timeout */
#define QUICK_SEGMENTS  16
#define RECEIVE_DEFAULT 131072u /* net.ipv4.tcp_rmem, tcp_wmem: the middle values */
#define SEND_DEFAULT    16384u
#define WINDOW_SCALE    7 /* holds TCP_RECEIVE_LIMIT */
#define MSS_LEAST       48u
#define STAMP_BYTES     12u

struct tcp_settings tcp_settings = {.ecn = 2, .cookies = 1, .fastopen = 1};
static struct slab tcp_slab = SLAB(tcp_sock), chunk_slab = SLAB(tcp_chunk);
static uint32_t time_wait_count;

struct inet_sock *tcp_sock_new(uint16_t family, uint32_t uid)
{
	struct tcp_sock *tcp = slab_new(&tcp_slab);

	if (!tcp)
		return NULL;
	inet_setup(&tcp->inet, INET_STREAM, family, IP_PROTOCOL_TCP, uid);
	tcp->state = TCP_CLOSED;
	tcp->inet.base.receive_bytes = tcp->auto_receive = RECEIVE_DEFAULT;
	tcp->inet.base.send_bytes = tcp->auto_send = SEND_DEFAULT;
	list_init(&tcp->send_queue);
	list_init(&tcp->sent);
	list_init(&tcp->ready);
	list_init(&tcp->ahead);
	list_init(&tcp->embryos);
	list_init(&tcp->accepted);
	list_init(&tcp->listener_node);
	list_init(&tcp->ack_node);
	mutex_init(&tcp->read_mutex);
	mutex_init(&tcp->send_mutex);
	net_timer_setup(&tcp->retransmit, NET_TIMER_TCP_RETRANSMIT);
	net_timer_setup(&tcp->early, NET_TIMER_TCP_EARLY);
	net_timer_setup(&tcp->delayed_ack, NET_TIMER_TCP_DELAYED_ACK);
	net_timer_setup(&tcp->keepalive, NET_TIMER_TCP_KEEPALIVE);
	net_timer_setup(&tcp->linger, NET_TIMER_TCP_LINGER);
	tcp->keep_idle_s = 7200;
	tcp->keep_interval_s = 75;
	tcp->keep_count = 9;
	tcp->syn_count = SYN_RETRIES;
	return &tcp->inet;
}

unsigned tcp_sock_count(void)
{
	return (unsigned)slab_count(&tcp_slab);
}

void tcp_get(struct tcp_sock *tcp)
{
	ref_get(&tcp->inet.ref);
}

void tcp_put(struct tcp_sock *tcp)
{
	if (ref_put(&tcp->inet.ref))
		tcp_sock_free(&tcp->inet);
}

void tcp_sock_free(struct inet_sock *sock)
{
	struct tcp_sock *tcp = tcp_of(sock);

	assert(tcp->state == TCP_CLOSED && !sock->file && !tcp->listener);
	assert(list_empty(&tcp->embryos) && list_empty(&tcp->accepted));
	port_release(sock);
	tcp_queues_purge(tcp);
	inet_fini(sock);
	slab_free(&tcp_slab, tcp);
}

void tcp_clock_start(uint64_t *since_ns)
{
	if (!*since_ns)
		*since_ns = clock_now_ns();
}

void tcp_clock_stop(uint64_t *since_ns, uint64_t *total_ns)
{
	if (*since_ns)
		*total_ns += clock_now_ns() - *since_ns;
	*since_ns = 0;
}

/* ------------------------------------------------------------------------------------------------ queues */

struct tcp_chunk *tcp_chunk_of(struct block *block)
{
	struct tcp_chunk *chunk = slab_new(&chunk_slab);

	if (!chunk)
		return NULL;
	list_init(&chunk->node);
	block_get(block);
	chunk->block = block;
	return chunk;
}

void tcp_chunk_free(struct tcp_chunk *chunk)
{
	list_remove(&chunk->node);
	block_put(chunk->block);
	slab_free(&chunk_slab, chunk);
}

static void send_queue_purge(struct tcp_sock *tcp)
{
	while (!list_empty(&tcp->send_queue))
		tcp_chunk_free(list_first(&tcp->send_queue, struct tcp_chunk, node));
	loss_purge(tcp);
}

static void ahead_purge(struct tcp_sock *tcp)
{
	while (!list_empty(&tcp->ahead))
		buf_free(list_first(&tcp->ahead, struct buf, node));
	tcp->ahead_bytes = 0;
}

void tcp_queues_purge(struct tcp_sock *tcp)
{
	send_queue_purge(tcp);
	ahead_purge(tcp);
	while (!list_empty(&tcp->ready))
		buf_free(list_first(&tcp->ready, struct buf, node));
	tcp->ready_bytes = 0;
}

/* Half of the buffer, as Linux: the rest is for overhead (net.ipv4.tcp_adv_win_scale). */
uint32_t tcp_receive_room(const struct tcp_sock *tcp)
{
	uint32_t limit = tcp->inet.base.receive_bytes / 2, used = tcp->ready_bytes + tcp->ahead_bytes;

	if (tcp->window_clamp)
		limit = MIN(limit, tcp->window_clamp);
	return limit > used ? limit - used : 0;
}

/* ------------------------------------------------------------------------------------------------ beginnings */

void tcp_begin(struct tcp_sock *tcp, uint32_t iss)
{
	tcp->iss = iss;
	tcp->una = tcp->nxt = tcp->iss;
	tcp->send_end = tcp->iss + 1; /* behind the SYN */
	tcp->held = tcp->syn_data = 0;
	tcp->fast_taken = false;
	tcp->recover = tcp->ecn_recover = tcp->iss;
	memset(&tcp->rack, 0, sizeof tcp->rack);
	tcp->rack.highest = tcp->rack.duplicate_round = tcp->iss;
	tcp->early_is_probe = tcp->tail_probing = false;
	tcp->ecn_ok = tcp->ecn_echo = tcp->ecn_reduced = false;
	tcp->syn_at_ns = clock_now_ns();
	memset(&tcp->stats, 0, sizeof tcp->stats);
	tcp->fin_wanted = tcp->fin_received = tcp->recovering = tcp->probing = false;
	tcp->urgent_valid = tcp->urgent_sending = tcp->ack_now = tcp->push_pending = false;
	tcp->duplicates = tcp->backoff = tcp->probes = tcp->retransmits = 0;
	tcp->window = tcp->window_most = 0;
	tcp->srtt_ns = tcp->rttvar_ns = tcp->stuck_since_ns = 0;
	tcp->rto_ns = RTO_FIRST_NS;
	tcp->rcv_nxt = tcp->edge = tcp->unacked = 0;
	tcp->receive_scale = WINDOW_SCALE;
	tcp->send_scale = 0;
	tcp->receive_mss = 536;
	tcp->quick = QUICK_SEGMENTS;
	tcp->stamped = tcp->scaled = tcp->sacked_ok = false;
	tcp->stamp_recent = 0;
	tcp->heard_at_ns = clock_now_ns();
	tcp->mss = MSS_LEAST;
	tcp->gso_bytes = 0;
	tcp->cwnd = tcp->ssthresh = 0;
	tcp->cubic.epoch_ns = 0;
	tcp->cubic.w_last = 0;
}

uint32_t tcp_own_mss(const struct tcp_sock *tcp, uint32_t mtu)
{
	uint32_t headers =
		TCP_HEADER_BYTES + (net_addr_is_v4(&tcp->inet.remote.addr) ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	uint32_t mss = MIN(mtu, IP_PACKET_LIMIT) - headers;

	return tcp->mss_wish ? MIN(mss, tcp->mss_wish) : mss;
}

void tcp_settle(struct tcp_sock *tcp, uint32_t mtu)
{
	uint32_t mss;

	tcp->own_mss = tcp_own_mss(tcp, mtu);
	mss = MIN(tcp->own_mss, tcp->peer_mss);
	tcp->mss = MAX(mss, MSS_LEAST + STAMP_BYTES) - (tcp->stamped ? STAMP_BYTES : 0);
	congestion_begin(tcp);
	autotune_begin(tcp);
}

void tcp_mtu_lower(struct tcp_sock *tcp, uint32_t mtu)
{
	uint32_t mss = tcp_own_mss(tcp, mtu) - (tcp->stamped ? STAMP_BYTES : 0);

	if (tcp->mss > mss)
		tcp->mss = MAX(mss, MSS_LEAST);
}

struct inet_sock *tcp_child_new(struct tcp_sock *listener)
{
	struct inet_sock *sock = tcp_sock_new(listener->inet.base.family, listener->inet.uid);

	if (!sock)
		return NULL;
	struct tcp_sock *tcp = tcp_of(sock);
	sock->base.flags = listener->inet.base.flags;
	sock->base.linger = listener->inet.base.linger;
	sock->base.receive_bytes = listener->inet.base.receive_bytes;
	sock->base.send_bytes = listener->inet.base.send_bytes;
	sock->base.receive_low = listener->inet.base.receive_low;
	sock->base.priority = listener->inet.base.priority;
	sock->options = listener->inet.options;
	sock->addr_bound = listener->inet.addr_bound;
	tcp->mss_wish = listener->mss_wish;
	tcp->no_delay = listener->no_delay;
	tcp->cork = listener->cork;
	tcp->reno = listener->reno;
	tcp->keep_idle_s = listener->keep_idle_s;
	tcp->keep_interval_s = listener->keep_interval_s;
	tcp->keep_count = listener->keep_count;
	tcp->user_timeout_ms = listener->user_timeout_ms;
	tcp->window_clamp = listener->window_clamp;
	tcp->unsent_low = listener->unsent_low;
	tcp->linger2_s = listener->linger2_s;
	port_share(sock, &listener->inet);
	tcp->listener = listener;
	tcp_get(listener);
	list_push_back(&listener->embryos, &tcp->listener_node);
	listener->embryo_count++;
	return sock;
}

void tcp_established(struct tcp_sock *tcp)
{
	struct tcp_sock *listener = tcp->listener;

	tcp->state = TCP_ESTABLISHED;
	if (tcp->inet.base.send_bytes == tcp->auto_send)
		tcp->auto_send = tcp->inet.base.send_bytes = MAX(tcp->auto_send, MIN(4 * tcp->cwnd, TCP_SEND_LIMIT));
	tcp_keepalive_reset(tcp);
	if (!listener) {
		inet_wake(&tcp->inet, POLLOUT | POLLWRNORM | POLLWRBAND);
		return;
	}
	net_counts.tcp.passive++;
	policy_accepted(&tcp->inet);
	list_remove(&tcp->listener_node);
	listener->embryo_count--;
	list_push_back(&listener->accepted, &tcp->listener_node);
	listener->accepted_count++;
	inet_wake(&listener->inet, POLLIN | POLLRDNORM);
}

/* ------------------------------------------------------------------------------------------------ ends */

static void timers_stop(struct tcp_sock *tcp)
{
	net_timer_disarm(&tcp->retransmit);
	net_timer_disarm(&tcp->early);
	net_timer_disarm(&tcp->delayed_ack);
	net_timer_disarm(&tcp->keepalive);
	net_timer_disarm(&tcp->linger);
}

/* A child leaves its listener's list, and the list's reference with it. */
static void orphan_child(struct tcp_sock *tcp)
{
	struct tcp_sock *listener = tcp->listener;

	list_remove(&tcp->listener_node);
	tcp->listener = NULL;
	tcp_put(listener);
}

void tcp_done(struct tcp_sock *tcp, int error)
{
	struct inet_sock *sock = &tcp->inet;
	bool embryo = tcp->state == TCP_SYN_RECEIVED && tcp->listener;

	if (tcp->state == TCP_CLOSED)
		return;
	time_wait_count -= tcp->state == TCP_TIME_WAIT;
	net_counts.tcp.failed += tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED;
	net_counts.tcp.reset += tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT;
	tcp->state = TCP_CLOSED;
	timers_stop(tcp);
	list_remove(&tcp->ack_node);
	connection_leave(sock);
	policy_closed(sock);
	send_queue_purge(tcp);
	ahead_purge(tcp);
	if (error)
		sock->base.error = error;
	sock->shutdown = INET_SHUT_BOTH;
	if (embryo) {
		tcp->listener->embryo_count--;
		orphan_child(tcp);
	}
	if (!sock->port_bound || !sock->file)
		port_release(sock);
	inet_wake(sock, 0);
	if (!sock->file && !tcp->listener)
		tcp_put(tcp);
}

void tcp_abort(struct tcp_sock *tcp, int error)
{
	switch (tcp->state) {
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		tcp_send_reset(tcp);
		break;
	default:
		break;
	}
	tcp_done(tcp, error);
}

void tcp_time_wait(struct tcp_sock *tcp)
{
	bool first = tcp->state != TCP_TIME_WAIT;

	if (first && time_wait_count >= TCP_TIME_WAIT_LIMIT) {
		tcp->ack_now = false;
		tcp_done(tcp, 0);
		return;
	}
	time_wait_count += first;
	tcp->state = TCP_TIME_WAIT;
	net_timer_disarm(&tcp->retransmit);
	net_timer_disarm(&tcp->early);
	net_timer_disarm(&tcp->keepalive);
	send_queue_purge(tcp);
	net_timer_arm(&tcp->linger, clock_now_ns() + TIME_WAIT_NS);
}

void tcp_release_wait(struct tcp_sock *tcp)
{
	int32_t seconds = tcp->linger2_s ? tcp->linger2_s : FIN_WAIT_S;

	if (seconds < 0)
		tcp_done(tcp, 0);
	else
		net_timer_arm(&tcp->linger, clock_now_ns() + (uint64_t)seconds * NS_PER_S);
}

/* A listener's connections go with it. */
static void children_abort(struct tcp_sock *listener)
{
	struct list *lists[] = {&listener->embryos, &listener->accepted};

	for (unsigned i = 0; i < COUNT(lists); i++)
		while (!list_empty(lists[i])) {
			struct tcp_sock *child = list_first(lists[i], struct tcp_sock, listener_node);
			bool closed = child->state == TCP_CLOSED;
			tcp_get(child);
			orphan_child(child);
			if (closed)
				tcp_put(child); /* the list's; of others it goes in tcp_done */
			else
				tcp_abort(child, 0);
			tcp_put(child);
		}
	listener->embryo_count = listener->accepted_count = 0;
}

/* Our direction is to end behind what is queued. */
static void close_sending(struct tcp_sock *tcp)
{
	if (tcp->held) { /* what it said was not enough to judge it, and will not become more */
		tcp_abort(tcp, ECONNRESET);
		return;
	}
	if (tcp->state == TCP_ESTABLISHED || tcp->state == TCP_SYN_RECEIVED)
		tcp->state = TCP_FIN_WAIT_1;
	else if (tcp->state == TCP_CLOSE_WAIT)
		tcp->state = TCP_LAST_ACK;
	else
		return;
	tcp->fin_wanted = true;
	tcp_output(tcp, false);
}

static void listen_stop(struct tcp_sock *tcp)
{
	tcp->inet.base.listening = false;
	list_remove(&tcp->inet.hash_node);
	tcp->state = TCP_CLOSED;
	children_abort(tcp);
	inet_wake(&tcp->inet, 0);
}

void tcp_release(struct inet_sock *sock)
{
	struct tcp_sock *tcp = tcp_of(sock);
	bool abrupt = tcp->ready_bytes || (sock->base.linger.on && !sock->base.linger.seconds);

	if (tcp->state == TCP_LISTEN)
		listen_stop(tcp);
	if (tcp->state == TCP_CLOSED) {
		port_release(sock);
		tcp_put(tcp); /* the file's reference */
	} else if (abrupt || tcp->state == TCP_SYN_SENT) {
		tcp_abort(tcp, 0);
	} else {
		tcp_get(tcp);
		close_sending(tcp);
		if (tcp->state == TCP_FIN_WAIT_2)
			tcp_release_wait(tcp);
		tcp_put(tcp);
	}
	net_run();
}

static bool is_closing(const struct tcp_sock *tcp)
{
	return tcp->state == TCP_FIN_WAIT_1 || tcp->state == TCP_CLOSING || tcp->state == TCP_LAST_ACK;
}

void tcp_release_linger(struct inet_sock *sock)
{
	struct tcp_sock *tcp = tcp_of(sock);
	uint64_t seconds = (uint32_t)sock->base.linger.seconds; /* negative ones are for ever, nearly */

	tcp_get(tcp);
	tcp_release(sock);
	/* A signal ends the wait; close(2) has no error for that, nor for the time. */
	(void)!WAIT_EVENT(&sock->wait, !is_closing(tcp), clock_now_ns() + seconds * NS_PER_S);
	tcp_put(tcp);
}

int tcp_shutdown(struct inet_sock *sock, uint32_t how)
{
	struct tcp_sock *tcp = tcp_of(sock);

	if (tcp->state == TCP_CLOSED)
		return -ENOTCONN;
	if (tcp->state == TCP_LISTEN) {
		if (how & INET_SHUT_READ)
			listen_stop(tcp);
		return 0;
	}
	if (tcp->state == TCP_SYN_SENT) {
		tcp_done(tcp, 0);
		return 0;
	}
	sock->shutdown |= how;
	if (how & INET_SHUT_WRITE)
		close_sending(tcp);
	inet_wake(sock, 0);
	net_run();
	return 0;
}

/* The connection that a report means, if the segment it quotes can be one of those under way (RFC 5927 section 4). */
static struct tcp_sock *reported(const struct net_end *local, const struct net_end *remote, uint32_t sequence)
{
	struct inet_sock *sock = connection_find(local, remote);
	struct tcp_sock *tcp = sock ? tcp_of(sock) : NULL;

	return tcp && !seq_before(sequence, tcp->una) && !seq_after(sequence, tcp->nxt) ? tcp : NULL;
}

void tcp_error(const struct net_end *local, const struct net_end *remote, uint32_t sequence, int error)
{
	struct tcp_sock *tcp = reported(local, remote, sequence);

	if (tcp && tcp->state == TCP_SYN_SENT)
		tcp_done(tcp, error);
}

void tcp_too_big(const struct net_end *local, const struct net_end *remote, uint32_t sequence, uint32_t mtu)
{
	struct tcp_sock *tcp = reported(local, remote, sequence);

	if (!tcp || tcp->state == TCP_LISTEN || tcp->state == TCP_CLOSED)
		return;
	uint32_t before = tcp->mss;
	tcp_mtu_lower(tcp, route_mtu_learn(&remote->addr, mtu));
	if (tcp->mss == before)
		return;
	loss_all(tcp, false);
	tcp_output(tcp, false);
}

/* ------------------------------------------------------------------------------------------------ timers */

static bool stuck_too_long(struct tcp_sock *tcp, uint32_t tries)
{
	uint64_t now = clock_now_ns(), limit_ns = tcp->user_timeout_ms * NS_PER_MS;

	if (!tcp->stuck_since_ns)
		tcp->stuck_since_ns = now;
	if (limit_ns)
		return now - tcp->stuck_since_ns >= limit_ns;
	return tries > (tcp->inet.file || tcp->listener ? RETRIES : ORPHAN_RETRIES);
}

static void handshake_timeout(struct tcp_sock *tcp)
{
	if (tcp->backoff >= (tcp->state == TCP_SYN_SENT ? tcp->syn_count : SYNACK_RETRIES)) {
		tcp_done(tcp, ETIMEDOUT);
		return;
	}
	tcp->backoff++;
	tcp->syn_at_ns = 0;
	if (tcp->syn_data)
		fastopen_forget(&tcp->inet.remote.addr);
	tcp->retransmits++;
	net_counts.tcp.again++;
	tcp_send_syn(tcp);
}

/* The window is closed, or too small for what waits: ask, and send what it holds. */
static void probe_timeout(struct tcp_sock *tcp)
{
	if (stuck_too_long(tcp, tcp->probes)) {
		tcp_abort(tcp, ETIMEDOUT);
		return;
	}
	tcp->probes++;
	if (tcp->window > tcp->nxt - tcp->una) {
		tcp->push_pending = true;
		tcp->window_most = MIN(tcp->window_most, 2 * tcp->window); /* what we wait for may never come */
		tcp->probing = false;
		tcp_output(tcp, false);
		return;
	}
	tcp_send_probe(tcp);
	tcp->backoff++;
	tcp_retransmit_arm(tcp);
}

static void retransmit_fired(struct net_timer *timer)
{
	struct tcp_sock *tcp = container_of(timer, struct tcp_sock, retransmit);

	if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED) {
		handshake_timeout(tcp);
		return;
	}
	if (tcp->probing) {
		probe_timeout(tcp);
		return;
	}
	if (tcp->una == tcp->nxt)
		return;
	if (stuck_too_long(tcp, tcp->backoff)) {
		tcp_abort(tcp, ETIMEDOUT);
		return;
	}
	congestion_timeout(tcp);
	loss_all(tcp, tcp->backoff);
	tcp->backoff++;
	tcp->recovering = tcp->tail_probing = false;
	tcp->recover = tcp->nxt;
	tcp->duplicates = 0;
	net_timer_disarm(&tcp->early);
	tcp_output(tcp, false);
	tcp_retransmit_arm(tcp);
}

static void delayed_ack_fired(struct net_timer *timer)
{
	struct tcp_sock *tcp = container_of(timer, struct tcp_sock, delayed_ack);

	if (tcp->unacked)
		tcp_output(tcp, true);
}

void tcp_keepalive_reset(struct tcp_sock *tcp)
{
	tcp->heard_at_ns = clock_now_ns();
	if (tcp->inet.base.flags & 1ull << ABI_SO_KEEPALIVE && !tcp->keepalive.armed && tcp->state != TCP_TIME_WAIT)
		net_timer_arm(&tcp->keepalive, tcp->heard_at_ns + tcp->keep_idle_s * NS_PER_S);
}

static void keepalive_fired(struct net_timer *timer)
{
	struct tcp_sock *tcp = container_of(timer, struct tcp_sock, keepalive);
	uint64_t due = tcp->heard_at_ns + tcp->keep_idle_s * NS_PER_S, now = clock_now_ns();

	if (!(tcp->inet.base.flags & 1ull << ABI_SO_KEEPALIVE))
		return;
	if (now < due || tcp->una != tcp->nxt) {
		tcp->probes = 0;
		net_timer_arm(timer, MAX(due, now + NS_PER_S));
		return;
	}
	if (tcp->probes >= tcp->keep_count) {
		tcp_abort(tcp, ETIMEDOUT);
		return;
	}
	tcp->probes++;
	tcp_send_probe(tcp);
	net_timer_arm(timer, now + tcp->keep_interval_s * NS_PER_S);
}

static void linger_fired(struct net_timer *timer)
{
	tcp_done(container_of(timer, struct tcp_sock, linger), 0);
}

void tcp_init(void)
{
	net_timer_register(NET_TIMER_TCP_RETRANSMIT, retransmit_fired);
	net_timer_register(NET_TIMER_TCP_EARLY, loss_early_fired);
	net_timer_register(NET_TIMER_TCP_DELAYED_ACK, delayed_ack_fired);
	net_timer_register(NET_TIMER_TCP_KEEPALIVE, keepalive_fired);
	net_timer_register(NET_TIMER_TCP_LINGER, linger_fired);
}
