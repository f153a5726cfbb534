/* policy_flow.c - see policy_flow.h. A table by both ends, and a list by age.
 *
 * A connection's flow ends with the connection. Datagrams and raw packets have no end: theirs goes when nothing was
 * seen for IDLE_NS and room is needed, or when the table is full and it is the oldest.
 */
#include "netstack/policy_flow.h"

#include "netstack/policy_audit.h"
#include "netstack/tcp.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"
#include <errno.h>

#define BUCKETS 1024u
#define IDLE_NS (180 * NS_PER_S) /* as nf_conntrack_udp_timeout_stream was */

static struct flows {
	struct list bucket[BUCKETS]; /* hash_node */
	struct list by_age;          /* age_node, the least recently used first */
	uint32_t count;
} * flows; /* in the arena */
static struct slab flow_slab = SLAB(policy_flow);

int flow_init(void)
{
	flows = arena_alloc(sizeof *flows);
	if (!flows)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&flows->bucket[i]);
	list_init(&flows->by_age);
	return 0;
}

static struct list *bucket_of(uint8_t protocol, const struct net_end *local, const struct net_end *remote)
{
	uint64_t hash = net_addr_hash(&remote->addr) ^ net_addr_hash(&local->addr) * 7;

	hash = (hash ^ (uint64_t)remote->port << 16 ^ local->port ^ (uint64_t)protocol << 32) * 0x9e3779b97f4a7c15ull;
	return &flows->bucket[hash >> 54];
}
_Static_assert(BUCKETS == 1u << (64 - 54), "the hash's upper bits");

static bool ends_equal(const struct net_end *a, const struct net_end *b)
{
	return a->port == b->port && net_addr_equal(&a->addr, &b->addr);
}

struct policy_flow *flow_find(uint8_t protocol, const struct net_end *local, const struct net_end *remote)
{
	struct policy_flow *flow;

	list_for_each (flow, bucket_of(protocol, local, remote), hash_node)
		if (flow->protocol == protocol && ends_equal(&flow->local, local) && ends_equal(&flow->remote, remote))
			return flow;
	return NULL;
}

struct policy_flow *flow_next(const struct policy_flow *flow)
{
	const struct list *next = flow ? flow->age_node.next : flows->by_age.next;

	return next == &flows->by_age ? NULL : list_entry(next, struct policy_flow, age_node);
}

/* Datagrams that nobody has seen for long; with full, the oldest in any case. */
static void make_room(bool full)
{
	struct policy_flow *flow = flow_next(NULL), *next;

	for (; flow; flow = next) {
		next = flow_next(flow);
		if (!full && clock_now_ns() - flow->used_ns < IDLE_NS)
			return;
		if (flow->sock || flow->own)
			continue;
		flow_end(flow, NULL);
		full = false;
	}
}

struct policy_flow *flow_new(uint8_t protocol, const struct net_end *local, const struct net_end *remote)
{
	make_room(flows->count >= POLICY_FLOW_LIMIT);
	struct policy_flow *flow = flows->count < POLICY_FLOW_LIMIT ? slab_new(&flow_slab) : NULL;
	if (!flow)
		return NULL;
	flow->protocol = protocol;
	flow->local = *local;
	flow->remote = *remote;
	flow->rule = POLICY_NO_RULE;
	flow->used_ns = clock_now_ns();
	list_push_front(bucket_of(protocol, local, remote), &flow->hash_node);
	list_push_back(&flows->by_age, &flow->age_node);
	flows->count++;
	return flow;
}

void flow_end(struct policy_flow *flow, const char *reason)
{
	if (!flow->own)
		audit_write(&(struct audit_event){.event = "close",
						  .allowed = !reason,
						  .reason = reason,
						  .protocol = flow->protocol,
						  .remote = &flow->remote,
						  .name = flow->name,
						  .rule = flow->rule,
						  .process = &flow->process,
						  .ended = flow});
	if (flow->sock)
		flow->sock->flow = NULL;
	flow_unwatch(flow);
	list_remove(&flow->hash_node);
	list_remove(&flow->age_node);
	flows->count--;
	slab_free(&flow_slab, flow);
}

void flow_count(struct policy_flow *flow, uint32_t bytes, bool up)
{
	*(up ? &flow->up_bytes : &flow->down_bytes) += bytes;
	flow->used_ns = clock_now_ns();
	list_remove(&flow->age_node);
	list_push_back(&flows->by_age, &flow->age_node);
}

uint32_t flow_live_count(void)
{
	uint32_t count = 0;

	for (const struct policy_flow *flow = NULL; (flow = flow_next(flow));)
		count += !flow->own && (!flow->sock || tcp_of(flow->sock)->state != TCP_TIME_WAIT);
	return count;
}

bool flow_watch(struct policy_flow *flow)
{
	flow->sniff = arena_alloc(sizeof *flow->sniff);
	if (flow->sniff)
		sniff_start(flow->sniff, flow->remote.port);
	return flow->sniff;
}

void flow_unwatch(struct policy_flow *flow)
{
	if (flow->sniff)
		arena_free(flow->sniff, sizeof *flow->sniff);
	flow->sniff = NULL;
}
