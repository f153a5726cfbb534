/* net.h - the stack as a whole: its start, its one place of work, its clock, its random numbers.
 *
 * Everything happens on the sentry's one thread. Calls of sockets queue packets on links and end with net_run, which
 * takes what has arrived up through the layers until nothing is left; over loopback that is the answer to what was just
 * sent. Nothing in the stack parks but the socket calls themselves (inet*.c), before or after their work.
 */
#ifndef NETSTACK_NET_H
#define NETSTACK_NET_H

#include "sentry/base/tree.h"
#include "sentry/base/types.h"

/* Before the first task, after fs_init: registers AF_INET and AF_INET6. -ENOMEM. */
must_check int net_init(void);

/* Takes in what has arrived, and what that causes, until the queues are empty. A call inside of a run returns at once:
 * the outer one goes on. */
void net_run(void);

/* Numbers that a guest cannot guess (ports, first sequence numbers, identifications): bytes of the host's getrandom,
 * fetched many at a time. */
uint32_t net_random(void);

/* ------------------------------------------------------------------------------------------------ timers */

/* What a deadline is for: indexes the table of what is called (no function pointer in the arena). */
enum net_timer_kind {
	NET_TIMER_TCP_RETRANSMIT,
	NET_TIMER_TCP_EARLY,
	NET_TIMER_TCP_DELAYED_ACK,
	NET_TIMER_TCP_KEEPALIVE,
	NET_TIMER_TCP_LINGER,
	NET_TIMER_NEIGHBOUR,
	NET_TIMER_AUTOCONF,
	NET_TIMER_FRAGMENT,
	NET_TIMER_GROUP,
	NET_TIMER_POLICY,
	NET_TIMER_KINDS
};

/* Embedded in its owner; armed ones are in one tree by deadline. */
struct net_timer {
	RB_ENTRY(net_timer) node;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	enum net_timer_kind kind;
	bool armed;
};

void net_timer_setup(struct net_timer *timer, enum net_timer_kind kind);
/* Arming an armed one moves it. When the time has come it is disarmed and its kind's function called, which must not
 * park; net_run follows. */
void net_timer_arm(struct net_timer *timer, uint64_t deadline_ns);
void net_timer_disarm(struct net_timer *timer);
void net_timer_register(enum net_timer_kind kind, void (*fired)(struct net_timer *timer));

#endif
