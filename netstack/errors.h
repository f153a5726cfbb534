/* errors.h - what a socket's user learns about packets that have left: IP_RECVERR, time stamps, MSG_ZEROCOPY, all by
 * MSG_ERRQUEUE (ip(7), ipv6(7), recv(2)).
 */
#ifndef NETSTACK_ERRORS_H
#define NETSTACK_ERRORS_H

#include "netstack/inet.h"
#include <linux/errqueue.h>

/* A report as its reader gets it. */
struct inet_error {
	struct list node;
	struct sock_extended_err facts;
	struct net_end target;    /* where the packet went; told when has_target */
	struct net_addr offender; /* who says so; told when has_offender */
	bool has_target, has_offender;
	uint64_t stamp_ns;
	struct buf *buf; /* what the report quotes; NULL: nothing. Owned */
};

/* Another report. quoted: borrowed, NULL: nothing. Without memory, or when the socket's queue is full, it is lost. */
void errors_add(struct inet_sock *sock, const struct inet_error *error, const struct buf *quoted);
/* recvmsg(2) with MSG_ERRQUEUE; -EAGAIN. PARKS to copy. */
must_check ssize_t errors_receive(struct inet_sock *sock, struct socket_message *message);
void errors_free(struct inet_sock *sock);

/* A packet was larger than the path takes, and must not be cut. */
void errors_too_big(struct inet_sock *sock, const struct net_end *target, uint32_t mtu);
/* A send with MSG_ZEROCOPY has been copied. */
void errors_zero_copy(struct inet_sock *sock);
/* A send has left, whose sender asked by SO_TIMESTAMPING when. flags: of this message; quoted: as errors_add. */
void errors_sent(struct inet_sock *sock, uint32_t flags, const struct buf *quoted);

#endif
