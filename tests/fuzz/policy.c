/* policy.c - hostile bytes as a policy: each refusal says its line, each rule that is taken means the same when it is
 * written down and read again.
 *
 *     make fuzz
 */
#include "runtime/policy_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void show(const struct policy_rule *rule, char out[POLICY_RULE_BYTES])
{
	struct text text;

	text_init(&text, out, POLICY_RULE_BYTES);
	policy_rule_show(rule, &text);
	must(!text.truncated);
}

static void check_rule(const struct policy_rule *rule)
{
	char once[POLICY_RULE_BYTES], twice[POLICY_RULE_BYTES], why[POLICY_WHY_BYTES];
	struct policy_rule again;

	show(rule, once);
	must(policy_rule_parse(once, rule->deny, &again, why));
	show(&again, twice);
	must(!strcmp(once, twice) && again.protocols == rule->protocols && again.port_first == rule->port_first &&
	     again.port_last == rule->port_last && again.kind == rule->kind && again.prefix == rule->prefix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy_config config;
	char error[POLICY_ERROR_BYTES], line[256], why[POLICY_WHY_BYTES];
	struct policy_rule rule;

	if (size > POLICY_FILE_BYTES)
		return 0;
	config.rules.count = config.publish_count = 0;
	if (policy_parse((const char *)data, size, &config, error))
		must(config.rules.count <= POLICY_RULE_LIMIT && config.publish_count <= POLICY_PUBLISH_LIMIT);
	else
		must(*error >= '0' && *error <= '9' && strstr(error, ": "));
	for (uint32_t i = 0; i < config.rules.count; i++)
		check_rule(&config.rules.rule[i]);
	if (size < sizeof line) {
		memcpy(line, data, size);
		line[size] = 0;
		for (int deny = 0; deny < 2; deny++)
			if (policy_rule_parse(line, deny, &rule, why))
				check_rule(&rule);
	}
	return 0;
}
