/* tcp_congestion.c - how much may be in flight: CUBIC (RFC 9438) or Reno (RFC 5681), and the retransmission timeout
 * (RFC 6298).
 *
 * All windows are in bytes. CUBIC's cube root and cubes are computed in integers: time in units of 2^-10 s, windows in
 * segments.
 *
 * Limits: no HyStart, no pacing.
 */
#include "netstack/tcp.h"

#include "sentry/base/fiber.h"

#define RTO_MIN_NS       (200 * NS_PER_MS) /* as Linux; RFC 6298 would have 1 s */
#define RTO_MAX_NS       (120 * NS_PER_S)
#define INITIAL_SEGMENTS 10u /* RFC 6928 */
#define CWND_LIMIT       (1u << 30)
#define CUBIC_SHIFT      10

void congestion_begin(struct tcp_sock *tcp)
{
	tcp->cwnd = INITIAL_SEGMENTS * tcp->mss;
	tcp->ssthresh = CWND_LIMIT;
	tcp->cubic.epoch_ns = 0;
	tcp->cubic.w_max = 0;
}

static uint32_t flight(const struct tcp_sock *tcp)
{
	return tcp->max - tcp->una;
}

static uint64_t cube_root(uint64_t value)
{
	uint64_t low = 0, high = 1 << 21;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;
		if (middle * middle * middle <= value)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void cubic_epoch(struct tcp_sock *tcp)
{
	uint32_t segments = tcp->cwnd / tcp->mss;

	tcp->cubic.epoch_ns = clock_now_ns();
	if (segments >= tcp->cubic.w_max) {
		tcp->cubic.w_max = segments;
		tcp->cubic.k_ns = 0;
		return;
	}
	/* K = cbrt((W_max - cwnd) / C), C = 0.4 (section 4.2); the root of 2^30 times the value is 2^10 times the root.
	 */
	uint64_t root = cube_root((uint64_t)(tcp->cubic.w_max - segments) * 5 / 2 << (3 * CUBIC_SHIFT));
	tcp->cubic.k_ns = root * NS_PER_S >> CUBIC_SHIFT;
}

/* W(t) = C (t - K)^3 + W_max, in segments. */
static uint32_t cubic_target(const struct tcp_sock *tcp, uint64_t t_ns)
{
	bool before = t_ns < tcp->cubic.k_ns;
	uint64_t distance = before ? tcp->cubic.k_ns - t_ns : t_ns - tcp->cubic.k_ns;
	uint64_t d = MIN((distance << CUBIC_SHIFT) / NS_PER_S, 1ull << 20);
	uint64_t cube = (d * d * d >> (3 * CUBIC_SHIFT)) * 2 / 5;

	if (before)
		return tcp->cubic.w_max > cube ? (uint32_t)(tcp->cubic.w_max - cube) : 1;
	return (uint32_t)MIN(tcp->cubic.w_max + cube, (uint64_t)UINT32_MAX / 2);
}

static void cubic_acked(struct tcp_sock *tcp, uint32_t bytes)
{
	uint32_t segments = MAX(tcp->cwnd / tcp->mss, 1u);

	if (!tcp->cubic.epoch_ns)
		cubic_epoch(tcp);
	uint32_t target = cubic_target(tcp, clock_now_ns() - tcp->cubic.epoch_ns + tcp->srtt_ns);
	/* Where Reno would be faster, be as fast (section 4.3): one segment a window. */
	uint64_t reno = (uint64_t)bytes * tcp->mss / tcp->cwnd;
	uint64_t cubic = target > segments ? (uint64_t)(target - segments) * bytes / segments : 0;
	tcp->cwnd += (uint32_t)MIN(MAX(reno, cubic), (uint64_t)bytes);
}

void congestion_acked(struct tcp_sock *tcp, uint32_t bytes)
{
	if (tcp->cwnd < tcp->ssthresh)
		tcp->cwnd += MIN(bytes, 2 * tcp->mss); /* slow start, RFC 3465 with L = 2 */
	else if (tcp->reno)
		tcp->cwnd += (uint32_t)MAX((uint64_t)bytes * tcp->mss / tcp->cwnd, 1ull);
	else
		cubic_acked(tcp, bytes);
	tcp->cwnd = MIN(tcp->cwnd, CWND_LIMIT);
}

static void reduce(struct tcp_sock *tcp)
{
	uint32_t segments = tcp->cwnd / tcp->mss, now = flight(tcp);

	tcp->cubic.epoch_ns = 0;
	/* Fast convergence (RFC 9438 section 4.7): who shrinks makes room. */
	tcp->cubic.w_max = segments < tcp->cubic.w_last ? segments * 17 / 20 : segments;
	tcp->cubic.w_last = segments;
	tcp->ssthresh = MAX(tcp->reno ? now / 2 : (uint32_t)((uint64_t)now * 7 / 10), 2 * tcp->mss);
}

void congestion_lost(struct tcp_sock *tcp)
{
	reduce(tcp);
	tcp->cwnd = tcp->ssthresh;
}

void congestion_timeout(struct tcp_sock *tcp)
{
	if (!tcp->backoff)
		reduce(tcp);
	tcp->cwnd = tcp->mss;
}

void rtt_sample(struct tcp_sock *tcp, uint64_t rtt_ns)
{
	if (!tcp->srtt_ns) {
		tcp->srtt_ns = MAX(rtt_ns, 1ull);
		tcp->rttvar_ns = rtt_ns / 2;
	} else {
		uint64_t error = rtt_ns > tcp->srtt_ns ? rtt_ns - tcp->srtt_ns : tcp->srtt_ns - rtt_ns;
		tcp->rttvar_ns = (3 * tcp->rttvar_ns + error) / 4;
		tcp->srtt_ns = MAX((7 * tcp->srtt_ns + rtt_ns) / 8, 1ull);
	}
	tcp->rto_ns = MIN(tcp->srtt_ns + MAX(4 * tcp->rttvar_ns, RTO_MIN_NS), RTO_MAX_NS);
	tcp->backoff = 0;
}
