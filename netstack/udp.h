/* udp.h - datagrams (RFC 768, udp(7)), also those whose checksum need not cover all (UDP-Lite, RFC 3828, udplite(7)).
 */
#ifndef NETSTACK_UDP_H
#define NETSTACK_UDP_H

#include "netstack/inet.h"

struct udp_sock {
	struct inet_sock inet; /* first */
	struct list queue;     /* struct buf, the oldest first; the payload alone is left in them */
	uint32_t queued_bytes; /* what they count against SO_RCVBUF */
	bool cork;             /* UDP_CORK */
	struct {               /* of UDP-Lite: bytes under the checksum, 0: all */
		uint16_t sent, wanted;
		bool choosy; /* packets with fewer than wanted are dropped */
	} coverage;
	struct {                     /* a datagram that grows with each send (UDP_CORK, MSG_MORE) */
		struct block *block; /* counted; NULL: there is none */
		struct net_end remote;
		struct inet_wish wish;
	} pending;
};

static inline bool udp_is_protocol(uint32_t protocol)
{
	return protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_UDPLITE;
}

must_check struct inet_sock *udp_sock_new(uint16_t family, uint8_t protocol, uint32_t uid); /* NULL: no memory */
/* The last reference is gone. */
void udp_sock_free(struct inet_sock *sock);
/* Its file is gone. */
void udp_release(struct inet_sock *sock);
must_check int udp_connect(struct inet_sock *sock, const struct socket_address *address);
/* PARK only to copy, and to wait for a datagram. */
must_check ssize_t udp_send(struct inet_sock *sock, struct socket_message *message);
must_check ssize_t udp_receive(struct inet_sock *sock, struct socket_message *message);
int udp_shutdown(struct inet_sock *sock, uint32_t how);
int udp_option_get(struct inet_sock *sock, int option, void *value, uint32_t *size);
int udp_option_set(struct inet_sock *sock, int option, const void *value, uint32_t size);
uint32_t udp_poll(struct inet_sock *sock);
/* Bytes of the next datagram, for FIONREAD. */
uint32_t udp_next_bytes(const struct inet_sock *sock);

/* A packet, its IP header taken off. Takes it. */
void udp_input(struct buf *buf);
/* A report about a datagram from local to remote. */
void udp_error(uint8_t protocol, const struct net_end *local, const struct net_end *remote, int error);

#endif
