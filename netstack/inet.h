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

enum inet_kind { INET_STREAM, INET_UDP, INET_PING, INET_RAW, INET_KINDS };

/* What was set at the levels IPPROTO_IP and IPPROTO_IPV6. */
struct inet_options {
	int16_t hops, multicast_hops; /* -1: the default */
	uint8_t traffic_class;
	uint8_t mtu_discover;
	bool receive_hops, receive_class, receive_packet_info;    /* IP_RECV*: of IPv4 packets */
	bool receive_hops6, receive_class6, receive_packet_info6; /* IPV6_RECV*: of IPv6 packets */
	bool receive_errors, receive_errors6;
	bool receive_target;                 /* IP_RECVORIGDSTADDR, IPV6_RECVORIGDSTADDR: of either family */
	bool header_included;                /* IP_HDRINCL, of raw sockets */
	bool dont_fragment6;                 /* IPV6_DONTFRAG */
	bool late_port;                      /* IP_BIND_ADDRESS_NO_PORT */
	bool multicast_all4, multicast_all6; /* IP_MULTICAST_ALL: also groups that others have joined */
	uint8_t least_hops4, least_hops6;    /* IP_MINTTL: what comes from farther away is dropped */
	bool free_bind, multicast_loop, v6_only;
	uint32_t multicast4, multicast6;       /* IP*_MULTICAST_IF as it was set: an address, the index of a link */
	uint32_t multicast_link4;              /* the index that an IPv4 address was set with; 0: by the address */
	uint32_t unicast_link4, unicast_link6; /* IP_UNICAST_IF, in network order as it is told */
};

struct policy_flow;

struct inet_sock {
	struct socket base; /* first: fs/socket.h */
	struct ref ref;     /* its file; a listener's queue; itself while a closed connection still works */
	struct file *file;  /* borrowed; NULL before accept and after release */
	enum inet_kind kind;
	uint8_t protocol;             /* IP_PROTOCOL_* */
	uint32_t uid;                 /* who made it: SO_REUSEPORT is for the same user */
	struct net_end local, remote; /* remote.port 0: not connected; raw and ping sockets have no ports there */
	bool connected;               /* of a socket of datagrams: connect(2) has named the remote */
	uint32_t device;              /* SO_BINDTODEVICE: the index of the link it is bound to; 0: none */
	bool addr_bound;              /* bind(2) named the address */
	bool port_bound;              /* bind(2) named the port, or made one up: not connect(2) */
	struct list port_node;        /* of its local port (ports.h) */
	struct list hash_node;        /* of connections, or of listeners */
	uint32_t shutdown;            /* INET_SHUT_* */
	struct inet_options options;
	struct policy_flow *flow; /* of a connection to the outside: policy.h; borrowed. NULL: none */
	struct list errors;       /* struct inet_error: for MSG_ERRQUEUE (errors.h) */
	uint32_t error_bytes;     /* what they count against SO_RCVBUF */
	uint32_t zero_copies;     /* sends with MSG_ZEROCOPY */
	uint32_t stamp_number;    /* of the next send, for SOF_TIMESTAMPING_OPT_ID */
	struct list groups;       /* what it has joined (group.c) */
	struct waitq wait;        /* all that concerns the socket's own user */
};

/* An ICMP report about a packet that a socket may have sent. */
struct inet_report {
	uint8_t origin, type, code; /* SO_EE_ORIGIN_* and the report's own */
	uint32_t info;              /* a path's MTU, a place in the packet */
	int error;                  /* an errno */
	bool hard;                  /* nothing will get through */
	struct net_addr offender;   /* who reports */
	struct net_end local, target;
};

/* Registers both families; called once by net_init. -ENOMEM. */
must_check int inet_init(void);

struct inet_sock *inet_sock_of(const struct file *file);
/* Fills in what a new socket has. */
void inet_setup(struct inet_sock *sock, enum inet_kind kind, uint16_t family, uint8_t protocol, uint32_t uid);
/* What it holds besides its own memory. */
void inet_fini(struct inet_sock *sock);
/* Gives a file for the socket. -ENOMEM, -ENFILE. */
must_check int inet_file_new(struct inet_sock *sock, uint32_t flags, struct cred *cred, struct file **out);

/* The address in a sockaddr, checked against the socket's family. -EINVAL, -EAFNOSUPPORT. */
must_check int inet_end_read(const struct inet_sock *sock, const struct socket_address *address, struct net_end *out);
/* The other way round, in the socket's family. */
void inet_end_show(const struct inet_sock *sock, const struct net_end *end, struct socket_address *out);

/* The way of a connection or a packet to target from an address of ours (any: the stack's choice), as the socket's
 * options want it. Errors of route_find; -EINVAL: the link is not said, or said twice. */
must_check int inet_route(const struct inet_sock *sock, const struct net_addr *source, const struct net_end *target,
			  struct route *out);
/* May a packet that came in by this link be for the socket? */
static inline bool inet_takes_from(const struct inet_sock *sock, const struct link *link)
{
	return !sock->device || sock->device == link->index;
}

/* The ends of a connection that is no more: only what bind(2) said stays. */
void inet_ends_forget(struct inet_sock *sock);

/* What a datagram's sender wants for it alone, by control data (ip(7), RFC 3542). -1, and any: nothing said. */
struct inet_wish {
	int16_t hops, traffic_class;
	struct net_addr source;
	uint32_t link;       /* an index; 0: nothing said */
	uint32_t stamps;     /* SOF_TIMESTAMPING_TX_*: also what the socket asks for always */
	uint16_t segment;    /* UDP_SEGMENT */
	int8_t unfragmented; /* IPV6_DONTFRAG; -1: nothing said */
};
/* -EINVAL. */
must_check int inet_wish_parse(const struct inet_sock *sock, const struct socket_message *message,
			       struct inet_wish *out);
/* Notes about a packet that the socket's options ask for. */
void inet_notes_add(const struct inet_sock *sock, const struct buf *buf, struct socket_message *message);
/* PARKS. Headers and payload to the receiver: how many bytes, or an error. */
must_check ssize_t inet_packet_put(const struct buf *buf, struct uio *to);
/* Does the socket's filter (SO_ATTACH_FILTER) want the packet? What it wants only a part of is cut, but not below
 * least bytes. */
must_check bool inet_filter(const struct inet_sock *sock, struct buf *buf, uint32_t least);

/* The levels IPPROTO_IP, IPPROTO_IPV6 and what else all kinds of sockets have in common (inet_options.c). */
must_check int inet_option_get(struct file *file, int level, int option, void *value, uint32_t *size);
must_check int inet_option_set(struct file *file, const struct socket_caller *who, int level, int option,
			       const void *value, uint32_t size);

/* A wait of this socket's user has something new to look at. */
static inline void inet_wake(struct inet_sock *sock, uint32_t events)
{
	waitq_wake(&sock->wait, events);
}

static inline bool inet_is_stream(const struct inet_sock *sock)
{
	return sock->kind == INET_STREAM;
}

static inline bool inet_is_v6(const struct inet_sock *sock)
{
	return sock->base.family == ABI_AF_INET6;
}

#endif
