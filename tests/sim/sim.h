/* sim.h - the simulated machine (design D10): what the files of tests/sim do for each other.
 *
 *   main.c      options, seeds in child processes, the summary
 *   world.c     one seed's world: what it is made of, booting it, judging its end
 *   random.c    the one stream of random numbers, the transcript and its hash
 *   machine.c   platform/platform.h: user threads, the scheduler, the clock
 *   memory.c    platform/platform.h: address spaces, pages, faults
 *   host.c      platform/host.h: files and directories in memory, with failures; the clock of hostdep.h
 *   check.c     what must be true after every step
 *   guest*.c    the guests (guest.h)
 *
 * Everything random comes from sim_random and its kin, everything about time from sim.now_ns, so a seed replays
 * exactly.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "platform/platform.h"
#include "sentry/base/list.h"

#include <stdarg.h>

struct fiber;

/* What a seed has decided about its world. Chances are of 1,000. */
struct sim_config {
	uint64_t seed;
	unsigned delay;       /* the platform lets others go first */
	unsigned queue;       /* a memory call is queued */
	unsigned kick;        /* a stop for no reason */
	unsigned host_fault;  /* a host call fails */
	unsigned host_short;  /* a host read or write is short */
	unsigned refuse;      /* the platform has no more address spaces or threads */
	unsigned arena_fault; /* the arena is full */
	unsigned host_kill;   /* of 100,000 steps: somebody on the host ends a stub */
	unsigned chaos;       /* a guest sends signals to everybody */
	unsigned workers;     /* guests at a time */
	unsigned rounds;      /* times that all of them start */
	uint64_t life_ns;     /* of the guests in a round */
	uint64_t programs;    /* which of the guest programs may be chosen: a bit each */
	bool strict;          /* nothing fails and nobody dies: programs must end well */
};

struct sim {
	struct sim_config config;
	uint64_t now_ns; /* CLOCK_MONOTONIC of the simulated host */
	uint64_t steps;  /* of guests */
	bool armed;      /* failures may happen: the first program has begun */
	bool quiet;      /* no failures: a check is under way */
	bool verbose;
	bool plant;          /* a pointer into code, which must be found */
	unsigned failures;   /* of checks */
	uint64_t hash;       /* of the transcript */
	struct list threads; /* uthread.all_node */
	uint64_t parks, faults, injected, polls;
};
extern struct sim sim;

/* ---- random.c */

void sim_seed(uint64_t seed);
uint64_t sim_random(uint64_t below); /* below 0: any 64-bit number */
bool sim_chance(unsigned of_1000);
/* Does this fail now? Never before the world is armed, nor during checks. */
bool sim_inject(unsigned of_1000);
/* Decides a seed's world. */
void sim_configure(uint64_t seed, struct sim_config *out);
/* A line of the transcript. */
printf_like(1, 2) void sim_note(const char *format, ...);
void sim_hash(const void *data, size_t bytes);
/* Something that must be true is not: the seed has failed. */
printf_like(1, 2) void sim_fail(const char *format, ...);

/* ---- machine.c */

enum sim_thread_state { SIM_RUNNING, SIM_AT_STOP, SIM_GONE };

#define SIM_FP_WORDS 4

struct mem_queued {
	bool used;
	struct mem_op op;
	int inode; /* counted; -1: none */
};

struct uthread {
	struct list all_node, node; /* sim.threads, aspace.threads */
	struct aspace *as;
	struct uregs regs;
	uint64_t fp[SIM_FP_WORDS]; /* stands for the vector registers */
	enum sim_thread_state state;
	bool posted;                         /* stop holds what the owner has not taken yet */
	bool killed, kick_wanted, call_open; /* call_open: at a call whose answer goes to rax */
	int host_signal;
	struct fiber *waiter;
	struct stop stop;
	long answer;
	struct uthread_identity identity;
	uint64_t cpu_ns;
	uint64_t ready_ns;        /* runs not before */
	struct mem_queued queued; /* at most one */
	int op_error;
	bool was_tainted;  /* its address space, before that error */
	uint64_t spins;    /* steps since the last stop */
	bool files_shared; /* at its last call others had the same table of descriptors */
};

