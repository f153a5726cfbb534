/* policy.h - who in the sandbox may talk to whom outside: decided inside the stack, where nothing that runs in the
 * sandbox can go round it (docs/policy.md, docs/decisions/0011-policy.md).
 *
 * Only what leaves or comes in by an Ethernet link is asked about; the loopback and the sandbox's own addresses are
 * nobody's business. Without rules everything is refused.
 *
 * Three gates, each of which refuses by itself:
 *     policy_connect     a TCP connection is to begin: the program gets EACCES
 *     policy_leaves      a packet with its transport header, whole, on its way out; policy_frame: a frame that did not
 *                        pass there (AF_PACKET, raw sockets with a header of their own)
 *     policy_enters      a packet from outside, put together from its fragments
 *
 * What was allowed once is a *flow*: protocol and both ends. Answers to it come in, and it is counted and audited.
 */
#ifndef NETSTACK_POLICY_H
#define NETSTACK_POLICY_H

#include "netstack/ip.h"
#include "netstack/policy_rule.h"

struct inet_sock;
struct policy_flow;

#define POLICY_PUBLISH_LIMIT  64
#define POLICY_RESOLVER_LIMIT 3 /* as MAXNS of resolv.conf(5) */

/* Ports of the sandbox that are reached from outside (--publish). */
struct policy_publish {
	uint8_t protocol; /* POLICY_TCP, POLICY_UDP */
	uint16_t first, last;
};

struct policy_config {
	struct policy_rules rules;
	struct policy_publish publish[POLICY_PUBLISH_LIMIT];
	unsigned publish_count;
	struct net_addr resolver[POLICY_RESOLVER_LIMIT]; /* who our forwarder asks about allowed names (dns.h) */
	unsigned resolver_count;
	uint32_t audit_file; /* host file for records (policy_audit.h), or HOSTFILE_NONE */
	bool explain;        /* a line on standard error for each distinct refusal */
};

/* Once at start, by net_init: nothing is allowed. -ENOMEM. */
must_check int policy_init(void);
/* Before the first packet. Copied. */
void policy_install(const struct policy_config *config);
/* New rules for a running sandbox; copied. What they no longer allow is dropped. Returns how many flows that were. */
struct policy_change;
uint32_t policy_replace(const struct policy_change *change);
/* Borrowed. */
const struct policy_config *policy_config(void);

/* ------------------------------------------------------------------------------------------------ the gates */

/* A connection that sock, whose local end is known, is about to make. -EACCES; -EAGAIN at a limit, -ENOBUFS. */
must_check int policy_connect(struct inet_sock *sock, const struct net_end *remote, const struct route *route);
/* A connection that came in is complete. */
void policy_accepted(struct inet_sock *sock);
/* sock's connection is no more: its flow ends. May be called without one. */
void policy_closed(struct inet_sock *sock);
/* A whole packet with its transport header. raw: made by a program, not by the stack: only rules with addresses count.
 * -EACCES; -EAGAIN at a limit, -ENOBUFS. The packet stays the caller's. */
must_check int policy_leaves(const struct route *route, const struct net_addr *target, uint8_t protocol, bool raw,
			     const struct buf *buf);
/* A packet with its network header that nobody has judged: as raw ones, and everything in it must be what we are. */
must_check bool policy_packet(const struct link *link, const struct buf *packet);
/* A frame that nobody has judged. The same rules as for raw packets, and everything in it must be what we are. */
must_check bool policy_frame(const struct link *link, const struct buf *frame);
/* A packet from outside, its network headers taken off. */
must_check bool policy_enters(const struct buf *buf);

/* May others be told that we listen to this group? A program chooses it, so it could say something. */
must_check bool policy_group(const struct net_addr *group);

/* ------------------------------------------------------------------------------------------------ names */

/* An allowed name was found to have this address, and may be connected to there for so long. */
void policy_pin(const char *name, const struct net_addr *addr, uint64_t life_ns);
/* May this answer be given for a name? Public addresses may, others only where a rule names them. */
must_check bool policy_answer_acceptable(const struct net_addr *addr);
/* A datagram socket of the stack's own, for asking resolvers: its flow, whatever the rules say. -ENOBUFS. */
must_check int policy_own_flow(const struct net_end *local, const struct net_end *remote);
void policy_own_flow_end(const struct net_end *local, const struct net_end *remote);

/* ------------------------------------------------------------------------------------------------ what is said */

/* Bytes that a program writes to a connection, in their order, before they may leave. Returns how many of all bytes so
 * far are still held back, or -ECONNRESET: the connection is to be reset. */
must_check int policy_inspect(struct inet_sock *sock, const void *bytes, uint32_t size);
/* Does somebody look at what this connection sends? */
bool policy_inspects(const struct inet_sock *sock);

#endif
