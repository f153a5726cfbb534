/* policy_rule.h - what a sandbox may reach: rules as a person writes them, and what they say about an address or a
 * name.
 *
 *     api.example.com:443      a name, and one of its ports     *.example.org      every name below, all ports
 *     10.0.0.0/8:5432/tcp      addresses                        [2001:db8::]/32:1000-2000
 *     public                   all that is no private, link-local, metadata or otherwise special address
 *
 * docs/policy.md has the whole syntax. Pure: no state, no host calls, no memory; the command line checks with the same
 * functions what the sentry enforces.
 */
#ifndef NETSTACK_POLICY_RULE_H
#define NETSTACK_POLICY_RULE_H

#include "netstack/addr.h"
#include "sentry/base/text.h"

#define POLICY_RULE_LIMIT  512
#define POLICY_NAME_BYTES  254 /* RFC 1035 section 2.3.4, as text, with its zero byte */
#define POLICY_WHY_BYTES   160
#define POLICY_RULE_BYTES  300 /* of a rule as text */
#define POLICY_PORT_LAST   65535
#define POLICY_LABEL_BYTES 63

enum policy_protocol { POLICY_TCP = 1, POLICY_UDP = 2, POLICY_ICMP = 4, POLICY_OTHER = 8, POLICY_ANY = 15 };

enum policy_rule_kind { POLICY_RULE_NAME, POLICY_RULE_NET, POLICY_RULE_PUBLIC };

struct policy_rule {
	enum policy_rule_kind kind;
	bool deny;
	bool below;        /* *.name: what is below, not the name itself */
	uint8_t protocols; /* POLICY_* */
	uint8_t prefix;
	uint16_t port_first, port_last; /* 0 and POLICY_PORT_LAST: all */
	uint32_t line;                  /* of the policy file; 0: of the command line */
	struct net_addr net;
	char name[POLICY_NAME_BYTES]; /* lower case, without the dot at the end */
};

/* 0: no limit. */
struct policy_limits {
	uint64_t connections; /* at a time */
	uint64_t per_minute;  /* new ones */
	uint64_t up_bytes, down_bytes;
};

struct policy_rules {
	uint32_t count;
	struct policy_limits limits;
	struct policy_rule rule[POLICY_RULE_LIMIT];
};

/* false: why says in a few words what is wrong with the text and what to write instead. */
must_check bool policy_rule_parse(const char *text, bool deny, struct policy_rule *out, char why[POLICY_WHY_BYTES]);
/* As it would be written. */
void policy_rule_show(const struct policy_rule *rule, struct text *text);
/* -1: there is no rule that can never hold because what it allows is denied; else its index, and *denied the other's.
 */
int policy_rules_contradiction(const struct policy_rules *rules, uint32_t *denied);

enum policy_answer { POLICY_SAYS_NOTHING, POLICY_ALLOWS, POLICY_DENIES };

/* Denials come before everything. *rule: the index of the one that decides; left alone when none does. */
enum policy_answer policy_rules_addr(const struct policy_rules *rules, const struct net_addr *addr, uint16_t port,
				     uint8_t protocol, uint32_t *rule);
/* Only rules with names. name: lower case, no dot at the end. */
enum policy_answer policy_rules_name(const struct policy_rules *rules, const char *name, uint16_t port,
				     uint8_t protocol, uint32_t *rule);
/* May the name be asked for at all, for whichever port? */
enum policy_answer policy_rules_resolve(const struct policy_rules *rules, const char *name, uint32_t *rule);
/* Is there a rule that denies a name? */
bool policy_rules_deny_names(const struct policy_rules *rules);

/* Anybody's, and nobody's in particular: not of the special ranges of RFC 6890 and the IANA registries, not where
 * clouds keep metadata; an IPv6 address that stands for an IPv4 one is judged as that. */
bool policy_addr_is_public(const struct net_addr *addr);

/* A host's name with labels of letters, digits, - and _, in lower case, without the dot at its end; false: it is none,
 * or may be taken for a number. out and text may be the same. */
must_check bool policy_name_normalize(const char *text, size_t size, char out[POLICY_NAME_BYTES]);

#endif
