/* tcp.h - TCP (RFC 9293): the inside, for tcp*.c and their tests; inet.c calls what is under "for sockets".
 *
 * Sequence numbers are compared with the circle in mind (seq_*). Field comments name the owner: [in] is written by
 * tcp_input.c, [out] by tcp_output.c, [cc] by tcp_congestion.c, the rest where a connection begins and ends (tcp.c).
 */
#ifndef NETSTACK_TCP_H
#define NETSTACK_TCP_H

#include "fs/mutex.h"
#include "netstack/inet.h"
#include "netstack/net.h"

/* Numbers as TCP_INFO shows them (include/net/tcp_states.h). */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_FIN_WAIT_1, /* we have closed, our FIN is not acknowledged */
	TCP_FIN_WAIT_2, /* it is; the peer has not closed */
	TCP_TIME_WAIT,  /* both have; late segments are waited for */
	TCP_CLOSED,
	TCP_CLOSE_WAIT, /* the peer has closed, we have not */
	TCP_LAST_ACK,   /* then we have too */
	TCP_LISTEN,
	TCP_CLOSING, /* both closed at once, our FIN is not acknowledged */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

struct tcp_header {
	uint16_t source, target;
	uint32_t sequence, ack;
	uint8_t length, flags; /* length: in 4-byte words, in the upper half */
	uint16_t window, checksum, urgent;
};
#define TCP_HEADER_BYTES 20u
_Static_assert(sizeof(struct tcp_header) == TCP_HEADER_BYTES, "RFC 9293 section 3.1");
#define TCP_OPTIONS_BYTES 40u

#define TCP_OPTION_END          0 /* kinds (RFC 9293 section 3.1, RFC 7323, RFC 2018) */
#define TCP_OPTION_NOP          1
#define TCP_OPTION_MSS          2
#define TCP_OPTION_SCALE        3
#define TCP_OPTION_SACK_ALLOWED 4
#define TCP_OPTION_SACK         5
#define TCP_OPTION_STAMP        8

#define TCP_OPTION_FAST_OPEN 34

/* Of a server that takes data in a SYN (RFC 7413). */
#define TCP_COOKIE_LEAST_BYTES 4u
#define TCP_COOKIE_BYTES       16u
struct tcp_cookie {
	uint8_t size; /* 0: none */
	uint8_t bytes[TCP_COOKIE_BYTES];
	uint16_t mss; /* that the server takes */
};

#define TCP_SACK_BLOCKS 4
struct tcp_range {
	uint32_t start, end; /* sequence numbers, end excluded */
};

/* A segment as it came in. */
struct tcp_segment {
	uint32_t sequence, ack, end; /* end: behind its last byte, SYN and FIN counted */
	uint32_t window;             /* not yet scaled */
	uint32_t size;               /* payload */
	uint8_t flags;
	uint16_t urgent;
	/* Options (RFC 9293, RFC 7323, RFC 2018). */
	bool has_stamp, sack_allowed;
	uint32_t stamp, stamp_echo;
	uint16_t mss; /* 0: not said */
	int8_t scale; /* -1: not said */
	unsigned sack_count;
	struct tcp_range sack[TCP_SACK_BLOCKS];
	struct tcp_cookie cookie;
};

/* Bytes to send or not yet acknowledged; one after the other in sequence. */
struct tcp_chunk {
	struct list node;
	struct block *block; /* counted */
	uint32_t offset, size;
};

/* Bytes that have been sent: what left in one packet, or in several at the same moment (tcp_loss.c). */
struct tcp_sent {
	struct list node;         /* of tcp->sent, in sequence; together they are una to nxt */
	uint32_t start, end;      /* a FIN counts as a byte */
	uint64_t at_ns;           /* when they were sent last */
	uint64_t delivered;       /* bytes that had arrived then */
	bool sacked, lost, again; /* arrived; to be sent again; have been sent again */
};

/* What one acknowledgement tells that was not known. */
struct loss_news {
	uint32_t bytes;                     /* that have arrived */
	uint32_t echo;                      /* in: its timestamp echo; 0: none */
	uint64_t first_rtt_ns, last_rtt_ns; /* of the oldest and the newest of them; 0: cannot be told */
	uint64_t sent_at_ns, delivered;     /* of the one that was sent last: when, and what had arrived then */
	bool duplicate;                     /* something arrived twice (RFC 2883) */
};

