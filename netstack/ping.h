/* ping.h - sockets of type SOCK_DGRAM for ICMP's echoes, for users without any privilege (icmp(7)). */
#ifndef NETSTACK_PING_H
#define NETSTACK_PING_H

#include "netstack/datagram.h"

must_check struct inet_sock *ping_sock_new(uint16_t family, uint8_t protocol, uint32_t uid); /* NULL: no memory */
void ping_sock_free(struct inet_sock *sock);
must_check int ping_connect(struct inet_sock *sock, const struct socket_address *address);
/* PARKS only to copy. */
must_check ssize_t ping_send(struct inet_sock *sock, struct socket_message *message);

/* An answer to an echo, from its ICMP header on: for the socket whose identifier it has. Borrowed. */
void ping_input(const struct buf *buf);
/* A report about an echo; buf: the report, from the quoted ICMP header on. */
void ping_error(const struct inet_report *report, const struct buf *buf);

#endif
