/* policy_options.c - --allow and its kin, and what follows from all options together.
 *
 * Rules are read by netstack/policy_rule.c, here as in the file of --policy (policy_file.c) and, for a running sandbox,
 * in policy_control.c.
 */
#include "runtime/policy_options.h"

#include "runtime/control.h"
#include "runtime/fail.h"
#include "runtime/option_values.h"
#include "runtime/policy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_rule(struct options *o, const char *option, const char *text, bool deny)
{
	struct policy_rules *rules = &o->policy.rules;
	char why[POLICY_WHY_BYTES];

	if (rules->count == POLICY_RULE_LIMIT)
		fail("%s %.100s: more than %d rules", option, text, POLICY_RULE_LIMIT);
	if (!policy_rule_parse(text, deny, &rules->rule[rules->count], why))
		fail("%s %.100s: %s", option, text, why);
	rules->count++;
}

void option_allow(struct options *o, const char *text)
{
	add_rule(o, "--allow", text, false);
}

void option_allow_public(struct options *o, const char *unused)
{
	(void)unused;
	add_rule(o, "--allow-public", "public", false);
}

void option_deny(struct options *o, const char *text)
{
	add_rule(o, "--deny", text, true);
}

static void add_port(struct options *o, const char *option, uint8_t protocol, uint16_t first, uint16_t last)
{
	if (o->policy.publish_count == POLICY_PUBLISH_LIMIT)
		fail("%s: more than %d ports and ranges of ports", option, POLICY_PUBLISH_LIMIT);
	o->policy.publish[o->policy.publish_count++] = (struct policy_publish){protocol, first, last};
}

void option_listen(struct options *o, const char *text)
{
	struct policy_publish port;

	if (!policy_port_parse(text, &port))
		fail("--listen %.100s: use PORT, PORT-PORT or PORT/udp, with numbers from 1 to 65535", text);
	add_port(o, "--listen", port.protocol, port.first, port.last);
}

void option_policy(struct options *o, const char *path)
{
	o->policy_path = path;
}

void option_name(struct options *o, const char *name)
{
	if (!control_name_good(name))
		fail("--name %.100s: use letters, digits, and -, _ and . within; not a number, and no more than 50",
		     name);
	o->name = name;
}

void option_audit(struct options *o, const char *path)
{
	o->audit_path = path;
}

void option_explain(struct options *o, const char *unused)
{
	(void)unused;
	o->policy.explain = true;
}

static void show_rule(const struct policy_rule *rule, char out[POLICY_RULE_BYTES])
{
	struct text text;

	text_init(&text, out, POLICY_RULE_BYTES);
	policy_rule_show(rule, &text);
}

static void check_contradictions(const struct policy_rules *rules)
{
	char allowed[POLICY_RULE_BYTES], denied[POLICY_RULE_BYTES];
	uint32_t by;
	int index = policy_rules_contradiction(rules, &by);

	if (index < 0)
		return;
	show_rule(&rules->rule[index], allowed);
	show_rule(&rules->rule[by], denied);
	fail("--allow %s can never hold, because --deny %s denies all of it: leave one of them out", allowed, denied);
}

/* The sandbox must not write its own records. The file may not be there yet: its directory counts. */
static void check_audit_place(const struct options *o)
{
	char *copy = must_copy(o->audit_path), *slash = strrchr(copy, '/');

	if (slash)
		slash[slash == copy] = 0;
	char *directory = realpath(slash ? copy : ".", NULL);
	free(copy);
	for (unsigned i = 0; directory && i < o->mount_count; i++) {
		char *shared = o->mounts[i].mode == SHARE_RW ? realpath(o->mounts[i].source, NULL) : NULL;
		size_t n = shared ? strlen(shared) : 0;
		if (shared && !strncmp(directory, shared, n) && (!directory[n] || directory[n] == '/' || n == 1))
			fail("--audit %s: the sandbox may change it, with %s %s: put it outside", o->audit_path,
			     o->mounts[i].option, o->mounts[i].source);
		free(shared);
	}
	free(directory);
}

void policy_settle(struct options *o)
{
	const struct network_options *net = &o->network;
	bool asked = o->policy.rules.count || o->policy.publish_count || o->policy_path || o->audit_path ||
		     o->policy.explain;

	if (o->audit_path)
		check_audit_place(o);
	if (o->policy_path)
		policy_file_apply(o->policy_path, &o->policy);
	if (asked && net->kind == NETWORK_NONE)
		fail("rules need a way to the outside: add --net=user");
	check_contradictions(&o->policy.rules);
	for (unsigned i = 0; i < net->published_count; i++) {
		const struct network_published *item = &net->published[i];
		add_port(o, "--publish", item->udp ? POLICY_UDP : POLICY_TCP, item->port, item->port);
	}
	o->policy.resolver_count = network_resolvers(net, o->policy.resolver);
}
