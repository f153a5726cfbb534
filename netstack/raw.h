/* raw.h - sockets of type SOCK_RAW (raw(7), RFC 3542). */
#ifndef NETSTACK_RAW_H
#define NETSTACK_RAW_H

#include "netstack/datagram.h"

/* Once at start. -ENOMEM. */
must_check int raw_init(void);
must_check struct inet_sock *raw_sock_new(uint16_t family, uint8_t protocol, uint32_t uid); /* NULL: no memory */
void raw_release(struct inet_sock *sock);
void raw_sock_free(struct inet_sock *sock);
must_check int raw_connect(struct inet_sock *sock, const struct socket_address *address);
/* PARKS only to copy. */
must_check ssize_t raw_send(struct inet_sock *sock, struct socket_message *message);
/* ICMP_FILTER, ICMP6_FILTER, IPV6_CHECKSUM. -ENOPROTOOPT. */
int raw_option_get(struct inet_sock *sock, int level, int option, void *value, uint32_t *size);
int raw_option_set(struct inet_sock *sock, int level, int option, const void *value, uint32_t size);

/* A packet of our own, its headers off, on its way to the transports: a copy for each socket that wants one. Was there
 * any? Borrowed. */
bool raw_input(const struct buf *buf);
/* A report about a packet of that protocol; buf: the report, from the quoted transport header on. */
void raw_error(const struct inet_report *report, uint8_t protocol, const struct buf *buf);
/* Every raw socket, NULL first; NULL behind the last. Borrowed. */
const struct inet_sock *raw_next(const struct inet_sock *item);

#endif
