/* tcp_options.c - options of the level IPPROTO_TCP, and TCP_INFO (tcp(7), linux/tcp.h).
 *
 * Limits: congestion control is cubic or reno; options that need what we do not have are refused with ENOPROTOOPT.
 */
#include "netstack/tcp.h"

#include "sentry/base/fiber.h"
#include <errno.h>
#include <linux/tcp.h>

#define NAME_BYTES 16 /* TCP_CA_NAME_MAX */

static uint32_t milliseconds(uint64_t since_ns)
{
	return since_ns ? (uint32_t)((clock_now_ns() - since_ns) / NS_PER_MS) : 0;
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
	out->tcpi_ca_state = tcp->recovering ? 3 : tcp->backoff ? 4 : 0;
	out->tcpi_retransmits = (uint8_t)MIN(tcp->backoff, 255u);
	out->tcpi_backoff = out->tcpi_retransmits;
	out->tcpi_options = (uint8_t)((tcp->stamped ? TCPI_OPT_TIMESTAMPS : 0) | (tcp->sacked_ok ? TCPI_OPT_SACK : 0) |
				      (tcp->scaled ? TCPI_OPT_WSCALE : 0));
	out->tcpi_snd_wscale = tcp->send_scale;
	out->tcpi_rcv_wscale = tcp->receive_scale;
	out->tcpi_rto = (uint32_t)(tcp->rto_ns / NS_PER_US);
	out->tcpi_snd_mss = tcp->mss;
	out->tcpi_rcv_mss = tcp->receive_mss;
	out->tcpi_unacked = (tcp->nxt - tcp->una + tcp->mss - 1) / tcp->mss;
	out->tcpi_pmtu = tcp->own_mss + TCP_HEADER_BYTES + IP4_HEADER_BYTES;
	out->tcpi_last_data_recv = out->tcpi_last_ack_recv = milliseconds(tcp->heard_at_ns);
	out->tcpi_rtt = (uint32_t)(tcp->srtt_ns / NS_PER_US);
	out->tcpi_rttvar = (uint32_t)(tcp->rttvar_ns / NS_PER_US);
	out->tcpi_snd_ssthresh = tcp->ssthresh / tcp->mss;
	out->tcpi_snd_cwnd = tcp->cwnd / tcp->mss;
	out->tcpi_advmss = tcp->own_mss;
	out->tcpi_rcv_space = tcp->inet.base.receive_bytes / 2;
	out->tcpi_total_retrans = tcp->retransmits;
	out->tcpi_notsent_bytes = tcp_unsent_bytes(&tcp->inet);
	out->tcpi_snd_wnd = tcp->window;
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
		tcp->defer_accept_s = (uint32_t)MAX(number, 0);
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
