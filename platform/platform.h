/* platform.h - all that the sentry knows of the machine below it (design D9).
 *
 * Two kinds of object. An *address space* (struct aspace) holds a guest's memory; a *user thread* (struct uthread) runs
 * guest code in one. Both belong to the platform and live outside the arena; the sentry keeps a pointer and rebuilds
 * them after a restore. Everything here is called from the sentry's one kernel thread. A function marked PARKS must be
 * called on a fiber and may let other fibers run before it returns; whatever the caller looked up before may be gone.
 *
 * The life of a user thread, seen from the fiber that owns it:
 *
 *     uthread_wait -> STOP_SYSCALL -> ... handler ... -> uthread_answer -> uthread_wait -> ...
 *                  -> STOP_FAULT, STOP_KICK -> ... uthread_context_set ... -> uthread_wait -> ...
 *                  -> STOP_DEAD -> uthread_free
 *
 * Nothing is promised about the truth of what a stop says: number, arguments, registers and memory are the guest's
 * word.
 *
 * Implementations: platform/systrap, whose stubs are confined by seccomp or, where the host has none, by a tracer
 * (platform/ptrace): chosen at start; and tests/sim (the simulated platform), chosen at link time through the
 * platform_* symbols.
 */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include "sentry/base/types.h"

struct aspace;
struct uthread;

/* ------------------------------------------------------------------------------------------------ the platform */

enum platform_kind {
	PLATFORM_AUTO,    /* systrap, or ptrace where the host refuses what systrap needs */
	PLATFORM_SYSTRAP, /* calls are caught by seccomp */
	PLATFORM_PTRACE   /* calls are caught by a tracer: slower, needs no seccomp */
};

struct platform_config {
	enum platform_kind kind;
	uint64_t memory_limit_bytes; /* backstop of a stub's private writable memory (RLIMIT_DATA); 0: none */
	bool no_patch;               /* debugging: leave call sites alone, every call traps */
	bool no_spin;                /* never spin, always sleep (also chosen when only one CPU may be used) */
};

/* The guest's usable addresses: [PLATFORM_MIN_ADDR, PLATFORM_MAX_ADDR). Constants, because snapshots depend on them. */
#define PLATFORM_MIN_ADDR 0x10000ull
#define PLATFORM_MAX_ADDR 0xffe00000000ull /* just below 16 TiB: what a signed call can name (design D3) */

/* Called once, before the jail closes: starts whatever processes the platform needs and fills its pool.
 * Returns 0, or -errno after having printed one line that says what the host forbids. */
must_check int platform_start(const struct platform_config *config);

#define PLATFORM_REASON_BYTES 160

/* Would this platform (not PLATFORM_AUTO) work on this host? Tries it, in processes of its own that end before it
 * returns. May be called by any process with one thread, outside of a jail. 0, or -errno and in one line what the host
 * refuses. */
must_check int platform_probe(enum platform_kind kind, char reason[PLATFORM_REASON_BYTES]);

/* Ends every stub and helper process. Nothing of the platform may be used afterwards. */
void platform_stop(void);

/* One step of the event loop: takes note of all stops and deaths that have happened (their fibers become ready), then,
 * if no fiber is ready, spins for the learned budget and sleeps until something happens or deadline_ns
 * (CLOCK_MONOTONIC; DEADLINE_NONE: no limit). The only place where the sentry sleeps (design D4): host completions
 * (platform/hostio.h) are collected here too. */
void platform_poll(uint64_t deadline_ns);

struct platform_stats {
	uint64_t calls_trapped, calls_patched; /* how system calls came in */
	uint64_t sites_patched, sites_refused;
	uint64_t faults, kicks, handoffs_slept, memory_calls, agent_batches;
};
void platform_stats_get(struct platform_stats *out);

/* What the whole sandbox takes of the host's memory, in bytes. exact: a page that processes share after a fork counts
 * once, for which the host walks page tables (3 to 8 ms for a gigabyte); else for each of them. */
struct platform_memory {
	uint64_t guests; /* anonymous memory of address spaces, and their page tables */
	uint64_t shared; /* memory files: shared mappings, System V shared memory, mapped files of tmpfs */
	uint64_t sentry; /* its own: what guests make it remember */
	/* Of the sum of these, what is about to come back: address spaces that are being emptied or ended, and all that
	 * doomed ones had, for as long as the host may be busy with freeing it. */
	uint64_t leaving;
};
void platform_memory_get(struct platform_memory *out, bool exact);
/* Its processes have been killed for what they have: it counts as leaving from here on. */
void aspace_doom(struct aspace *as);