/* What a connection has done, for TCP_INFO (RFC 4898). Times 0: never. */
struct tcp_stats {
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_again, bytes_arrived;
	uint32_t segments_in, segments_out, data_in, data_out, delivered, delivered_marked, duplicates, reordered,
		ahead;
	uint64_t busy_ns, window_ns, buffer_ns;                   /* data waits; for the peer's window; for room here */
	uint64_t busy_since_ns, window_since_ns, buffer_since_ns; /* 0: not now */
	uint64_t sent_at_ns, received_at_ns, acked_at_ns;
	uint64_t rate; /* bytes a second that arrived in the last round trip */
};

struct tcp_sock {
	struct inet_sock inet; /* first */
	enum tcp_state state;

	/* What the handshake settled. */
	uint8_t send_scale, receive_scale;
	bool scaled, stamped, sacked_ok;
	uint32_t peer_mss;  /* what the peer said it takes */
	uint32_t mss;       /* payload of a segment of ours, options taken off */
	uint32_t own_mss;   /* what we say that we take */
	uint32_t mss_wish;  /* TCP_MAXSEG; 0: none */
	uint32_t gso_bytes; /* [out] of the link that segments leave by (link.h) */

	/* Sending (RFC 9293 section 3.3.1). The queue holds una to send_end. */
	uint32_t iss, una, nxt;
	uint32_t window, window_seq, window_ack, window_most;
	uint32_t send_end;      /* behind the last byte queued; a FIN comes after it */
	struct list send_queue; /* struct tcp_chunk */
	uint32_t held;          /* so many bytes at its end may not leave yet (policy_inspect) */
	bool fin_wanted;        /* a FIN follows the queue */
	bool push_pending;      /* cork: the last bytes may go although they fill no segment */
	uint32_t urgent_out;    /* behind the urgent byte; valid while urgent_sending */
	bool urgent_sending;

	/* Loss (RFC 8985, 6298): [loss], tcp_loss.c. */
	struct list sent; /* struct tcp_sent */
	uint32_t sent_count, sacked_bytes, lost_bytes;
	uint32_t duplicates, recover; /* recover: where a loss under repair ends; follows una when there is none */
	bool recovering;
	struct {
		uint64_t at_ns, rtt_ns, min_rtt_ns; /* the newest segment that has arrived */
		uint32_t end, highest;
		uint32_t patience, persist, duplicate_round; /* the reordering window, in quarters of a round trip */
		bool reordering;
	} rack;
	bool early_is_probe, tail_probing, tail_again;
	uint32_t tail_end;
	uint64_t srtt_ns, rttvar_ns, rto_ns; /* srtt 0: none measured */
	uint32_t backoff;
	uint64_t syn_at_ns;      /* of the only SYN; 0: there were more */
	uint64_t stuck_since_ns; /* the oldest unacknowledged byte's first timeout; 0: none */
	uint32_t retransmits;    /* in all, for TCP_INFO */

	/* Explicit congestion notification (RFC 3168). */
	bool ecn_ok;          /* both ends know it */
	bool ecn_echo;        /* [in] tell the sender, until it says that it has heard */
	bool ecn_reduced;     /* [cc] say so with the next new data */
	uint32_t ecn_recover; /* [in] one reduction a round trip: until this is acknowledged */

	struct tcp_stats stats;

	/* Congestion: bytes (RFC 9438, RFC 5681). */
	uint32_t cwnd, ssthresh;
	bool reno; /* TCP_CONGESTION */
	struct {
		uint64_t last_min_ns, min_ns; /* round trips of the last round and of this; 0: none */
		uint64_t base_ns;             /* since growth is slower; 0: it is not */
		uint32_t round_end, samples, rounds;
	} hystart;
	struct {
		uint64_t epoch_ns, k_ns; /* 0: no epoch */
		uint32_t w_max, w_last;
	} cubic;

