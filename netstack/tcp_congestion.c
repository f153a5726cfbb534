/* tcp_congestion.c - how much may be in flight: CUBIC (RFC 9438) or Reno (RFC 5681), and the retransmission timeout
 * (RFC 6298).
 *
 * All windows are in bytes. CUBIC's cube root and cubes are computed in integers: time in units of 2^-10 s, windows in
 * segments.
 *
 * Slow start ends early where round trips grow (HyStart++, RFC 9406).
 *
 * Limits: no pacing.
 */
#include "netstack/tcp.h"

#include "sentry/base/fiber.h"

#define RTO_MIN_NS          (200 * NS_PER_MS) /* as Linux; RFC 6298 would have 1 s */
#define RTO_MAX_NS          (120 * NS_PER_S)
#define INITIAL_SEGMENTS    10u /* RFC 6928 */
#define CWND_LIMIT          (1u << 30)
#define CUBIC_SHIFT         10
#define SLOW_START_SEGMENTS 8u /* that one acknowledgement may add (RFC 9406 section 4.3, without pacing) */
#define HYSTART_LEAST_NS    (4 * NS_PER_MS)
#define HYSTART_MOST_NS     (16 * NS_PER_MS)
#define HYSTART_SAMPLES     8
#define HYSTART_ROUNDS      5

void congestion_begin(struct tcp_sock *tcp)
{
	tcp->cwnd = INITIAL_SEGMENTS * tcp->mss;
	tcp->ssthresh = CWND_LIMIT;
	tcp->cubic.epoch_ns = 0;
	tcp->cubic.w_max = 0;
	memset(&tcp->hystart, 0, sizeof tcp->hystart);
	tcp->hystart.round_end = tcp->nxt;
}

static uint32_t flight(const struct tcp_sock *tcp)
{
	return MIN(tcp->nxt - tcp->una, tcp->cwnd);
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

/* A round ends when what was sent last at its start has been acknowledged. */
static void hystart_round(struct tcp_sock *tcp)
{
	if (seq_before(tcp->una, tcp->hystart.round_end))
		return;
	tcp->hystart.round_end = tcp->nxt;
	tcp->hystart.last_min_ns = tcp->hystart.min_ns;
	tcp->hystart.min_ns = 0;
	tcp->hystart.samples = 0;
	if (tcp->hystart.base_ns && ++tcp->hystart.rounds >= HYSTART_ROUNDS)
		tcp->ssthresh = tcp->cwnd;
}

/* The first slow start (RFC 9406 section 4.2): when a round's least round trip is clearly longer than the last one's, a
 * queue is filling: growth is slower then (conservative slow start), and after some such rounds it is enough. A round
 * that is shorter again shows that there was no queue. */
static uint32_t hystart_growth(struct tcp_sock *tcp, uint32_t bytes, uint64_t rtt_ns)
{
	uint64_t last = tcp->hystart.last_min_ns;
	uint64_t threshold = MAX(MIN(last / 8, HYSTART_MOST_NS), HYSTART_LEAST_NS);

	hystart_round(tcp);
	if (rtt_ns) {
		tcp->hystart.min_ns = tcp->hystart.min_ns ? MIN(tcp->hystart.min_ns, rtt_ns) : rtt_ns;
		tcp->hystart.samples++;
	}
	if (tcp->hystart.samples >= HYSTART_SAMPLES) {
		if (!tcp->hystart.base_ns && last && tcp->hystart.min_ns >= last + threshold) {
			tcp->hystart.base_ns = tcp->hystart.min_ns;
			tcp->hystart.rounds = 0;
		} else if (tcp->hystart.min_ns < tcp->hystart.base_ns) {
			tcp->hystart.base_ns = 0;
		}
	}
	uint32_t growth = MIN(bytes, SLOW_START_SEGMENTS * tcp->mss);
	return tcp->hystart.base_ns ? growth / 4 : growth;
}

void congestion_acked(struct tcp_sock *tcp, uint32_t bytes, uint64_t rtt_ns)
{
	if (tcp->ssthresh == CWND_LIMIT)
		tcp->cwnd += hystart_growth(tcp, bytes, rtt_ns);
	else if (tcp->cwnd < tcp->ssthresh)
		tcp->cwnd += MIN(bytes, 2 * tcp->mss); /* RFC 3465 section 2.3 */
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
	tcp->ecn_reduced = tcp->ecn_ok;
	tcp->ecn_recover = tcp->nxt;
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
