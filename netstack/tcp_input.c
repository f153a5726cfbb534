/* tcp_input.c - segments in: the steps of RFC 9293 section 3.10.7, in its order.
 *
 * A segment's header and options are taken out by value and checked before anything else; what is left in the packet is
 * payload. In order it goes to `ready`, where readers find it; behind a hole to `ahead`. Small payloads are gathered in
 * blocks of the receiver's own, so that many tiny segments cost what their bytes cost.
 *
 * Against blind attackers: RFC 5961 (a RST counts only at the exact place, a SYN never, ACKs must be near), RFC 7323's
 * PAWS, RFC 5927 for reports.
 *
 * Limits: TCP_AHEAD_LIMIT segments behind a hole; a listener holds as many half-open connections as its backlog, newer
 * ones get cookies (tcp_cookie.c).
 */
#include "netstack/tcp.h"

#include "netstack/counts.h"
#include "netstack/ports.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <poll.h>

#define SCALE_LIMIT    14    /* RFC 7323 section 2.3 */
#define GATHER_BYTES   1024u /* payloads below this are gathered */
#define GATHER_BLOCK   (8192u - (uint32_t)sizeof(struct block))
#define STAMP_AGE_NS   (24ull * 24 * 3600 * NS_PER_S) /* then an old timestamp says nothing (RFC 7323 section 5.5) */
#define COOKIE_LIFE_NS (128 * NS_PER_S)
#define CHALLENGE_NS   (500 * NS_PER_MS) /* as net.ipv4.tcp_invalid_ratelimit */
#define READ_EVENTS    (POLLIN | POLLRDNORM)
#define WRITE_EVENTS   (POLLOUT | POLLWRNORM | POLLWRBAND)

/* ------------------------------------------------------------------------------------------------ headers */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void take_option(const uint8_t *option, uint8_t size, struct tcp_segment *out)
{
	switch (option[0]) {
	case TCP_OPTION_MSS:
		if (size == 4)
			out->mss = get16(option + 2);
		break;
	case TCP_OPTION_SCALE:
		if (size == 3)
			out->scale = (int8_t)MIN(option[2], (uint8_t)SCALE_LIMIT);
		break;
	case TCP_OPTION_SACK_ALLOWED:
		out->sack_allowed |= size == 2;
		break;
	case TCP_OPTION_FAST_OPEN:
		if (size < 2 + TCP_COOKIE_LEAST_BYTES || size > 2 + TCP_COOKIE_BYTES || size % 2)
			break;
		out->cookie.size = (uint8_t)(size - 2);
		memcpy(out->cookie.bytes, option + 2, out->cookie.size);
		break;
	case TCP_OPTION_STAMP:
		if (size == 10) {
			out->has_stamp = true;
			out->stamp = get32(option + 2);
			out->stamp_echo = get32(option + 6);
		}
		break;
	case TCP_OPTION_SACK:
		out->sack_count = size >= 10 && (size - 2) % 8 == 0 ? (size - 2u) / 8 : 0;
		out->sack_count = MIN(out->sack_count, (unsigned)TCP_SACK_BLOCKS);
		for (unsigned i = 0; i < out->sack_count; i++)
			out->sack[i] = (struct tcp_range){get32(option + 2 + 8 * i), get32(option + 6 + 8 * i)};
		break;
	}
}

static bool take_options(const uint8_t *options, uint32_t size, struct tcp_segment *out)
{
	for (uint32_t at = 0; at < size;) {
		if (options[at] == TCP_OPTION_END)
			return true;
		if (options[at] == TCP_OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= size || options[at + 1] < 2 || options[at + 1] > size - at)
			return false;
		take_option(options + at, options[at + 1], out);
		at += options[at + 1];
	}
	return true;
}

