/* abi.h - what the sentry and the gate agree on: addresses, shared structures, and who may write each word.
 *
 * Every stub address space holds above the guest's range exactly this:
 *
 *   GATE_CODE   r-x  the blob; the guest's half, then the agent's   sealed memfd, the same pages in every stub
 *   GATE_CONF   r--  the programs without a secret                  sealed with it
 *   GATE_CMD    r--  the agent's commands                           written by the sentry only
 *   GATE_KEY    r--  the keyed program while it is being installed, else zeros
 *   GATE_BELL   rw-  the sandbox's doorbell                         one page for all stubs of a sandbox
 *   GATE_REPLY  rw-  the agent's results: a HINT                    guests can write it
 *   GATE_BLOCK0 rw-  one block a thread: channel, queued calls, gate stack, alternate stack, windows
 *
 * It lies far below the addresses where the host puts stack, vdso and libraries of an ordinary process, so that the
 * first stub, a fork of one, can map it before it drops everything else; and far above the guest's range.
 *
 * Everything that a guest can write (bell, reply, blocks) is the guest's word: the sentry reads each word once and
 * checks what it uses it for.
 */
#ifndef PLATFORM_SYSTRAP_ABI_H
#define PLATFORM_SYSTRAP_ABI_H

#define GATE_BASE        0x700000000000
#define GATE_CODE        GATE_BASE
#define GATE_GUEST_BYTES 0x4000 /* code with the guest's rights */
#define GATE_AGENT       (GATE_BASE + 0x4000)
#define GATE_AGENT_BYTES 0x4000
#define GATE_CODE_BYTES  0x8000
#define GATE_CONF        (GATE_BASE + 0x8000)
#define GATE_CONF_BYTES  0x8000
#define GATE_CMD         (GATE_BASE + 0x10000)
#define GATE_KEY         (GATE_BASE + 0x11000)
#define GATE_KEY_BYTES   0x3000
#define GATE_CMD_BYTES   0x4000 /* command page and key pages: one mapping */
#define GATE_BELL        (GATE_BASE + 0x14000)
#define GATE_DATA        (GATE_BASE + 0x1f000) /* reply page and blocks: one mapping */
#define GATE_REPLY       GATE_DATA
#define GATE_BLOCK0      (GATE_BASE + 0x20000)
#define BLOCK_SHIFT      16
#define BLOCK_BYTES      0x10000
#define BLOCKS           1024
#define GATE_DATA_BYTES  0x4001000
#define GATE_END         (GATE_BASE + 0x4020000)
#define HOST_END         0x7ffffffff000

/* The memfd of a sandbox: the bell's page, then for each address space: command page and keys, reply page, blocks. */
#define STUB_FILE_BYTES   0x4010000
#define STUB_FILE_CMD     0x0
#define STUB_FILE_REPLY   0xf000
#define STUB_FILE_BLOCK0  0x10000
#define STUB_FILE_OFF(id) (0x10000 + (uint64_t)(id)*STUB_FILE_BYTES)

/* Inside a block. */
#define BLOCK_OPS       0x1000 /* signed calls: written by the sentry, results by the gate */
#define BLOCK_STACK_TOP 0x4000 /* the gate's stack for patched entries: 8 KiB */
#define BLOCK_ALT       0x4000 /* alternate signal stack: two frames of AVX-512 size, or one of AMX size */
#define BLOCK_ALT_BYTES 0x6000
#define BLOCK_IN        0xa000 /* window: what the gate copied in for the sentry */
#define BLOCK_IN_BYTES  0x3000
#define BLOCK_OUT       0xd000 /* window: what the gate shall copy out */
#define BLOCK_OUT_BYTES 0x3000

/* Descriptors that the platform itself keeps in the table shared by factory, agents and guest threads. */
#define FD_GATE       3
#define FD_FACTORY    4
#define FD_LANE0      5 /* open file descriptions whose position says what a clone returned */
#define LANES         8
#define FD_FIRST_FILE 16 /* from here on: what guests may map */
#define FD_TRAMPOLINE 16

