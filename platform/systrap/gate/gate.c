/* gate.c - the guest's side of a stop. Runs with the guest's privilege on memory that the guest can write: nothing here
 * protects anybody from the guest, it only has to be right for a guest that behaves.
 *
 * Freestanding, general registers only (the guest's vector registers are live), no data, no jump tables.
 */
#define _GNU_SOURCE
#include "platform/systrap/gate/gate.h"

#include <linux/audit.h>

#include "syscalls/prefetch.h"

#define BELL ((struct bell *)GATE_BELL)
#define CONF ((const struct gate_conf *)GATE_CONF)

#define SPIN_LEAST 200
#define EAGER      128 /* first rounds, without a pause */

#define SPIN_CAP    16384 /* whatever the bell says: any guest of the sandbox can write it */
#define PROBE_EVERY 16    /* sleeps after which the longest spin is tried */

static long host_call(long nr, long a, long b, long c, long d)
{
	long ret;
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return ret;
}

static void fs_base_note(struct channel *ch)
{
	if (CONF->fsgsbase)
		__asm__ volatile("rdfsbase %0" : "=r"(ch->fs_base));
}

static void fs_base_load(const struct channel *ch)
{
	if (CONF->fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(ch->fs_base));
	else
		host_call(158, 0x1002, ch->fs_base, 0, 0);
}

/* Tells a sentry that does not look at this channel. The caller's locked instruction before this and the sentry's
 * between "I sleep" and its last look exclude a lost wake-up. */
static void ring(struct channel *ch)
{
	uint32_t slot = ch->slot % BELL_SLOTS;

	__atomic_fetch_or(&BELL->pending[slot / 64], 1ull << slot % 64, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&BELL->summary, 1ull << slot / 64, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&BELL->sleeping, __ATOMIC_SEQ_CST) &&
	    __atomic_exchange_n(&BELL->sleeping, 0, __ATOMIC_SEQ_CST))
		host_call(202, (long)&BELL->sleeping, 1, 1, 0);
}

/* Until the answer is there (DONE), the budget is used up (REQUEST), or the sentry says that the call waits for
 * something and it is better to sleep (REQUEST_ASLEEP). */
static uint32_t spin(struct channel *ch, uint32_t budget)
{
	uint64_t before = 0;
	uint32_t state = CHANNEL_REQUEST;

	for (uint32_t n = 0; n < budget; n++) {
		state = __atomic_load_n(&ch->state, __ATOMIC_ACQUIRE);
		if (state == CHANNEL_DONE) {
			uint32_t want = 2 * n + SPIN_LEAST;
			if (ch->spin < want)
				ch->spin = want;
			return state;
		}
		if (state != CHANNEL_REQUEST)
			return state;
		if (n < EAGER)
			continue;
		__builtin_ia32_pause();
		uint64_t now = __builtin_ia32_rdtsc();
		if (before && now - before > SPIN_AWAY_TICKS) {
			ch->spin = 0; /* somebody else wants this CPU, perhaps the sentry */
			return state;
		}
		before = now;
	}
	ch->spin = budget / 2;
	return state;
}

/* Spins as long as it has paid lately, then sleeps. The longest spin is tried again now and then, so that the budget
 * can grow. */
static void wait_answer(struct channel *ch)
{
	uint32_t said = BELL->spin_max, max = said < SPIN_CAP ? said : SPIN_CAP;
	uint32_t budget = ch->spin < max ? ch->spin : max;
	uint32_t state = spin(ch, budget);

	if (state == CHANNEL_REQUEST) {
		if (++ch->sleeps % PROBE_EVERY == 0)
			ch->spin = max;
		__atomic_compare_exchange_n(&ch->state, &state, CHANNEL_REQUEST_ASLEEP, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
	}
	while (__atomic_load_n(&ch->state, __ATOMIC_ACQUIRE) == CHANNEL_REQUEST_ASLEEP)
		host_call(202, (long)&ch->state, 0, CHANNEL_REQUEST_ASLEEP, 0);
}

static void post(struct channel *ch, uint32_t kind)
{
	ch->kind = kind;
	__atomic_exchange_n(&ch->state, CHANNEL_REQUEST, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&ch->watched, __ATOMIC_ACQUIRE))
		ring(ch);
	wait_answer(ch);
}

