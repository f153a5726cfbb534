/* policy_rule.c - see policy_rule.h.
 *
 * A text is taken apart from its end: /protocol, then :ports, then the address or name. What might be meant in two ways
 * is refused: a name that is a number (2130706433, 0x7f.1 and 010.0.0.1 are addresses to some programs), a network with
 * bits behind its prefix.
 *
 * Limits: names of ASCII only; write xn--... for others. A wildcard stands for whole labels at the front alone.
 */
#include "netstack/policy_rule.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES    320 /* of a rule: more is no rule */
#define NAT64_PREFIX  96  /* 64:ff9b::/96 (RFC 6052) */
#define SIX_TO_FOUR   16  /* 2002::/16 (RFC 3056) */
#define PORT_DIGITS   5
#define PREFIX_DIGITS 3

/* ------------------------------------------------------------------------------------------------ addresses */

static bool net_holds(const struct net_addr *net, unsigned prefix, const struct net_addr *addr)
{
	unsigned bits = prefix + (net_addr_is_v4(net) ? 96u : 0u), whole = bits / 8, rest = bits % 8;

	if (net_addr_is_v4(net) != net_addr_is_v4(addr))
		return false;
	return !memcmp(net->bytes, addr->bytes, whole) &&
	       (!rest || !((net->bytes[whole] ^ addr->bytes[whole]) >> (8 - rest)));
}

/* The IPv4 address that an IPv6 address stands for: NAT64 and 6to4. false: it stands for none. */
static bool embedded4(const struct net_addr *addr, struct net_addr *out)
{
	static const struct net_addr nat64 = {.bytes = {0, 0x64, 0xff, 0x9b}}, six = {.bytes = {0x20, 0x02}};
	uint32_t v4;

	if (net_addr_is_v4(addr))
		return false;
	if (net_holds(&nat64, NAT64_PREFIX, addr))
		memcpy(&v4, addr->bytes + 12, sizeof v4);
	else if (net_holds(&six, SIX_TO_FOUR, addr))
		memcpy(&v4, addr->bytes + 2, sizeof v4);
	else
		return false;
	*out = net_addr_v4(net32(v4));
	return true;
}

/* What is not public of IPv4 (RFC 6890 and its registry), and metadata services at public addresses. */
static const struct {
	uint32_t net;
	unsigned prefix;
} special4[] = {
	{0x00000000, 8},  /* "this network" */
	{0x0a000000, 8},  /* private */
	{0x64400000, 10}, /* carriers' NAT; 100.100.100.200 of a cloud */
	{0x7f000000, 8},  /* loopback */
	{0xa83f8110, 32}, /* 168.63.129.16, a cloud's host */
	{0xa9fe0000, 16}, /* link-local; 169.254.169.254 of clouds */
	{0xac100000, 12}, /* private */
	{0xc0000000, 24}, /* protocol assignments */
	{0xc0000200, 24}, /* documentation */
	{0xc0586300, 24}, /* 6to4 relays */
	{0xc0a80000, 16}, /* private */
	{0xc6120000, 15}, /* benchmarks */
	{0xc6336400, 24}, /* documentation */
	{0xcb007100, 24}, /* documentation */
	{0xe0000000, 3},  /* groups, reserved, broadcast */
};

/* What is not public within 2000::/3, which alone is given out. */
static const struct {
	struct net_addr net;
	unsigned prefix;
} special6[] = {
	{{.bytes = {0x20, 0x01}}, 23},             /* protocol assignments, Teredo (which hides addresses) */
	{{.bytes = {0x20, 0x01, 0x0d, 0xb8}}, 32}, /* documentation */
	{{.bytes = {0x3f, 0xff}}, 20},             /* documentation */
	{{.bytes = {0x3f, 0xfe}}, 16},             /* the 6bone's, given back */
};

bool policy_addr_is_public(const struct net_addr *addr)
{
	static const struct net_addr global = {.bytes = {0x20}};
	struct net_addr v4;

	if (embedded4(addr, &v4))
		return policy_addr_is_public(&v4);
	if (net_addr_is_v4(addr)) {
		for (unsigned i = 0; i < COUNT(special4); i++)
			if (!((net_addr_to_v4(addr) ^ special4[i].net) >> (32 - special4[i].prefix)))
				return false;
		return true;
	}
	if (!net_holds(&global, 3, addr))
		return false;
	for (unsigned i = 0; i < COUNT(special6); i++)
		if (net_holds(&special6[i].net, special6[i].prefix, addr))
			return false;
	return true;
}

/* ------------------------------------------------------------------------------------------------ names */

static bool is_label_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Would some program take the label for a part of an address? inet_aton(3) reads decimal, octal and hexadecimal. */
static bool is_number(const char *label, size_t size)
{
	size_t at = size > 1 && label[0] == '0' && label[1] == 'x' ? 2 : 0;
	bool hex = at;

	for (; at < size; at++)
		if (!(hex ? isxdigit((unsigned char)label[at]) : isdigit((unsigned char)label[at])))
			return false;
	return true;
}