static bool take_header(struct buf *buf, struct tcp_segment *out)
{
	uint64_t sum = sum_pseudo(&buf->source, &buf->target, IP_PROTOCOL_TCP, buf_size(buf));
	uint8_t options[TCP_OPTIONS_BYTES];
	struct tcp_header header;

	if (!buf->summed && sum_fold(sum_buf(sum, buf)))
		return false;
	if (!buf_pull(buf, &header, sizeof header) || (header.length >> 4) * 4u < sizeof header)
		return false;
	uint32_t options_size = (header.length >> 4) * 4u - (uint32_t)sizeof header;
	*out = (struct tcp_segment){
		.sequence = net32(header.sequence),
		.ack = net32(header.ack),
		.window = net16(header.window),
		.flags = header.flags,
		.urgent = net16(header.urgent),
		.scale = -1,
	};
	buf->source_port = net16(header.source);
	buf->target_port = net16(header.target);
	if (!buf_pull(buf, options, options_size) || !take_options(options, options_size, out))
		return false;
	out->size = buf_size(buf);
	out->end = out->sequence + out->size + !!(out->flags & TCP_SYN) + !!(out->flags & TCP_FIN);
	return true;
}

/* ------------------------------------------------------------------------------------------------ acknowledgements */

/* An answer to what should not have come. Two ends that disagree must not answer each other for ever, so those that
 * carry no data get one now and then only (RFC 5961 section 10). */
static void challenge(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	uint64_t now = clock_now_ns();

	if (!segment->size || segment->flags & TCP_SYN) {
		if (now - tcp->challenged_at_ns < CHALLENGE_NS)
			return;
		tcp->challenged_at_ns = now;
	}
	tcp->ack_now = true;
}

static void measure(struct tcp_sock *tcp, const struct tcp_segment *segment, const struct loss_news *news)
{
	uint32_t age_ms = tcp_stamp_now() - segment->stamp_echo;

	if (news->first_rtt_ns)
		rtt_sample(tcp, news->first_rtt_ns);
	else if (tcp->stamped && segment->has_stamp && segment->stamp_echo && age_ms < 1u << 24)
		rtt_sample(tcp, age_ms * NS_PER_MS);
}

/* The SYN has been answered. */
static void measure_syn(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	uint64_t rtt = tcp->syn_at_ns ? MAX(clock_now_ns() - tcp->syn_at_ns, 1ull) : 0;

	measure(tcp, segment, &(struct loss_news){.first_rtt_ns = rtt});
	tcp->rack.min_rtt_ns = rtt;
}

static void acked(struct tcp_sock *tcp, const struct tcp_segment *segment, struct loss_news *news)
{
	uint32_t bytes = segment->ack - tcp->una, data = seq_min(segment->ack, tcp->send_end) - tcp->una;
	bool limited = tcp->nxt - tcp->una + tcp->mss > tcp->cwnd || tcp->cwnd < tcp->ssthresh;

	loss_acked(tcp, segment->ack, news);
	measure(tcp, segment, news);
	if (seq_before(tcp->una, tcp->send_end))
		tcp_send_queue_drop(tcp, data);
	tcp->una = segment->ack;
	tcp->stats.bytes_acked += bytes;
	tcp->stats.acked_at_ns = clock_now_ns();
	if (!seq_before(tcp->una, tcp->send_end))
		tcp_clock_stop(&tcp->stats.busy_since_ns, &tcp->stats.busy_ns);
	if (!tcp->recovering || tcp->sacked_ok)
		tcp->duplicates = 0;
	else /* of those that have arrived, these are not beyond the hole any more */
		tcp->duplicates -= MIN(tcp->duplicates, bytes / tcp->mss);
	tcp->backoff = 0;
	tcp->probes = 0;
	tcp->stuck_since_ns = 0;
	if (tcp->urgent_sending && !seq_before(tcp->una, tcp->urgent_out))
		tcp->urgent_sending = false;
	if (!tcp->recovering && limited)
		congestion_acked(tcp, bytes, news->last_rtt_ns);
	if (tcp->una == tcp->nxt)
		net_timer_disarm(&tcp->retransmit);
	else
		tcp_retransmit_arm(tcp);
	if (tcp_poll(&tcp->inet) & POLLOUT)
		inet_wake(&tcp->inet, WRITE_EVENTS);
}

/* Somebody on the way is congested (RFC 3168 section 6.1.2): once a round trip. */
static void ecn_input(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	bool free = !seq_before(tcp->una, tcp->ecn_recover);

	if (free)
		tcp->ecn_recover = tcp->una; /* as recover follows una */
	if (segment->flags & TCP_ECE)
		tcp->stats.delivered_marked++;
	if (segment->flags & TCP_ECE && free && !tcp->recovering && tcp->nxt != tcp->una)
		congestion_lost(tcp);
}

