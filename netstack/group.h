/* group.h - multicast: which groups the sandbox listens to, and what routers and switches are told of it: IGMPv3
 * (RFC 3376) and IGMPv2 where the router is older, MLDv2 (RFC 3810) and MLDv1. */
#ifndef NETSTACK_GROUP_H
#define NETSTACK_GROUP_H

#include "netstack/inet.h"

struct text;

/* Once at start. -ENOMEM. */
must_check int group_init(void);

/* setsockopt(2) of what concerns membership: IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP, MCAST_JOIN_GROUP, those that leave,
 * and IP_MULTICAST_ALL. -ENOPROTOOPT: none of these. */
must_check int group_option_set(struct inet_sock *sock, int level, int option, const void *value, uint32_t size);
/* The socket is closed. */
void group_leave_all(struct inet_sock *sock);

/* Does anybody on the link listen to it: a socket, or the stack itself? */
must_check bool group_is_heard(const struct link *link, const struct net_addr *group);
/* Is a packet to a group for this socket: it has joined, or takes what others have joined (IP_MULTICAST_ALL)? */
must_check bool group_is_for(const struct inet_sock *sock, const struct link *link, const struct net_addr *group);

/* An IGMP message, its IP header taken off. Takes it. */
void group_igmp_input(struct buf *buf);
/* A query by ICMPv6, checksum right, its header taken off. response_ms: how long answers may take. Takes buf. */
void group_mld_query(struct buf *buf, uint16_t response_ms);

/* /proc/net/igmp and igmp6. */
void group_show4(struct text *out);
void group_show6(struct text *out);

#define MLD_QUERY 130

#endif
