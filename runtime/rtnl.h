/* rtnl.h - questions and orders to the host's kernel about interfaces, addresses and routes (rtnetlink(7)), outside of
 * the jail only. */
#ifndef RUNTIME_RTNL_H
#define RUNTIME_RTNL_H

#include "sentry/base/types.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* A socket for the current network namespace, close-on-exec. -errno. */
must_check int rtnl_open(void);
/* Calls each(message, argument) for every object of a kind (RTM_GETADDR, RTM_GETROUTE...), of both families. -errno. */
must_check int rtnl_dump(int fd, uint16_t type, void (*each)(const struct nlmsghdr *message, void *argument),
			 void *argument);
/* Sends what a dump has told, as an order of another type; flags: NLM_F_*. -errno: the kernel's answer. */
must_check int rtnl_order(int fd, const struct nlmsghdr *message, uint16_t type, uint16_t flags);
/* The attribute of this type behind a header of header_bytes, NULL: none. Borrowed. */
const struct rtattr *rtnl_attribute(const struct nlmsghdr *message, size_t header_bytes, uint16_t type);
/* The value of an attribute of four bytes; otherwise fallback. */
uint32_t rtnl_number(const struct nlmsghdr *message, size_t header_bytes, uint16_t type, uint32_t fallback);

#endif