static void window_update(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	uint32_t window = segment->window << (segment->flags & TCP_SYN ? 0 : tcp->send_scale);

	/* Newer is what acknowledges more, even in a segment that is sent again and has an old number, or the window
	 * would be counted from the wrong place (RFC 9293 section 3.10.7.4 misses this; Linux does it so). */
	if (seq_before(segment->ack, tcp->una))
		return;
	if (!seq_after(segment->ack, tcp->una) && !seq_after(segment->sequence, tcp->window_seq) &&
	    !(segment->sequence == tcp->window_seq && !seq_before(segment->ack, tcp->window_ack)))
		return;
	tcp->window = window;
	tcp->window_seq = segment->sequence;
	tcp->window_ack = segment->ack;
	tcp->window_most = MAX(tcp->window_most, window);
	if (tcp->probing && window) {
		tcp->probing = false;
		tcp->probes = 0;
		net_timer_disarm(&tcp->retransmit);
	}
}

/* false: the segment is not to be looked at further. */
static bool ack_input(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	struct loss_news news = {.echo = segment->has_stamp ? segment->stamp_echo : 0};
	uint32_t window = tcp->window;

	if (seq_after(segment->ack, tcp->nxt) || seq_before(segment->ack, tcp->una - MAX(tcp->window_most, 65535u))) {
		challenge(tcp, segment); /* RFC 5961 section 5 */
		return false;
	}
	if (tcp->sacked_ok && segment->sack_count)
		loss_sacked(tcp, segment, &news);
	window_update(tcp, segment);
	bool more = seq_after(segment->ack, tcp->una);
	bool bare = segment->ack == tcp->una && tcp->nxt != tcp->una && !segment->size && !(segment->flags & TCP_FIN);
	if (more)
		acked(tcp, segment, &news);
	else if (bare && (news.bytes || (!tcp->sacked_ok && tcp->window == window)))
		tcp->duplicates++; /* RFC 5681 section 2 */
	if (tcp->ecn_ok)
		ecn_input(tcp, segment);
	if (more || news.bytes || news.duplicate || tcp->duplicates)
		loss_detect(tcp, &news);
	if (more)
		loss_probe_arm(tcp);
	return true;
}

/* ------------------------------------------------------------------------------------------------ payload */

/* Joins a small payload to the last one of the reader's queue; true: buf is used up. */
static bool gather(struct tcp_sock *tcp, struct buf *buf)
{
	struct buf *last = list_empty(&tcp->ready) ? NULL : list_entry(tcp->ready.prev, struct buf, node);
	struct block *block = last ? last->block : NULL;

	if (!buf->size || buf->size >= GATHER_BYTES)
		return false;
	const char *bytes = buf->block->data + buf->offset;
	if (block && block->capacity == GATHER_BLOCK && block->ref.count == 1 &&
	    last->offset + last->size == block->used && block->capacity - block->used >= buf->size) {
		memcpy(block->data + block->used, bytes, buf->size);
		block->used += buf->size;
		last->size += buf->size;
		buf_free(buf);
		return true;
	}
	block = block_new(GATHER_BLOCK);
	if (!block)
		return false;
	memcpy(block->data, bytes, buf->size);
	block->used = buf->size;
	block_put(buf->block);
	buf->block = block; /* our reference is the packet's now */
	buf->offset = 0;
	return false;
}

static void ready_add(struct tcp_sock *tcp, struct buf *buf)
{
	tcp->rcv_nxt += buf->size;
	tcp->stats.bytes_received += buf->size;
	tcp->ready_bytes += buf->size;
	if (!buf->size)
		buf_free(buf);
	else if (!gather(tcp, buf))
		list_push_back(&tcp->ready, &buf->node);
}

static void fin_input(struct tcp_sock *tcp)
{
	tcp->rcv_nxt++;
	tcp->stats.bytes_received++;
	tcp->fin_received = true;
	tcp->ack_now = true;
	tcp->inet.shutdown |= INET_SHUT_READ;
	switch (tcp->state) {
	case TCP_SYN_RECEIVED:
	case TCP_ESTABLISHED:
		tcp->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT_1: /* ours is not acknowledged, or the state would be another */
		tcp->state = TCP_CLOSING;
		break;
	case TCP_FIN_WAIT_2:
		tcp_time_wait(tcp);
		break;
	default:
		break;
	}
	inet_wake(&tcp->inet, READ_EVENTS | POLLRDHUP | (tcp->inet.shutdown == INET_SHUT_BOTH ? POLLHUP : 0));
}

