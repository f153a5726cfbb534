/* policy_change.h - new rules for a running sandbox, from the command line's process. */
#ifndef NETSTACK_POLICY_CHANGE_H
#define NETSTACK_POLICY_CHANGE_H

#include "netstack/policy.h"

/* What comes in: all that can change, at once. */
struct policy_change {
	struct policy_rules rules;
	struct policy_publish publish[POLICY_PUBLISH_LIMIT];
	uint32_t publish_count;
};

/* What goes back when it holds. */
struct policy_changed {
	uint32_t dropped; /* connections, and flows of datagrams */
};

/* file: a host file, of a stream whose other end is usbx's own. Before the first program. Errors of fiber_new. */
must_check int policy_change_start(uint32_t file);

#endif
