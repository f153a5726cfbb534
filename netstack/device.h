/* device.h - network interfaces as programs ask for them: the ioctls of netdevice(7), and the facts that netlink tells
 * too.
 */
#ifndef NETSTACK_DEVICE_H
#define NETSTACK_DEVICE_H

#include "netstack/link.h"

/* Registers the ioctls; called once by inet_init. */
void device_init(void);

/* Links by their place, 0 first; NULL behind the last. Borrowed. */
const struct link *device_at(unsigned place);
/* IFF_* of a link (netdevice(7)). */
uint32_t device_flags(const struct link *link);
/* The addresses of a link, by place; false behind the last. prefix: bits. */
must_check bool device_address(const struct link *link, unsigned place, struct net_addr *addr, uint8_t *prefix);

#endif