/* What was behind a hole and is no more. */
static void ahead_to_ready(struct tcp_sock *tcp)
{
	while (!list_empty(&tcp->ahead)) {
		struct buf *buf = list_first(&tcp->ahead, struct buf, node);
		bool fin = buf->fin;
		if (seq_after(buf->sequence, tcp->rcv_nxt))
			return;
		list_remove(&buf->node);
		tcp->ahead_bytes -= buf->size;
		uint32_t old = MIN(tcp->rcv_nxt - buf->sequence, buf->size);
		if (!buf_skip(buf, old))
			assert(!"a part of the packet");
		if (tcp->fin_received) { /* there is nothing behind the end */
			buf_free(buf);
			continue;
		}
		ready_add(tcp, buf);
		if (fin)
			fin_input(tcp);
	}
}

/* Keeps a segment that comes too early, less what is there already. Takes buf. */
static void ahead_add(struct tcp_sock *tcp, struct buf *buf)
{
	struct list *place = &tcp->ahead;
	struct buf *other;
	unsigned count = 0;

	tcp->ack_now = true; /* tells the sender of the hole (RFC 5681 section 4.2) */
	tcp->last_ahead = buf->sequence;
	tcp->stats.ahead++;
	list_for_each (other, &tcp->ahead, node) {
		uint32_t other_end = other->sequence + other->size;
		count++;
		if (!seq_before(buf->sequence, other_end)) {
			place = &other->node;
			continue;
		}
		if (!seq_before(buf->sequence, other->sequence)) { /* starts inside of other */
			uint32_t old = MIN(other_end - buf->sequence, buf->size);
			if (old == buf->size && !buf->fin) {
				buf_free(buf);
				return;
			}
			buf->sequence += old;
			if (!buf_skip(buf, old))
				assert(!"a part of the packet");
			place = &other->node;
			continue;
		}
		if (seq_after(buf->sequence + buf->size,
			      other->sequence)) { /* runs into other: the rest will come again */
			buf_cut(buf, other->sequence - buf->sequence);
			buf->fin = false;
		}
		break;
	}
	if (count >= TCP_AHEAD_LIMIT || (!buf->size && !buf->fin)) {
		buf_free(buf);
		return;
	}
	tcp->ahead_bytes += buf->size;
	list_insert_between(&buf->node, place, place->next);
}

/* Takes buf, which is trimmed to the window. */
static void text_input(struct tcp_sock *tcp, struct buf *buf, const struct tcp_segment *segment)
{
	bool fin = segment->flags & TCP_FIN, had = segment->size;
	bool more = buf->link && buf->link->kind == LINK_ETHER && buf->link->input_count;

	if (!had && !fin) {
		buf_free(buf);
		return;
	}
	if (tcp->ecn_ok && had) { /* RFC 3168 section 6.1.3 */
		if (segment->flags & TCP_CWR)
			tcp->ecn_echo = false;
		if ((buf->traffic_class & ECN_MASK) == ECN_EXPERIENCED)
			tcp->ecn_echo = tcp->ack_now = true;
	}
	buf->sequence = segment->sequence;
	buf->fin = fin;
	/* Many segments that came as one packet (gso.h) are acknowledged like many. */
	tcp->receive_mss = MAX(tcp->receive_mss, buf->segment ? MIN(buf->segment, segment->size) : segment->size);
	if (tcp->quick)
		tcp->quick--;
	if (segment->sequence != tcp->rcv_nxt) {
		ahead_add(tcp, buf);
		return;
	}
	tcp->unacked += segment->size;
	tcp->ack_now |= !list_empty(&tcp->ahead); /* a hole is being filled */
	ready_add(tcp, buf);
	if (fin)
		fin_input(tcp);
	ahead_to_ready(tcp);
	autotune_input(tcp, segment);
	tcp_ack_later(tcp, more);
	if (had)
		inet_wake(&tcp->inet, READ_EVENTS);
}

