/* sysnet.h - /sys/class/net: the links as files (sysfs(5), Documentation/ABI/testing/sysfs-class-net). */
#ifndef NETSTACK_SYSNET_H
#define NETSTACK_SYSNET_H

/* Adds the directories to /sys; once, after sys_init. */
void sysnet_init(void);

#endif
