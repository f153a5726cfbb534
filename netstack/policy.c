/* policy.c - see policy.h: judging, and the gates.
 *
 * Order of judging: a rule that denies the address; a rule that allows it; a name that was looked up through our own
 * forwarder (dns.h), was found to have this address, and is allowed for this port. Such a *pin* lives as long as the
 * answer said, so an address without a pin is nobody's name, however the program came by it.
 *
 * Behind an address there may be many names. A connection that was allowed by name is therefore looked at while it
 * sends (policy_sniff.h), and nothing leaves before it has said a name that is allowed and pinned to this address.
 *
 * A packet of the stack's own transports belongs to a flow, or begins one. A packet that a program made itself gets no
 * advantage from flows: only rules with addresses let it out.
 *
 * Limits: POLICY_FLOW_LIMIT flows, POLICY_PIN_LIMIT pins (the oldest go). The bytes of limits are those of transports
 * with their headers. A new connection a minute is counted in whole minutes.
 */
#include "netstack/policy.h"

#include "netstack/group.h"
#include "netstack/ndp.h"
#include "netstack/net.h"
#include "netstack/policy_audit.h"
#include "netstack/policy_change.h"
#include "netstack/policy_flow.h"
#include "netstack/tcp.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>

#define MINUTE_NS        (60 * NS_PER_S)
#define ICMP4_ECHO_REPLY 0
#define ICMP4_ECHO       8
#define ICMP6_ECHO       128
#define ICMP6_ECHO_REPLY 129
#define ICMP6_REPORTS    128 /* types below are reports about packets */
#define PIN_BUCKETS      256u

struct pin {
	struct list hash_node, age_node;
	struct net_addr addr;
	uint64_t until_ns;
	char name[POLICY_NAME_BYTES];
};

static struct policy {
	struct policy_config config;
	struct list pins[PIN_BUCKETS]; /* hash_node */
	struct list pins_by_age;
	uint32_t pin_count;
	uint64_t up_bytes, down_bytes;
	uint64_t minute_ns; /* when it began */
	uint64_t begun;     /* flows in it */
	bool deny_names;    /* some rule does */
	uint32_t own_count; /* questions of our own under way */
	struct net_timer spent;
} * policy; /* in the arena */
static struct slab pin_slab = SLAB(pin);
static const char bytes_spent[] = "the sandbox has used up the bytes that the policy allows";
static const char *end_reason; /* why connections end at the moment; NULL: by themselves */

static void connection_drop(struct policy_flow *flow, const char *reason)
{
	end_reason = reason;
	tcp_abort(tcp_of(flow->sock), ECONNABORTED);
	end_reason = NULL;
}

/* No bytes are left: connections would only hang. */
static void spent_fired(struct net_timer *timer)
{
	struct policy_flow *flow, *next;

	(void)timer;
	for (flow = flow_next(NULL); flow; flow = next) {
		next = flow_next(flow);
		if (flow->sock)
			connection_drop(flow, bytes_spent);
	}
}

int policy_init(void)
{
	policy = arena_alloc(sizeof *policy);
	if (!policy)
		return -ENOMEM;
	policy->config.audit_file = HOSTFILE_NONE;
	list_init(&policy->pins_by_age);
	for (unsigned i = 0; i < PIN_BUCKETS; i++)
		list_init(&policy->pins[i]);
	net_timer_register(NET_TIMER_POLICY, spent_fired);
	net_timer_setup(&policy->spent, NET_TIMER_POLICY);
	return flow_init();
}

void policy_install(const struct policy_config *config)
{
	policy->config = *config;
	policy->deny_names = policy_rules_deny_names(&config->rules);
	audit_start(config->audit_file, config->explain);
}

const struct policy_config *policy_config(void)
{
	return &policy->config;
}

/* ------------------------------------------------------------------------------------------------ pins */

static struct list *pin_bucket(const struct net_addr *addr)
{
	return &policy->pins[net_addr_hash(addr) >> 56];
}
_Static_assert(PIN_BUCKETS == 1u << (64 - 56), "the hash's upper bits");

