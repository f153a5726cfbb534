/* tcp_output.c - segments out: what may go, how it is cut, options, acknowledgements, retransmissions, probes.
 *
 * A segment refers to the bytes of the send queue where one chunk has them all; where it spans chunks it is cut short
 * or, when the rest of the chunk is small, its bytes are copied together.
 *
 *     may a segment go?   window and congestion leave room, and it is full, or the last one and nobody is waited for
 * (Nagle, RFC 9293 section 3.7.4), or at least half of the largest window (section 3.8.6.2.1)
 *
 * Limits: no ECN; urgent data is marked as in section 3.8.5 with Linux's meaning of the pointer (behind the byte).
 */
#include "netstack/tcp.h"

#include "netstack/counts.h"
#include "sentry/base/fiber.h"

#define DELAYED_ACK_NS    (40 * NS_PER_MS)
#define GSO_HEADERS_BYTES (IP6_HEADER_BYTES + TCP_HEADER_BYTES + TCP_OPTIONS_BYTES)
#define LOST_SEGMENTS     3u /* what lies this far below SACKed bytes is lost (RFC 6675) */

uint32_t tcp_stamp_now(void)
{
	return (uint32_t)(clock_now_ns() / NS_PER_MS);
}

/* ------------------------------------------------------------------------------------------------ options */

static uint8_t *put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint8_t *put_stamp(const struct tcp_sock *tcp, uint8_t *at)
{
	*at++ = TCP_OPTION_STAMP;
	*at++ = 10;
	return put32(put32(at, tcp_stamp_now()), tcp->stamp_recent);
}

/* A SYN offers everything, a SYN-ACK what the peer has offered. */
static uint32_t syn_options(const struct tcp_sock *tcp, uint16_t mss, uint8_t options[TCP_OPTIONS_BYTES])
{
	bool offer = tcp->state == TCP_SYN_SENT;
	uint8_t *at = options;

	*at++ = TCP_OPTION_MSS;
	*at++ = 4;
	at = put16(at, mss);
	if (offer || tcp->sacked_ok) {
		*at++ = TCP_OPTION_SACK_ALLOWED;
		*at++ = 2;
	} else if (offer || tcp->stamped) {
		*at++ = TCP_OPTION_NOP;
		*at++ = TCP_OPTION_NOP;
	}
	if (offer || tcp->stamped)
		at = put_stamp(tcp, at);
	if (offer || tcp->scaled) {
		*at++ = TCP_OPTION_NOP;
		*at++ = TCP_OPTION_SCALE;
		*at++ = 3;
		*at++ = tcp->receive_scale;
	}
	while ((at - options) % 4)
		*at++ = TCP_OPTION_NOP;
	return (uint32_t)(at - options);
}

/* Neighbouring segments behind a hole are one block; the one with the newest segment comes first (RFC 2018 section 4).
 */
static unsigned sack_blocks(const struct tcp_sock *tcp, unsigned most, struct tcp_range out[TCP_SACK_BLOCKS])
{
	const struct buf *buf;
	struct tcp_range range = {0, 0};
	unsigned count = 1; /* [0] is kept for the newest */

	out[0] = (struct tcp_range){0, 0};
	list_for_each (buf, &tcp->ahead, node) {
		uint32_t end = buf->sequence + buf->size + buf->fin;
		bool joins = range.end != range.start && range.end == buf->sequence;
		range = (struct tcp_range){joins ? range.start : buf->sequence, end};
		bool newest = !seq_before(tcp->last_ahead, range.start) && seq_before(tcp->last_ahead, range.end);
		if (newest) {
			if (joins && count > 1 && out[count - 1].start == range.start)
				count--;
			out[0] = range;
		} else if (joins && out[0].start == range.start && out[0].end != out[0].start) {
			out[0] = range;
		} else if (joins && count > 1 && out[count - 1].start == range.start) {
			out[count - 1] = range;
		} else if (count < most) {
			out[count++] = range;
		}
	}
	if (out[0].start != out[0].end)
		return MIN(count, most);
	out[0] = out[--count];
	return count;
}

