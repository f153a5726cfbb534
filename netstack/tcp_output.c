/* tcp_output.c - segments out: what may go, how it is cut, options, acknowledgements, retransmissions, probes.
 *
 * A segment refers to the bytes of the send queue where one chunk has them all; where it spans chunks it is cut short
 * or, when the rest of the chunk is small, its bytes are copied together.
 *
 *     may a segment go?   window and congestion leave room, and it is full, or the last one and nobody is waited for
 * (Nagle, RFC 9293 section 3.7.4), or at least half of the largest window (section 3.8.6.2.1)
 *
 * Limits: urgent data is marked as in section 3.8.5 with Linux's meaning of the pointer (behind the byte).
 */
#include "netstack/tcp.h"

#include "netstack/counts.h"
#include "netstack/policy.h"
#include "sentry/base/fiber.h"

#define DELAYED_ACK_NS    (40 * NS_PER_MS)
#define GSO_HEADERS_BYTES (IP6_HEADER_BYTES + TCP_HEADER_BYTES + TCP_OPTIONS_BYTES)
#define COPIED_BYTES      16384u /* more of one chunk are not copied to fill a segment */
#define LOST_SEGMENTS     3u     /* what lies this far below SACKed bytes is lost (RFC 6675) */

static struct list burst_acks = LIST_INIT(burst_acks); /* struct tcp_sock; empty whenever net_run is over */

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