/* The queued memory calls. Returns the index of the first that failed, or -1. */
static long run_ops(struct channel *ch)
{
	struct gate_op *op = (struct gate_op *)((char *)ch + BLOCK_OPS);
	uint32_t count = ch->op_count < GATE_OPS ? ch->op_count : GATE_OPS;
	long failed = -1;

	for (uint32_t i = 0; i < count; i++) {
		op[i].result = gate_signed(&op[i]);
		if (op[i].result < 0 && op[i].result >= -4095 && failed < 0)
			failed = i;
	}
	__atomic_store_n(&ch->op_done, ch->op_seq, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ch->op_ring, __ATOMIC_SEQ_CST))
		ring(ch);
	return failed;
}

/* What the sentry has put into the out window; a fault is remembered until the call returns. */
static void copy_out(struct channel *ch)
{
	char *at = (char *)ch + BLOCK_OUT, *end = at + ch->out_bytes;

	while (at < end) {
		struct window_record *record = (struct window_record *)at;
		if (gate_copy((void *)record->addr, record + 1, record->bytes))
			ch->out_failed = 1;
		at += sizeof *record + ((record->bytes + 7) & ~7ull);
	}
}

/* Posts, and does what answers ask for until one says to go on. Returns its flags. */
static uint32_t converse(struct channel *ch, uint32_t kind)
{
	uint32_t frame = kind & POST_FRAME;

	post(ch, kind);
	for (;;) {
		uint32_t flags = ch->kind;
		long failed = flags & ANSWER_OPS ? run_ops(ch) : -1;

		if (failed >= 0) {
			ch->arg[0] = failed;
			ch->arg[1] = ((struct gate_op *)((char *)ch + BLOCK_OPS))[failed].result;
			post(ch, POST_OP_FAILED | frame);
			continue;
		}
		if (flags & ANSWER_OUT)
			copy_out(ch);
		if (flags & ANSWER_CMPXCHG)
			ch->nr = gate_cmpxchg((uint32_t *)ch->arg[0], ch->arg[1], ch->arg[2]);
		if (flags & (ANSWER_CMPXCHG | ANSWER_BACK)) {
			post(ch, POST_BACK | frame);
			continue;
		}
		if (ch->out_failed && !(flags & ANSWER_RETRAP)) {
			ch->out_failed = 0;
			if (!(flags & ANSWER_NO_RET))
				ch->ret = -14;
		}
		if (flags & ANSWER_SET_FS)
			fs_base_load(ch);
		return flags;
	}
}

/* Calls that concern nobody but the guest. */
static int answered_here(const struct channel *ch, struct gate_regs *r)
{
	if (!ch->identity_valid)
		return 0;
	switch (r->rax) {
	case 39:
		r->rax = ch->pid;
		return 1;
	case 186:
		r->rax = ch->tid;
		return 1;
	case 110:
		r->rax = ch->ppid;
		return 1;
	case 102:
		r->rax = ch->uid;
		return 1;
	case 107:
		r->rax = ch->euid;
		return 1;
	case 104:
		r->rax = ch->gid;
		return 1;
	case 108:
		r->rax = ch->egid;
		return 1;
	}
	return 0;
}

static struct channel *channel_of(const void *inside)
{
	return (struct channel *)((uintptr_t)inside & ~(BLOCK_BYTES - 1ul));
}

static int light_stop(struct channel *ch, struct gate_regs *r, uint32_t kind)
{
	uint32_t flags;

	fs_base_note(ch);
	flags = converse(ch, kind);
	if (!(flags & ANSWER_NO_RET))
		r->rax = ch->ret;
	return flags & ANSWER_RETRAP;
}

/* ---- the in window */

#define STRING_CHUNK 128
#define STRING_MOST  4096

static int window_room(uint64_t used, uint64_t bytes)
{
	return used + sizeof(struct window_record) + ((bytes + 7) & ~7ull) <= BLOCK_IN_BYTES;
}

