/* systrap.h - the objects of the systrap platform and what its files do for each other.
 *
 *   start.c    platform_start, platform_stop; the gate's sealed pages, the first descriptors
 *   factory.c  the factory process and the first stub
 *   agent.c    commands to an address space's agent
 *   aspace.c   address spaces: new, fork, free, the pool, deaths
 *   uthread.c  user threads: new, wait, answer, kick, kill
 *   context.c  registers and vector state at a stop
 *   mem.c      memory operations: queued and signed, or by the agent
 *   copy.c     guest memory by value
 *   patch.c    patched call sites and their trampolines
 *   ranges.c   sets of address ranges
 *   poll.c     the doorbell, spinning and sleeping
 *   company.c  threads that are kept on the sentry's CPU
 *   usage.c    what the host counts: memory and CPU time
 *
 * Everything runs in the sentry's one thread, except what factory.c says of its children.
 */
#ifndef PLATFORM_SYSTRAP_SYSTRAP_H
#define PLATFORM_SYSTRAP_SYSTRAP_H

#include "platform/platform.h"
#include "platform/ptrace/tracer.h"
#include "platform/systrap/abi.h"
#include "platform/systrap/sign.h"
#include "sentry/base/list.h"
#include "sentry/base/wait.h"

struct fiber;

/* Sorted, disjoint, never touching ranges. Zeroed is empty. */
struct range {
	uint64_t start, end;
};
struct ranges {
	struct range *range;
	unsigned count, room;
};
/* Best effort when memory is short: a forgotten patchable range is only slow, see ranges.c. */
must_check int ranges_add(struct ranges *set, uint64_t start, uint64_t end);
must_check int ranges_remove(struct ranges *set, uint64_t start, uint64_t end);
bool ranges_cover(const struct ranges *set, uint64_t start, uint64_t end);
bool ranges_touch(const struct ranges *set, uint64_t start, uint64_t end);
/* The first piece of [start, end) that is in the set. */
bool ranges_next(const struct ranges *set, uint64_t start, uint64_t end, struct range *out);
must_check int ranges_copy(struct ranges *to, const struct ranges *from);
void ranges_clear(struct ranges *set);

/* What patch.c knows of one address space. */
struct site;
#define TRAMPOLINE_RUNS 16
struct trampoline_run {
	uint64_t start, end;
	uint32_t first; /* page of the trampolines' memory file */
	int32_t displacement;
};
/* A text of a file, unchanged by the guest: patch_aot.c. */
#define AOT_TEXTS 16
struct aot_text {
	uint64_t start, end; /* end 0: none */
	uint32_t text;       /* patch_aot.c's number */
	uint32_t file;       /* the host file, counted; HOSTFILE_NONE: all that can be patched ahead is patched */
};
#define INSN_SYSCALL_0 0x0f
#define INSN_SYSCALL_1 0x05
#define INSN_JMP       0xe9
struct patches {
	struct aot_text texts[AOT_TEXTS];
	struct ranges patchable;   /* private, executable, not writable */
	struct ranges shared;      /* MAP_SHARED: never written to */
	struct ranges trampolines; /* pages that trampoline.c has mapped */
	struct trampoline_run run[TRAMPOLINE_RUNS];
	unsigned runs;
	unsigned frozen, active; /* forks under way, which nothing may be patched during; patches under way */
	struct site *site;       /* hash table by address */
	unsigned sites, site_room;
	bool shared_unknown; /* memory was short: patch nothing new */
};

enum aspace_state {
	ASPACE_NONE,
	ASPACE_MAKING,
	ASPACE_POOL, /* blank */
	ASPACE_USED,
	ASPACE_DIRTY,     /* given back; its tasks are dying, then it is scrubbed or ended */
	ASPACE_SCRUBBING, /* its agent unmaps what was left in it */
	ASPACE_ENDING     /* its agent is dying */
};

struct aspace {
	struct list node; /* of its state */
	enum aspace_state state;
	unsigned id;
	uint64_t key_birth; /* see hostfile.c */
	pid_t agent_pid;    /* 0: dead and reaped, or never there */
	int mem_fd;         /* /proc/PID/mem of the agent, -1: none */
	struct cmd_page *cmd;
	unsigned char *key_pages;
	struct reply_page *reply;
	char *blocks;
	uint32_t head; /* commands issued */
	struct sign_key key;
	uint64_t doomed_bytes; /* what it had when it was doomed (platform.h); 0: it is not */
	bool peak_stale;       /* its VmHWM is that of an earlier life */
	bool broken;           /* killed, or its agent died: only frees are left to do */
	bool agent_busy;       /* a fiber talks to the agent */
	bool agent_hot;        /* and will again, at once */
	bool lost_task;        /* an agent died in the middle of a clone: there may be a task that we do not know */
	struct waitq agent_free;
	struct list threads; /* struct uthread, not freed by the sentry */
	unsigned host_tasks; /* guest threads of the host that are not reaped */
	uint64_t block_used[BLOCKS / 64];
	unsigned blocks_high; /* one above the highest block ever used */
	struct list pending;  /* struct uthread with queued calls on the way */
	struct patches patches;
};

