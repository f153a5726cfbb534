/* policy_audit.h - every decision as a record: a line of JSON in the file of --audit, and, with --explain, a line for
 * people. docs/policy.md describes the records.
 */
#ifndef NETSTACK_POLICY_AUDIT_H
#define NETSTACK_POLICY_AUDIT_H

#include "netstack/policy_flow.h"

struct audit_event {
	const char
		*event; /* "connect", "datagram", "icmp", "raw", "accept", "enter", "dns", "name", "close", "policy" */
	bool allowed;
	const char *reason;                   /* NULL: none */
	uint8_t protocol;                     /* POLICY_*; 0: none */
	const struct net_end *remote, *local; /* NULL: none */
	const char *name;                     /* NULL or "": none */
	uint32_t rule;                        /* POLICY_NO_RULE: none */
	const struct policy_process *process; /* NULL: none */
	const struct policy_flow *ended;      /* its bytes are told; NULL: none */
};

/* file: a host file, or HOSTFILE_NONE. */
void audit_start(uint32_t file, bool explain);
void audit_write(const struct audit_event *event);
/* Can what is decided be recorded? Without that nothing new is allowed. */
bool audit_works(void);
/* After the last guest: what waits is written. */
void audit_finish(void);
/* Who asks at the moment. */
void audit_process(struct policy_process *out);

#endif