/* CPU time that the sandbox has used so far: guests, those that have ended included, and the sentry. */
uint64_t platform_cpu_ns(void);

/* A signed memory call had a wrong tag somewhere: the sandbox must end (design D3). NULL, or the reason as one line. */
const char *platform_fatal(void);

/* ------------------------------------------------------------------------------------------------ address spaces */

/* PARKS. A blank address space from the pool. Errors: -EAGAIN (process limit), -ENOMEM. */
must_check int aspace_new(struct aspace **out);

/* PARKS. A copy-on-write copy of parent as fork makes it, with one thread that continues where caller's stop is, same
 * registers and vector state; its context can be changed before uthread_run. The sentry copies its own books.
 * caller must be at a stop. Errors: -EAGAIN, -ENOMEM. */
must_check int aspace_fork(struct aspace *parent, struct uthread *caller, struct aspace **out, struct uthread **thread);

/* Every thread of it must have been freed. Takes the address space (scrubs it for reuse, or ends it). */
void aspace_free(struct aspace *as);

enum mem_kind { MEM_MAP, MEM_UNMAP, MEM_PROTECT, MEM_ADVISE, MEM_REMAP };

#define MEM_READ      1u /* as PROT_READ, PROT_WRITE, PROT_EXEC */
#define MEM_WRITE     2u
#define MEM_EXEC      4u
#define MEM_NO_FILE   UINT32_MAX
#define MEM_SHARED    1u /* flags of struct mem_op */
#define MEM_NORESERVE 2u
#define MEM_POPULATE  4u
#define MEM_READ_ONLY                                                                                                  \
	8u /* with MEM_SHARED: the guest may never write it. Kept even against a replayed call (design D3) */

/* One change of an address space. All addresses and sizes are whole pages inside the usable range; the sentry's mm has
 * checked everything against its own books and hands down only what it wants to be true. MEM_MAP replaces what is
 * there. Trampolines that the platform placed inside a range survive or are taken away by the platform itself. */
struct mem_op {
	enum mem_kind kind;
	uint32_t prot;  /* MAP, PROTECT */
	uint32_t flags; /* MAP */
	uint32_t file;  /* MAP: host file index (platform/hostfile.h), or MEM_NO_FILE for zeroed memory */
	int advice;     /* ADVISE: MADV_DONTNEED, MADV_FREE, MADV_POPULATE_READ or _WRITE, nothing else */
	uint64_t addr, size;
	uint64_t offset; /* MAP of a file: whole pages */
	uint64_t new_addr,
		new_size; /* REMAP: moves [addr, size) to new_addr, size new_size (may equal addr: in place) */
};

/* PARKS. Makes the change. With a caller (a thread of this address space that is at a STOP_SYSCALL) the change may be
 * queued and is then executed before the caller runs its next guest instruction and before any other thread can rely on
 * it (a copy, a fault or another change of an overlapping range waits). Without a caller it is done on return.
 * Errors: -ENOMEM, and what the host's call says. A queued change that fails later is reported by aspace_settle. */
must_check int aspace_mem(struct aspace *as, struct uthread *caller, const struct mem_op *op);

/* PARKS, for some 200 us. Every guest thread that runs, of this address space and all others, has passed a full memory
 * barrier when it returns 0 (membarrier(2)). -errno: this host cannot do it. */
must_check int aspace_barrier(struct aspace *as);

/* Where the platform has placed code of its own (trampolines) inside a range that is free by the sentry's books: the
 * lowest such address in [addr, addr + size), or 0. Mapping there is allowed but slows the guest's calls down: whoever
 * is free to choose an address chooses another. */
uint64_t aspace_avoid(struct aspace *as, uint64_t addr, uint64_t size);

/* PARKS. Waits until every queued change of this caller is done; the first error or 0. */
must_check int aspace_settle(struct aspace *as, struct uthread *caller);

/* Copies. n may be 0; a range outside the usable addresses is -EFAULT. thread is the thread of the address space on
 * whose behalf we copy, at a stop, or NULL: it is only a way to be faster (its copy window). All or nothing is not
 * promised: return 0, or -EFAULT after a part was copied. PARKS only while a queued change of that range is under way.
 */
must_check int aspace_read(struct aspace *as, struct uthread *thread, void *dst, struct uaddr src, size_t n);
must_check int aspace_write(struct aspace *as, struct uthread *thread, struct uaddr dst, const void *src, size_t n);

/* Reads a string with its zero byte into dst, which has size bytes. Returns its length without the zero byte, -EFAULT,
 * or -ENAMETOOLONG when no zero byte is among the first size bytes. */
must_check ssize_t aspace_read_string(struct aspace *as, struct uthread *thread, char *dst, struct uaddr src,
				      size_t size);