static void urgent_input(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	uint32_t place = segment->sequence + segment->urgent - 1; /* of the byte, by Linux's reading of the pointer */

	if (!(segment->flags & TCP_URG) || !segment->urgent || seq_before(place, tcp->rcv_nxt))
		return;
	if (tcp->urgent_valid && !seq_after(place, tcp->urgent_in))
		return;
	tcp->urgent_valid = true;
	tcp->urgent_taken = false;
	tcp->urgent_in = place;
	inet_wake(&tcp->inet, POLLPRI);
}

/* ------------------------------------------------------------------------------------------------ checks */

/* Is any of the segment inside of the window? (RFC 9293 section 3.10.7.4, first step) */
static bool in_window(const struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	uint32_t length = segment->end - segment->sequence;

	if (!length)
		return !seq_before(segment->sequence, tcp->rcv_nxt) && !seq_after(segment->sequence, tcp->edge);
	return seq_before(segment->sequence, tcp->edge) && seq_after(segment->end, tcp->rcv_nxt);
}

static bool stamp_acceptable(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	if (!tcp->stamped)
		return true;
	if (!segment->has_stamp)
		return segment->flags & TCP_RST; /* RFC 7323 section 3.2 */
	if ((int32_t)(segment->stamp - tcp->stamp_recent) >= 0 || segment->flags & TCP_RST)
		return true;
	return clock_now_ns() - tcp->stamp_recent_at_ns > STAMP_AGE_NS;
}

static void stamp_note(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	if (!tcp->stamped || !segment->has_stamp || seq_after(segment->sequence, tcp->last_ack_sent))
		return;
	tcp->stamp_recent = segment->stamp;
	tcp->stamp_recent_at_ns = clock_now_ns();
}

/* Cuts off what was here before and what lies behind the window. */
static void trim(struct tcp_sock *tcp, struct buf *buf, struct tcp_segment *segment)
{
	uint32_t old = seq_after(tcp->rcv_nxt, segment->sequence) ? tcp->rcv_nxt - segment->sequence : 0;

	if (old && segment->flags & TCP_SYN) {
		segment->flags &= (uint8_t)~TCP_SYN;
		segment->sequence++;
		old--;
	}
	old = MIN(old, segment->size);
	if (!buf_skip(buf, old))
		assert(!"a part of the packet");
	segment->sequence += old;
	segment->size -= old;
	uint32_t room = seq_after(tcp->edge, segment->sequence) ? tcp->edge - segment->sequence : 0;
	if (segment->size > room) {
		buf_cut(buf, room);
		segment->size = room;
		segment->flags &= (uint8_t)~TCP_FIN;
	}
	segment->end = segment->sequence + segment->size + !!(segment->flags & TCP_FIN);
}

/* ------------------------------------------------------------------------------------------------ by state */

static void offers_take(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	tcp->irs = segment->sequence;
	tcp->rcv_nxt = tcp->edge = segment->sequence + 1;
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->peer_mss = segment->mss ? segment->mss : net_addr_is_v4(&tcp->inet.remote.addr) ? 536 : 1220;
	tcp->stamped = segment->has_stamp;
	tcp->stamp_recent = segment->stamp;
	tcp->stamp_recent_at_ns = clock_now_ns();
	tcp->sacked_ok = segment->sack_allowed;
	tcp->scaled = segment->scale >= 0;
	tcp->send_scale = tcp->scaled ? (uint8_t)segment->scale : 0;
	if (!tcp->scaled)
		tcp->receive_scale = 0;
	/* Of a SYN both bits, of a SYN-ACK one: a host that reflects what it does not know sends both back (RFC 3168
	 * section 6.1.1). */
	uint8_t wish = segment->flags & TCP_ACK ? TCP_ECE : TCP_ECE | TCP_CWR;
	tcp->ecn_ok = tcp_settings.ecn && (segment->flags & (TCP_ECE | TCP_CWR)) == wish &&
		      (tcp->state != TCP_SYN_SENT || tcp_settings.ecn == 1);
	tcp->window = tcp->window_most = segment->window;
	tcp->window_seq = segment->sequence;
	tcp->window_ack = segment->ack;
}