bool policy_name_normalize(const char *text, size_t size, char out[POLICY_NAME_BYTES])
{
	size_t label = 0;

	if (size && text[size - 1] == '.')
		size--;
	if (!size || size >= POLICY_NAME_BYTES)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '.' && i == label)
			return false;
		if (text[i] != '.' && (!is_label_byte(text[i]) || i - label >= POLICY_LABEL_BYTES))
			return false;
		out[i] = (char)tolower((unsigned char)text[i]);
		if (text[i] == '.')
			label = i + 1;
	}
	out[size] = 0;
	return label < size && !is_number(out + label, size - label);
}

/* Is name the rule's, or below it? */
static bool name_holds(const struct policy_rule *rule, const char *name)
{
	size_t length = strlen(name), own = strlen(rule->name);

	if (!rule->below)
		return !strcmp(name, rule->name);
	return length > own + 1 && name[length - own - 1] == '.' && !strcmp(name + length - own, rule->name);
}

/* ------------------------------------------------------------------------------------------------ reading */

printf_like(2, 3) static bool wrong(char why[POLICY_WHY_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, POLICY_WHY_BYTES, format, args);
	va_end(args);
	return false;
}

static bool read_number(const char *text, size_t digits, uint32_t limit, uint32_t *out)
{
	if (!*text || strlen(text) > digits || strspn(text, "0123456789") != strlen(text))
		return false;
	*out = (uint32_t)strtoul(text, NULL, 10);
	return *out <= limit;
}

/* Takes "/tcp" and the like off the end. */
static bool take_protocol(char *text, struct policy_rule *rule, char why[POLICY_WHY_BYTES])
{
	static const struct {
		const char *name;
		uint8_t bits;
	} known[] = {{"tcp", POLICY_TCP}, {"udp", POLICY_UDP}, {"icmp", POLICY_ICMP}, {"any", POLICY_ANY}};
	char *slash = strrchr(text, '/');

	if (!slash || !isalpha((unsigned char)slash[1]))
		return true;
	for (unsigned i = 0; i < COUNT(known); i++)
		if (!strcmp(slash + 1, known[i].name)) {
			rule->protocols = known[i].bits;
			*slash = 0;
			return true;
		}
	return wrong(why, "/%.20s is no protocol: use /tcp, /udp, /icmp or /any", slash + 1);
}

static bool read_ports(char *ports, struct policy_rule *rule, char why[POLICY_WHY_BYTES])
{
	char *dash = strchr(ports, '-');
	uint32_t first, last;

	if (dash)
		*dash = 0;
	if (!read_number(ports, PORT_DIGITS, POLICY_PORT_LAST, &first) || !first)
		return wrong(why, "\"%.20s\" is no port: use a number from 1 to %d", ports, POLICY_PORT_LAST);
	last = first;
	if (dash && (!read_number(dash + 1, PORT_DIGITS, POLICY_PORT_LAST, &last) || last < first))
		return wrong(why, "\"%.20s\" does not end a range of ports that begins with %u", dash + 1, first);
	if (rule->protocols == POLICY_ICMP || rule->protocols == POLICY_ANY)
		return wrong(why, "ports belong to tcp and udp alone: leave the ports or the protocol out");
	rule->port_first = (uint16_t)first;
	rule->port_last = (uint16_t)last;
	return true;
}

static bool read_prefix(const char *text, struct policy_rule *rule, char why[POLICY_WHY_BYTES])
{
	unsigned limit = net_addr_is_v4(&rule->net) ? 32 : 128;
	struct net_addr net = rule->net;
	uint32_t prefix = limit;

	if (text && !read_number(text, PREFIX_DIGITS, limit, &prefix))
		return wrong(why, "/%.20s is no prefix: use a number up to %u", text, limit);
	rule->prefix = (uint8_t)prefix;
	for (unsigned bit = prefix + 128 - limit; bit < 128; bit++)
		net.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	if (net_addr_equal(&net, &rule->net))
		return true;
	rule->net = net;
	char fixed[POLICY_RULE_BYTES];
	struct text shown;
	text_init(&shown, fixed, sizeof fixed);
	policy_rule_show(rule, &shown);
	return wrong(why, "the address has bits behind its prefix: did you mean %s?", fixed);
}

