/* udp.h - datagrams (RFC 768, udp(7)), also those whose checksum need not cover all (UDP-Lite, RFC 3828, udplite(7)).
 */
#ifndef NETSTACK_UDP_H
#define NETSTACK_UDP_H

#include "netstack/datagram.h"

struct udp_sock {
	struct datagram_sock datagram; /* first */
	bool cork;                     /* UDP_CORK */
	bool gather;                   /* UDP_GRO: kept; packets come one by one all the same */
	uint16_t segment;              /* UDP_SEGMENT: payload bytes of each datagram of a send; 0: one is all */
	struct {                       /* of UDP-Lite: bytes under the checksum, 0: all */
		uint16_t sent, wanted;
		bool choosy; /* packets with fewer than wanted are dropped */
	} coverage;
	struct {                     /* a datagram that grows with each send (UDP_CORK, MSG_MORE) */
		struct block *block; /* counted; NULL: there is none */
		struct datagram_out way;
	} pending;
};

static inline bool udp_is_protocol(uint32_t protocol)
{
	return protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_UDPLITE;
}

must_check struct inet_sock *udp_sock_new(uint16_t family, uint8_t protocol, uint32_t uid); /* NULL: no memory */
/* Borrowed; for datagram.c. */
struct udp_counts *udp_counts(uint8_t protocol, const struct net_addr *addr);
/* The last reference is gone. */
void udp_sock_free(struct inet_sock *sock);
/* Its file is gone. */
void udp_release(struct inet_sock *sock);
must_check int udp_connect(struct inet_sock *sock, const struct socket_address *address);
/* PARKS only to copy. */
must_check ssize_t udp_send(struct inet_sock *sock, struct socket_message *message);
int udp_option_get(struct inet_sock *sock, int option, void *value, uint32_t *size);
int udp_option_set(struct inet_sock *sock, int option, const void *value, uint32_t size);

/* A packet, its IP header taken off. Takes it. */
void udp_input(struct buf *buf);
/* A report about a datagram; buf: the report, from the quoted transport header on; NULL: it quotes nothing. */
void udp_error(uint8_t protocol, const struct inet_report *report, const struct buf *buf);

#endif
