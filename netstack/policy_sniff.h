/* policy_sniff.h - which server a connection's first bytes are for: the SNI of TLS (RFC 6066 section 3), the Host of
 * HTTP/1 (RFC 9112 section 3.2).
 *
 * An address that is shared by many names is no proof of the name. So what a program says first must say the name by
 * which it was let through, before any byte leaves. Pure: bytes in, names out; tests/fuzz/sniff.c feeds it the worst.
 */
#ifndef NETSTACK_POLICY_SNIFF_H
#define NETSTACK_POLICY_SNIFF_H

#include "netstack/policy_rule.h"

#define SNIFF_BYTES 16384u /* of a ClientHello, or of the head of a request: longer ones are refused */

enum sniff_event {
	SNIFF_MORE, /* nothing yet */
	SNIFF_NAME, /* name is what the connection is said to be for; "": it does not say */
	SNIFF_DONE, /* nothing more to see: the rest may pass */
	SNIFF_BAD,  /* sniff_reason: it cannot be said for sure what the server would understand */
};

/* Why it is bad. */
enum sniff_reason {
	SNIFF_NO_TLS,
	SNIFF_NO_HTTP,
	SNIFF_HIDDEN_NAME,
	SNIFF_HELLO_BROKEN,
	SNIFF_HELLO_LONG,
	SNIFF_HELLO_MISSING,
	SNIFF_RECORDS_BROKEN,
	SNIFF_HTTP_BROKEN,
	SNIFF_HTTP_LONG,
	SNIFF_HTTP_HOSTS,
	SNIFF_HTTP_UPGRADED,
	SNIFF_REASONS
};

struct policy_sniff {
	uint8_t state, reason;
	bool must_tls, must_know; /* port 443; ports 80 and 443: something that names its server */
	bool hello_seen, ciphered, early_data, upgrade, chunked;
	uint8_t record_type;
	uint8_t small[8]; /* a record's header, a message's */
	uint32_t small_used;
	uint64_t left;         /* of the record, the body, the chunk */
	uint32_t message_left; /* of a handshake message that is skipped */
	uint32_t held;         /* bytes taken that may not leave yet */
	uint32_t used;
	char name[POLICY_NAME_BYTES];
	uint8_t head[SNIFF_BYTES];
};

/* port: of the server. */
void sniff_start(struct policy_sniff *sniff, uint16_t port);
/* Takes bytes up to the next event; returns how many. After SNIFF_NAME go on with the rest if the name is right. After
 * SNIFF_DONE and SNIFF_BAD there is nothing to go on with. */
uint32_t sniff_take(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event);

/* In words. */
const char *sniff_reason(const struct policy_sniff *sniff);

/* The name in a whole ClientHello, without its record headers: type, length, body. false: sniff->reason says why. */
must_check bool sniff_hello(struct policy_sniff *sniff, const uint8_t *hello, uint32_t size);

#endif
