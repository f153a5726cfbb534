/* inet.h - sockets of AF_INET and AF_INET6: what streams, datagrams and raw ICMP have in common (ip(7), ipv6(7)).
 *
 * A socket is a struct file of kind FILE_SOCKET_INET whose data is a struct inet_sock; by its protocol that is the
 * start of a struct tcp_sock or udp_sock. It is counted apart from its file: a closed TCP connection lives on until its
 * peer has everything.
 */
#ifndef NETSTACK_INET_H
#define NETSTACK_INET_H

#include "fs/socket.h"
#include "netstack/ip.h"

#define INET_SHUT_READ  1u
#define INET_SHUT_WRITE 2u
#define INET_SHUT_BOTH  3u

/* What was set at the levels IPPROTO_IP and IPPROTO_IPV6. */
struct inet_options {
	int16_t hops, multicast_hops; /* -1: the default */
	uint8_t traffic_class;
	uint8_t mtu_discover;
	bool receive_hops, receive_class, receive_packet_info;    /* IP_RECV*: of IPv4 packets */
	bool receive_hops6, receive_class6, receive_packet_info6; /* IPV6_RECV*: of IPv6 packets */
	bool receive_errors;
	bool free_bind, multicast_loop, v6_only;
	uint32_t multicast4, multicast6; /* IP*_MULTICAST_IF as it was set: an address, the index of a link */
};

struct policy_flow;

struct inet_sock {
	struct socket base;           /* first: fs/socket.h */
	struct ref ref;               /* its file; a listener's queue; itself while a closed connection still works */
	struct file *file;            /* borrowed; NULL before accept and after release */
	uint8_t protocol;             /* IP_PROTOCOL_* */
	uint32_t uid;                 /* who made it: SO_REUSEPORT is for the same user */
	struct net_end local, remote; /* remote.port 0: not connected */
	bool addr_bound;              /* bind(2) named the address */
	bool port_bound;              /* bind(2) named the port, or made one up: not connect(2) */
	struct list port_node;        /* of its local port (ports.h) */
	struct list hash_node;        /* of connections, or of listeners */
	uint32_t shutdown;            /* INET_SHUT_* */
	struct inet_options options;
	struct policy_flow *flow; /* of a connection to the outside: policy.h; borrowed. NULL: none */
	struct waitq wait;        /* all that concerns the socket's own user */
};

/* Registers both families; called once by net_init. -ENOMEM. */
must_check int inet_init(void);

struct inet_sock *inet_sock_of(const struct file *file);
/* Fills in what a new socket has. */
void inet_setup(struct inet_sock *sock, uint16_t family, uint32_t type, uint8_t protocol, uint32_t uid);
/* Gives a file for the socket. -ENOMEM, -ENFILE. */
must_check int inet_file_new(struct inet_sock *sock, uint32_t flags, struct cred *cred, struct file **out);

/* The address in a sockaddr, checked against the socket's family. -EINVAL, -EAFNOSUPPORT. */
must_check int inet_end_read(const struct inet_sock *sock, const struct socket_address *address, struct net_end *out);
/* The other way round, in the socket's family. */
void inet_end_show(const struct inet_sock *sock, const struct net_end *end, struct socket_address *out);

/* Which address and port a connection or a datagram to target leaves from: fills in local where it is open, gives the
 * route. Errors of route_find. */
must_check int inet_route(struct inet_sock *sock, const struct net_addr *target, struct route *out);

/* The ends of a connection that is no more: only what bind(2) said stays. */
void inet_ends_forget(struct inet_sock *sock);

/* What a datagram's sender wants for it alone, by control data (ip(7), RFC 3542). -1, and any: nothing said. */
struct inet_wish {
	int16_t hops, traffic_class;
	struct net_addr source;
};
/* -EINVAL. */
must_check int inet_wish_parse(const struct inet_sock *sock, const struct socket_message *message,
			       struct inet_wish *out);
/* Notes about a packet that the socket's options ask for. */
void inet_notes_add(const struct inet_sock *sock, const struct buf *buf, struct socket_message *message);

/* A wait of this socket's user has something new to look at. */
static inline void inet_wake(struct inet_sock *sock, uint32_t events)
{
	waitq_wake(&sock->wait, events);
}

static inline bool inet_is_v6(const struct inet_sock *sock)
{
	return sock->base.family == ABI_AF_INET6;
}

#endif