enum uthread_state {
	UTHREAD_AT_STOP, /* the sentry has the word */
	UTHREAD_RUNNING, /* the guest has it */
	UTHREAD_DEAD     /* reaped */
};

struct uthread {
	struct list node, all_node, pending_node;
	struct aspace *as;
	struct channel *ch;
	unsigned block, slot;
	pid_t pid;
	enum uthread_state state;
	bool posted;      /* RUNNING: a request has been seen */
	bool killed;      /* by the sentry */
	bool freed;       /* by the sentry; the object goes when the task is reaped */
	bool fresh;       /* has not run yet */
	bool frame;       /* a signal frame holds its state */
	bool hot;         /* watched while spinning */
	bool window;      /* at a call that came with records in the in window */
	bool wrote;       /* guest memory has been written since the stop */
	bool kick_wanted; /* a kick since the owner began to wait */
	bool fs_unread;   /* fs_base is to be read from the channel */
	bool company;     /* kept on the sentry's CPU */
	int death_signal;
	uint32_t uc_off; /* of the ucontext in the block: checked */
	uint64_t fs_base;
	struct fiber *waiter;

	uint32_t out_bytes; /* in the out window, with the next resume */
	uint32_t answer;    /* ANSWER_*, with the next resume */
	int64_t ret;

	unsigned queued;          /* calls in the block, with the next resume */
	struct range queue_range; /* what they and those on their way touch, as one range */
	uint32_t op_seq;          /* of the last batch */
	int op_error;             /* first failure since the last settle */

	uint64_t kick_deadline_ns; /* DEADLINE_NONE: no kick under way */
	unsigned retries;          /* faults let run again without progress */
	uint64_t retry_addr;
	uint64_t cpu_ns; /* at the last look */
	uint32_t calls;  /* posts that have been taken */
};

/* The whole platform. */
struct systrap {
	struct platform_config config;
	struct tracer tracer; /* pid 0: the host's seccomp does it */
	bool sentry_traced;   /* for want of seccomp; else the tracer has the factory and the stubs only */
	int gate_fd;          /* the sandbox's memfd */
	int factory_fd;
	pid_t factory_pid;
	int lane_fd[LANES];
	bool lane_busy[LANES];
	struct waitq lane_free;
	uint32_t sigchld_file;
	struct bell *bell;
	char *file; /* the memfd, mapped */
	bool fsgsbase, no_spin, stopping;
	size_t fp_bytes;       /* of the vector state in a signal frame, in whole lines */
	size_t fp_state_bytes; /* the same, exactly */
	uint64_t fp_features;
	uint32_t mxcsr_mask;
	const char *fatal;
	struct platform_stats stats;
	struct list threads; /* all struct uthread, through all_node */
	struct aspace *template;
	uint64_t keys; /* made so far */
};
extern struct systrap systrap;

#define ASPACES           2048            /* address spaces of a sandbox */
#define POOL_LEAST        1               /* blank ones made ahead */
#define POOL_MOST         8               /* given back ones that are kept */
#define POOL_DELAY_NS     (2 * NS_PER_MS) /* not at once, when a program has just begun to run */
#define AGENT_LIMIT_NS    (30 * NS_PER_S)
#define AGENT_PATIENCE_NS (2 * NS_PER_MS) /* then ask for proof */
#define OPS_LIMIT_NS      (30 * NS_PER_S)
#define KICK_LIMIT_NS     (2 * NS_PER_S)
#define SLEEP_LIMIT_NS    (1 * NS_PER_S)
#define FAULT_RETRIES     3

/* start.c */
struct filter_layout;
struct filter_layout systrap_layout(void);

/* factory.c. Before the jail closes. */
must_check int factory_start(int gate_code_fd, int gate_fd, int trampoline_fd, const int lane_fd[LANES],
			     uint64_t memory_limit_bytes, int *factory_fd, pid_t *factory_pid, pid_t *template_pid);
/* Places a copy of host_fd in the stubs' descriptor table under this number, or closes that number (host_fd -1). */
must_check int factory_install(int host_fd, int number);

/* agent.c. PARK. */
struct agent_call {
	uint64_t nr, arg[6];
};
/* Makes n calls in order (n < CMD_SLOTS). Returns the first error of them, or 0. -EIO: no living agent. */
must_check int agent_run(struct aspace *as, const struct agent_call *calls, unsigned n);
/* Makes a task: a thread (block: its address) or a fork (block 0; file_off: its place in the memfd). The pid, or
 * -errno. What it returns does not depend on anything that a guest can write. */
must_check pid_t agent_clone(struct aspace *as, uint64_t block, uint64_t file_off);
/* A fork: the parent's agent makes the child's, which finds a command to make the first thread (block). The three
 * follow each other; a begin that succeeded must be followed by agent_fork_agent, and that, if it gave a pid, by
 * agent_fork_thread. PARK. */
struct agent_fork {
	int parent_lane, child_lane;
};
must_check int agent_fork_begin(struct aspace *parent, struct aspace *child, uint64_t block, struct agent_fork *out);
must_check pid_t agent_fork_agent(struct aspace *parent, struct aspace *child, uint64_t file_off,
				  struct agent_fork *fork);