	/* Receiving. */
	uint32_t irs, rcv_nxt;
	uint32_t edge;     /* right edge of the window that the peer knows */
	struct list ready; /* struct buf, in order, for the reader */
	struct list ahead; /* struct buf, behind a hole, sorted, not overlapping */
	uint32_t ready_bytes, ahead_bytes;
	uint32_t last_ahead;  /* the newest of them, for the first SACK block */
	uint32_t receive_mss; /* the largest segment seen: what a delayed ACK counts in */
	uint32_t unacked;     /* bytes received and not acknowledged */
	bool fin_received;
	bool ack_now, urgent_valid, urgent_taken;
	struct list ack_node; /* of those that acknowledge a burst of packets when all of it is here */
	uint32_t urgent_in;   /* sequence of the urgent byte */
	uint32_t stamp_recent, last_ack_sent;
	uint64_t stamp_recent_at_ns;
	uint32_t quick;          /* segments that are acknowledged at once (a young connection's) */
	struct mutex read_mutex; /* a reader copies from the first of ready while it may PARK */
	struct mutex send_mutex; /* a writer fills a block while it may PARK */
	/* Buffers grow while SO_RCVBUF and SO_SNDBUF are what we made them. */
	uint32_t auto_receive, auto_send;
	struct {
		uint64_t rtt_ns;        /* a round trip as a receiver sees it; 0: not known */
		uint64_t since_ns;      /* when this round began */
		uint32_t copied, space; /* by readers in this round, and in the best one */
		uint32_t echo;          /* the last timestamp that was echoed */
		uint64_t window_at_ns;  /* without timestamps: when the window was */
		uint32_t window_end;    /* to here */
	} tune;                         /* [tune] tcp_autotune.c */

	/* A listener's: connections that are not accepted. A connection's: the listener and its place there. */
	struct list embryos, accepted; /* handshake under way; complete */
	uint32_t embryo_count, accepted_count, backlog;
	uint64_t overflow_at_ns;   /* SYNs were answered by cookies; 0: never */
	struct tcp_sock *listener; /* counted; NULL once accepted */
	struct list listener_node;

	struct net_timer retransmit; /* and zero-window probes */
	struct net_timer early;      /* reordering, and the tail loss probe */
	struct net_timer delayed_ack, keepalive;
	struct net_timer linger;   /* FIN_WAIT_2 without a file, TIME_WAIT */
	uint64_t challenged_at_ns; /* the last answer to what should not have come */
	uint64_t heard_at_ns;      /* the last segment from the peer */
	uint32_t probes;           /* unanswered ones: keepalive, zero window */
	bool probing;              /* retransmit runs for a closed window */

	/* Options (tcp(7)). */
	bool no_delay, cork, quick_ack_off;
	bool fast_connect;   /* TCP_FASTOPEN_CONNECT */
	bool fast_wish;      /* the SYN asks for a cookie, or brings one */
	bool fast_deferred;  /* connect(2) has succeeded, and the SYN waits for data */
	bool fast_taken;     /* the server has taken data that the SYN brought */
	uint32_t syn_data;   /* bytes in the first SYN */
	uint32_t fast_queue; /* TCP_FASTOPEN of a listener: said, of no effect */
	bool connecting;     /* connect(2) has begun and its caller does not know yet how it ended */
	bool more;           /* the last send said MSG_MORE */
	uint32_t keep_idle_s, keep_interval_s, keep_count, syn_count, user_timeout_ms, defer_accept_s;
	uint32_t window_clamp; /* 0: none */
	uint32_t unsent_low;   /* TCP_NOTSENT_LOWAT; 0: none */
	bool thin_timeouts;    /* TCP_THIN_LINEAR_TIMEOUTS: said, of no effect */
	int32_t linger2_s;     /* -1: closes at once after the FIN is acknowledged */
};

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a) < 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_after(a, b) ? a : b;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

/* Has connect(2) succeeded although no SYN has left? (TCP_FASTOPEN_CONNECT) */
static inline bool tcp_is_deferred(const struct tcp_sock *tcp)
{
	return tcp->fast_deferred && tcp->state == TCP_SYN_SENT;
}

static inline struct tcp_sock *tcp_of(struct inet_sock *sock)
{
	assert(sock->protocol == IP_PROTOCOL_TCP);
	return (struct tcp_sock *)sock;
}

/* net.ipv4.tcp_* of the sandbox. */
extern struct tcp_settings {
	int ecn;      /* 0: no, 1: ask for it and agree to it, 2: agree to it */
	int cookies;  /* 0: no, 1: when a listener's queue runs over, 2: always */
	int fastopen; /* 1: for clients */
} tcp_settings;

/* ------------------------------------------------------------------------------------------------ for sockets */