static void syn_sent_input(struct tcp_sock *tcp, struct buf *buf, struct tcp_segment *segment)
{
	bool acceptable = segment->flags & TCP_ACK && segment->ack - tcp->iss - 1 <= tcp->syn_data;
	struct route route;

	if (segment->flags & TCP_ACK && !acceptable) {
		tcp_refuse(buf, segment);
		return;
	}
	if (segment->flags & TCP_RST) {
		if (acceptable)
			tcp_done(tcp, ECONNREFUSED);
		return;
	}
	if (!(segment->flags & TCP_SYN))
		return;
	offers_take(tcp, segment);
	if (route_find(&(struct route_wish){.source = tcp->inet.local.addr, .target = tcp->inet.remote.addr}, &route))
		return;
	tcp_settle(tcp, route.mtu);
	if (!acceptable) { /* both opened at once (RFC 9293 figure 7) */
		tcp->state = TCP_SYN_RECEIVED;
		tcp_send_syn(tcp);
		return;
	}
	/* What it did not take of the SYN's data counts as not sent. */
	tcp_send_queue_drop(tcp, segment->ack - tcp->iss - 1);
	tcp->fast_taken = segment->ack != tcp->iss + 1;
	tcp->una = tcp->nxt = segment->ack;
	if (!seq_before(tcp->una, tcp->send_end))
		tcp_clock_stop(&tcp->stats.busy_since_ns, &tcp->stats.busy_ns);
	tcp->stats.bytes_acked += segment->ack - tcp->iss; /* with the SYN, as Linux counts */
	if (tcp->fast_wish && segment->cookie.size)
		fastopen_learn(&tcp->inet.remote.addr, &segment->cookie,
			       (uint16_t)MIN(tcp->peer_mss, (uint32_t)UINT16_MAX));
	net_timer_disarm(&tcp->retransmit);
	measure_syn(tcp, segment);
	tcp_established(tcp);
	tcp_output(tcp, true);
}

/* The peer has our FIN. true: the connection is over. */
static bool fin_acked(struct tcp_sock *tcp)
{
	switch (tcp->state) {
	case TCP_FIN_WAIT_1:
		tcp->state = TCP_FIN_WAIT_2;
		inet_wake(&tcp->inet, WRITE_EVENTS);
		if (!tcp->inet.file)
			tcp_release_wait(tcp);
		return tcp->state == TCP_CLOSED;
	case TCP_CLOSING:
		tcp_time_wait(tcp);
		inet_wake(&tcp->inet, WRITE_EVENTS);
		return false;
	case TCP_LAST_ACK:
		tcp_done(tcp, 0);
		return true;
	default:
		return false;
	}
}

/* A RST inside of the window. */
static void reset_input(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	if (segment->sequence != tcp->rcv_nxt) {
		challenge(tcp, segment); /* a true one will come again, at the right place (RFC 5961 section 3.2) */
		return;
	}
	switch (tcp->state) {
	case TCP_SYN_RECEIVED:
		tcp_done(tcp, ECONNREFUSED);
		break;
	case TCP_CLOSE_WAIT:
		tcp_done(tcp, EPIPE);
		break;
	case TCP_TIME_WAIT: /* TIME-WAIT assassination (RFC 1337): not by us */
		break;
	default:
		tcp_done(tcp, ECONNRESET);
	}
}

/* The handshake's last step. false: the segment is not to be looked at further. */
static bool syn_received_input(struct tcp_sock *tcp, struct buf *buf, struct tcp_segment *segment)
{
	if (!seq_after(segment->ack, tcp->una) || seq_after(segment->ack, tcp->nxt)) {
		tcp_refuse(buf, segment);
		return false;
	}
	/* TCP_DEFER_ACCEPT: there is no connection before there is data, or the time is over. */
	if (tcp->listener && tcp->listener->defer_accept_s && segment->end == segment->sequence &&
	    clock_now_ns() - tcp->heard_at_ns < tcp->listener->defer_accept_s * NS_PER_S)
		return false;
	if (tcp->listener && tcp->listener->accepted_count > tcp->listener->backlog)
		return false; /* nobody accepts: the SYN-ACK is sent again, and this may work then */
	tcp->una = segment->ack;
	net_timer_disarm(&tcp->retransmit);
	tcp->window = segment->window << tcp->send_scale;
	tcp->window_most = MAX(tcp->window_most, tcp->window);
	tcp->window_seq = segment->sequence;
	tcp->window_ack = segment->ack;
	measure_syn(tcp, segment);
	tcp_established(tcp);
	return true;
}