static void pin_free(struct pin *pin)
{
	list_remove(&pin->hash_node);
	list_remove(&pin->age_node);
	policy->pin_count--;
	slab_free(&pin_slab, pin);
}

void policy_pin(const char *name, const struct net_addr *addr, uint64_t life_ns)
{
	struct pin *pin, *found = NULL;

	list_for_each (pin, pin_bucket(addr), hash_node)
		if (net_addr_equal(&pin->addr, addr) && !strcmp(pin->name, name))
			found = pin;
	if (!found) {
		if (policy->pin_count >= POLICY_PIN_LIMIT)
			pin_free(list_first(&policy->pins_by_age, struct pin, age_node));
		found = slab_new(&pin_slab);
		if (!found)
			return; /* the connection will be refused */
		found->addr = *addr;
		strcpy(found->name, name);
		list_init(&found->age_node);
		list_push_front(pin_bucket(addr), &found->hash_node);
		policy->pin_count++;
	}
	list_remove(&found->age_node);
	list_push_back(&policy->pins_by_age, &found->age_node);
	found->until_ns = MAX(found->until_ns, clock_now_ns() + life_ns);
}

bool policy_answer_acceptable(const struct net_addr *addr)
{
	const struct policy_rules *rules = &policy->config.rules;

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct policy_rule *rule = &rules->rule[i];
		if (rule->deny || rule->kind != POLICY_RULE_NET)
			continue;
		if (link_prefix_holds(&rule->net, rule->prefix, addr))
			return true;
	}
	return policy_addr_is_public(addr);
}

/* ------------------------------------------------------------------------------------------------ judging */

/* By the names that were looked up. Says in reason how near it came. */
static bool judge_names(const struct net_end *remote, uint8_t protocol, struct policy_verdict *out)
{
	const struct policy_rules *rules = &policy->config.rules;
	struct pin *pin, *next;

	list_for_each_safe (pin, next, pin_bucket(&remote->addr), hash_node) {
		if (!net_addr_equal(&pin->addr, &remote->addr))
			continue;
		if (pin->until_ns < clock_now_ns()) {
			pin_free(pin);
			continue;
		}
		enum policy_answer answer = policy_rules_name(rules, pin->name, remote->port, protocol, &out->rule);
		strcpy(out->name, pin->name);
		out->allowed = out->named = answer == POLICY_ALLOWS;
		if (out->allowed)
			return true;
		out->reason = answer == POLICY_DENIES ? "a rule denies this name"
						      : "no rule allows this name with this port and protocol";
	}
	return false;
}

static void judge(const struct net_end *remote, uint8_t protocol, bool raw, struct policy_verdict *out)
{
	const struct policy_rules *rules = &policy->config.rules;

	*out = (struct policy_verdict){.rule = POLICY_NO_RULE};
	out->reason = raw ? "packets that a program makes itself need a rule that allows the address"
			  : "no rule allows this address, and no allowed name was looked up for it";
	switch (policy_rules_addr(rules, &remote->addr, remote->port, protocol, &out->rule)) {
	case POLICY_ALLOWS:
		out->allowed = true;
		break;
	case POLICY_DENIES:
		out->reason = "a rule denies this address";
		break;
	default:
		if (!raw)
			(void)judge_names(remote, protocol, out);
	}
}

/* Room for one more? 0, or -EAGAIN with the reason. */
static int limits_check(const char **reason)
{
	const struct policy_limits *limits = &policy->config.rules.limits;

	if (clock_now_ns() - policy->minute_ns >= MINUTE_NS) {
		policy->minute_ns = clock_now_ns();
		policy->begun = 0;
	}
	if (!audit_works())
		*reason = "the audit cannot be written";
	else if (limits->per_minute && policy->begun >= limits->per_minute)
		*reason = "more new connections in a minute than the policy allows";
	else if (limits->connections && flow_live_count() >= limits->connections)
		*reason = "more connections at a time than the policy allows";
	else if ((limits->up_bytes && policy->up_bytes >= limits->up_bytes) ||
		 (limits->down_bytes && policy->down_bytes >= limits->down_bytes))
		*reason = bytes_spent;
	else
		return 0;
	return -EAGAIN;
}