void tcp_init(void);
void tcp_sysctl_init(void);                                               /* once, when /proc is there */
must_check struct inet_sock *tcp_sock_new(uint16_t family, uint32_t uid); /* NULL: no memory */
unsigned tcp_sock_count(void);                                            /* in every state */
void tcp_sock_free(struct inet_sock *sock);
void tcp_release(struct inet_sock *sock);
/* PARKS. The same, and waits until the peer has everything or SO_LINGER's time is over. */
void tcp_release_linger(struct inet_sock *sock);
must_check int tcp_connect(struct inet_sock *sock, const struct socket_address *address, bool nonblock);
must_check int tcp_listen(struct inet_sock *sock, int backlog);
/* PARKS. Gives a connection without a file. */
must_check int tcp_accept(struct inet_sock *sock, bool nonblock, struct inet_sock **out);
must_check ssize_t tcp_send(struct inet_sock *sock, struct socket_message *message);
must_check ssize_t tcp_receive(struct inet_sock *sock, struct socket_message *message);
int tcp_shutdown(struct inet_sock *sock, uint32_t how);
uint32_t tcp_poll(struct inet_sock *sock);
int tcp_option_get(struct inet_sock *sock, int option, void *value, uint32_t *size);
int tcp_option_set(struct inet_sock *sock, int option, const void *value, uint32_t size);
/* For FIONREAD, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK. */
uint32_t tcp_readable_bytes(const struct inet_sock *sock);
uint32_t tcp_unacked_bytes(const struct inet_sock *sock);
uint32_t tcp_unsent_bytes(const struct inet_sock *sock);
bool tcp_at_mark(const struct inet_sock *sock);

/* A packet, its IP header taken off. Takes it. */
void tcp_input(struct buf *buf);
/* The burst of packets is over: what it made due is acknowledged. false: nothing was. */
bool tcp_acks_output(void);
/* A report about a segment from local to remote (RFC 5461: soft unless the connection is not yet there). */
void tcp_error(const struct net_end *local, const struct net_end *remote, uint32_t sequence, int error);
/* A segment was too large for somebody on the way, who can pass on mtu bytes. */
void tcp_too_big(const struct net_end *local, const struct net_end *remote, uint32_t sequence, uint32_t mtu);

/* ------------------------------------------------------------------------------------------------ tcp.c */

void tcp_get(struct tcp_sock *tcp);
void tcp_put(struct tcp_sock *tcp);
/* A new connection's own numbers; state stays. */
void tcp_begin(struct tcp_sock *tcp, uint32_t iss);
/* What we can take on a route with this MTU, told in our SYN. */
uint32_t tcp_own_mss(const struct tcp_sock *tcp, uint32_t mtu);
/* What the handshake said is now known: segment size, first window. mtu: of the route. */
void tcp_settle(struct tcp_sock *tcp, uint32_t mtu);
/* Segments become smaller when the path's MTU has; never larger again. */
void tcp_mtu_lower(struct tcp_sock *tcp, uint32_t mtu);
void tcp_established(struct tcp_sock *tcp);
void tcp_time_wait(struct tcp_sock *tcp);
/* The connection is over, with an error for its user or 0. Without a file it is freed: the caller's pointer is good
 * only while it holds a reference. */
void tcp_done(struct tcp_sock *tcp, int error);
/* Tells the peer by a RST, then tcp_done. */
void tcp_abort(struct tcp_sock *tcp, int error);
/* A connection for a listener's SYN, in its list, with its options; no file yet. NULL: no memory. Borrowed. */
must_check struct inet_sock *tcp_child_new(struct tcp_sock *listener);
/* FIN_WAIT_2 of a connection without a file does not last for ever. */
void tcp_release_wait(struct tcp_sock *tcp);
/* A segment has been heard: the keepalive clock starts anew. */
void tcp_keepalive_reset(struct tcp_sock *tcp);
/* What the receive window may promise at the moment. */
uint32_t tcp_receive_room(const struct tcp_sock *tcp);
void tcp_queues_purge(struct tcp_sock *tcp);
must_check struct tcp_chunk *tcp_chunk_of(struct block *block); /* empty; adds a reference. NULL: no memory */
void tcp_chunk_free(struct tcp_chunk *chunk);
/* A time that is measured from *since_ns on (0: it is not running) and added up. */
void tcp_clock_start(uint64_t *since_ns);
void tcp_clock_stop(uint64_t *since_ns, uint64_t *total_ns);
/* The clock of the timestamps option: milliseconds. */
uint32_t tcp_stamp_now(void);

/* ------------------------------------------------------------------------------------------------ tcp_output.c */

