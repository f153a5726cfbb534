/* tcp_options.c - options of the level IPPROTO_TCP, and TCP_INFO (tcp(7), linux/tcp.h).
 *
 * Limits: congestion control is cubic or reno; options that need what we do not have are refused with ENOPROTOOPT.
 */
#include "netstack/tcp.h"

#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>

#define NAME_BYTES      16         /* TCP_CA_NAME_MAX */
#define ATO_US          40000      /* what a delayed acknowledgement waits */
#define STAMP_BYTES     12u        /* of each segment, with timestamps */
#define SSTHRESH_NONE   (1u << 30) /* slow start goes on until a loss */
#define CLAMP_LEAST     1152       /* half of the smallest receive buffer */
#define RETRANSMIT_MOST 120u       /* seconds, as RTO_MAX in Linux */

static uint32_t milliseconds(uint64_t since_ns)
{
	return since_ns ? (uint32_t)((clock_now_ns() - since_ns) / NS_PER_MS) : 0;
}

static uint32_t segments(const struct tcp_sock *tcp, uint32_t bytes)
{
	return (bytes + tcp->mss - 1) / tcp->mss;
}

/* What is under way, and how much that may be. */
static void loss_fill(const struct tcp_sock *tcp, struct tcp_info *out)
{
	const struct tcp_sent *run;
	uint32_t again = 0;

	list_for_each (run, &tcp->sent, node)
		again += run->again && !run->sacked && !run->lost ? run->end - run->start : 0;
	out->tcpi_unacked = segments(tcp, tcp->nxt - tcp->una);
	out->tcpi_sacked = segments(tcp, tcp->sacked_bytes);
	out->tcpi_lost = segments(tcp, tcp->lost_bytes);
	out->tcpi_retrans = segments(tcp, again);
	out->tcpi_reordering = 3;
	out->tcpi_reord_seen = tcp->stats.reordered;
	out->tcpi_dsack_dups = tcp->stats.duplicates;
	out->tcpi_snd_ssthresh = tcp->ssthresh >= SSTHRESH_NONE ? INT32_MAX : tcp->ssthresh / tcp->mss;
	out->tcpi_snd_cwnd = tcp->cwnd / tcp->mss;
	out->tcpi_total_retrans = tcp->retransmits;
	out->tcpi_bytes_acked = tcp->stats.bytes_acked;
	out->tcpi_bytes_sent = tcp->stats.bytes_sent;
	out->tcpi_bytes_retrans = tcp->stats.bytes_again;
	out->tcpi_data_segs_out = tcp->stats.data_out;
	out->tcpi_delivered = tcp->stats.delivered;
	out->tcpi_delivered_ce = tcp->stats.delivered_marked;
	out->tcpi_delivery_rate = tcp->stats.rate;
}

static uint64_t clock_us(uint64_t total_ns, uint64_t since_ns)
{
	return (total_ns + (since_ns ? clock_now_ns() - since_ns : 0)) / NS_PER_US;
}

static void times_fill(const struct tcp_sock *tcp, struct tcp_info *out)
{
	const struct tcp_stats *stats = &tcp->stats;

	/* What is acknowledged within the same step of our clock took some time nevertheless. */
	out->tcpi_rtt = tcp->srtt_ns ? (uint32_t)MAX(tcp->srtt_ns / NS_PER_US, 1ull) : 0;
	out->tcpi_rttvar = (uint32_t)(tcp->rttvar_ns / NS_PER_US);
	out->tcpi_min_rtt = tcp->srtt_ns ? (uint32_t)MAX(tcp->rack.min_rtt_ns / NS_PER_US, 1ull) : 0;
	out->tcpi_last_data_sent = milliseconds(stats->sent_at_ns);
	out->tcpi_last_data_recv = milliseconds(stats->received_at_ns);
	out->tcpi_last_ack_recv = milliseconds(tcp->heard_at_ns);
	out->tcpi_busy_time = clock_us(stats->busy_ns, stats->busy_since_ns);
	out->tcpi_rwnd_limited = clock_us(stats->window_ns, stats->window_since_ns);
	/* What Linux would pace by (tcp_update_pacing_rate): twice the window a round trip while it grows fast. */
	uint64_t percent = tcp->cwnd < tcp->ssthresh / 2 ? 200 : 120;
	out->tcpi_pacing_rate = tcp->srtt_ns ? tcp->cwnd * percent * (NS_PER_S / 100) / tcp->srtt_ns : UINT64_MAX;
	out->tcpi_max_pacing_rate = UINT64_MAX;
}