static void flow_tell(const struct policy_flow *flow, const char *event)
{
	audit_write(&(struct audit_event){.event = event,
					  .allowed = true,
					  .protocol = flow->protocol,
					  .remote = &flow->remote,
					  .local = flow->incoming ? &flow->local : NULL,
					  .name = flow->name,
					  .rule = flow->rule,
					  .process = &flow->process});
}

/* Judges, tells, and makes the flow. Borrowed. -EACCES, -EAGAIN, -ENOBUFS. */
static int flow_begin(const char *event, uint8_t protocol, const struct net_end *local, const struct net_end *remote,
		      bool raw, struct policy_flow **out)
{
	struct policy_process process;
	struct policy_verdict verdict;

	audit_process(&process);
	judge(remote, protocol, raw, &verdict);
	int error = verdict.allowed ? limits_check(&verdict.reason) : -EACCES;
	struct policy_flow *flow = error ? NULL : flow_new(protocol, local, remote);
	if (!error && !flow) {
		error = -ENOBUFS;
		verdict.reason = "more connections than a sandbox can have";
	}
	if (error) {
		audit_write(&(struct audit_event){.event = event,
						  .reason = verdict.reason,
						  .protocol = protocol,
						  .remote = remote,
						  .name = verdict.name,
						  .rule = verdict.rule,
						  .process = &process});
		return error;
	}
	policy->begun++;
	flow->rule = verdict.rule;
	flow->named = verdict.named;
	flow->process = process;
	strcpy(flow->name, verdict.name);
	flow_tell(flow, event);
	*out = flow;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ connections */

/* A flow that a packet of the past has left at the same ends goes before a connection takes its place. */
static void flow_clear(uint8_t protocol, const struct net_end *local, const struct net_end *remote)
{
	struct policy_flow *old = flow_find(protocol, local, remote);

	if (old)
		flow_end(old, NULL);
}

int policy_connect(struct inet_sock *sock, const struct net_end *remote, const struct route *route)
{
	struct policy_flow *flow;

	if (route->link->kind == LINK_LOOPBACK)
		return 0;
	flow_clear(POLICY_TCP, &sock->local, remote);
	int error = flow_begin("connect", POLICY_TCP, &sock->local, remote, false, &flow);
	if (error)
		return error;
	if ((flow->named || policy->deny_names) && !flow_watch(flow)) {
		flow_end(flow, "no memory");
		return -ENOBUFS;
	}
	flow->sock = sock;
	sock->flow = flow;
	return 0;
}

static bool is_published(uint8_t protocol, uint16_t port)
{
	for (unsigned i = 0; i < policy->config.publish_count; i++) {
		const struct policy_publish *item = &policy->config.publish[i];
		if (item->protocol == protocol && port >= item->first && port <= item->last)
			return true;
	}
	return false;
}

void policy_accepted(struct inet_sock *sock)
{
	if (route_is_ours(&sock->remote.addr) || net_addr_is_loopback(&sock->remote.addr))
		return;
	flow_clear(POLICY_TCP, &sock->local, &sock->remote);
	struct policy_flow *flow = flow_new(POLICY_TCP, &sock->local, &sock->remote);
	if (!flow)
		return; /* its packets pass by their port, uncounted */
	flow->incoming = true;
	flow->sock = sock;
	sock->flow = flow;
	flow_tell(flow, "accept");
}

void policy_closed(struct inet_sock *sock)
{
	if (sock->flow)
		flow_end(sock->flow, sock->flow->refused ? "what it said was refused" : end_reason);
}

/* ------------------------------------------------------------------------------------------------ packets */

/* Both ends as a packet's transport header has them; front: its first bytes. */
static uint8_t ends_read(uint8_t protocol, const uint8_t front[8], uint16_t *source_port, uint16_t *target_port)
{
	*source_port = *target_port = 0;
	switch (protocol) {
	case IP_PROTOCOL_TCP:
	case IP_PROTOCOL_UDP:
		*source_port = (uint16_t)(front[0] << 8 | front[1]);
		*target_port = (uint16_t)(front[2] << 8 | front[3]);
		return protocol == IP_PROTOCOL_TCP ? POLICY_TCP : POLICY_UDP;
	case IP_PROTOCOL_ICMP:
	case IP_PROTOCOL_ICMPV6:
		return POLICY_ICMP;
	default:
		return POLICY_OTHER;
	}
}

static bool is_echo(bool v4, uint8_t type)
{
	return type == (v4 ? ICMP4_ECHO : ICMP6_ECHO);
}

static bool is_echo_reply(bool v4, uint8_t type)
{
	return type == (v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY);
}

/* What the stack itself says by ICMP: answers to packets that were let in, and what neighbours tell each other. A
 * program's echo request is judged like a datagram. */
static bool icmp_is_own(bool v4, uint8_t type)
{
	return v4 ? type != ICMP4_ECHO : type != ICMP6_ECHO;
}

/* Counts; false: the bytes of the limits are used up. */
static bool pass(struct policy_flow *flow, uint32_t bytes, bool up)
{
	const struct policy_limits *limits = &policy->config.rules.limits;
	uint64_t *total = up ? &policy->up_bytes : &policy->down_bytes;
	uint64_t limit = up ? limits->up_bytes : limits->down_bytes;

	if (limit && *total + bytes > limit && !flow->own) {
		*total = limit;
		if (!policy->spent.armed)
			net_timer_arm(&policy->spent, clock_now_ns());
		return false;
	}
	*total += flow->own ? 0 : bytes;
	flow_count(flow, bytes, up);
	return true;
}

static const char *const event_names[] = {
	[POLICY_TCP] = "raw", [POLICY_UDP] = "datagram", [POLICY_ICMP] = "icmp", [POLICY_OTHER] = "raw"};

/* A packet whose flow is not there yet. */
static int leaves_new(uint8_t kind, const struct net_end *local, const struct net_end *remote, bool raw,
		      struct policy_flow **flow)
{
	/* Answers of published ports, before and after there is a connection. Connections to the outside have a flow.
	 */
	if (kind == POLICY_TCP && !raw)
		return is_published(POLICY_TCP, local->port) ? 0 : -EACCES;
	return flow_begin(raw ? "raw" : event_names[kind], kind, local, remote, raw, flow);
}

int policy_leaves(const struct route *route, const struct net_addr *target, uint8_t protocol, bool raw,
		  const struct buf *buf)
{
	bool v4 = net_addr_is_v4(target);
	uint8_t front[8] = {0};
	struct net_end local = {.addr = route->source}, remote = {.addr = *target};
	struct policy_verdict verdict;
	int error = 0;

	if (route->link->kind == LINK_LOOPBACK)
		return 0;
	(void)buf_copy(buf, front, sizeof front);
	uint8_t kind = ends_read(protocol, front, &local.port, &remote.port);
	if (kind == POLICY_ICMP) {
		if (!raw && icmp_is_own(v4, front[0]))
			return 0;
		local.port = is_echo(v4, front[0]) ? (uint16_t)(front[4] << 8 | front[5]) : 0;
	}
	struct policy_flow *flow = flow_find(kind, &local, &remote);
	if (flow && raw && (flow->own || flow->named || flow->incoming || flow->sniff)) {
		judge(&remote, kind, true, &verdict);
		error = verdict.allowed ? 0 : -EACCES;
	} else if (!flow) {
		error = leaves_new(kind, &local, &remote, raw, &flow);
	}
	if (error || !flow)
		return error;
	return pass(flow, buf_size(buf), true) ? 0 : -EAGAIN;
}

/* Refusals from outside have no process, and no end: the audit bounds them. */
static bool refuse_entry(uint8_t kind, const struct net_end *local, const struct net_end *remote)
{
	audit_write(&(struct audit_event){.event = "enter",
					  .reason = "nobody here has asked for it, and the port is not published",
					  .protocol = kind,
					  .remote = remote,
					  .local = local,
					  .rule = POLICY_NO_RULE});
	return false;
}

/* At a published port: its answers go back, and nowhere else. */
static bool datagram_enters(const struct net_end *local, const struct net_end *remote, uint32_t bytes)
{
	struct policy_flow *flow = flow_new(POLICY_UDP, local, remote);

	if (!flow)
		return false;
	flow->incoming = true;
	flow_tell(flow, "accept");
	return pass(flow, bytes, false);
}

/* Groups and broadcasts are sent by whoever likes; those that a rule allows to send to may be heard. */
static bool group_enters(uint8_t kind, const struct net_end *local)
{
	uint32_t rule;

	return policy_rules_addr(&policy->config.rules, &local->addr, local->port, kind, &rule) == POLICY_ALLOWS;
}

bool policy_group(const struct net_addr *group)
{
	const struct policy_rules *rules = &policy->config.rules;
	bool allowed = false;

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct policy_rule *rule = &rules->rule[i];
		if (rule->kind != POLICY_RULE_NET || !link_prefix_holds(&rule->net, rule->prefix, group))
			continue;
		if (rule->deny)
			return false;
		allowed |= rule->protocols & POLICY_UDP;
	}
	return allowed;
}