/* A segment that has passed all checks. Takes buf. */
static void good_input(struct tcp_sock *tcp, struct buf *buf, struct tcp_segment *segment)
{
	bool over = false;

	stamp_note(tcp, segment);
	if (tcp->state == TCP_SYN_RECEIVED && !syn_received_input(tcp, buf, segment)) {
		buf_free(buf);
		return;
	}
	tcp_keepalive_reset(tcp);
	if (!ack_input(tcp, segment)) {
		buf_free(buf);
		return;
	}
	if (tcp->fin_wanted && seq_after(tcp->una, tcp->send_end))
		over = fin_acked(tcp);
	if (over || tcp->fin_received) {
		tcp->ack_now |= !over && segment->size;
		buf_free(buf);
		return;
	}
	if (segment->size && !tcp->inet.file &&
	    !tcp->listener) { /* data that nobody will read (RFC 2525 section 2.17) */
		buf_free(buf);
		tcp_abort(tcp, 0);
		return;
	}
	urgent_input(tcp, segment);
	text_input(tcp, buf, segment);
}

/* Everything after the handshake. Takes buf. The caller holds a reference. */
static void synchronized_input(struct tcp_sock *tcp, struct buf *buf, struct tcp_segment *segment)
{
	bool again = tcp->state == TCP_SYN_RECEIVED && segment->flags & TCP_SYN && segment->sequence == tcp->irs;

	if (again && !(segment->flags & TCP_ACK)) { /* our SYN-ACK was lost */
		tcp_send_syn(tcp);
	} else if (!stamp_acceptable(tcp, segment) || !in_window(tcp, segment)) {
		if (!(segment->flags & TCP_RST))
			challenge(tcp, segment);
		if (tcp->state == TCP_TIME_WAIT && segment->flags & TCP_FIN)
			tcp_time_wait(tcp);
	} else if (segment->flags & TCP_RST) {
		reset_input(tcp, segment);
	} else {
		trim(tcp, buf, segment);
		if (segment->flags & TCP_SYN) {
			challenge(tcp, segment); /* RFC 5961 section 4 */
		} else if (segment->flags & TCP_ACK) {
			good_input(tcp, buf, segment);
			return;
		}
	}
	buf_free(buf);
}

/* ------------------------------------------------------------------------------------------------ arrival */

/* A connection of its own for what came to a listener; syn: as the peer's SYN was. NULL: no memory. Borrowed. */
static struct tcp_sock *child_begin(struct tcp_sock *listener, const struct buf *buf, const struct tcp_segment *syn,
				    uint32_t iss, uint32_t mtu)
{
	struct inet_sock *sock = tcp_child_new(listener);

	if (!sock)
		return NULL;
	struct tcp_sock *tcp = tcp_of(sock);
	sock->local = (struct net_end){.addr = buf->target, .port = buf->target_port};
	sock->remote = (struct net_end){.addr = buf->source, .port = buf->source_port};
	connection_enter(sock);
	tcp_begin(tcp, iss);
	tcp->state = TCP_SYN_RECEIVED;
	offers_take(tcp, syn);
	tcp_settle(tcp, mtu);
	return tcp;
}

/* Has it answered by cookies lately? */
static bool cookies_out(const struct tcp_sock *listener)
{
	return listener->overflow_at_ns && clock_now_ns() - listener->overflow_at_ns <= COOKIE_LIFE_NS;
}

/* A segment that acknowledges a cookie of ours: the connection, as if there had been one since the SYN. NULL: it does
 * not. Borrowed. */
static struct tcp_sock *cookie_input(struct tcp_sock *listener, const struct buf *buf,
				     const struct tcp_segment *segment)
{
	struct net_end local = {.addr = buf->target, .port = buf->target_port},
		       remote = {.addr = buf->source, .port = buf->source_port};
	struct tcp_segment syn = {.sequence = segment->sequence - 1, .window = segment->window, .scale = -1};
	struct route route;

	if (!cookies_out(listener) || listener->accepted_count > listener->backlog || segment->flags & TCP_SYN ||
	    !cookie_check(&local, &remote, segment, &syn.mss) ||
	    route_find(&(struct route_wish){.source = buf->target, .target = buf->source}, &route))
		return NULL;
	struct tcp_sock *tcp = child_begin(listener, buf, &syn, segment->ack - 1, route.mtu);
	if (!tcp)
		return NULL;
	tcp->nxt = segment->ack;
	tcp->syn_at_ns = 0;
	tcp->edge = tcp->rcv_nxt + UINT16_MAX; /* as the answer said */
	return tcp;
}

