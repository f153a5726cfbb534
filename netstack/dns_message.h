/* dns_message.h - messages of the DNS (RFC 1035), as far as a forwarder for addresses needs them: a program's question
 * in, our own question out, a resolver's answer in, our own answer out.
 *
 * No byte of a message is ever passed on: what was understood is written anew. Pure; tests/fuzz/dns.c feeds it the
 * worst.
 */
#ifndef NETSTACK_DNS_MESSAGE_H
#define NETSTACK_DNS_MESSAGE_H

#include "netstack/policy_rule.h"

#define DNS_QUERY_BYTES   512u  /* of a question; longer ones are none of ours */
#define DNS_MESSAGE_BYTES 4096u /* of an answer */
#define DNS_UDP_BYTES     512u  /* of an answer by UDP without EDNS(0) */
#define DNS_EDNS_BYTES    1232u /* with it, what passes everywhere */
#define DNS_WIRE_BYTES    255u  /* of a name */
#define DNS_ADDRESSES     64

enum { DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28 };
enum dns_code {
	DNS_NO_ERROR,
	DNS_FORMAT_ERROR,
	DNS_SERVER_FAILURE,
	DNS_NO_SUCH_NAME,
	DNS_NOT_IMPLEMENTED,
	DNS_REFUSED,
};

struct dns_question {
	uint16_t id, type;
	bool recursion, edns;
	uint32_t udp_bytes;           /* what the asker takes by UDP */
	enum dns_code code;           /* anything but DNS_NO_ERROR is to be answered with it */
	char name[POLICY_NAME_BYTES]; /* normalized; "": no host's name */
	uint8_t wire[DNS_WIRE_BYTES]; /* the name as it was asked for, to be given back */
	uint32_t wire_bytes;
	uint16_t class;
};

struct dns_answer {
	enum dns_code code;
	uint32_t ttl_s; /* the least of all records on the way */
	unsigned count;
	struct net_addr addr[DNS_ADDRESSES];
};

/* false: no question at all, or not one that can be answered: not a word about it. */
must_check bool dns_question_read(const uint8_t *bytes, uint32_t size, struct dns_question *out);
/* A question of our own for a normalized name; returns its size. */
uint32_t dns_question_write(uint16_t id, const char *name, uint16_t type, uint8_t out[DNS_QUERY_BYTES]);
/* The addresses for name, its aliases followed. false: it is not the answer to this question, or broken. */
must_check bool dns_answer_read(const uint8_t *bytes, uint32_t size, uint16_t id, const char *name, uint16_t type,
				struct dns_answer *out);
/* At most limit bytes, DNS_UDP_BYTES at least; what does not fit is left out, and said so. Returns its size. */
uint32_t dns_answer_write(const struct dns_question *question, const struct dns_answer *answer, uint8_t *out,
			  uint32_t limit);

#endif