/* An address without ports. */
static bool read_net(char *text, bool v6, struct policy_rule *rule, char why[POLICY_WHY_BYTES])
{
	char *slash = strchr(text, '/');
	struct in_addr v4;

	if (slash)
		*slash = 0;
	rule->kind = POLICY_RULE_NET;
	if (v6 && inet_pton(AF_INET6, text, rule->net.bytes) != 1)
		return wrong(why, "\"%.60s\" is no IPv6 address", text);
	if (!v6 && inet_pton(AF_INET, text, &v4) != 1)
		return wrong(why, "\"%.60s\" is no IPv4 address: use four decimal numbers, such as 192.0.2.1", text);
	if (!v6)
		rule->net = net_addr_v4(net32(v4.s_addr));
	else if (net_addr_is_v4(&rule->net))
		return wrong(why, "write an IPv4 address as one: %s", strrchr(text, ':') + 1);
	return read_prefix(slash ? slash + 1 : NULL, rule, why);
}

static bool read_name(const char *text, struct policy_rule *rule, char why[POLICY_WHY_BYTES])
{
	rule->kind = POLICY_RULE_NAME;
	if (!strcmp(text, "*"))
		return wrong(why, "* alone is everything: say public, or 0.0.0.0/0 and [::]/0");
	rule->below = !strncmp(text, "*.", 2);
	text += rule->below ? 2 : 0;
	if (strchr(text, '*'))
		return wrong(why, "* stands for whole labels at the front only, as in *.example.org");
	if (strchr(text, '/'))
		return wrong(why, "a name has no prefix, and no path");
	if (!policy_name_normalize(text, strlen(text), rule->name))
		return wrong(why, "\"%.60s\" is neither a name nor an address", text);
	if (!rule->below && !strcmp(rule->name, "public"))
		return wrong(why, "public stands for all public addresses: write it alone, in lower case");
	return true;
}

/* The address or name, with its ports. */
static bool read_subject(char *text, struct policy_rule *rule, char why[POLICY_WHY_BYTES])
{
	char *colon = strchr(text, ':'), *close = strchr(text, ']');

	if (*text == '[') {
		if (!close)
			return wrong(why, "the bracket is not closed");
		char *ports = strchr(close, ':');
		if (ports)
			*ports++ = 0;
		if (close[1] && close[1] != '/')
			return wrong(why, "what is \"%.20s\" behind the bracket?", close + 1);
		memmove(close, close + 1, strlen(close)); /* 2001:db8::/32 is left */
		return read_net(text + 1, true, rule, why) && (!ports || read_ports(ports, rule, why));
	}
	if (colon && strchr(colon + 1, ':'))
		return read_net(text, true, rule, why);
	if (colon)
		*colon++ = 0;
	bool number = *text && strspn(text, "0123456789./") == strlen(text);
	if (!(number ? read_net(text, false, rule, why) : read_name(text, rule, why)))
		return false;
	return !colon || read_ports(colon, rule, why);
}

bool policy_rule_parse(const char *text, bool deny, struct policy_rule *out, char why[POLICY_WHY_BYTES])
{
	struct policy_rule rule = {.deny = deny, .port_last = POLICY_PORT_LAST};
	char copy[TEXT_BYTES];

	if (!*text)
		return wrong(why, "it is empty");
	if (strlen(text) >= sizeof copy)
		return wrong(why, "it is longer than any name or address");
	strcpy(copy, text);
	if (!strcmp(text, "public")) {
		if (deny)
			return wrong(why, "public is denied unless it is allowed: leave it out");
		rule.kind = POLICY_RULE_PUBLIC;
	} else if (!take_protocol(copy, &rule, why) || !read_subject(copy, &rule, why)) {
		return false;
	}
	bool all_ports = !rule.port_first;
	if (!rule.protocols && deny)
		rule.protocols = all_ports ? POLICY_ANY : POLICY_TCP | POLICY_UDP;
	else if (!rule.protocols && rule.kind == POLICY_RULE_NAME)
		rule.protocols = POLICY_TCP;
	else if (!rule.protocols)
		rule.protocols = POLICY_TCP | POLICY_UDP | (all_ports ? POLICY_ICMP : 0);
	*out = rule;
	return true;
}

/* ------------------------------------------------------------------------------------------------ showing */

static void show_protocols(const struct policy_rule *rule, struct text *text)
{
	if (rule->protocols == POLICY_TCP)
		text_add_string(text, rule->kind == POLICY_RULE_NAME && !rule->deny ? "" : "/tcp");
	else if (rule->protocols == POLICY_UDP)
		text_add_string(text, "/udp");
	else if (rule->protocols == POLICY_ICMP)
		text_add_string(text, "/icmp");
	else if (rule->protocols == POLICY_ANY && !rule->deny)
		text_add_string(text, "/any");
}

