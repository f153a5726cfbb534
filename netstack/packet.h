/* packet.h - AF_PACKET sockets: frames as they come in and leave (packet(7)). */
#ifndef NETSTACK_PACKET_H
#define NETSTACK_PACKET_H

#include "netstack/link.h"

/* Registers the family; called once by inet_init. -ENOMEM. */
must_check int packet_init(void);

/* One line of /proc/net/packet for each socket. */
struct text;
void packet_show(struct text *out);

#endif
