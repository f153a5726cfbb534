/* datagram.h - what sockets of whole packets have in common: udp.c, ping.c and raw.c. */
#ifndef NETSTACK_DATAGRAM_H
#define NETSTACK_DATAGRAM_H

#include "netstack/inet.h"

struct datagram_sock {
	struct inet_sock inet; /* first */
	struct list queue;     /* struct buf, the oldest first; left in them is what a reader gets */
	uint32_t queued_bytes; /* what they count against SO_RCVBUF */
	uint32_t dropped;      /* packets that found no room: SO_RXQ_OVFL */
};

static inline struct datagram_sock *datagram_of(const struct inet_sock *sock)
{
	assert(sock->kind != INET_STREAM);
	return (struct datagram_sock *)sock;
}

/* After inet_setup. */
void datagram_setup(struct datagram_sock *datagram);
/* Its file is gone: it leaves the tables, and what it holds is freed. */
void datagram_release(struct inet_sock *sock);

/* connect(2): finds the way, and the address that it leaves from. Chooses no port. */
must_check int datagram_connect(struct inet_sock *sock, const struct socket_address *address);

/* All there is to know about one that is to be sent. */
struct datagram_out {
	struct net_end remote;
	struct inet_wish wish;
	struct route route;
};
/* What may be sent on this socket now, where to and how. Errors of send(2). */
must_check int datagram_begin(struct inet_sock *sock, const struct socket_message *message, struct datagram_out *out);
/* Its way; again for one that has waited. */
must_check int datagram_way(struct inet_sock *sock, struct datagram_out *out);
/* PARKS. A packet with the message's bytes. -EFAULT, -ENOBUFS. */
must_check int datagram_payload(struct socket_message *message, struct buf **out);
/* Sends a packet with its transport header. Takes buf. */
must_check int datagram_output(struct inet_sock *sock, const struct datagram_out *way, uint8_t protocol,
			       struct buf *buf);

/* Takes buf; drops it when there is no room. */
void datagram_enqueue(struct datagram_sock *datagram, struct buf *buf);
/* PARKS. */
must_check ssize_t datagram_receive(struct inet_sock *sock, struct socket_message *message);
int datagram_shutdown(struct inet_sock *sock, uint32_t how);
uint32_t datagram_poll(struct inet_sock *sock);
/* Bytes of the next one, for FIONREAD. */
uint32_t datagram_next_bytes(const struct inet_sock *sock);
/* A report about a packet that the socket has sent; buf: what is left of the quotation, borrowed. */
void datagram_error(struct inet_sock *sock, const struct inet_report *report, const struct buf *buf);

#endif