/* PARKS. Atomic with respect to the guest's own instructions when thread is given, best effort otherwise (a dying
 * thread's robust list): if *word == expected, *word = desired. found gets what was there. 0 or -EFAULT. */
must_check int aspace_cmpxchg32(struct aspace *as, struct uthread *thread, struct uaddr word, uint32_t expected,
				uint32_t desired, uint32_t *found);

/* What is resident of an address space and what its page tables take, in bytes, as the host counts it: a page that two
 * share after a fork counts for both. Zeros when it is gone. */
struct memory_usage {
	uint64_t anonymous, file, shared, tables;
	uint64_t peak; /* the most that memory_usage_rss has been, or more than that now */
};
void aspace_usage(struct aspace *as, struct memory_usage *out);
static inline uint64_t memory_usage_rss(const struct memory_usage *usage)
{
	return usage->anonymous + usage->file + usage->shared;
}

/* For each of pages from addr on: 1 if it is in memory now, else 0 (mincore). 0 or -errno. */
must_check int aspace_resident(struct aspace *as, uint64_t addr, uint64_t pages, uint8_t *out);

/* ------------------------------------------------------------------------------------------------ user threads */

/* General registers at a stop, in the order of the kernel's struct user_regs_struct without segment selectors.
 * At a STOP_SYSCALL rip is behind the instruction and rax still holds the number. */
struct uregs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t rip, rflags, rsp, fs_base, gs_base;
};

/* PARKS. A new thread in as that starts with these registers once uthread_run is called. Vector state: a copy of from's
 * (at a stop, same or other address space), or the CPU's initial state when from is NULL. Errors: -EAGAIN. */
must_check int uthread_new(struct aspace *as, struct uthread *from, const struct uregs *regs, struct uthread **out);

/* Ends the host thread wherever it is and takes the object. May be called while the owner waits: uthread_wait then says
 * STOP_DEAD first; free it after that. */
void uthread_kill(struct uthread *thread);
void uthread_free(struct uthread *thread);

enum stop_kind { STOP_SYSCALL, STOP_FAULT, STOP_KICK, STOP_DEAD };

struct stop {
	enum stop_kind kind;
	uint64_t nr;            /* SYSCALL: the number as in rax (x32 bit and garbage included) */
	uint64_t args[6];       /* SYSCALL */
	uint64_t rip;           /* behind the syscall instruction, or of the faulting one */
	int sig, code;          /* FAULT: SIGSEGV SIGBUS SIGFPE SIGILL SIGTRAP and the host's si_code */
	struct uaddr addr;      /* FAULT: si_addr */
	uint64_t trapno, error; /* FAULT: as in struct sigcontext */
	bool foreign;           /* SYSCALL: not by the 64-bit syscall instruction (int 0x80): answer ENOSYS */
	int host_signal;        /* DEAD: what ended it when the sentry did not (0: the sentry did) */
};

/* PARKS. Lets the thread run (with what uthread_answer or uthread_context_set left) and returns at its next stop. */
void uthread_wait(struct uthread *thread, struct stop *out);

/* The result of the call that the thread is stopped at; it takes effect with the next uthread_wait. */
void uthread_answer(struct uthread *thread, long result);

/* PARKS, from any other fiber: makes a thread that runs guest code stop with STOP_KICK soon. A thread that is at a stop
 * already, or about to be, may get none or a late one: owners must bear a STOP_KICK for no reason. */
void uthread_kick(struct uthread *thread);

/* PARKS. The whole state at a stop; fetching it may take a hand-off when the thread came by a patched site. After
 * uthread_context_set the thread continues exactly there: no answer is written into rax. */
void uthread_context_get(struct uthread *thread, struct uregs *out);
void uthread_context_set(struct uthread *thread, const struct uregs *regs);

/* Vector state in the layout of XSAVE as the host puts it into a signal frame, uthread_fpstate_size bytes (constant
 * after platform_start; FP_XSTATE_MAGIC2 included). PARKS like uthread_context_get. set: a state that the CPU would
 * refuse is -EINVAL; NULL means the initial state. */
size_t uthread_fpstate_size(void);
void uthread_fpstate_get(struct uthread *thread, void *out);
must_check int uthread_fpstate_set(struct uthread *thread, const void *state);

/* CPU time that the host counted for this thread. */
uint64_t uthread_cpu_ns(struct uthread *thread);

/* Words that the gate answers by itself; the guest can forge them for itself only. */
struct uthread_identity {
	uint32_t pid, tid, ppid, uid, euid, gid, egid;
};
void uthread_identity_set(struct uthread *thread, const struct uthread_identity *identity);

#endif
