/* netlink.h - AF_NETLINK sockets of the route family (netlink(7), rtnetlink(7)). */
#ifndef NETSTACK_NETLINK_H
#define NETSTACK_NETLINK_H

#include "sentry/base/types.h"

struct file;
struct text;

/* Registers the family; called once by inet_init. -ENOMEM. */
must_check int netlink_init(void);

/* Is this a socket of the family? 0, or as mq_notify(2) complains: -ENOTSOCK, -EINVAL (of another family). */
must_check int netlink_check(const struct file *file);

/* Puts a message of the kernel's own, of at most 8 KiB, into the queue of such a socket. Lost if that is full. */
void netlink_deliver(struct file *file, const void *bytes, uint32_t size);

/* /proc/net/netlink. */
void netlink_show(struct text *out);

#endif
