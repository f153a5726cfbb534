/* policy_flow.h - flows: what was allowed, by protocol and both ends. For policy*.c. */
#ifndef NETSTACK_POLICY_FLOW_H
#define NETSTACK_POLICY_FLOW_H

#include "netstack/policy.h"
#include "netstack/policy_sniff.h"
#include "sentry/base/list.h"

#define PROCESS_NAME_BYTES 16

/* Who began it, for the audit. pid 0: the stack itself, or somebody outside. */
struct policy_process {
	int32_t pid;
	char name[PROCESS_NAME_BYTES];
};

struct policy_flow {
	struct list hash_node, age_node;
	struct inet_sock *sock; /* a connection's; borrowed: policy_closed. NULL: datagrams, raw packets */
	uint8_t protocol;       /* POLICY_* */
	bool incoming;          /* began outside, at a published port */
	bool own;               /* the stack's own questions */
	bool refused;           /* by what it said: it is about to end */
	bool named;             /* allowed by a name: what is sent must say the same name */
	struct net_end local, remote;
	struct policy_sniff *sniff; /* looks at what is sent; NULL: nobody, or no more */
	uint32_t rule;              /* that allowed it; not for incoming and own ones */
	uint64_t used_ns;           /* when the last packet passed */
	uint64_t up_bytes, down_bytes;
	struct policy_process process;
	char name[POLICY_NAME_BYTES]; /* that it was allowed by; "": by address */
};

/* What decides about somebody outside. */
struct policy_verdict {
	bool allowed, named;
	uint32_t rule;      /* that allowed or denied it; POLICY_NO_RULE */
	const char *reason; /* of a refusal, for people; static */
	char name[POLICY_NAME_BYTES];
};
#define POLICY_NO_RULE UINT32_MAX

must_check int flow_init(void);
/* NULL: none. Borrowed. */
struct policy_flow *flow_find(uint8_t protocol, const struct net_end *local, const struct net_end *remote);
/* NULL: no memory, or too many of which none can go. */
must_check struct policy_flow *flow_new(uint8_t protocol, const struct net_end *local, const struct net_end *remote);
/* Ends it, with its record. */
void flow_end(struct policy_flow *flow, const char *reason);
/* A packet of so many bytes has passed. */
void flow_count(struct policy_flow *flow, uint32_t bytes, bool up);
/* From now on somebody looks at what is sent (flow->sniff). false: no memory. */
must_check bool flow_watch(struct policy_flow *flow);
void flow_unwatch(struct policy_flow *flow);
/* The least recently used first: NULL first; NULL behind the last. */
struct policy_flow *flow_next(const struct policy_flow *flow);
/* How many there are that began inside, and are not finished (TIME_WAIT). */
uint32_t flow_live_count(void);

#endif