static bool icmp_enters(bool v4, uint8_t type, const struct net_end *local, const struct net_end *remote)
{
	uint32_t rule;

	if (is_echo(v4, type)) /* who may be asked may ask */
		return policy_rules_addr(&policy->config.rules, &remote->addr, 0, POLICY_ICMP, &rule) == POLICY_ALLOWS;
	(void)local;
	/* Reports are believed only about packets that we sent (icmp.c), neighbours only on the link (ndp.c). */
	return v4 || type < ICMP6_REPORTS || type == MLD_QUERY || (type >= NDP_FIRST && type <= NDP_LAST);
}

/* A program that may make packets itself could answer our own questions over the loopback. */
static bool answers_own(uint8_t kind, const struct net_end *local, const struct net_end *remote)
{
	const struct policy_flow *flow = flow_find(kind, local, remote);

	return flow && flow->own;
}

bool policy_enters(const struct buf *buf)
{
	bool v4 = net_addr_is_v4(&buf->source);
	uint8_t front[8] = {0};
	struct net_end local = {.addr = buf->target}, remote = {.addr = buf->source};

	bool inside = buf->link->kind == LINK_LOOPBACK;
	if (inside && !policy->own_count)
		return true;
	(void)buf_copy(buf, front, sizeof front);
	uint8_t kind = ends_read(buf->protocol, front, &remote.port, &local.port);
	if (inside)
		return !answers_own(kind, &local, &remote);
	if (kind == POLICY_ICMP && is_echo_reply(v4, front[0]))
		local.port = (uint16_t)(front[4] << 8 | front[5]);
	else if (kind == POLICY_ICMP)
		return icmp_enters(v4, front[0], &local, &remote);
	struct policy_flow *flow = flow_find(kind, &local, &remote);
	if (flow)
		return pass(flow, buf_size(buf), false);
	if (net_addr_is_multicast(&local.addr) || route_is_broadcast(buf->link, &local.addr))
		return group_enters(kind, &local);
	if (kind == POLICY_TCP && is_published(kind, local.port))
		return true;
	if (kind == POLICY_UDP && is_published(kind, local.port))
		return datagram_enters(&local, &remote, buf_size(buf));
	return refuse_entry(kind, &local, &remote);
}

