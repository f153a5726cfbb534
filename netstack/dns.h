/* dns.h - the sandbox's own forwarder for names, the only way to look one up (RFC 1035, RFC 5625).
 *
 * Programs ask DNS_ADDRESS (their resolv.conf says so) by UDP or TCP. A name that no rule allows does not exist, and
 * nobody outside hears of it. An allowed one is asked for outside with a question of our own; what comes back is pinned
 * (policy_pin), and only addresses that a rule can allow are given on.
 */
#ifndef NETSTACK_DNS_H
#define NETSTACK_DNS_H

#include "sentry/base/types.h"

#define DNS_ADDRESS      0x7f000035u /* 127.0.0.53, in host order */
#define DNS_ADDRESS_TEXT "127.0.0.53"

/* After policy_install, before the first program. -ENOMEM and others: there is no forwarder. */
must_check int dns_start(void);

#endif
