/* ports.h - who has which port: bind(2)'s rules, and whom a packet is for.
 *
 * Three tables: sockets by local port and protocol (for bind), TCP listeners by local port, TCP connections by both
 * ends.
 */
#ifndef NETSTACK_PORTS_H
#define NETSTACK_PORTS_H

#include "netstack/inet.h"

/* Once at start. -ENOMEM. */
must_check int ports_init(void);

/* Gives the socket the local end (port 0: a free one). -EADDRINUSE, -EACCES (below 1024 without CAP_NET_BIND_SERVICE).
 */
must_check int port_bind(struct inet_sock *sock, const struct cred *cred, const struct net_end *local);
/* A port for a socket that connects to remote, or sends its first datagram. -EADDRNOTAVAIL. */
must_check int port_choose(struct inet_sock *sock, const struct net_end *remote);
/* An accepted connection has its listener's port. */
void port_share(struct inet_sock *sock, const struct inet_sock *listener);
/* Leaves all tables. May be called when in none. */
void port_release(struct inet_sock *sock);
/* listen(2) on a bound port: may two listen there? -EADDRINUSE. */
must_check int port_listen(struct inet_sock *sock);

void connection_enter(struct inet_sock *sock);
void connection_leave(struct inet_sock *sock);
/* Borrowed. NULL: none. */
struct inet_sock *connection_find(const struct net_end *local, const struct net_end *remote);
/* The listener for a connection to local from remote; among those that share the port, always the same for the same
 * remote. Borrowed. */
struct inet_sock *listener_find(const struct net_end *local, const struct net_end *remote);
/* The datagram socket for a packet that came in by that link (NULL: none in particular): the one with the most in
 * common. Borrowed. */
struct inet_sock *datagram_find(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
				const struct link *link);
/* Each datagram socket that a packet to many is for. item: NULL first. */
struct inet_sock *datagram_next(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
				const struct link *link, const struct inet_sock *item);

/* Every socket that has a port, in no order: NULL first; NULL behind the last. Nothing may change meanwhile. Borrowed.
 */
const struct inet_sock *socket_next(const struct inet_sock *item);

#endif