static void info_fill(const struct tcp_sock *tcp, struct tcp_info *out)
{
	bool fresh = tcp->state == TCP_CLOSED || tcp->state == TCP_LISTEN;

	memset(out, 0, sizeof *out);
	out->tcpi_state = (uint8_t)tcp->state;
	if (tcp->state == TCP_LISTEN) {
		out->tcpi_unacked = tcp->accepted_count; /* as Linux shows a listener's queue */
		out->tcpi_sacked = tcp->backlog;
	}
	if (fresh)
		return;
	out->tcpi_ca_state = tcp->recovering ? 3 : seq_before(tcp->una, tcp->recover) ? 4 : tcp->sacked_bytes ? 1 : 0;
	out->tcpi_retransmits = (uint8_t)MIN(tcp->backoff, 255u);
	out->tcpi_backoff = out->tcpi_retransmits;
	out->tcpi_probes = (uint8_t)MIN(tcp->probes, 255u);
	out->tcpi_options = (uint8_t)((tcp->stamped ? TCPI_OPT_TIMESTAMPS : 0) | (tcp->sacked_ok ? TCPI_OPT_SACK : 0) |
				      (tcp->scaled ? TCPI_OPT_WSCALE : 0) | (tcp->ecn_ok ? TCPI_OPT_ECN : 0) |
				      (tcp->fast_taken ? TCPI_OPT_SYN_DATA : 0));
	out->tcpi_snd_wscale = tcp->send_scale;
	out->tcpi_rcv_wscale = tcp->receive_scale;
	out->tcpi_rto = (uint32_t)((tcp->rto_ns << MIN(tcp->backoff, 10u)) / NS_PER_US);
	out->tcpi_ato = ATO_US;
	out->tcpi_snd_mss = tcp->mss;
	out->tcpi_rcv_mss = tcp->receive_mss;
	out->tcpi_advmss = tcp->own_mss - (tcp->stamped ? STAMP_BYTES : 0);
	out->tcpi_pmtu = tcp->own_mss + TCP_HEADER_BYTES + IP4_HEADER_BYTES;
	loss_fill(tcp, out);
	out->tcpi_rcv_ssthresh = tcp->inet.base.receive_bytes / 2;
	out->tcpi_rcv_space = tcp->tune.space;
	out->tcpi_rcv_rtt = (uint32_t)(tcp->tune.rtt_ns / NS_PER_US);
	out->tcpi_bytes_received = tcp->stats.bytes_received;
	out->tcpi_segs_out = tcp->stats.segments_out;
	out->tcpi_segs_in = tcp->stats.segments_in;
	out->tcpi_data_segs_in = tcp->stats.data_in;
	out->tcpi_rcv_ooopack = tcp->stats.ahead;
	out->tcpi_notsent_bytes = tcp_unsent_bytes(&tcp->inet);
	out->tcpi_snd_wnd = tcp->window;
	times_fill(tcp, out);
}

/* Options that are one number. */
static bool number_get(const struct tcp_sock *tcp, int option, int *out)
{
	switch (option) {
	case TCP_NODELAY:
		*out = tcp->no_delay;
		return true;
	case TCP_MAXSEG:
		*out = (int)(tcp->state == TCP_CLOSED || tcp->state == TCP_LISTEN ? tcp->mss_wish ? tcp->mss_wish : 536
										  : tcp->mss);
		return true;
	case TCP_CORK:
		*out = tcp->cork;
		return true;
	case TCP_KEEPIDLE:
		*out = (int)tcp->keep_idle_s;
		return true;
	case TCP_KEEPINTVL:
		*out = (int)tcp->keep_interval_s;
		return true;
	case TCP_KEEPCNT:
		*out = (int)tcp->keep_count;
		return true;
	case TCP_SYNCNT:
		*out = (int)tcp->syn_count;
		return true;
	case TCP_LINGER2:
		*out = tcp->linger2_s ? tcp->linger2_s : 60;
		return true;
	case TCP_DEFER_ACCEPT:
		*out = (int)tcp->defer_accept_s;
		return true;
	case TCP_QUICKACK:
		*out = !tcp->quick_ack_off;
		return true;
	case TCP_USER_TIMEOUT:
		*out = (int)tcp->user_timeout_ms;
		return true;
	case TCP_WINDOW_CLAMP:
		*out = (int)tcp->window_clamp;
		return true;
	case TCP_NOTSENT_LOWAT:
		*out = (int)tcp->unsent_low;
		return true;
	case TCP_THIN_LINEAR_TIMEOUTS:
		*out = tcp->thin_timeouts;
		return true;
	case TCP_FASTOPEN:
		*out = (int)tcp->fast_queue;
		return true;
	case TCP_FASTOPEN_CONNECT:
		*out = tcp->fast_connect;
		return true;
	case TCP_THIN_DUPACK:
	case TCP_REPAIR:
		*out = 0;
		return true;
	default:
		return false;
	}
}

int tcp_option_get(struct inet_sock *sock, int option, void *value, uint32_t *size)
{
	struct tcp_sock *tcp = tcp_of(sock);
	int number;

	if (number_get(tcp, option, &number)) {
		*size = MIN(*size, (uint32_t)sizeof number);
		memcpy(value, &number, *size);
		return 0;
	}
	if (option == TCP_INFO) {
		struct tcp_info info;
		info_fill(tcp, &info);
		*size = MIN(*size, (uint32_t)sizeof info);
		memcpy(value, &info, *size);
		return 0;
	}
	if (option == TCP_CONGESTION) {
		char name[NAME_BYTES] = {0};
		strcpy(name, tcp->reno ? "reno" : "cubic");
		*size = MIN(*size, (uint32_t)sizeof name);
		memcpy(value, name, *size);
		return 0;
	}
	return -ENOPROTOOPT;
}

