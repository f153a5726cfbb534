/* policy_rules.c - rules of the policy: how they are written, what they say, what is refused. */
#include "netstack/policy_rule.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static struct policy_rules rules;

static struct net_addr addr_of(const char *text)
{
	struct net_addr addr;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return net_addr_v4(net32(v4.s_addr));
	cr_assert(inet_pton(AF_INET6, text, addr.bytes) == 1, "%s", text);
	return addr;
}

static void add(const char *text, bool deny)
{
	char why[POLICY_WHY_BYTES];

	cr_assert(policy_rule_parse(text, deny, &rules.rule[rules.count++], why), "%s: %s", text, why);
}

static void reset(void)
{
	rules.count = 0;
}

TestSuite(policy, .init = reset);

Test(policy, rules_are_shown_as_they_were_written)
{
	static const char *const texts[] = {"api.example.com:443",
					    "*.example.org",
					    "10.0.0.0/8:5432",
					    "10.0.0.1",
					    "192.0.2.0/24:1000-2000/tcp",
					    "[2001:db8::]/32",
					    "[2001:db8::1]:53/udp",
					    "10.0.0.0/8/icmp",
					    "0.0.0.0/0/any",
					    "public",
					    "a_b.example:1/udp",
					    "[::]/0"};

	for (unsigned i = 0; i < COUNT(texts); i++) {
		char shown[POLICY_RULE_BYTES], why[POLICY_WHY_BYTES];
		struct policy_rule rule;
		struct text text;
		cr_assert(policy_rule_parse(texts[i], false, &rule, why), "%s: %s", texts[i], why);
		text_init(&text, shown, sizeof shown);
		policy_rule_show(&rule, &text);
		cr_expect_str_eq(shown, texts[i]);
	}
}

Test(policy, what_makes_no_sense_is_refused)
{
	static const char *const texts[] = {"",
					    "*",
					    "*.*.org",
					    "a.*.org",
					    "10.0.0.1/8",
					    "10.0.0.0/33",
					    "[2001:db8::1]/32",
					    "[::ffff:10.0.0.1]",
					    "10.0.0",
					    "010.0.0.1",
					    "2130706433",
					    "0x7f000001",
					    "0x7f.1",
					    "a.0x1",
					    "host:0",
					    "host:65536",
					    "host:2-1",
					    "host:x",
					    "host:",
					    "host/sctp",
					    "host/8",
					    "10.0.0.1:80/icmp",
					    "http://host",
					    "host/path",
					    "puBlic",
					    "public:80",
					    "public.",
					    "a..b",
					    ".a",
					    "a b",
					    "a:1:2",
					    "[::1",
					    "[::1]x",
					    "10.0.0.1:80/any",
					    "1.2.3.4.5",
					    "host:1-",
					    "host:-1",
					    "host:+1",
					    "10.0.0.0/+8"};
	char why[POLICY_WHY_BYTES];
	struct policy_rule rule;

	for (unsigned i = 0; i < COUNT(texts); i++)
		cr_expect(!policy_rule_parse(texts[i], false, &rule, why), "%s", texts[i]);
	cr_expect(!policy_rule_parse("public", true, &rule, why));
	char longest[400];
	memset(longest, 'a', sizeof longest);
	longest[64] = 0;
	cr_expect(!policy_rule_parse(longest, false, &rule, why));
	longest[64] = 'a';
	longest[399] = 0;
	cr_expect(!policy_rule_parse(longest, false, &rule, why));
}

static enum policy_answer ask(const char *addr, uint16_t port, uint8_t protocol)
{
	struct net_addr a = addr_of(addr);
	uint32_t rule;

	return policy_rules_addr(&rules, &a, port, protocol, &rule);
}

Test(policy, addresses)
{
	cr_expect_eq(ask("10.1.2.3", 80, POLICY_TCP), POLICY_SAYS_NOTHING);
	add("10.0.0.0/8:80-90", false);
	add("[2001:db8::]/32/udp", false);
	cr_expect_eq(ask("10.1.2.3", 80, POLICY_TCP), POLICY_ALLOWS);
	cr_expect_eq(ask("10.1.2.3", 90, POLICY_UDP), POLICY_ALLOWS);
	cr_expect_eq(ask("10.1.2.3", 91, POLICY_TCP), POLICY_SAYS_NOTHING);
	cr_expect_eq(ask("10.1.2.3", 0, POLICY_ICMP), POLICY_SAYS_NOTHING);
	cr_expect_eq(ask("11.1.2.3", 80, POLICY_TCP), POLICY_SAYS_NOTHING);
	cr_expect_eq(ask("::ffff:10.1.2.3", 80, POLICY_TCP), POLICY_ALLOWS); /* is the IPv4 address */
	cr_expect_eq(ask("2001:db8:1::1", 1, POLICY_UDP), POLICY_ALLOWS);
	cr_expect_eq(ask("2001:db8:1::1", 1, POLICY_TCP), POLICY_SAYS_NOTHING);
	add("10.1.2.0/24", true);
	cr_expect_eq(ask("10.1.2.3", 80, POLICY_TCP), POLICY_DENIES);
	cr_expect_eq(ask("10.1.3.3", 80, POLICY_TCP), POLICY_ALLOWS);
}