int policy_own_flow(const struct net_end *local, const struct net_end *remote)
{
	flow_clear(POLICY_UDP, local, remote);
	struct policy_flow *flow = flow_new(POLICY_UDP, local, remote);
	if (!flow)
		return -ENOBUFS;
	flow->own = true;
	policy->own_count++;
	return 0;
}

void policy_own_flow_end(const struct net_end *local, const struct net_end *remote)
{
	assert(policy->own_count);
	policy->own_count--;
	flow_clear(POLICY_UDP, local, remote);
}

/* ------------------------------------------------------------------------------------------------ what is said */

bool policy_inspects(const struct inet_sock *sock)
{
	return sock->flow && sock->flow->sniff;
}

/* Is the name one by which this connection may be? */
static const char *name_wrong(const struct policy_flow *flow, const char *name)
{
	const struct policy_rules *rules = &policy->config.rules;
	uint32_t rule;
	struct pin *pin;

	enum policy_answer answer =
		*name ? policy_rules_name(rules, name, flow->remote.port, POLICY_TCP, &rule) : POLICY_SAYS_NOTHING;
	if (answer == POLICY_DENIES)
		return "the connection says a name that a rule denies";
	if (!flow->named)
		return NULL;
	if (!*name)
		return "the connection does not say for which name it is (SNI, Host)";
	if (answer != POLICY_ALLOWS)
		return "the connection says a name (SNI, Host) that no rule allows";
	if (!strcmp(name, flow->name))
		return NULL;
	list_for_each (pin, pin_bucket(&flow->remote.addr), hash_node)
		if (net_addr_equal(&pin->addr, &flow->remote.addr) && !strcmp(pin->name, name))
			return NULL;
	return "the connection says a name (SNI, Host) that was not looked up for this address";
}

