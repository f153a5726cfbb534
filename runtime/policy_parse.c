/* policy_parse.c - see policy_file.h. Read by libyaml as events:
 *
 *     allow: [api.example.com:443, "*.example.org", public]
 *     deny: [10.0.0.0/8]
 *     listen: [80, 5000-5010/udp]
 *     limits: {connections: 100, connections-per-minute: 600, up: 100M, down: 2G}
 *
 * What is not plainly right is refused with its line: unknown and repeated keys, rules that make no sense, an allowed
 * thing that another rule denies as a whole. Stands alone, for the fuzzer.
 */
#include "runtime/policy_file.h"

#include "runtime/yaml_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum key { KEY_ALLOW, KEY_DENY, KEY_LISTEN, KEY_LIMITS, KEYS };
static const char *const key_names[KEYS] = {"allow", "deny", "listen", "limits"};
enum limit { LIMIT_CONNECTIONS, LIMIT_PER_MINUTE, LIMIT_UP, LIMIT_DOWN, LIMITS };
static const char *const limit_names[LIMITS] = {"connections", "connections-per-minute", "up", "down"};

struct reader {
	struct yaml_reader yaml;
	struct policy_config *out;
	char *error;
	unsigned seen[KEYS], limits_seen[LIMITS]; /* the line; 0: not yet */
};

printf_like(3, 4) static bool wrong_at(struct reader *r, unsigned line, const char *format, ...)
{
	int used = snprintf(r->error, POLICY_ERROR_BYTES, "%u: ", line);
	va_list args;

	va_start(args, format);
	vsnprintf(r->error + used, POLICY_ERROR_BYTES - (size_t)used, format, args);
	va_end(args);
	return false;
}
#define wrong(r, ...) wrong_at(r, yaml_reader_line(&r->yaml), __VA_ARGS__)

static bool next(struct reader *r)
{
	const char *why;
	enum yaml_step step = yaml_reader_next(&r->yaml, &why);

	return step == YAML_STEP_DONE || wrong(r, "%s%s", step == YAML_STEP_BROKEN ? "this is not YAML: " : "", why);
}

static const char *scalar(const struct reader *r)
{
	return yaml_reader_text(&r->yaml);
}

static bool read_rule(struct reader *r, bool deny)
{
	struct policy_rules *rules = &r->out->rules;
	char why[POLICY_WHY_BYTES];

	if (rules->count == POLICY_RULE_LIMIT)
		return wrong(r, "more than %d rules", POLICY_RULE_LIMIT);
	struct policy_rule *rule = &rules->rule[rules->count];
	if (!policy_rule_parse(scalar(r), deny, rule, why))
		return wrong(r, "%.100s: %s", scalar(r), why);
	rule->line = yaml_reader_line(&r->yaml);
	rules->count++;
	return true;
}

bool policy_port_parse(const char *text, struct policy_publish *out)
{
	unsigned first, last;
	int used = 0;

	if (strspn(text, "0123456789") == 0 || strlen(text) > 20 || sscanf(text, "%5u%n", &first, &used) != 1)
		return false;
	text += used;
	last = first;
	if (*text == '-') {
		if (!strspn(text + 1, "0123456789") || sscanf(text + 1, "%5u%n", &last, &used) != 1)
			return false;
		text += used + 1;
	}
	if ((*text && strcmp(text, "/udp") && strcmp(text, "/tcp")) || !first || last < first ||
	    last > POLICY_PORT_LAST)
		return false;
	*out = (struct policy_publish){!strcmp(text, "/udp") ? POLICY_UDP : POLICY_TCP, (uint16_t)first,
				       (uint16_t)last};
	return true;
}

static bool read_port(struct reader *r)
{
	if (r->out->publish_count == POLICY_PUBLISH_LIMIT)
		return wrong(r, "more than %d ports and ranges of ports", POLICY_PUBLISH_LIMIT);
	if (!policy_port_parse(scalar(r), &r->out->publish[r->out->publish_count]))
		return wrong(r, "%.100s: use PORT, PORT-PORT or PORT/udp, with numbers from 1 to %d", scalar(r),
			     POLICY_PORT_LAST);
	r->out->publish_count++;
	return true;
}

