/* ports.c - see ports.h. The rules are those of inet_csk_bind_conflict and udp_lib_get_port in Linux, as ip(7) and
 * socket(7) tell them: two sockets may share a port when their addresses cannot be confused, when both say SO_REUSEADDR
 * (of streams none may listen), or when both say SO_REUSEPORT and belong to the same user.
 *
 * A socket that only connects takes a port that others may use for other remotes.
 *
 * Limits: ports for connecting sockets are 32768 to 60999 (net.ipv4.ip_local_port_range).
 */
#include "netstack/ports.h"

#include "netstack/net.h"
#include "netstack/tcp.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <linux/capability.h>

#define BUCKETS         1024u
#define PORT_FIRST      32768u
#define PORT_COUNT      28232u
#define PORT_PRIVILEGED 1024u

struct tables {
	struct list by_port[BUCKETS];     /* all protocols, port_node */
	struct list listeners[BUCKETS];   /* hash_node */
	struct list connections[BUCKETS]; /* hash_node */
};

static struct tables *tables; /* in the arena */

int ports_init(void)
{
	tables = arena_alloc(sizeof *tables);
	if (!tables)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++) {
		list_init(&tables->by_port[i]);
		list_init(&tables->listeners[i]);
		list_init(&tables->connections[i]);
	}
	return 0;
}

static struct list *port_bucket(uint16_t port)
{
	return &tables->by_port[port % BUCKETS];
}

static struct list *connection_bucket(const struct net_end *local, const struct net_end *remote)
{
	uint64_t hash = net_addr_hash(&remote->addr) ^ net_addr_hash(&local->addr) * 7;

	hash = (hash ^ (uint64_t)remote->port << 16 ^ local->port) * 0x9e3779b97f4a7c15ull;
	return &tables->connections[hash >> 54];
}
_Static_assert(BUCKETS == 1u << (64 - 54), "the hash's upper bits");

/* ------------------------------------------------------------------------------------------------ may they share? */

/* Does a socket with this local address also get what is for the other's? */
static bool addresses_meet(const struct inet_sock *a, const struct net_addr *a_addr, const struct inet_sock *b)
{
	const struct net_addr *b_addr = &b->local.addr;
	bool a_both = inet_is_v6(a) && !a->options.v6_only, b_both = inet_is_v6(b) && !b->options.v6_only;
	bool a_any = net_addr_is_any(a_addr), b_any = net_addr_is_any(b_addr);

	if (!a_any && !b_any)
		return net_addr_equal(a_addr, b_addr);
	if (net_addr_is_v4(a_addr) == net_addr_is_v4(b_addr))
		return true;
	/* One of each family: they meet where :: stands for IPv4 too. */
	return net_addr_is_v4(a_addr) ? b_any && b_both : a_any && a_both;
}

static bool may_share(const struct inet_sock *a, const struct inet_sock *b)
{
	uint64_t reuse = 1ull << ABI_SO_REUSEADDR, port = 1ull << ABI_SO_REUSEPORT;

	if (a->base.flags & b->base.flags & port && a->uid == b->uid)
		return true;
	if (!(a->base.flags & b->base.flags & reuse))
		return false;
	return a->protocol != IP_PROTOCOL_TCP || !b->base.listening;
}

static bool conflicts(const struct inet_sock *sock, const struct net_end *local)
{
	const struct inet_sock *other;

	list_for_each (other, port_bucket(local->port), port_node)
		if (other != sock && other->protocol == sock->protocol && other->local.port == local->port &&
		    addresses_meet(sock, &local->addr, other) && !may_share(sock, other))
			return true;
	return false;
}

static void port_take(struct inet_sock *sock, uint16_t port)
{
	sock->local.port = port;
	list_push_back(port_bucket(port), &sock->port_node);
}

static int bind_anywhere(struct inet_sock *sock, struct net_end local)
{
	uint32_t start = net_random() % PORT_COUNT;

	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		local.port = (uint16_t)(PORT_FIRST + (start + i) % PORT_COUNT);
		if (conflicts(sock, &local))
			continue;
		port_take(sock, local.port);
		return 0;
	}
	return -EADDRINUSE;
}