static uint32_t data_options(const struct tcp_sock *tcp, uint8_t options[TCP_OPTIONS_BYTES])
{
	struct tcp_range range[TCP_SACK_BLOCKS];
	uint8_t *at = options;

	if (tcp->stamped) {
		*at++ = TCP_OPTION_NOP;
		*at++ = TCP_OPTION_NOP;
		at = put_stamp(tcp, at);
	}
	if (tcp->sacked_ok && !list_empty(&tcp->ahead)) {
		unsigned count = sack_blocks(tcp, tcp->stamped ? 3 : TCP_SACK_BLOCKS, range);
		*at++ = TCP_OPTION_NOP;
		*at++ = TCP_OPTION_NOP;
		*at++ = TCP_OPTION_SACK;
		*at++ = (uint8_t)(2 + 8 * count);
		for (unsigned i = 0; i < count; i++)
			at = put32(put32(at, range[i].start), range[i].end);
	}
	return (uint32_t)(at - options);
}

/* ------------------------------------------------------------------------------------------------ one segment */

/* The window to announce. Its right edge never goes back, and moves only by steps worth a segment (section 3.8.6.2.2).
 */
static uint16_t window_for(struct tcp_sock *tcp, bool syn)
{
	uint32_t room = tcp_receive_room(tcp), edge = tcp->rcv_nxt + room, step = MIN(tcp->receive_mss, room / 2 + 1);
	uint8_t scale = syn ? 0 : tcp->receive_scale;

	if (seq_before(edge, tcp->edge + step) && !syn)
		edge = seq_max(tcp->edge, tcp->rcv_nxt);
	uint32_t window = (edge - tcp->rcv_nxt + (1u << scale) - 1) >> scale;
	window = MIN(window, 65535u);
	tcp->edge = seq_max(tcp->edge, tcp->rcv_nxt + (window << scale));
	return (uint16_t)window;
}

/* Puts the header on and sends; what has become too large for the path is cut this once. Takes buf. false: there is no
 * path. */
static bool header_output(const struct net_end *local, const struct net_end *remote, const struct ip_meta *meta,
			  const struct tcp_header *header, const uint8_t *options, uint32_t options_size,
			  struct buf *buf, struct route *route)
{
	struct route_wish wish = {.source = local->addr, .target = remote->addr};
	struct ip_meta own = *meta;

	if (route_find(&wish, route)) {
		buf_free(buf);
		return false;
	}
	net_counts.tcp.out++;
	net_counts.tcp.out_reset += header->flags & TCP_RST ? 1 : 0;
	if (options_size)
		memcpy(buf_push(buf, options_size), options, options_size);
	struct tcp_header *pushed = buf_push(buf, sizeof *pushed);
	memcpy(pushed, header, sizeof *header);
	pushed->length = (uint8_t)((sizeof *header + options_size) / 4 << 4);
	pushed->checksum = 0;
	uint64_t sum = sum_pseudo(&local->addr, &remote->addr, IP_PROTOCOL_TCP, buf_size(buf));
	if (buf->segment) {
		uint32_t headers = IP6_HEADER_BYTES + (uint32_t)sizeof *pushed + options_size;
		pushed->checksum = (uint16_t)~sum_fold(sum); /* the rest is done where it is cut (gso.h) */
		buf->segment = (uint16_t)MIN(buf->segment, route->mtu - headers);
	} else if (route->link->sums) {
		pushed->checksum = sum_fold(sum_buf(sum, buf));
	}
	if (buf_size(buf) + IP6_HEADER_BYTES > route->mtu)
		own.dont_fragment = buf->segment;
	(void)ip_output(route, &remote->addr, &own, buf);
	return true;
}