/* Appends what is at addr. Returns the window's new length. */
static uint64_t bring_bytes(struct channel *ch, uint64_t used, uint64_t addr, uint64_t bytes)
{
	struct window_record *record = (struct window_record *)((char *)ch + BLOCK_IN + used);

	if (!bytes || bytes > WINDOW_ONE_BYTES || !window_room(used, bytes) ||
	    gate_copy(record + 1, (const void *)addr, bytes))
		return used;
	record->addr = addr;
	record->bytes = bytes;
	return used + sizeof *record + ((bytes + 7) & ~7ull);
}

/* Notes that the bytes at addr can be written. They lie on two pages at most. */
static uint64_t bring_writable(struct channel *ch, uint64_t used, uint64_t addr, uint64_t bytes)
{
	struct window_record *record = (struct window_record *)((char *)ch + BLOCK_IN + used);

	if (!bytes || bytes > WINDOW_ONE_BYTES || !window_room(used, 0) || gate_probe((void *)addr) ||
	    gate_probe((void *)(addr + bytes - 1)))
		return used;
	record->addr = addr;
	record->bytes = bytes | WINDOW_WRITABLE;
	return used + sizeof *record;
}

/* A string in pieces that do not cross a page, so that one at the end of a mapping comes along too. */
static uint64_t bring_string(struct channel *ch, uint64_t used, uint64_t addr)
{
	struct window_record *record = (struct window_record *)((char *)ch + BLOCK_IN + used);
	char *to = (char *)(record + 1);

	for (uint64_t got = 0; got < STRING_MOST;) {
		uint64_t n = STRING_CHUNK - (addr + got) % STRING_CHUNK;

		if (!window_room(used, got + n) || gate_copy(to + got, (const void *)(addr + got), n))
			return used;
		for (uint64_t end = got + n; got < end; got++)
			if (!to[got]) {
				record->addr = addr;
				record->bytes = got + 1;
				return used + sizeof *record + ((got + 8) & ~7ull);
			}
	}
	return used;
}

/* Brings along what the call surely reads, and which memory it can fill: the sentry then needs no copy of its own. */
static uint32_t bring(struct channel *ch, uint64_t nr)
{
	uint64_t used = 0;

	if (nr >= PREFETCH_COUNT)
		return 0;
	for (int i = 0; i < 6; i++) {
		uint32_t entry = prefetch_table[nr][i], class = PREFETCH_CLASS(entry);
		uint64_t addr = ch->arg[i], bytes = PREFETCH_SIZE(entry);

		if (class == PREFETCH_NONE || !addr)
			continue;
		if (class == PREFETCH_BUFFER_IN || class == PREFETCH_BUFFER_OUT)
			bytes = i < 5 ? ch->arg[i + 1] : 0;
		if (class == PREFETCH_STRING)
			used = bring_string(ch, used, addr);
		if (class == PREFETCH_IN || class == PREFETCH_INOUT || class == PREFETCH_BUFFER_IN)
			used = bring_bytes(ch, used, addr, bytes);
		if (class == PREFETCH_OUT || class == PREFETCH_INOUT || class == PREFETCH_BUFFER_OUT)
			used = bring_writable(ch, used, addr, bytes);
	}
	return (uint32_t)used;
}

/* A call by a patched site. Nonzero: take the deliberate trap. */
int gate_patched(struct gate_regs *r)
{
	struct channel *ch = channel_of(r);

	if (answered_here(ch, r))
		return 0;
	ch->nr = r->rax;
	ch->arg[0] = r->rdi;
	ch->arg[1] = r->rsi;
	ch->arg[2] = r->rdx;
	ch->arg[3] = r->r10;
	ch->arg[4] = r->r8;
	ch->arg[5] = r->r9;
	ch->in_bytes = bring(ch, r->rax);
	return light_stop(ch, r, POST_CALL | (ch->in_bytes ? POST_WINDOW : 0));
}

/* On the way out a kick was found pending. */
int gate_kicked(struct gate_regs *r)
{
	struct channel *ch = channel_of(r);

	ch->s_kick = 0;
	return light_stop(ch, r, POST_KICK);
}

