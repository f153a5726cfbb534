/* tcp_autotune.c - the receive buffer grows with its reader (dynamic right-sizing; tcp(7), tcp_moderate_rcvbuf).
 *
 * What a reader takes away in a round trip is what the sender could send in it. The window should be twice that, so
 * that a sender in slow start, which doubles its rate in each round, finds room for the next one; and more when the
 * last rounds grew. The buffer is twice the window, as everywhere (tcp_receive_room). It never becomes smaller, nor
 * does the window.
 *
 * A receiver must know the round trip although it sends nothing: from the echo of its timestamps, or, without those, as
 * the shortest time in which a whole window has come.
 *
 * Limits: TCP_RECEIVE_LIMIT; not for who has set SO_RCVBUF. The clock of the echo has milliseconds, so no round trip is
 * taken to be shorter.
 */
#include "netstack/tcp.h"

#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"

#define ROUND_LEAST_NS NS_PER_MS
#define FIRST_SEGMENTS 10u /* what a sender may begin with (RFC 6928) */
#define SLACK_SEGMENTS 16u
#define ECHO_AGE_MS    (1u << 24) /* an echo that old is no measure */

void autotune_begin(struct tcp_sock *tcp)
{
	memset(&tcp->tune, 0, sizeof tcp->tune);
	tcp->tune.space = MIN(FIRST_SEGMENTS * tcp->own_mss, tcp->inet.base.receive_bytes / 2);
	tcp->tune.since_ns = tcp->tune.window_at_ns = clock_now_ns();
	tcp->tune.window_end = tcp->edge;
}

/* A window takes at least a round trip to come. */
static void sample_least(struct tcp_sock *tcp, uint64_t ns)
{
	ns = MAX(ns, ROUND_LEAST_NS);
	tcp->tune.rtt_ns = tcp->tune.rtt_ns ? MIN(tcp->tune.rtt_ns, ns) : ns;
}

static void sample_echo(struct tcp_sock *tcp, uint64_t ns)
{
	ns = MAX(ns, ROUND_LEAST_NS);
	tcp->tune.rtt_ns = tcp->tune.rtt_ns ? (7 * tcp->tune.rtt_ns + ns) / 8 : ns;
}

void autotune_input(struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	uint64_t now = clock_now_ns();

	if (tcp->stamped) {
		uint32_t age_ms = tcp_stamp_now() - segment->stamp_echo;
		/* A short segment may have waited for its writer. */
		bool full = segment->size >= tcp->receive_mss;
		if (full && segment->stamp_echo && segment->stamp_echo != tcp->tune.echo && age_ms < ECHO_AGE_MS)
			sample_echo(tcp, age_ms * NS_PER_MS);
		tcp->tune.echo = segment->stamp_echo;
		return;
	}
	if (seq_before(tcp->rcv_nxt, tcp->tune.window_end))
		return;
	if (tcp->tune.window_end != tcp->irs + 1)
		sample_least(tcp, now - tcp->tune.window_at_ns);
	tcp->tune.window_at_ns = now;
	tcp->tune.window_end = tcp->edge;
}

void autotune_copied(struct tcp_sock *tcp, uint32_t bytes)
{
	uint64_t now = clock_now_ns(), rtt = tcp->tune.rtt_ns;

	tcp->tune.copied = MIN(tcp->tune.copied + bytes, TCP_RECEIVE_LIMIT);
	if (!rtt || now - tcp->tune.since_ns < rtt)
		return;
	uint64_t copied = tcp->tune.copied, space = MAX(tcp->tune.space, 1u);
	tcp->tune.copied = 0;
	tcp->tune.since_ns = now;
	if (copied <= space)
		return;
	tcp->tune.space = (uint32_t)copied;
	if (tcp->inet.base.receive_bytes != tcp->auto_receive)
		return;
	uint64_t window = 2 * copied + (uint64_t)SLACK_SEGMENTS * tcp->own_mss;
	window += 2 * (window * (copied - space) / space); /* the next round grows as this one did */
	uint32_t buffer = (uint32_t)MIN(2 * window, (uint64_t)TCP_RECEIVE_LIMIT);
	if (buffer > tcp->auto_receive)
		tcp->auto_receive = tcp->inet.base.receive_bytes = buffer;
}