/* Sends what buf holds (NULL: no memory for it, lost like any packet) from this place in the sequence. Takes buf. */
static void segment_output(struct tcp_sock *tcp, uint32_t sequence, uint8_t flags, struct buf *buf)
{
	uint8_t options[TCP_OPTIONS_BYTES];
	bool syn = flags & TCP_SYN;
	struct route route;
	struct ip_meta meta = {
		.protocol = IP_PROTOCOL_TCP,
		.hops = tcp->inet.options.hops < 0 ? IP_DEFAULT_HOPS : (uint8_t)tcp->inet.options.hops,
		.traffic_class = tcp->inet.options.traffic_class,
		.dont_fragment = true,
	};

	if (!buf)
		return;
	struct tcp_header header = {
		.source = net16(tcp->inet.local.port),
		.target = net16(tcp->inet.remote.port),
		.sequence = net32(sequence),
		.ack = flags & TCP_ACK ? net32(tcp->rcv_nxt) : 0,
		.flags = flags,
		.window = net16(window_for(tcp, syn)),
	};
	if (tcp->urgent_sending && seq_after(tcp->urgent_out, sequence)) {
		header.flags |= TCP_URG;
		header.urgent = net16((uint16_t)MIN(tcp->urgent_out - sequence, 65535u));
	}
	uint32_t size = syn ? syn_options(tcp, (uint16_t)tcp->own_mss, options) : data_options(tcp, options);
	if (flags & TCP_ACK) {
		tcp->last_ack_sent = tcp->rcv_nxt;
		tcp->unacked = 0;
		tcp->ack_now = false;
		net_timer_disarm(&tcp->delayed_ack);
	}
	if (!header_output(&tcp->inet.local, &tcp->inet.remote, &meta, &header, options, size, buf, &route))
		return;
	tcp_mtu_lower(tcp, route.mtu);
	tcp->gso_bytes = route.link->gso_bytes;
}

/* The bytes [sequence, sequence + *size) of the send queue, perhaps fewer. */
static struct buf *slice(const struct tcp_sock *tcp, uint32_t sequence, uint32_t *size)
{
	uint32_t skip = sequence - tcp->una, copied = 0;
	struct tcp_chunk *chunk;
	struct buf *buf = buf_new();
	struct block *block = NULL;

	if (!buf || !*size)
		return buf;
	list_for_each (chunk, &tcp->send_queue, node) {
		if (skip >= chunk->size) {
			skip -= chunk->size;
			continue;
		}
		uint32_t rest = chunk->size - skip;
		if (!block && (rest >= *size || rest >= tcp->mss / 4)) {
			*size = MIN(*size, rest);
			buf_attach(buf, chunk->block, chunk->offset + skip, *size);
			return buf;
		}
		if (!block && !(block = block_new(*size)))
			break;
		uint32_t n = MIN(rest, *size - copied);
		memcpy(block->data + copied, chunk->block->data + chunk->offset + skip, n);
		copied += n;
		skip = 0;
		if (copied == *size)
			break;
	}
	if (!block) {
		buf_free(buf);
		return NULL;
	}
	block->used = *size = copied;
	buf_attach(buf, block, 0, copied);
	block_put(block);
	return buf;
}

/* Payload of a full segment at the moment: SACK blocks take of it what they need (RFC 6691 section 3). */
static uint32_t full_size(const struct tcp_sock *tcp)
{
	uint32_t blocks = tcp->stamped ? TCP_SACK_BLOCKS - 1 : TCP_SACK_BLOCKS;

	return tcp->mss - (tcp->sacked_ok && !list_empty(&tcp->ahead) ? 4 + 8 * blocks : 0);
}

/* How much of the queue goes out at once, given as much room: whole segments of it, as one large packet where the link
 * cuts (gso.h), so that what is less than a segment is judged by itself. */
static uint32_t batch_size(const struct tcp_sock *tcp, uint32_t bytes)
{
	uint32_t full = full_size(tcp);
	uint32_t most = tcp->gso_bytes > GSO_HEADERS_BYTES ? (tcp->gso_bytes - GSO_HEADERS_BYTES) / full : 0;

	return bytes <= full ? bytes : MIN(bytes / full, MAX(most, 1u)) * full;
}

/* A data segment; its size. Marks PSH at the end of what there is (section 3.9.1). */
static uint32_t data_output(struct tcp_sock *tcp, uint32_t sequence, uint32_t size, bool fin)
{
	struct buf *buf = slice(tcp, sequence, &size);
	uint8_t flags = TCP_ACK;

	if (buf && size > full_size(tcp))
		buf->segment = (uint16_t)full_size(tcp);
	if (size && sequence + size == tcp->send_end)
		flags |= TCP_PSH;
	if (fin && sequence + size == tcp->send_end)
		flags |= TCP_FIN;
	if (!tcp->timing && !tcp->stamped && sequence == tcp->max) {
		tcp->timing = true;
		tcp->timed_seq = sequence;
		tcp->timed_at_ns = clock_now_ns();
	}
	segment_output(tcp, sequence, flags, buf);
	return size + !!(flags & TCP_FIN);
}

/* ------------------------------------------------------------------------------------------------ new data */

