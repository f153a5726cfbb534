/* poll.h - structures of poll, select and epoll as Linux x86-64 has them. */
#ifndef SENTRY_ABI_POLL_H
#define SENTRY_ABI_POLL_H

#include <stdint.h>

struct abi_pollfd {
	int32_t fd;
	int16_t events, revents;
};
_Static_assert(sizeof(struct abi_pollfd) == 8, "struct pollfd");

/* Packed on x86-64 (EPOLL_PACKED). */
struct abi_epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));
_Static_assert(sizeof(struct abi_epoll_event) == 12, "struct epoll_event");

#define ABI_EPOLL_CTL_ADD 1
#define ABI_EPOLL_CTL_DEL 2
#define ABI_EPOLL_CTL_MOD 3

#define ABI_EPOLLEXCLUSIVE (1u << 28)
#define ABI_EPOLLWAKEUP    (1u << 29)
#define ABI_EPOLLONESHOT   (1u << 30)
#define ABI_EPOLLET        (1u << 31)

#endif
