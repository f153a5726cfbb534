/* addr.h - network addresses: one type for IPv4 and IPv6, so that everything above the network layer is written once.
 *
 * An IPv4 address is kept as an IPv4-mapped one (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). So "any address" exists
 * twice, :: and ::ffff:0.0.0.0, as sockets of both families have it. Ports are in host order throughout netstack/.
 */
#ifndef NETSTACK_ADDR_H
#define NETSTACK_ADDR_H

#include "sentry/base/types.h"
#include <string.h>

struct net_addr {
	union {
		uint8_t bytes[16];
		uint32_t words[4]; /* in network order, like the bytes */
		uint64_t halves[2];
	};
};

/* An address with a port. */
struct net_end {
	struct net_addr addr;
	uint16_t port;
	uint32_t link; /* of a link-local address: the index of its link (sin6_scope_id); 0: not said */
};

#define NET_ADDR_ANY6    ((struct net_addr){.words = {0}})
#define NET_ADDR_LOOP6   ((struct net_addr){.bytes = {[15] = 1}})
#define NET_V4_ANY       0x00000000u
#define NET_V4_LOOPBACK  0x7f000001u
#define NET_V4_BROADCAST 0xffffffffu

static inline uint16_t net16(uint16_t value)
{
	return __builtin_bswap16(value);
}

static inline uint32_t net32(uint32_t value)
{
	return __builtin_bswap32(value);
}

/* v4: in host order. */
static inline struct net_addr net_addr_v4(uint32_t v4)
{
	return (struct net_addr){.words = {0, 0, net32(0xffff), net32(v4)}};
}

static inline bool net_addr_is_v4(const struct net_addr *addr)
{
	return !addr->halves[0] && addr->words[2] == net32(0xffff);
}

/* The IPv4 address in host order; only of one that is. */
static inline uint32_t net_addr_to_v4(const struct net_addr *addr)
{
	return net32(addr->words[3]);
}

static inline bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

/* 0.0.0.0 or ::. */
static inline bool net_addr_is_any(const struct net_addr *addr)
{
	return !addr->halves[0] && !addr->words[3] && (!addr->words[2] || addr->words[2] == net32(0xffff));
}

/* 127.0.0.0/8 (RFC 1122 section 3.2.1.3) or ::1. */
static inline bool net_addr_is_loopback(const struct net_addr *addr)
{
	if (net_addr_is_v4(addr))
		return addr->bytes[12] == 127;
	return !addr->halves[0] && addr->halves[1] == NET_ADDR_LOOP6.halves[1];
}

static inline struct net_addr net_addr_any(bool v6)
{
	return v6 ? NET_ADDR_ANY6 : net_addr_v4(NET_V4_ANY);
}

/* As a target "any" means this host (RFC 1122 section 3.2.1.3 (a), as Linux reads it). */
static inline void net_addr_any_is_here(struct net_addr *addr)
{
	if (net_addr_is_any(addr))
		*addr = net_addr_is_v4(addr) ? net_addr_v4(NET_V4_LOOPBACK) : NET_ADDR_LOOP6;
}

/* 224.0.0.0/4 or ff00::/8. */
static inline bool net_addr_is_multicast(const struct net_addr *addr)
{
	return net_addr_is_v4(addr) ? addr->bytes[12] >> 4 == 14 : addr->bytes[0] == 0xff;
}

static inline bool net_addr_is_broadcast(const struct net_addr *addr)
{
	return net_addr_is_v4(addr) && net_addr_to_v4(addr) == NET_V4_BROADCAST;
}

/* 169.254.0.0/16 or fe80::/10: good on one link only. */
static inline bool net_addr_is_link_local(const struct net_addr *addr)
{
	if (net_addr_is_v4(addr))
		return net_addr_to_v4(addr) >> 16 == 0xa9fe;
	return addr->bytes[0] == 0xfe && addr->bytes[1] >> 6 == 2;
}

static inline uint64_t net_addr_hash(const struct net_addr *addr)
{
	return (addr->halves[0] * 31 + addr->halves[1]) * 0x9e3779b97f4a7c15ull;
}

#endif
