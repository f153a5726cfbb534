/* counts.h - what the network stack has done since it began, for /proc/net/snmp (RFC 4293, 4022 and 4113 name the
 * counts). Whoever does it adds one; nobody but procstat.c reads them.
 */
#ifndef NETSTACK_COUNTS_H
#define NETSTACK_COUNTS_H

#include <stdint.h>

#define ICMP_TYPES 256

struct net_counts {
	struct {
		uint64_t in, in_wrong, delivered, out, no_route; /* of IPv4 */
	} ip;
	struct {
		uint64_t in[ICMP_TYPES], out[ICMP_TYPES], in_wrong; /* of IPv4 */
	} icmp;
	struct {
		uint64_t active, passive, failed, reset;      /* connections: begun by us, by others; ended too early */
		uint64_t in, in_wrong, out, again, out_reset; /* segments; again: counted in out as well */
	} tcp;
	struct udp_counts {
		uint64_t in, in_wrong, in_full, no_port, out; /* of IPv4 */
	} udp, udplite;
};

extern struct net_counts net_counts;

#endif