/* Lets other fibers run for a while, sometimes. */
void sim_delay(void);
/* The same for a time in nanoseconds. */
void sim_sleep(uint64_t ns);
/* A description of what a thread waits for, for messages. */
const char *sim_thread_name(const struct uthread *thread);

/* ---- memory.c */

struct sim_region {
	uint64_t start, end;
	uint32_t prot, flags, file; /* as struct mem_op */
	uint64_t offset;
	int inode; /* of the simulated host, counted; -1: none */
};

struct aspace {
	struct list threads; /* uthread.node */
	struct list all_node;
	struct sim_region *region;
	unsigned regions, room;
	struct sim_pages *pages;
	bool tainted; /* the host refused a change late: it is not what the books say */
	unsigned id;
};

/* A guest's own access, at most 8 bytes or n of them. 0, or the fault is in *stop. */
bool sim_access(struct uthread *thread, uint64_t addr, void *data, size_t n, bool write, struct stop *stop);
bool sim_may_fetch(struct uthread *thread, uint64_t addr, struct stop *stop);
/* The string there as it is now, for the transcript; "" when it is none. Changes nothing. */
void sim_peek_string(struct uthread *thread, uint64_t addr, char *out, size_t size);
/* Makes a queued change. */
void sim_apply_queued(struct uthread *thread);
/* Every address space. */
extern struct list sim_aspaces;

/* ---- host.c */

void sim_host_start(void);
/* Makes things in the simulated host's tree, before boot; parent 0 is the root. Returns the inode. */
int sim_host_dir(int parent, const char *name);
int sim_host_file(int parent, const char *name, const void *data, size_t size);
void sim_host_write_end(int inode, uint64_t size); /* makes it that long */
int sim_host_link(int parent, const char *name, const char *target);
int sim_host_open_dir(int inode); /* a descriptor (O_PATH) */
int sim_host_pipe(int flags);     /* O_RDONLY: at its end; O_WRONLY: swallows all; O_RDWR: never has anything */
int sim_host_inode(int fd);
void sim_host_get(int inode);
void sim_host_put(int inode);
/* Data of a regular file, for guests' mappings: no failures. Returns bytes moved (0 behind the end). */
size_t sim_host_read(int inode, void *dst, size_t n, uint64_t offset);
size_t sim_host_write(int inode, const void *src, size_t n, uint64_t offset);
uint64_t sim_host_size(int inode);
/* Completions of hostio that are due; the time of the next, DEADLINE_NONE: none. */
void sim_host_collect(void);
uint64_t sim_host_next_ns(void);
unsigned sim_host_open_count(void);

/* ---- check.c */

bool sim_files_shared(const struct uthread *thread); /* does its task share its table of descriptors with others? */
void sim_check_resume(const struct uthread *thread); /* its owner says that nothing is pending */
void sim_check_world(void);                          /* everything that may be looked at between two PARKS points */
void sim_check_waits(void);                          /* is anybody waiting for what is there already? */
void sim_print_tasks(void);
void sim_mark(void);        /* remembers how many objects there are */
void sim_check_leaks(void); /* and compares */
void sim_plant(void);       /* puts such a pointer there, to see that it is found */
void sim_scan_code(void);   /* no pointer into code in the arena (design D5) */

/* ---- wrap.c */

/* What the sentry has asked of the arena outside of slabs and not given back. */
size_t sim_arena_bytes(void);
void sim_print_live(uint64_t since_step); /* what was asked for since then and is still there; with --verbose only */

/* ---- world.c */

/* Runs one seed in this process. Returns the number of failures. */
unsigned sim_world_run(void);

#endif