/* The first SYN asks for a cookie, or brings the one that it was given (RFC 7413 section 4.1.1). */
static uint8_t *put_cookie(const struct tcp_sock *tcp, uint8_t *at)
{
	const struct tcp_cookie *cookie = fastopen_cookie(&tcp->inet.remote.addr);
	uint8_t size = cookie ? cookie->size : 0;

	*at++ = TCP_OPTION_FAST_OPEN;
	*at++ = (uint8_t)(2 + size);
	if (size)
		memcpy(at, cookie->bytes, size);
	return at + size;
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
	if (offer && tcp->fast_wish && !tcp->backoff)
		at = put_cookie(tcp, at);
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

/* Sends what buf holds (NULL: no memory for it, lost like any packet) from this place in the sequence. ecn: of the IP
 * header. Takes buf. */
static void segment_output(struct tcp_sock *tcp, uint32_t sequence, uint8_t flags, uint8_t ecn, struct buf *buf)
{
	uint8_t options[TCP_OPTIONS_BYTES];
	bool syn = flags & TCP_SYN;
	struct route route;
	struct ip_meta meta = {
		.protocol = IP_PROTOCOL_TCP,
		.hops = tcp->inet.options.hops < 0 ? IP_DEFAULT_HOPS : (uint8_t)tcp->inet.options.hops,
		.traffic_class = (uint8_t)((tcp->inet.options.traffic_class & ~ECN_MASK) | ecn),
		.dont_fragment = true,
	};

	if (!buf)
		return;
	tcp->stats.segments_out++;
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
	if (tcp->ecn_echo && !syn)
		header.flags |= TCP_ECE;
	uint32_t size = syn ? syn_options(tcp, (uint16_t)tcp->own_mss, options) : data_options(tcp, options);
	if (flags & TCP_ACK) {
		tcp->last_ack_sent = tcp->rcv_nxt;
		tcp->unacked = 0;
		tcp->ack_now = false;
		net_timer_disarm(&tcp->delayed_ack);
		list_remove(&tcp->ack_node);
	}
	if (!header_output(&tcp->inet.local, &tcp->inet.remote, &meta, &header, options, size, buf, &route))
		return;
	tcp_mtu_lower(tcp, route.mtu);
	tcp->gso_bytes = route.link->gso_bytes;
}

/* Is what a chunk has left worth a segment, or are its bytes copied together with what follows? A short segment costs
 * less than a copy of much; on loopback only, where nobody counts packets. */
static bool goes_alone(const struct tcp_sock *tcp, const struct tcp_chunk *chunk, uint32_t rest, uint32_t size)
{
	const struct tcp_chunk *next = list_entry(chunk->node.next, struct tcp_chunk, node);
	bool much = tcp->mss > COPIED_BYTES && chunk->node.next != &tcp->send_queue && next->size > COPIED_BYTES;

	return rest >= size || rest >= tcp->mss / 4 || much;
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
		if (!block && goes_alone(tcp, chunk, rest, *size)) {
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
	bool fresh = sequence == tcp->nxt && size &&
		     tcp->ecn_ok; /* what goes again is not marked (RFC 3168 section 6.1.5) */
	if (fresh && tcp->ecn_reduced) {
		flags |= TCP_CWR;
		tcp->ecn_reduced = false;
	}
	uint32_t each = buf && buf->segment ? buf->segment : MAX(size, 1u);
	tcp->stats.data_out += (size + each - 1) / each;
	tcp->stats.segments_out += size ? (size - 1) / each : 0; /* beside the one that is counted there */
	tcp->stats.bytes_sent += size;
	tcp->stats.sent_at_ns = clock_now_ns();
	segment_output(tcp, sequence, flags, fresh ? ECN_CAPABLE : 0, buf);
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

/* New bytes leave; false: no memory to keep track of them. */
static bool fresh_output(struct tcp_sock *tcp, uint32_t size, bool fin)
{
	struct tcp_sent *run = loss_run(tcp);

	if (!run)
		return false;
	tcp->nxt += data_output(tcp, tcp->nxt, size, fin);
	run->end = tcp->nxt;
	if (!tcp->retransmit.armed || tcp->probing) {
		tcp->probing = false;
		tcp_retransmit_arm(tcp);
	}
	return true;
}

static uint32_t window_room(const struct tcp_sock *tcp)
{
	uint32_t sent = tcp->nxt - tcp->una;

	return tcp->window > sent ? tcp->window - sent : 0;
}

static uint32_t congestion_room(const struct tcp_sock *tcp)
{
	uint32_t pipe = loss_pipe(tcp);

	return tcp->cwnd > pipe ? tcp->cwnd - pipe : 0;
}

/* That may leave. */
static uint32_t unsent_bytes(const struct tcp_sock *tcp)
{
	uint32_t end = tcp->send_end - tcp->held;

	return seq_before(tcp->nxt, end) ? end - tcp->nxt : 0;
}

static bool send_next(struct tcp_sock *tcp)
{
	uint32_t room = MIN(window_room(tcp), congestion_room(tcp)), data = unsent_bytes(tcp);
	uint32_t size = batch_size(tcp, MIN(data, room));
	bool fin = tcp->fin_wanted && !tcp->held && !seq_after(tcp->nxt, tcp->send_end);

	if (data && window_room(tcp) < MIN(data, congestion_room(tcp)))
		tcp_clock_start(&tcp->stats.window_since_ns);
	else
		tcp_clock_stop(&tcp->stats.window_since_ns, &tcp->stats.window_ns);
	if (!data && !fin)
		return false;
	if ((!data || (size && worth_it(tcp, size, data))) && fresh_output(tcp, size, fin))
		return true;
	/* Only the peer can open its window, and its word may be lost: ask now and then (section 3.8.6.1). */
	if (tcp->nxt == tcp->una && !tcp->retransmit.armed) {
		tcp->probing = true;
		tcp_retransmit_arm(tcp);
	}
	return false;
}

bool tcp_output_beyond(struct tcp_sock *tcp)
{
	uint32_t size = MIN(MIN(unsent_bytes(tcp), window_room(tcp)), full_size(tcp));

	return size && sends_data(tcp) && fresh_output(tcp, size, tcp->fin_wanted);
}

void tcp_retransmit(struct tcp_sock *tcp, struct tcp_sent *run)
{
	bool fin = seq_after(run->end, tcp->send_end);

	loss_again(tcp, run, data_output(tcp, run->start, run->end - run->start - fin, fin));
}

/* What is lost goes before what is new. The first of it goes at once (RFC 6675 section 5 (4.3)), and when nothing else
 * is on its way. */
static bool send_lost(struct tcp_sock *tcp)
{
	const struct tcp_sent *first = list_first(&tcp->sent, struct tcp_sent, node);
	uint32_t room = congestion_room(tcp), full = full_size(tcp);
	struct tcp_sent *run;

	if (!tcp->lost_bytes || (room < full && loss_pipe(tcp) && (!first->lost || first->again)))
		return false;
	run = loss_next(tcp, batch_size(tcp, MAX(room, full)));
	if (run->start != tcp->una && run->start - tcp->una >= tcp->window)
		return false; /* the window has shrunk */
	tcp_retransmit(tcp, run);
	if (!tcp->retransmit.armed)
		tcp_retransmit_arm(tcp);
	return true;
}

void tcp_output(struct tcp_sock *tcp, bool force)
{
	bool sent = false;

	while (sends_data(tcp) && (send_lost(tcp) || send_next(tcp)))
		sent = true;
	if (!seq_before(tcp->nxt, tcp->send_end))
		tcp->push_pending = false;
	if (sent)
		loss_probe_arm(tcp);
	else if ((force || tcp->ack_now) && tcp->state != TCP_CLOSED && tcp->state != TCP_LISTEN)
		segment_output(tcp, tcp->nxt, TCP_ACK, 0, buf_new());
}

void tcp_ack_later(struct tcp_sock *tcp, bool more)
{
	bool full = tcp->unacked >= 2 * tcp->receive_mss;

	if ((full && !more) || tcp->quick || !list_empty(&tcp->ahead))
		tcp->ack_now = true;
	else if (full && list_empty(&tcp->ack_node))
		list_push_back(&burst_acks, &tcp->ack_node);
	else if (!tcp->delayed_ack.armed)
		net_timer_arm(&tcp->delayed_ack, clock_now_ns() + DELAYED_ACK_NS);
}

bool tcp_acks_output(void)
{
	bool any = !list_empty(&burst_acks);

	while (!list_empty(&burst_acks)) {
		struct tcp_sock *tcp = list_first(&burst_acks, struct tcp_sock, ack_node);
		list_remove(&tcp->ack_node);
		tcp->ack_now = true;
		tcp_output(tcp, false);
	}
	return any;
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

/* What the first SYN brings along: the start of the queue, if the server has given us a cookie and nobody looks at what
 * is sent before it leaves. */
static struct buf *syn_data(struct tcp_sock *tcp)
{
	const struct tcp_cookie *cookie = tcp->fast_wish ? fastopen_cookie(&tcp->inet.remote.addr) : NULL;
	uint32_t queued = tcp->send_end - tcp->iss - 1;

	if (!cookie || tcp->backoff || !queued || policy_inspects(&tcp->inet))
		return buf_new();
	uint32_t size = MIN(queued, fastopen_room(tcp, cookie));
	struct buf *buf = slice(tcp, tcp->una, &size); /* una is the SYN; the queue begins behind it */
	if (!buf)
		return buf_new();
	tcp->syn_data = size;
	tcp->nxt += size;
	tcp->stats.bytes_sent += size;
	tcp->stats.data_out += !!size;
	tcp->stats.sent_at_ns = clock_now_ns();
	return buf;
}

void tcp_send_syn(struct tcp_sock *tcp)
{
	uint8_t flags = tcp->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;

	if (tcp->state == TCP_SYN_SENT)
		flags |= tcp_settings.ecn == 1 && !tcp->backoff ? TCP_ECE | TCP_CWR : 0; /* some drop such a SYN */
	else
		flags |= tcp->ecn_ok ? TCP_ECE : 0;
	tcp->nxt = tcp->iss + 1;
	segment_output(tcp, tcp->iss, flags, 0, tcp->state == TCP_SYN_SENT ? syn_data(tcp) : buf_new());
	tcp_retransmit_arm(tcp);
}

void tcp_send_probe(struct tcp_sock *tcp)
{
	/* An old sequence number: nothing to take, but it must be answered (RFC 9293 section 3.8.4). */
	segment_output(tcp, tcp->una - 1, TCP_ACK, 0, buf_new());
}

void tcp_send_reset(struct tcp_sock *tcp)
{
	segment_output(tcp, tcp->nxt, TCP_RST | TCP_ACK, 0, buf_new());
}

void tcp_send_cookie(const struct buf *buf, const struct tcp_segment *segment, uint32_t iss, uint16_t mss)
{
	struct net_end local = {.addr = buf->target, .port = buf->target_port},
		       remote = {.addr = buf->source, .port = buf->source_port};
	struct ip_meta meta = {.protocol = IP_PROTOCOL_TCP, .hops = IP_DEFAULT_HOPS, .dont_fragment = true};
	struct tcp_header header = {
		.source = net16(local.port),
		.target = net16(remote.port),
		.sequence = net32(iss),
		.ack = net32(segment->sequence + 1),
		.flags = TCP_SYN | TCP_ACK,
		.window = net16(UINT16_MAX),
	};
	uint8_t options[4] = {TCP_OPTION_MSS, sizeof options};
	struct buf *answer = buf_new();
	struct route route;

	put16(options + 2, mss);
	if (answer)
		(void)header_output(&local, &remote, &meta, &header, options, sizeof options, answer, &route);
}

void tcp_refuse(const struct buf *buf, const struct tcp_segment *segment)
{
	struct net_end local = {.addr = buf->target, .port = buf->target_port},
		       remote = {.addr = buf->source, .port = buf->source_port};
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
