/* device.h - network interfaces as programs ask for them: the ioctls of netdevice(7), and what netlink tells too.
 */
#ifndef NETSTACK_DEVICE_H
#define NETSTACK_DEVICE_H

#include "netstack/link.h"

/* Registers the ioctls; called once by inet_init. */
void device_init(void);

/* IFF_* of a link (netdevice(7)). */
uint32_t device_flags(const struct link *link);

#endif