static bool sends_data(const struct tcp_sock *tcp)
{
	return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT || tcp->state == TCP_FIN_WAIT_1 ||
	       tcp->state == TCP_CLOSING || tcp->state == TCP_LAST_ACK;
}

/* Is this many of the data bytes that wait worth a segment now? */
static bool worth_it(const struct tcp_sock *tcp, uint32_t size, uint32_t data)
{
	if (size >= full_size(tcp) || size >= MAX(tcp->window_most / 2, 1u))
		return true;
	if (size < data) /* the window cuts it: wait for more of it, unless nobody would tell us */
		return false;
	if (tcp->fin_wanted || tcp->push_pending)
		return true;
	return !tcp->cork && !tcp->more && (tcp->no_delay || tcp->nxt == tcp->una);
}

void tcp_retransmit_arm(struct tcp_sock *tcp)
{
	net_timer_arm(&tcp->retransmit, clock_now_ns() + (tcp->rto_ns << MIN(tcp->backoff, 10u)));
}

static bool send_next(struct tcp_sock *tcp)
{
	uint32_t usable = MIN(tcp->window, tcp->cwnd), sent = tcp->nxt - tcp->una;
	uint32_t room = usable > sent ? usable - sent : 0;
	uint32_t end = tcp->send_end - tcp->held, data = seq_before(tcp->nxt, end) ? end - tcp->nxt : 0;
	uint32_t size = batch_size(tcp, MIN(data, room));
	bool fin = tcp->fin_wanted && !seq_after(tcp->nxt, tcp->send_end);

	if (!data && !fin)
		return false;
	if (data && (!size || !worth_it(tcp, size, data))) {
		/* Only the peer can open its window, and its word may be lost: ask now and then (section 3.8.6.1). */
		if (!sent && !tcp->retransmit.armed) {
			tcp->probing = true;
			tcp_retransmit_arm(tcp);
		}
		return false;
	}
	tcp->nxt += data_output(tcp, tcp->nxt, size, fin);
	tcp->max = seq_max(tcp->max, tcp->nxt);
	if (!tcp->retransmit.armed || tcp->probing) {
		tcp->probing = false;
		tcp_retransmit_arm(tcp);
	}
	return true;
}

void tcp_output(struct tcp_sock *tcp, bool force)
{
	bool sent = false;

	while (sends_data(tcp) && send_next(tcp))
		sent = true;
	if (!seq_before(tcp->nxt, tcp->send_end))
		tcp->push_pending = false;
	if ((force || tcp->ack_now) && !sent && tcp->state != TCP_CLOSED && tcp->state != TCP_LISTEN)
		segment_output(tcp, tcp->max, TCP_ACK,
			       buf_new()); /* not nxt: a timeout takes that back, and the peer would not look */
}

void tcp_ack_later(struct tcp_sock *tcp)
{
	bool full = tcp->unacked >= 2 * tcp->receive_mss;

	if (full || tcp->quick || !list_empty(&tcp->ahead))
		tcp->ack_now = true;
	else if (!tcp->delayed_ack.armed)
		net_timer_arm(&tcp->delayed_ack, clock_now_ns() + DELAYED_ACK_NS);
}

void tcp_send_queue_drop(struct tcp_sock *tcp, uint32_t bytes)
{
	while (bytes) {
		struct tcp_chunk *chunk = list_first(&tcp->send_queue, struct tcp_chunk, node);
		uint32_t n = MIN(bytes, chunk->size);
		assert(!list_empty(&tcp->send_queue));
		chunk->offset += n;
		chunk->size -= n;
		bytes -= n;
		if (!chunk->size)
			tcp_chunk_free(chunk);
	}
}

/* ------------------------------------------------------------------------------------------------ control */

void tcp_send_syn(struct tcp_sock *tcp)
{
	uint8_t flags = tcp->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;

	tcp->nxt = tcp->max = tcp->iss + 1;
	segment_output(tcp, tcp->iss, flags, buf_new());
	tcp_retransmit_arm(tcp);
}

void tcp_send_probe(struct tcp_sock *tcp)
{
	/* An old sequence number: nothing to take, but it must be answered (RFC 9293 section 3.8.4). */
	segment_output(tcp, tcp->una - 1, TCP_ACK, buf_new());
}

void tcp_send_reset(struct tcp_sock *tcp)
{
	segment_output(tcp, tcp->max, TCP_RST | TCP_ACK, buf_new());
}