Test(policy, a_denial_reaches_through_translators)
{
	add("[::]/0", false);
	add("10.0.0.0/8", true);
	cr_expect_eq(ask("64:ff9b::10.1.2.3", 80, POLICY_TCP), POLICY_DENIES);
	cr_expect_eq(ask("2002:0a01:0203::1", 80, POLICY_TCP), POLICY_DENIES);
	cr_expect_eq(ask("64:ff9b::11.1.2.3", 80, POLICY_TCP), POLICY_ALLOWS);
}

Test(policy, public_is_nobodys_in_particular)
{
	static const char *const is[] = {"1.1.1.1",         "9.255.255.255", "11.0.0.0",   "100.63.255.255",
					 "100.128.0.0",     "172.15.0.1",    "172.32.0.1", "223.255.255.255",
					 "192.167.0.1",     "2606:4700::1",  "2a00::1",    "64:ff9b::1.1.1.1",
					 "2002:101:101::1", "198.17.0.1"};
	static const char *const isnt[] = {"0.0.0.0",
					   "10.0.0.1",
					   "127.0.0.1",
					   "127.255.255.255",
					   "169.254.169.254",
					   "100.64.0.1",
					   "100.100.100.200",
					   "172.16.0.1",
					   "172.31.255.255",
					   "192.168.1.1",
					   "192.0.0.192",
					   "198.18.0.1",
					   "198.19.255.255",
					   "224.0.0.1",
					   "239.255.255.255",
					   "240.0.0.1",
					   "255.255.255.255",
					   "168.63.129.16",
					   "::",
					   "::1",
					   "::10.0.0.1",
					   "::ffff:10.0.0.1",
					   "fe80::1",
					   "fc00::1",
					   "fd00:ec2::254",
					   "ff02::1",
					   "2001:db8::1",
					   "2001:0:1::1",
					   "64:ff9b::10.0.0.1",
					   "64:ff9b::169.254.169.254",
					   "2002:7f00:1::1",
					   "2002:a00:1::",
					   "3fff::1",
					   "4000::1",
					   "64:ff9b:1::1",
					   "fec0::1"};

	for (unsigned i = 0; i < COUNT(is); i++) {
		struct net_addr addr = addr_of(is[i]);
		cr_expect(policy_addr_is_public(&addr), "%s", is[i]);
	}
	for (unsigned i = 0; i < COUNT(isnt); i++) {
		struct net_addr addr = addr_of(isnt[i]);
		cr_expect(!policy_addr_is_public(&addr), "%s", isnt[i]);
	}
}

Test(policy, names)
{
	uint32_t rule;

	add("api.example.com:443", false);
	add("*.example.org", false);
	add("*.secret.example.org", true);
	cr_expect_eq(policy_rules_name(&rules, "api.example.com", 443, POLICY_TCP, &rule), POLICY_ALLOWS);
	cr_expect_eq(policy_rules_name(&rules, "api.example.com", 80, POLICY_TCP, &rule), POLICY_SAYS_NOTHING);
	cr_expect_eq(policy_rules_name(&rules, "api.example.com", 443, POLICY_UDP, &rule), POLICY_SAYS_NOTHING);
	cr_expect_eq(policy_rules_name(&rules, "xapi.example.com", 443, POLICY_TCP, &rule), POLICY_SAYS_NOTHING);
	cr_expect_eq(policy_rules_name(&rules, "api.example.com.evil", 443, POLICY_TCP, &rule), POLICY_SAYS_NOTHING);
	cr_expect_eq(policy_rules_name(&rules, "example.org", 1, POLICY_TCP, &rule), POLICY_SAYS_NOTHING);
	cr_expect_eq(policy_rules_name(&rules, "a.b.example.org", 1, POLICY_TCP, &rule), POLICY_ALLOWS);
	cr_expect_eq(policy_rules_name(&rules, "xexample.org", 1, POLICY_TCP, &rule), POLICY_SAYS_NOTHING);
	cr_expect_eq(policy_rules_name(&rules, "a.secret.example.org", 1, POLICY_TCP, &rule), POLICY_DENIES);
	cr_expect_eq(policy_rules_resolve(&rules, "a.secret.example.org", &rule), POLICY_DENIES);
	cr_expect_eq(policy_rules_resolve(&rules, "secret.example.org", &rule), POLICY_ALLOWS);
	cr_expect_eq(policy_rules_resolve(&rules, "evil.com", &rule), POLICY_SAYS_NOTHING);
	add("public", false);
	cr_expect_eq(policy_rules_resolve(&rules, "evil.com", &rule), POLICY_ALLOWS);
	cr_expect_eq(policy_rules_name(&rules, "evil.com", 443, POLICY_TCP, &rule), POLICY_SAYS_NOTHING);
}

Test(policy, contradictions)
{
	uint32_t by;

	add("10.1.0.0/16:80", false);
	add("10.1.2.0/24", true);
	cr_expect_eq(policy_rules_contradiction(&rules, &by), -1); /* a part is denied */
	add("10.0.0.0/8", true);
	cr_expect_eq(policy_rules_contradiction(&rules, &by), 0);
	cr_expect_eq(by, 2);
	reset();
	add("*.example.org", true);
	add("example.org", false);
	cr_expect_eq(policy_rules_contradiction(&rules, &by), -1);
	add("*.a.example.org", false);
	cr_expect_eq(policy_rules_contradiction(&rules, &by), 2);
}