/* Offsets that assembly uses; tied to the structs by static_asserts below. */
#define CH_STATE      0
#define CH_UC         72
#define CH_RSP        128
#define CH_STACK      136
#define CH_RET        144
#define CH_ENTRY      152
#define CH_KICK       160
#define REGS_BYTES    144 /* struct gate_regs */
#define REGS_FLAGS    136
#define CONF_AGENT    0  /* struct sock_fprog */
#define CONF_GUEST    16 /* struct sock_fprog */
#define CONF_FSGSBASE 32
#define CMD_HEAD      0
#define CMD_SPIN      4
#define CMD_SLOTS     16
#define CMD_SLOT0     2048
#define CMD_SHIFT     7
#define BELL_SLEEPING 0

/* The call number of the deliberate trap; no call has it. */
#define RETRAP_NR 0x5afe

/* A round of a spin that took this many ticks of the TSC (some 20 us) was interrupted: somebody else wants the CPU. */
#define SPIN_AWAY_TICKS 65536

/* The host signal that interrupts a guest thread: SIGURG, ignored by default. */
#define KICK_SIGNAL 23

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* Who moves a channel on: the gate IDLE,DONE -> REQUEST -> REQUEST_ASLEEP, the sentry REQUEST* -> DONE, and
 * REQUEST -> REQUEST_ASLEEP when the answer will take long: the gate stops spinning then. */
enum channel_state { CHANNEL_IDLE, CHANNEL_REQUEST, CHANNEL_REQUEST_ASLEEP, CHANNEL_DONE };

/* Why the gate posts. */
enum post_kind {
	POST_CALL,     /* a system call */
	POST_FAULT,    /* arg: signal | code << 32, address, trapno, error */
	POST_KICK,     /* a kick arrived in guest code */
	POST_BACK,     /* an answer with ANSWER_BACK has been carried out; nr: result */
	POST_FULL,     /* the deliberate trap after ANSWER_RETRAP: now a frame holds everything */
	POST_OP_FAILED /* arg[0]: index of the queued call, arg[1]: what the host said */
};
#define POST_KIND_MASK 0xff
#define POST_FRAME     0x100 /* a signal frame at uc holds the thread's state, else the registers on the gate stack */
#define POST_FOREIGN   0x200 /* CALL: not by the 64-bit instruction */
#define POST_WINDOW    0x400 /* CALL: there are records in the in window */

/* What an answer asks the gate to do, in this order. */
#define ANSWER_OPS     0x01 /* make the queued signed calls; a failure comes back as POST_OP_FAILED */
#define ANSWER_CMPXCHG 0x02 /* compare and exchange the word at arg[0]: arg[1] -> arg[2]; implies BACK */
#define ANSWER_BACK    0x04 /* post POST_BACK instead of returning to the guest */
#define ANSWER_OUT     0x08 /* copy the out window's records; a fault there makes the result -EFAULT */
#define ANSWER_NO_RET  0x10 /* leave rax alone */
#define ANSWER_SET_FS  0x20 /* load fs_base */
#define ANSWER_RETRAP  0x40 /* not a return to the guest: take the deliberate trap and post POST_FULL */

/* The registers of a patched entry, as the gate pushes them; the last member has the highest address. */
struct gate_regs {
	uint64_t r15, r14, r13, r12, rbx, rbp, r9, r8, r10, rdx, rsi, rdi, rax, rcx, r11, rip, rsp, flags;
};
_Static_assert(sizeof(struct gate_regs) == REGS_BYTES && offsetof(struct gate_regs, flags) == REGS_FLAGS, "assembly");

/* One queued signed call. */
struct gate_op {
	uint64_t nr, arg[6];
	int64_t result; /* gate */
};
#define GATE_OPS 32

struct channel {
	/* First line: a request or an answer whole. */
	uint32_t state; /* see enum channel_state */
	uint32_t kind;  /* gate: POST_*; sentry: ANSWER_* */
	union {
		uint64_t nr; /* gate */
		int64_t ret; /* sentry */
	};
	uint64_t arg[6]; /* gate; sentry for ANSWER_CMPXCHG */