static bool read_list(struct reader *r, enum key key)
{
	if (r->yaml.event.type != YAML_SEQUENCE_START_EVENT)
		return wrong(r, "%s: use a list, such as [%s]", key_names[key],
			     key == KEY_LISTEN ? "8080" : "api.example.com:443");
	for (;;) {
		if (!next(r))
			return false;
		if (r->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		if (!scalar(r))
			return wrong(r, "%s: use a list of texts, not of lists or mappings", key_names[key]);
		if (!(key == KEY_LISTEN ? read_port(r) : read_rule(r, key == KEY_DENY)))
			return false;
	}
}

/* A number, with K, M, G or T behind it for bytes. */
static bool read_limit(struct reader *r, enum limit limit)
{
	struct policy_limits *limits = &r->out->rules.limits;
	uint64_t *const targets[LIMITS] = {&limits->connections, &limits->per_minute, &limits->up_bytes,
					   &limits->down_bytes};
	const char *text = scalar(r), *unit, *units = "KMGT";
	bool bytes = limit >= LIMIT_UP;
	char *end;

	if (!text || !strspn(text, "0123456789") || strspn(text, "0123456789") > 15)
		return wrong(r, "%s: use a number", limit_names[limit]);
	uint64_t number = strtoull(text, &end, 10);
	unit = bytes && *end ? strchr(units, *end) : NULL;
	if (unit && number >> (53 - 10 * (unit - units + 1)))
		return wrong(r, "%s: %.40s is too large", limit_names[limit], text);
	if (unit) {
		number <<= 10 * (unit - units + 1);
		end++;
	}
	if (*end || !number)
		return wrong(r, "%s: %.40s is no %s", limit_names[limit], text,
			     bytes ? "size: use a number of bytes, or one with K, M, G or T" : "number from 1");
	*targets[limit] = number;
	return true;
}

static int find(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* A key that is known and new; -1 with the error set. */
static int read_key(struct reader *r, const char *const *names, unsigned count, unsigned *seen, const char *known)
{
	if (!scalar(r)) {
		(void)wrong(r, "a key must be one of %s", known);
		return -1;
	}
	int key = find(names, count, scalar(r));
	if (key < 0) {
		(void)wrong(r, "%.60s: no such key; there are %s", scalar(r), known);
	} else if (seen[key]) {
		(void)wrong(r, "%s: is already in line %u: keep one of them", scalar(r), seen[key]);
		key = -1;
	} else {
		seen[key] = yaml_reader_line(&r->yaml);
	}
	return key;
}

static bool read_limits(struct reader *r)
{
	if (r->yaml.event.type != YAML_MAPPING_START_EVENT)
		return wrong(r, "limits: use lines such as connections: 100");
	for (;;) {
		if (!next(r))
			return false;
		if (r->yaml.event.type == YAML_MAPPING_END_EVENT)
			return true;
		int limit = read_key(r, limit_names, LIMITS, r->limits_seen,
				     "connections, connections-per-minute, up and down");
		if (limit < 0 || !next(r) || !read_limit(r, (enum limit)limit))
			return false;
	}
}

static bool read_document(struct reader *r)
{
	if (!next(r) || !next(r)) /* the stream's beginning */
		return false;
	if (r->yaml.event.type == YAML_STREAM_END_EVENT)
		return true;
	if (!next(r))
		return false;
	if (r->yaml.event.type != YAML_MAPPING_START_EVENT)
		return wrong(r, "use lines of the form allow: [RULE, ...]");
	for (;;) {
		if (!next(r))
			return false;
		if (r->yaml.event.type == YAML_MAPPING_END_EVENT)
			break;
		int key = read_key(r, key_names, KEYS, r->seen, "allow, deny, listen and limits");
		if (key < 0 || !next(r))
			return false;
		if (!(key == KEY_LIMITS ? read_limits(r) : read_list(r, (enum key)key)))
			return false;
	}
	if (!next(r) || !next(r))
		return false;
	return r->yaml.event.type == YAML_STREAM_END_EVENT || wrong(r, "a second document: one file, one policy");
}

static bool check_contradictions(struct reader *r)
{
	const struct policy_rules *rules = &r->out->rules;
	char allowed[POLICY_RULE_BYTES], denied[POLICY_RULE_BYTES];
	struct text a, b;
	uint32_t by;
	int index = policy_rules_contradiction(rules, &by);

	if (index < 0)
		return true;
	text_init(&a, allowed, sizeof allowed);
	text_init(&b, denied, sizeof denied);
	policy_rule_show(&rules->rule[index], &a);
	policy_rule_show(&rules->rule[by], &b);
	return wrong_at(r, rules->rule[index].line, "%.200s is allowed here, and all of it denied by %.200s (line %u)",
			allowed, denied, rules->rule[by].line);
}

bool policy_parse(const char *text, size_t size, struct policy_config *out, char error[POLICY_ERROR_BYTES])
{
	struct reader r = {.out = out, .error = error};

	*error = 0;
	if (!yaml_reader_init(&r.yaml, text, size)) {
		snprintf(error, POLICY_ERROR_BYTES, "1: no memory");
		return false;
	}
	bool right = read_document(&r) && check_contradictions(&r);
	yaml_reader_fini(&r.yaml);
	return right;
}
