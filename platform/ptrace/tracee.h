/* tracee.h - the tracer's books. Fixed tables: once started the tracer needs no host calls for them. */
#ifndef PLATFORM_PTRACE_TRACEE_H
#define PLATFORM_PTRACE_TRACEE_H

#include <linux/seccomp.h>

#include "sentry/base/types.h"

enum tracee_state {
	TRACEE_ANNOUNCED, /* its maker's event has come, its own first stop has not */
	TRACEE_STOPPED,   /* its first stop has come, its maker's event has not: it waits */
	TRACEE_GONE,      /* it has died before its maker's event came */
	TRACEE_LIVE
};

struct program;

struct tracee {
	pid_t pid;   /* 0: a free place in the table */
	pid_t group; /* threads of one process have the same */
	enum tracee_state state;
	bool runs_calls;         /* how it was resumed last: the next call that it makes can still be let run */
	bool trap;               /* the SIGSYS that comes next is ours */
	bool hide;               /* it wants to be undumpable: once its program is loaded */
	struct program *program; /* the newest of its programs; counted. NULL: none */
	/* What the SIGSYS tells. */
	int trap_nr;
	uint32_t trap_arch;
	uint64_t trap_ip;
};

/* NULL: none. */
struct tracee *tracee_find(pid_t pid);

/* A new one without programs; NULL: the table is full. Pointers to others stay valid until tracee_remove. */
must_check struct tracee *tracee_add(pid_t pid, enum tracee_state state);

/* Every pointer to a tracee is stale afterwards. */
void tracee_remove(struct tracee *tracee);

/* The child has what its maker has. */
void tracee_inherit(struct tracee *child, const struct tracee *maker);

/* Once, before any program. 0 or -ENOMEM. */
must_check int programs_start(void);

/* Room for a program that is being loaded: the caller fills insns[0..n). NULL: none. */
must_check struct sock_filter *program_draft(unsigned n);

/* The draft becomes the newest program of the tracee (whole: of every thread of its process, which then all have the
 * same programs). 0, or -EINVAL: not a program that we can run; -ENOMEM. */
must_check int program_load(struct tracee *tracee, unsigned n, bool whole);

/* What its programs say of this call: SECCOMP_RET_*. */
uint32_t tracee_verdict(const struct tracee *tracee, const struct seccomp_data *data);

#endif
