/* netlink.h - AF_NETLINK sockets of the route family (netlink(7), rtnetlink(7)). */
#ifndef NETSTACK_NETLINK_H
#define NETSTACK_NETLINK_H

#include "sentry/base/types.h"

/* Registers the family; called once by inet_init. -ENOMEM. */
must_check int netlink_init(void);

#endif