int port_bind(struct inet_sock *sock, const struct cred *cred, const struct net_end *local)
{
	int error = 0;

	if (local->port && local->port < PORT_PRIVILEGED && sock->kind != INET_PING &&
	    !cred_capable(cred, CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (!local->port)
		error = bind_anywhere(sock, *local);
	else if (conflicts(sock, local))
		error = -EADDRINUSE;
	else
		port_take(sock, local->port);
	if (!error)
		sock->port_bound = true;
	return error;
}

/* Can a connecting socket have this port? Others that connect elsewhere do not matter. */
static bool free_for(const struct inet_sock *sock, const struct net_end *local, const struct net_end *remote)
{
	const struct inet_sock *other;

	list_for_each (other, port_bucket(local->port), port_node) {
		if (other->protocol != sock->protocol || other->local.port != local->port)
			continue;
		if (sock->protocol != IP_PROTOCOL_TCP || other->port_bound)
			return false;
	}
	return sock->protocol != IP_PROTOCOL_TCP || !connection_find(local, remote);
}

int port_choose(struct inet_sock *sock, const struct net_end *remote)
{
	struct net_end local = sock->local;
	uint32_t start = net_random() % PORT_COUNT;

	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		local.port = (uint16_t)(PORT_FIRST + (start + i) % PORT_COUNT);
		if (!free_for(sock, &local, remote))
			continue;
		port_take(sock, local.port);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

void port_share(struct inet_sock *sock, const struct inet_sock *listener)
{
	sock->port_bound = false; /* nobody has bound this one (sk_clone in Linux) */
	port_take(sock, listener->local.port);
}

void port_release(struct inet_sock *sock)
{
	list_remove(&sock->port_node);
	list_remove(&sock->hash_node);
	sock->port_bound = false;
}

int port_listen(struct inet_sock *sock)
{
	struct inet_sock *other;

	list_for_each (other, port_bucket(sock->local.port), port_node)
		if (other != sock && other->protocol == sock->protocol && other->local.port == sock->local.port &&
		    other->base.listening && addresses_meet(sock, &sock->local.addr, other) &&
		    !(other->base.flags & sock->base.flags & 1ull << ABI_SO_REUSEPORT && other->uid == sock->uid))
			return -EADDRINUSE;
	list_remove(&sock->hash_node);
	list_push_back(&tables->listeners[sock->local.port % BUCKETS], &sock->hash_node);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ whom it is for */

void connection_enter(struct inet_sock *sock)
{
	list_remove(&sock->hash_node);
	list_push_front(connection_bucket(&sock->local, &sock->remote), &sock->hash_node);
}

void connection_leave(struct inet_sock *sock)
{
	list_remove(&sock->hash_node);
}

struct inet_sock *connection_find(const struct net_end *local, const struct net_end *remote)
{
	struct inet_sock *sock;

	list_for_each (sock, connection_bucket(local, remote), hash_node)
		if (sock->local.port == local->port && sock->remote.port == remote->port &&
		    net_addr_equal(&sock->local.addr, &local->addr) &&
		    net_addr_equal(&sock->remote.addr, &remote->addr))
			return sock;
	return NULL;
}

/* Does a socket that is bound to 0.0.0.0 or :: get what is for this address? */
static bool any_takes(const struct inet_sock *sock, const struct net_addr *addr)
{
	if (net_addr_is_v4(&sock->local.addr))
		return net_addr_is_v4(addr);
	return !net_addr_is_v4(addr) || !sock->options.v6_only;
}

/* How well a bound or connected socket fits a packet: -1 not at all (compute_score in Linux). A ping socket gets all
 * the answers to its number, whoever sends them. */
static int score(const struct inet_sock *sock, const struct net_end *local, const struct net_end *remote)
{
	/* Its own family first; more if it is bound to the link. */
	int points = (inet_is_v6(sock) != net_addr_is_v4(&local->addr)) + 2 * !!sock->device;

	if (sock->local.port != local->port)
		return -1;
	if (net_addr_equal(&sock->local.addr, &local->addr))
		points += 8;
	else if (!net_addr_is_any(&sock->local.addr) || !any_takes(sock, &local->addr))
		return -1;
	if (!sock->remote.port || sock->kind == INET_PING)
		return points;
	if (sock->remote.port != remote->port || !net_addr_equal(&sock->remote.addr, &remote->addr))
		return -1;
	return points + 16;
}

/* Among equals with SO_REUSEPORT the remote's hash decides. */
struct choice {
	struct inet_sock *best;
	int points;
	uint32_t equals, hash;
};

static void choice_offer(struct choice *choice, struct inet_sock *sock, int points)
{
	if (points < 0 || points < choice->points)
		return;
	choice->equals = points > choice->points ? 1 : choice->equals + 1;
	choice->points = points;
	if (choice->equals > 1 && !(sock->base.flags & 1ull << ABI_SO_REUSEPORT)) {
		choice->best = sock; /* as Linux: the one that was bound last */
		return;
	}
	if (choice->equals == 1 || choice->hash % choice->equals == 0)
		choice->best = sock;
}

static uint32_t hash_of(const struct net_end *remote)
{
	return (uint32_t)((net_addr_hash(&remote->addr) ^ (uint64_t)remote->port * 0x9e3779b97f4a7c15ull) >> 33);
}

struct inet_sock *listener_find(const struct net_end *local, const struct net_end *remote)
{
	struct choice choice = {.points = -1, .hash = hash_of(remote)};
	struct inet_sock *sock;

	list_for_each (sock, &tables->listeners[local->port % BUCKETS], hash_node)
		choice_offer(&choice, sock, score(sock, local, remote));
	return choice.best;
}

struct inet_sock *datagram_find(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
				const struct link *link)
{
	struct choice choice = {.points = -1, .hash = hash_of(remote)};
	struct inet_sock *sock;

	list_for_each (sock, port_bucket(local->port), port_node)
		if (sock->protocol == protocol && (!link || inet_takes_from(sock, link)))
			choice_offer(&choice, sock, score(sock, local, remote));
	return choice.best;
}

struct inet_sock *datagram_next(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
				const struct link *link, const struct inet_sock *item)
{
	struct list *bucket = port_bucket(local->port);
	struct list *at = item ? item->port_node.next : bucket->next;

	for (; at != bucket; at = at->next) {
		struct inet_sock *sock = list_entry(at, struct inet_sock, port_node);
		if (sock->protocol == protocol && inet_takes_from(sock, link) && score(sock, local, remote) >= 0)
			return sock;
	}
	return NULL;
}

const struct inet_sock *socket_next(const struct inet_sock *item)
{
	unsigned bucket = item ? item->local.port % BUCKETS : 0;
	const struct list *at = item ? item->port_node.next : tables->by_port[0].next;

	while (at == &tables->by_port[bucket]) {
		if (++bucket == BUCKETS)
			return NULL;
		at = tables->by_port[bucket].next;
	}
	return list_entry(at, struct inet_sock, port_node);
}