void policy_rule_show(const struct policy_rule *rule, struct text *text)
{
	char addr[INET6_ADDRSTRLEN];
	bool v4 = net_addr_is_v4(&rule->net);

	switch (rule->kind) {
	case POLICY_RULE_PUBLIC:
		text_add_string(text, "public");
		return;
	case POLICY_RULE_NAME:
		text_printf(text, "%s%s", rule->below ? "*." : "", rule->name);
		break;
	case POLICY_RULE_NET:
		inet_ntop(v4 ? AF_INET : AF_INET6, rule->net.bytes + (v4 ? 12 : 0), addr, sizeof addr);
		text_printf(text, v4 ? "%s" : "[%s]", addr);
		if (rule->prefix != (v4 ? 32 : 128))
			text_printf(text, "/%u", rule->prefix);
		break;
	}
	if (rule->port_first)
		text_printf(text, ":%u", rule->port_first);
	if (rule->port_first && rule->port_last != rule->port_first)
		text_printf(text, "-%u", rule->port_last);
	show_protocols(rule, text);
}

/* ------------------------------------------------------------------------------------------------ judging */

static bool ports_hold(const struct policy_rule *rule, uint16_t port, uint8_t protocol)
{
	if (!(rule->protocols & protocol))
		return false;
	return !(protocol & (POLICY_TCP | POLICY_UDP)) || (port >= rule->port_first && port <= rule->port_last);
}

static bool addr_holds(const struct policy_rule *rule, const struct net_addr *addr)
{
	struct net_addr v4;

	if (rule->kind == POLICY_RULE_PUBLIC)
		return policy_addr_is_public(addr);
	if (rule->kind != POLICY_RULE_NET)
		return false;
	if (net_holds(&rule->net, rule->prefix, addr))
		return true;
	/* Who denies 10.0.0.0/8 means also the ways around by a translator. */
	return rule->deny && embedded4(addr, &v4) && net_holds(&rule->net, rule->prefix, &v4);
}

enum policy_answer policy_rules_addr(const struct policy_rules *rules, const struct net_addr *addr, uint16_t port,
				     uint8_t protocol, uint32_t *rule)
{
	enum policy_answer answer = POLICY_SAYS_NOTHING;

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct policy_rule *item = &rules->rule[i];
		if ((!item->deny && answer) || !ports_hold(item, port, protocol) || !addr_holds(item, addr))
			continue;
		*rule = i;
		answer = item->deny ? POLICY_DENIES : POLICY_ALLOWS;
		if (item->deny)
			break;
	}
	return answer;
}

enum policy_answer policy_rules_name(const struct policy_rules *rules, const char *name, uint16_t port,
				     uint8_t protocol, uint32_t *rule)
{
	enum policy_answer answer = POLICY_SAYS_NOTHING;

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct policy_rule *item = &rules->rule[i];
		if (item->kind != POLICY_RULE_NAME || (!item->deny && answer) || !ports_hold(item, port, protocol) ||
		    !name_holds(item, name))
			continue;
		*rule = i;
		answer = item->deny ? POLICY_DENIES : POLICY_ALLOWS;
		if (item->deny)
			break;
	}
	return answer;
}

enum policy_answer policy_rules_resolve(const struct policy_rules *rules, const char *name, uint32_t *rule)
{
	const uint8_t usual = POLICY_TCP | POLICY_UDP;
	enum policy_answer answer = POLICY_SAYS_NOTHING;

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct policy_rule *item = &rules->rule[i];
		bool named = item->kind == POLICY_RULE_NAME && name_holds(item, name);
		if (item->deny && named && !item->port_first && (item->protocols & usual) == usual) {
			*rule = i;
			return POLICY_DENIES;
		}
		if (!answer && !item->deny && (named || item->kind == POLICY_RULE_PUBLIC)) {
			*rule = i;
			answer = POLICY_ALLOWS;
		}
	}
	return answer;
}

bool policy_rules_deny_names(const struct policy_rules *rules)
{
	for (uint32_t i = 0; i < rules->count; i++)
		if (rules->rule[i].deny && rules->rule[i].kind == POLICY_RULE_NAME)
			return true;
	return false;
}

/* ------------------------------------------------------------------------------------------------ contradictions */

/* Does a hold wherever b does? */
static bool covers(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->kind != b->kind || (b->protocols & ~a->protocols) || a->port_first > b->port_first ||
	    a->port_last < b->port_last)
		return false;
	if (a->kind == POLICY_RULE_NET)
		return a->prefix <= b->prefix && net_holds(&a->net, a->prefix, &b->net);
	if (a->kind != POLICY_RULE_NAME)
		return false;
	if (a->below && b->below && !strcmp(a->name, b->name))
		return true;
	return name_holds(a, b->name) && (a->below || !b->below);
}

int policy_rules_contradiction(const struct policy_rules *rules, uint32_t *denied)
{
	for (uint32_t i = 0; i < rules->count; i++)
		for (uint32_t j = 0; j < rules->count && !rules->rule[i].deny; j++)
			if (rules->rule[j].deny && covers(&rules->rule[j], &rules->rule[i])) {
				*denied = j;
				return (int)i;
			}
	return -1;
}