static int refuse_words(struct policy_flow *flow, const char *name, const char *reason)
{
	flow->refused = true;
	audit_write(&(struct audit_event){.event = "name",
					  .reason = reason,
					  .protocol = POLICY_TCP,
					  .remote = &flow->remote,
					  .name = name,
					  .rule = POLICY_NO_RULE,
					  .process = &flow->process});
	return -ECONNRESET;
}

int policy_inspect(struct inet_sock *sock, const void *bytes, uint32_t size)
{
	struct policy_flow *flow = sock->flow;
	const uint8_t *at = bytes;

	while (size && flow && flow->sniff) {
		enum sniff_event event;
		uint32_t taken = sniff_take(flow->sniff, at, size, &event);
		at += taken;
		size -= taken;
		if (event == SNIFF_BAD && flow->named)
			return refuse_words(flow, flow->name, sniff_reason(flow->sniff));
		if (event == SNIFF_NAME) {
			const char *why = name_wrong(flow, flow->sniff->name);
			if (why)
				return refuse_words(flow, flow->sniff->name, why);
			if (strcmp(flow->name, flow->sniff->name) != 0) {
				strcpy(flow->name, flow->sniff->name);
				flow_tell(flow, "name");
			}
		}
		if (event == SNIFF_DONE || event == SNIFF_BAD)
			flow_unwatch(flow);
	}
	return flow && flow->sniff ? (int)flow->sniff->held : 0;
}

/* ------------------------------------------------------------------------------------------------ changes */

static bool still_allowed(const struct policy_flow *flow, struct policy_verdict *verdict)
{
	if (flow->own || flow->incoming)
		return flow->own || is_published(flow->protocol, flow->local.port);
	judge(&flow->remote, flow->protocol, false, verdict);
	if (!verdict->allowed || !verdict->named || !*flow->name || flow->protocol != POLICY_TCP)
		return verdict->allowed;
	/* By the name that it has said, not by another one at the same address. */
	verdict->allowed = policy_rules_name(&policy->config.rules, flow->name, flow->remote.port, POLICY_TCP,
					     &verdict->rule) == POLICY_ALLOWS;
	verdict->reason = "no rule allows this name any more";
	return verdict->allowed;
}

uint32_t policy_replace(const struct policy_change *change)
{
	struct policy_flow *flow, *next;
	struct policy_verdict verdict;
	uint32_t dropped = 0;

	policy->config.rules = change->rules;
	policy->config.publish_count = MIN(change->publish_count, (uint32_t)POLICY_PUBLISH_LIMIT);
	memcpy(policy->config.publish, change->publish, sizeof policy->config.publish);
	policy->deny_names = policy_rules_deny_names(&change->rules);
	audit_write(&(struct audit_event){
		.event = "policy", .allowed = true, .reason = "new rules", .rule = POLICY_NO_RULE});
	for (flow = flow_next(NULL); flow; flow = next) {
		next = flow_next(flow);
		if (still_allowed(flow, &verdict)) {
			flow->rule = flow->own || flow->incoming ? POLICY_NO_RULE : verdict.rule;
			continue;
		}
		flow->rule = POLICY_NO_RULE;
		dropped++;
		if (flow->sock)
			connection_drop(flow, "the new rules do not allow it");
		else
			flow_end(flow, "the new rules do not allow it");
	}
	return dropped;
}
