/* sniff_parts.h - what policy_sniff.c, sniff_tls.c and sniff_http.c have in common. */
#ifndef NETSTACK_SNIFF_PARTS_H
#define NETSTACK_SNIFF_PARTS_H

#include "netstack/policy_sniff.h"

#define TLS_HANDSHAKE 22 /* types of records (RFC 8446 section 5.1) */

enum sniff_state {
	SNIFF_BEGIN,
	SNIFF_TLS,
	SNIFF_HTTP_HEAD,    /* a request's line and fields are collected */
	SNIFF_HTTP_BODY,    /* left bytes of it */
	SNIFF_HTTP_CHUNK,   /* the line with a chunk's size is collected */
	SNIFF_HTTP_DATA,    /* left bytes of a chunk and its line end */
	SNIFF_HTTP_TRAILER, /* fields behind the last chunk */
	SNIFF_HTTP_UPGRADE, /* the next byte shows whether it is HTTP no more */
	SNIFF_ENDED,
};

/* Each gives what sniff_take is to return. */
enum sniff_event sniff_bad(struct policy_sniff *sniff, enum sniff_reason reason);
enum sniff_event sniff_done(struct policy_sniff *sniff);
enum sniff_event sniff_foreign(struct policy_sniff *sniff); /* neither TLS nor HTTP */

/* Take at least a byte, or give an event. */
uint32_t sniff_tls(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event);
uint32_t sniff_http(struct policy_sniff *sniff, const uint8_t *bytes, uint32_t size, enum sniff_event *event);

#endif