/* Something for a listener. The connection that it is for from now on, or NULL: it has been dealt with. Borrowed. */
static struct tcp_sock *listen_input(struct tcp_sock *listener, struct buf *buf, const struct tcp_segment *segment)
{
	struct net_end local = {.addr = buf->target, .port = buf->target_port},
		       remote = {.addr = buf->source, .port = buf->source_port};
	bool full = listener->embryo_count > MAX(listener->backlog, 8u) || tcp_settings.cookies == 2;
	struct route route;

	if (segment->flags & TCP_RST)
		return NULL;
	if (segment->flags & TCP_ACK) {
		struct tcp_sock *tcp = cookie_input(listener, buf, segment);
		/* Data may have overtaken the acknowledgement of a cookie, and proves nothing by itself: it comes
		 * again. */
		if (!tcp && !cookies_out(listener))
			tcp_refuse(buf, segment);
		return tcp;
	}
	if (!(segment->flags & TCP_SYN) || listener->accepted_count > listener->backlog ||
	    (full && !tcp_settings.cookies) ||
	    route_find(&(struct route_wish){.source = buf->target, .target = buf->source}, &route))
		return NULL;
	if (full) {
		listener->overflow_at_ns = clock_now_ns();
		uint32_t mss = route.mtu - TCP_HEADER_BYTES;
		mss -= net_addr_is_v4(&buf->source) ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
		tcp_send_cookie(buf, segment, cookie_make(&local, &remote, segment),
				(uint16_t)MIN(mss, (uint32_t)UINT16_MAX));
		return NULL;
	}
	struct tcp_sock *tcp = child_begin(listener, buf, segment, net_random(), route.mtu);
	if (tcp)
		tcp_send_syn(tcp);
	return NULL;
}

/* A new connection may take an old one's place when it cannot be mistaken for it (RFC 6191). */
static bool is_new_life(const struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	if (tcp->state != TCP_TIME_WAIT || (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	return seq_after(segment->sequence, tcp->rcv_nxt) ||
	       (tcp->stamped && segment->has_stamp && (int32_t)(segment->stamp - tcp->stamp_recent) > 0);
}

/* Takes buf. */
static void connection_input(struct tcp_sock *tcp, struct buf *buf, struct tcp_segment *segment)
{
	tcp_get(tcp);
	tcp->stats.segments_in++;
	if (segment->size) {
		tcp->stats.data_in++;
		tcp->stats.received_at_ns = clock_now_ns();
	}
	if (tcp->state == TCP_SYN_SENT) {
		syn_sent_input(tcp, buf, segment);
		buf_free(buf);
	} else {
		synchronized_input(tcp, buf, segment);
	}
	if (tcp->state != TCP_CLOSED)
		tcp_output(tcp, false);
	tcp_put(tcp);
}

void tcp_input(struct buf *buf)
{
	struct tcp_segment segment;

	net_counts.tcp.in++;
	if (!take_header(buf, &segment)) {
		net_counts.tcp.in_wrong++;
		buf_free(buf);
		return;
	}
	struct net_end local = {.addr = buf->target, .port = buf->target_port},
		       remote = {.addr = buf->source, .port = buf->source_port};
	struct inet_sock *sock = connection_find(&local, &remote);
	if (sock && is_new_life(tcp_of(sock), &segment)) {
		tcp_done(tcp_of(sock), 0);
		sock = NULL;
	}
	if (sock) {
		connection_input(tcp_of(sock), buf, &segment);
		return;
	}
	sock = listener_find(&local, &remote);
	struct tcp_sock *child = sock ? listen_input(tcp_of(sock), buf, &segment) : NULL;
	if (child) {
		connection_input(child, buf, &segment);
		return;
	}
	if (!sock)
		tcp_refuse(buf, &segment);
	buf_free(buf);
}