void tcp_refuse(const struct buf *buf, const struct tcp_segment *segment)
{
	struct net_end local = {buf->target, buf->target_port}, remote = {buf->source, buf->source_port};
	struct ip_meta meta = {.protocol = IP_PROTOCOL_TCP, .hops = IP_DEFAULT_HOPS, .dont_fragment = true};
	struct tcp_header header = {.source = net16(local.port), .target = net16(remote.port), .flags = TCP_RST};
	struct route route;
	struct buf *answer;

	if (segment->flags & TCP_RST || net_addr_is_multicast(&buf->target) || !(answer = buf_new()))
		return;
	if (segment->flags & TCP_ACK) {
		header.sequence = net32(segment->ack);
	} else {
		header.flags |= TCP_ACK;
		header.ack = net32(segment->end);
	}
	(void)header_output(&local, &remote, &meta, &header, NULL, 0, answer, &route);
}

/* ------------------------------------------------------------------------------------------------ again */

/* How far a retransmission from here may go: to what the peer has already, or to the end. */
static uint32_t hole_size(const struct tcp_sock *tcp, uint32_t sequence)
{
	uint32_t end = seq_min(tcp->send_end, tcp->max); /* never what has not been sent before */

	for (unsigned i = 0; i < tcp->sacked_count; i++)
		if (!seq_before(tcp->sacked[i].start, sequence))
			end = seq_min(end, tcp->sacked[i].start);
	return seq_after(end, sequence) ? end - sequence : 0;
}

static uint32_t retransmit_at(struct tcp_sock *tcp, uint32_t sequence)
{
	uint32_t size = MIN(hole_size(tcp, sequence), full_size(tcp));
	bool fin = tcp->fin_wanted && seq_after(tcp->max, tcp->send_end);

	tcp->timing = false; /* Karn: whose ACK it is cannot be told */
	tcp->retransmits++;
	net_counts.tcp.again++;
	return data_output(tcp, sequence, size, fin);
}

void tcp_retransmit_first(struct tcp_sock *tcp)
{
	uint32_t size = retransmit_at(tcp, tcp->una);

	tcp->high_retransmit = seq_max(tcp->high_retransmit, tcp->una + size);
}

/* Bytes that are on their way, as far as can be known (SetPipe of RFC 6675). lost_below: what is not SACKed below it is
 * taken for lost. */
static uint32_t pipe_bytes(const struct tcp_sock *tcp, uint32_t lost_below)
{
	uint32_t at = tcp->una, pipe = 0;

	for (unsigned i = 0; i <= tcp->sacked_count; i++) {
		uint32_t end = i < tcp->sacked_count ? tcp->sacked[i].start : tcp->max;
		/* [at, end) is not SACKed: of what is lost only what was sent again counts. */
		uint32_t lost_end = seq_min(seq_max(lost_below, at), end),
			 again = seq_min(tcp->high_retransmit, lost_end);
		if (seq_after(again, at))
			pipe += again - at;
		if (seq_after(end, lost_end))
			pipe += end - lost_end;
		if (i < tcp->sacked_count)
			at = tcp->sacked[i].end;
	}
	return pipe;
}

void tcp_retransmit_holes(struct tcp_sock *tcp)
{
	uint32_t above = 0, lost_below = tcp->una;

	/* Lost is what has LOST_SEGMENTS segments SACKed above it. */
	for (unsigned i = tcp->sacked_count; i-- && lost_below == tcp->una;) {
		above += tcp->sacked[i].end - tcp->sacked[i].start;
		if (above > (LOST_SEGMENTS - 1) * tcp->mss)
			lost_below = tcp->sacked[i].start;
	}
	uint32_t at = seq_max(tcp->una, tcp->high_retransmit), pipe = pipe_bytes(tcp, lost_below);
	for (unsigned i = 0; i < tcp->sacked_count && seq_before(at, lost_below); i++) {
		while (seq_before(at, tcp->sacked[i].start) && seq_before(at, lost_below)) {
			if (pipe + tcp->mss > tcp->cwnd)
				return;
			uint32_t size = retransmit_at(tcp, at);
			if (!size)
				return;
			at += size;
			pipe += size;
			tcp->high_retransmit = seq_max(tcp->high_retransmit, at);
		}
		at = seq_max(at, tcp->sacked[i].end);
	}
}
