/* autoconf.h - addresses that have to be tried before they are ours, and those that routers tell (RFC 4862). */
#ifndef NETSTACK_AUTOCONF_H
#define NETSTACK_AUTOCONF_H

#include "netstack/link.h"

/* Once at start, by net_init. */
void autoconf_init(void);
/* The link's addresses are new: others are asked whether they have them, or told that we do. ask_routers: the link also
 * gets an address of its own, and takes addresses, routes and MTU from routers. Once a link. -ENOMEM. */
must_check int autoconf_start(struct link *link, bool ask_routers);
/* PARKS until routers that were asked have answered, or have had time enough. */
void autoconf_wait(void);

/* Somebody else has, or wants, this address. false: we do not try it, and the message means something else. */
bool autoconf_objection(const struct link *link, const struct net_addr *addr);
/* A router advertisement, hop limit and checksum right, the ICMPv6 header taken off; rest: its last word. Takes buf. */
void autoconf_input(uint32_t rest, struct buf *buf);

#endif
