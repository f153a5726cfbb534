/* socket_filter.h - packet filters of sockets: the classic BPF that SO_ATTACH_FILTER takes (socket(7), the kernel's
 * Documentation/networking/filter.rst).
 */
#ifndef FS_SOCKET_FILTER_H
#define FS_SOCKET_FILTER_H

#include "sentry/base/types.h"
#include <linux/filter.h>

struct socket_filter;

/* What a program looks at: the packet's bytes in two pieces, and what is known about it. */
struct filter_input {
	const uint8_t *head, *rest;
	uint32_t head_bytes, rest_bytes;
	uint32_t network_at; /* offset of the network header: what SKF_NET_OFF counts from */
	uint32_t protocol;   /* EtherType, host order */
	uint32_t packet_type, link, hardware_type, mark;
};

/* Checks the instructions and copies them. Gives a counted program. -EINVAL; -ENOMEM, also at SOCKET_FILTER_LIMIT. */
must_check int socket_filter_new(const struct sock_filter *code, uint32_t count, struct socket_filter **out);
void socket_filter_get(struct socket_filter *program);
/* NULL is allowed. */
void socket_filter_put(struct socket_filter *program);
/* How many bytes of the packet are wanted; 0: none of it. NULL: everything is. */
uint32_t socket_filter_run(const struct socket_filter *program, const struct filter_input *input);

#endif
