/* counts.h - what the network stack has done since it began, for /proc/net/snmp, snmp6 and netstat (RFC 4293, 4022 and
 * 4113 name the counts). Whoever does it adds one; nobody but procstat.c reads them.
 */
#ifndef NETSTACK_COUNTS_H
#define NETSTACK_COUNTS_H

#include <stdint.h>

#define ICMP_TYPES 256
#define FAMILIES   2 /* IPv4, IPv6: what is of one is indexed by "is it IPv6?" */

struct net_counts {
	struct ip_counts {
		uint64_t in, in_wrong, delivered, out, no_route, in_bytes, out_bytes;
		uint64_t in_ecn[4]; /* by the bits of congestion notification: none, ECT(1), ECT(0), CE */
	} ip[FAMILIES];
	struct icmp_counts {
		uint64_t in[ICMP_TYPES], out[ICMP_TYPES], in_wrong;
	} icmp[FAMILIES];
	struct {
		uint64_t active, passive, failed, reset;      /* connections: begun by us, by others; ended too early */
		uint64_t in, in_wrong, out, again, out_reset; /* segments; again: counted in out as well */
	} tcp;
	struct udp_counts {
		uint64_t in, in_wrong, in_full, no_port, out;
	} udp[FAMILIES], udplite[FAMILIES];
};

extern struct net_counts net_counts;

#endif