/* Sends what window, congestion and Nagle allow. force: an ACK goes out in any case. */
void tcp_output(struct tcp_sock *tcp, bool force);
void tcp_send_syn(struct tcp_sock *tcp);
/* These bytes again, as they are. */
void tcp_retransmit(struct tcp_sock *tcp, struct tcp_sent *run);
/* One segment of new data, whatever the congestion window says; false: there is none, or no window for it. */
must_check bool tcp_output_beyond(struct tcp_sock *tcp);
/* One byte or nothing, to make the peer say its window or that it lives. */
void tcp_send_probe(struct tcp_sock *tcp);
void tcp_send_reset(struct tcp_sock *tcp);
/* Answers a SYN without a connection, from this first sequence number (tcp_cookie.c). */
void tcp_send_cookie(const struct buf *buf, const struct tcp_segment *segment, uint32_t iss, uint16_t mss);
/* Answers a segment that belongs to no connection. */
void tcp_refuse(const struct buf *buf, const struct tcp_segment *segment);
/* An ACK is due: now, with the next data, when the timer fires, or (more: packets that came with this one wait in the
 * link's queue) at the end of the burst. */
void tcp_ack_later(struct tcp_sock *tcp, bool more);
void tcp_retransmit_arm(struct tcp_sock *tcp);
/* The queue's bytes up to ack are acknowledged. */
void tcp_send_queue_drop(struct tcp_sock *tcp, uint32_t bytes);

/* ------------------------------------------------------------------------------------------------ tcp_cookie.c */

/* The first sequence number of the answer to a SYN that is not remembered. */
uint32_t cookie_make(const struct net_end *local, const struct net_end *remote, const struct tcp_segment *syn);
/* Does this segment acknowledge such an answer? Then the segment size that the SYN named. */
must_check bool cookie_check(const struct net_end *local, const struct net_end *remote, const struct tcp_segment *ack,
			     uint16_t *mss);

/* ------------------------------------------------------------------------------------------------ tcp_fastopen.c */

/* What this server has given us; NULL: nothing. Borrowed, until the next of these calls. */
const struct tcp_cookie *fastopen_cookie(const struct net_addr *server);
void fastopen_learn(const struct net_addr *server, const struct tcp_cookie *cookie, uint16_t mss);
void fastopen_forget(const struct net_addr *server);
/* How many bytes a SYN to there has room for. */
uint32_t fastopen_room(const struct tcp_sock *tcp, const struct tcp_cookie *cookie);

/* ------------------------------------------------------------------------------------------------ tcp_loss.c */

/* The run that bytes sent now belong to; it ends at nxt, and its end is to be moved. NULL: no memory. Borrowed. */
must_check struct tcp_sent *loss_run(struct tcp_sock *tcp);
/* The SACK blocks of a segment, and then what it acknowledges. */
void loss_sacked(struct tcp_sock *tcp, const struct tcp_segment *segment, struct loss_news *news);
void loss_acked(struct tcp_sock *tcp, uint32_t ack, struct loss_news *news);
/* After both: what is lost now; begins and ends recoveries. */
void loss_detect(struct tcp_sock *tcp, const struct loss_news *news);
/* Everything that is not SACKed is lost; forget: nor does SACKed mean anything (RFC 2018 section 8). */
void loss_all(struct tcp_sock *tcp, bool forget);
/* Bytes that are on their way, as far as can be known. */
uint32_t loss_pipe(const struct tcp_sock *tcp);
/* The first lost run, of at most so many bytes if it can be helped; NULL: there is none. Borrowed. */
must_check struct tcp_sent *loss_next(struct tcp_sock *tcp, uint32_t most);
/* bytes of the run, from its start, have been sent again. */
void loss_again(struct tcp_sock *tcp, struct tcp_sent *run, uint32_t bytes);
/* Something has been sent, or acknowledged: the tail's probe is due later, or not at all. */
void loss_probe_arm(struct tcp_sock *tcp);
void loss_early_fired(struct net_timer *timer);
void loss_purge(struct tcp_sock *tcp);

/* ------------------------------------------------------------------------------------------------ tcp_congestion.c */

void congestion_begin(struct tcp_sock *tcp);
/* rtt_ns: of the newest of them; 0: not known. */
void congestion_acked(struct tcp_sock *tcp, uint32_t bytes, uint64_t rtt_ns);
void congestion_lost(struct tcp_sock *tcp);    /* once a window: fast retransmit */
void congestion_timeout(struct tcp_sock *tcp); /* everything in flight is taken for lost */
void rtt_sample(struct tcp_sock *tcp, uint64_t rtt_ns);

/* ------------------------------------------------------------------------------------------------ tcp_autotune.c */

/* The handshake's first half is over: own_mss and edge are known. */
void autotune_begin(struct tcp_sock *tcp);
/* A segment with payload has been taken. */
void autotune_input(struct tcp_sock *tcp, const struct tcp_segment *segment);
/* A reader has taken bytes. */
void autotune_copied(struct tcp_sock *tcp, uint32_t bytes);

#endif