must_check pid_t agent_fork_thread(struct aspace *child, struct agent_fork *fork);
/* Wakes the fibers whose agents are done. */
void agents_check(void);
void agents_wake_all(struct aspace *as);

/* aspace.c */
must_check int aspace_setup(unsigned id, pid_t agent_pid, struct aspace **out);
void aspace_kill(struct aspace *as, const char *why);
struct uthread *uthread_of_slot(unsigned slot);
struct aspace *aspace_by_id(unsigned id); /* below ASPACES; NULL: none */
int block_alloc(struct aspace *as);
void block_free(struct aspace *as, unsigned block);
/* Called by every poll. */
void deaths_watch(void);
must_check int pool_start(void);

/* uthread.c */
must_check int uthread_alloc(struct aspace *as, struct uthread **out);
void uthread_drop(struct uthread *thread);
void uthread_died(struct uthread *thread, int signal);
/* Hands the word to the guest and waits for its next post; false: it died. PARKS. */
must_check bool uthread_round_trip(struct uthread *thread, uint32_t extra_answer);
void uthread_check(struct uthread *thread);
void uthread_kicks_check(uint64_t now_ns);
uint64_t uthread_kicks_deadline(void);

/* context.c */
/* PARKS. Sees to it that a signal frame holds the state; false: it died. */
must_check bool context_full(struct uthread *thread);
void context_note_frame(struct uthread *thread, uint64_t uc);
/* A new frame in a block with these registers; vector state from `from` (full, at a stop) or initial. */
void context_build(struct uthread *thread, const struct uthread *from, const struct uregs *regs);
void context_measure(void);
/* A general register in the frame, by its index in gregs of the ucontext. */
uint64_t *context_frame_reg(struct uthread *thread, int greg);
#define FRAME_RAX 13
uint64_t context_rip(struct uthread *thread);
/* rax. */
void context_result_set(struct uthread *thread, int64_t result);
void context_prefetch(const struct uthread *thread);

/* mem.c */
/* PARKS until nothing under way touches the range; except: this thread's own unsent queue is not looked at. */
void mem_settle_range(struct aspace *as, uint64_t start, uint64_t end, struct uthread *except);
/* PARKS. The thread's queue is sent and carried out now if it touches the range. */
void mem_flush_own(struct uthread *thread, uint64_t start, uint64_t end);
void mem_sent(struct uthread *thread);
void mem_done(struct uthread *thread);
bool mem_is_pending(const struct aspace *as, uint64_t start, uint64_t end, const struct uthread *except);

/* copy.c: what waits in the out window is written now. */
void copy_flush(struct uthread *thread);

/* patch.c */
/* PARKS. For a fork: waits for patches under way and lets none begin until patch_thaw, so that memory and books of the
 * copy are those of one moment. */
void patch_freeze(struct aspace *as);
void patch_thaw(struct aspace *as);
/* PARKS. A call has trapped at this site. */
void patch_site(struct uthread *thread, uint64_t site);
/* An operation is about to change [addr, addr+size): forget or take back what depends on it. */
void patch_before(struct aspace *as, struct uthread *caller, const struct mem_op *op);
void patch_after(struct aspace *as, const struct mem_op *op);
/* The trampoline page range within [start, end) that comes first; false: none. */
bool patch_next_trampoline(const struct aspace *as, uint64_t start, uint64_t end, struct range *out);
/* An address inside a trampoline: that of the site it belongs to; any other: itself. */
uint64_t patch_guest_rip(const struct aspace *as, uint64_t rip);
must_check int patch_copy(struct aspace *to, const struct aspace *from);
void patch_forget(struct aspace *as);

/* The number of the oldest key that a living address space has. */
uint64_t aspace_oldest_key(void);

/* usage.c */
struct rusage;
void usage_of_ended(const struct rusage *usage); /* a process of ours that has been reaped */
void usage_peak_reset(struct aspace *as);        /* it begins a new life: what it had is forgotten */

/* hostfile.c, before the jail closes. */
void hostfile_start(void);
/* hostfile.c: the number under which stubs have the file, installed now if need be. */
must_check int hostfile_stub_fd(uint32_t file, bool read_only);

#define COMPANY_CALLS 16 /* calls of a thread between two offers */
/* company.c. Before the jail closes. */
void company_start(void);
/* The thread may be one that does little but call. */
void company_offer(struct uthread *thread);
/* It is gone. */
void company_leave(struct uthread *thread);
/* From time to time. crowd: there are not enough CPUs for spinning. */
void company_look(uint64_t now_ns, bool crowd);
/* When it wants the next look, whatever happens. */
uint64_t company_deadline(void);

/* poll.c */
void bell_watch(struct uthread *thread);
void bell_unwatch(struct uthread *thread);
void bell_taken(struct uthread *thread);
void poll_start(void);
/* How many rounds an agent may wait for its next command before it sleeps. */
uint32_t poll_agent_spin(void);

#endif