static int ranged(uint32_t *field, int number, int least, int most)
{
	if (number < least || number > most)
		return -EINVAL;
	*field = (uint32_t)number;
	return 0;
}

static void uncork(struct tcp_sock *tcp)
{
	tcp->push_pending = true;
	if (tcp->state != TCP_CLOSED)
		tcp_output(tcp, false);
	net_run();
}

/* Linux counts in retransmissions of the SYN-ACK, and tells the time that they take. */
static uint32_t defer_seconds(uint32_t seconds)
{
	uint32_t step = 1, period = 1;

	for (int i = 1; seconds > period && i < 255; i++) {
		step = MIN(2 * step, RETRANSMIT_MOST);
		period += step;
	}
	return period;
}

static int fastopen_set(struct tcp_sock *tcp, int option, int number)
{
	bool fresh = tcp->state == TCP_CLOSED;

	if (option == TCP_FASTOPEN) {
		if (number < 0 || (!fresh && tcp->state != TCP_LISTEN))
			return -EINVAL;
		tcp->fast_queue = MIN((uint32_t)number, (uint32_t)SOCKET_BACKLOG_LIMIT);
		return 0;
	}
	if (number < 0 || number > 1)
		return -EINVAL;
	if (!(tcp_settings.fastopen & 1))
		return -EOPNOTSUPP;
	if (!fresh)
		return -EINVAL;
	tcp->fast_connect = number;
	return 0;
}

static int number_set(struct tcp_sock *tcp, int option, int number)
{
	switch (option) {
	case TCP_NODELAY:
		tcp->no_delay = number;
		if (number && !tcp->cork)
			uncork(tcp);
		return 0;
	case TCP_CORK:
		tcp->cork = number;
		if (!number)
			uncork(tcp);
		return 0;
	case TCP_MAXSEG:
		return ranged(&tcp->mss_wish, number, number ? 88 : 0, 32767);
	case TCP_KEEPIDLE:
		return ranged(&tcp->keep_idle_s, number, 1, 32767);
	case TCP_KEEPINTVL:
		return ranged(&tcp->keep_interval_s, number, 1, 32767);
	case TCP_KEEPCNT:
		return ranged(&tcp->keep_count, number, 1, 127);
	case TCP_SYNCNT:
		return ranged(&tcp->syn_count, number, 1, 127);
	case TCP_LINGER2:
		tcp->linger2_s = number < 0 ? -1 : MIN(number, 120);
		return 0;
	case TCP_DEFER_ACCEPT:
		tcp->defer_accept_s = number > 0 ? defer_seconds((uint32_t)number) : 0;
		return 0;
	case TCP_QUICKACK:
		tcp->quick_ack_off = !number;
		if (number && tcp->unacked) {
			tcp_output(tcp, true);
			net_run();
		}
		return 0;
	case TCP_USER_TIMEOUT:
		return ranged(&tcp->user_timeout_ms, number, 0, INT32_MAX);
	case TCP_WINDOW_CLAMP:
		if (!number && tcp->state != TCP_CLOSED)
			return -EINVAL;
		tcp->window_clamp = number ? (uint32_t)MAX(number, CLAMP_LEAST) : 0;
		return 0;
	case TCP_NOTSENT_LOWAT:
		tcp->unsent_low = (uint32_t)number;
		inet_wake(&tcp->inet, POLLOUT | POLLWRNORM);
		return 0;
	case TCP_THIN_LINEAR_TIMEOUTS:
		tcp->thin_timeouts = number;
		return number < 0 || number > 1 ? -EINVAL : 0;
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
		return fastopen_set(tcp, option, number);
	case TCP_THIN_DUPACK:
		return number < 0 || number > 1 ? -EINVAL : 0;
	case TCP_REPAIR: /* for those who may move connections between hosts: nobody here */
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_TIMESTAMP:
		return -EPERM;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_option_set(struct inet_sock *sock, int option, const void *value, uint32_t size)
{
	struct tcp_sock *tcp = tcp_of(sock);
	int number;

	if (option == TCP_CONGESTION) {
		char name[NAME_BYTES] = {0};
		memcpy(name, value, MIN(size, (uint32_t)sizeof name - 1));
		if (strcmp(name, "reno") && strcmp(name, "cubic"))
			return size ? -ENOENT : -EINVAL;
		tcp->reno = !strcmp(name, "reno");
		return 0;
	}
	if (size < sizeof number)
		return -EINVAL;
	memcpy(&number, value, sizeof number);
	return number_set(tcp, option, number);
}