static int in_gate(uint64_t rip)
{
	return rip - GATE_CODE < GATE_CODE_BYTES;
}

/* What an interrupted gate needs. Nonzero: the signal is dealt with. */
static int signal_in_gate(struct channel *ch, int sig, greg_t *g)
{
	uint64_t rip = g[REG_RIP];

	if ((sig == SIGSEGV || sig == SIGBUS) &&
	    (rip == (uint64_t)gate_copy_insn || rip == (uint64_t)gate_cmpxchg_insn ||
	     rip == (uint64_t)gate_probe_insn)) {
		g[REG_RIP] = (greg_t)gate_copy_fault;
		return 1;
	}
	if (sig == KICK_SIGNAL) {
		ch->s_kick = 1;
		if (rip >= (uint64_t)gate_exit && rip < (uint64_t)gate_exit_end)
			g[REG_RIP] = (greg_t)gate_exit;
		return 1;
	}
	return sig == SIGTRAP; /* a guest that steps itself */
}

/* The frame of the deliberate trap becomes that of the patched entry. */
static void retrapped(struct channel *ch, greg_t *g)
{
	struct gate_regs *r = (struct gate_regs *)((char *)ch + BLOCK_STACK_TOP) - 1;

	g[REG_RAX] = r->rax;
	g[REG_RCX] = r->rcx;
	g[REG_R11] = r->r11;
	g[REG_RIP] = r->rip;
}

static uint32_t signal_kind(struct channel *ch, int sig, const siginfo_t *info, greg_t *g)
{
	if (sig == KICK_SIGNAL)
		return POST_KICK;
	if (sig == SIGSYS && (uint64_t)g[REG_RIP] == (uint64_t)gate_retrapped) {
		retrapped(ch, g);
		return POST_FULL;
	}
	if (sig == SIGSYS && info->si_code == 1) {
		ch->nr = g[REG_RAX];
		ch->arg[0] = g[REG_RDI];
		ch->arg[1] = g[REG_RSI];
		ch->arg[2] = g[REG_RDX];
		ch->arg[3] = g[REG_R10];
		ch->arg[4] = g[REG_R8];
		ch->arg[5] = g[REG_R9];
		return POST_CALL | (info->si_arch == AUDIT_ARCH_X86_64 ? 0 : POST_FOREIGN);
	}
	ch->arg[0] = (uint32_t)sig | (uint64_t)(uint32_t)info->si_code << 32;
	ch->arg[1] = (uint64_t)info->si_addr;
	ch->arg[2] = g[REG_TRAPNO];
	ch->arg[3] = g[REG_ERR];
	return POST_FAULT;
}

/* All signals, on the alternate stack, which lies inside the block: no need to trust %gs. */
void gate_signal(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct channel *ch = channel_of(__builtin_frame_address(0));
	greg_t *g = uc->uc_mcontext.gregs;
	uint32_t kind, flags;

	if (in_gate(g[REG_RIP]) && sig != SIGSYS && signal_in_gate(ch, sig, g))
		return;
	kind = signal_kind(ch, sig, info, g);
	ch->uc = (uint64_t)uc;
	ch->rip = g[REG_RIP];
	fs_base_note(ch);
	flags = converse(ch, kind | POST_FRAME);
	if ((kind & POST_KIND_MASK) == POST_CALL || (kind & POST_KIND_MASK) == POST_FULL)
		if (!(flags & ANSWER_NO_RET))
			g[REG_RAX] = ch->ret;
}

/* A new thread waits for its first answer: the sentry wrote "request" into the channel before it existed. */
void gate_thread(struct channel *ch)
{
	wait_answer(ch);
	while (__atomic_load_n(&ch->state, __ATOMIC_ACQUIRE) != CHANNEL_DONE)
		wait_answer(ch);
	if (ch->kind & ANSWER_OPS && run_ops(ch) >= 0)
		__builtin_trap();
	if (ch->kind & ANSWER_SET_FS)
		fs_base_load(ch);
}