	uint64_t rip;        /* gate: behind the call, or of the fault */
	uint64_t uc;         /* gate: address of the ucontext; sentry: that of the first frame */
	uint64_t fs_base;    /* gate: at a post, where it can be read without a host call; sentry: for ANSWER_SET_FS */
	uint32_t op_count;   /* sentry */
	uint32_t op_seq;     /* sentry: number of this batch of queued calls */
	uint32_t op_done;    /* gate: the last batch made */
	uint32_t op_ring;    /* sentry: somebody waits for op_done: ring */
	uint32_t watched;    /* sentry: it looks at this channel while it spins, no need to ring */
	uint32_t spin;       /* gate: learned budget */
	uint32_t out_bytes;  /* sentry: of records in the out window */
	uint32_t in_bytes;   /* gate: of records in the in window, valid for this post */
	uint32_t out_failed; /* gate: a copy out has faulted since the last return to the guest */
	uint32_t sleeps;     /* gate: after spins that did not pay */

	/* The gate's scratch, reached through %gs. */
	uint64_t s_rsp, s_stack, s_ret, s_entry;
	uint32_t s_kick; /* gate: a kick arrived while in the gate */
	uint32_t slot;   /* sentry: bit in the bell */

	uint32_t identity_valid;                       /* sentry */
	uint32_t pid, tid, ppid, uid, euid, gid, egid; /* sentry */
};
_Static_assert(offsetof(struct channel, state) == CH_STATE && offsetof(struct channel, uc) == CH_UC &&
		       offsetof(struct channel, s_rsp) == CH_RSP && offsetof(struct channel, s_stack) == CH_STACK &&
		       offsetof(struct channel, s_ret) == CH_RET && offsetof(struct channel, s_entry) == CH_ENTRY &&
		       offsetof(struct channel, s_kick) == CH_KICK,
	       "assembly");

/* A record in a window; the bytes follow, padded to 8. In the in window: what the guest has at addr or, with
 * WINDOW_WRITABLE and no bytes following, that it can be written. */
struct window_record {
	uint64_t addr;
	uint64_t bytes;
};
#define WINDOW_WRITABLE  (1ull << 63)
#define WINDOW_ONE_BYTES 2048 /* more than this goes by a copy of the sentry's own, which is quicker then */

#define BELL_SLOTS 4096
/* All words: set by gates, cleared by the sentry. Any guest of the sandbox can write all of them. */
struct bell {
	uint32_t sleeping; /* sentry: 1 before it sleeps; whoever takes it back to 0 wakes it */
	uint32_t spin_max; /* sentry: the most that gates may spin; 0 with one CPU */
	uint64_t summary;  /* bit i: something in pending[i] */
	uint64_t pad[6];
	uint64_t pending[BELL_SLOTS / 64]; /* bit: this slot has posted */
};

struct cmd {
	uint64_t seq; /* its number + 1: the agent checks it before and after it reads the rest */
	uint64_t nr, arg[6];
	uint64_t extra; /* clone: block address of the new thread, or 0: a fork */
	uint64_t lane;  /* clone: descriptor whose position tells the result */
	uint64_t pad[6];
};
struct cmd_page { /* all: sentry */
	uint32_t head, spin;
	uint64_t pad[255];
	struct cmd slot[CMD_SLOTS];
};
_Static_assert(offsetof(struct cmd_page, slot) == CMD_SLOT0 && sizeof(struct cmd) == 1 << CMD_SHIFT, "assembly");

struct reply_page { /* all: agent (and any guest) */
	uint32_t done, pad[15];
	int64_t ret[CMD_SLOTS];
};

struct gate_conf {
	uint64_t agent_prog[2], guest_prog[2]; /* struct sock_fprog */
	uint32_t fsgsbase;
};
_Static_assert(offsetof(struct gate_conf, guest_prog) == CONF_GUEST &&
		       offsetof(struct gate_conf, fsgsbase) == CONF_FSGSBASE,
	       "assembly");
#endif
#endif
