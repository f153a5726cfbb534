/* context.c - the state of a thread at a stop.
 *
 * Theory. With a signal frame (`frame`) the kernel has put everything into the thread's block: general registers in
 * its ucontext, vector state behind fpregs; rt_sigreturn loads it back, whatever we wrote. Without one (a patched
 * site) the gate has pushed the general registers below BLOCK_STACK_TOP; when somebody wants the vector state too, the
 * gate takes a trap on purpose (ANSWER_RETRAP) and there is a frame. The FS base is in neither: the gate reads it where
 * the CPU lets it, elsewhere it only changes through us.
 *
 * The guest can write its block. So the frame's place is checked against the block once, kept as an offset, and every
 * access stays inside the block; what is read there is the guest's word, and what a bad frame does to the thread is its
 * own affair: the kernel refuses it with SIGSEGV, or it runs with garbage.
 *
 * A new thread's frame is built at FRESH_UC; a NULL fpregs gives the CPU's initial vector state.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define UC_FLAGS   0
#define UC_STACK   16
#define UC_GREGS   40
#define UC_FPREGS  (UC_GREGS + 23 * 8)
#define UC_SIGMASK (UC_GREGS + 256)
#define UC_BYTES   (UC_SIGMASK + 8)
#define FRESH_UC   (BLOCK_ALT + 64)
#define FRESH_FP   (BLOCK_ALT + 0x400)
#define ALT_END    (BLOCK_ALT + BLOCK_ALT_BYTES)

#define UC_FP_XSTATE         1u
#define UC_SIGCONTEXT_SS     2u
#define UC_STRICT_RESTORE_SS 4u

#define FX_SW_OFFSET  464 /* struct _fpx_sw_bytes in the legacy area */
#define FX_MXCSR      24
#define FX_MXCSR_MASK 28
#define XSTATE_HEADER 512
#define XSTATE_BYTES  576
#define FP_MAGIC1     0x46505853u
#define FP_MAGIC2     0x46505845u

static_assert(UC_GREGS == offsetof(ucontext_t, uc_mcontext.gregs) &&
		      UC_FPREGS == offsetof(ucontext_t, uc_mcontext.fpregs),
	      "the kernel's ucontext begins like the C library's");

static char *block_at(const struct uthread *thread, uint32_t off)
{
	assert(off < BLOCK_BYTES);
	return (char *)thread->ch + off;
}

static uint64_t block_addr(const struct uthread *thread, uint32_t off)
{
	return GATE_BLOCK0 + (uint64_t)thread->block * BLOCK_BYTES + off;
}

uint64_t *context_frame_reg(struct uthread *thread, int greg)
{
	return (uint64_t *)block_at(thread, thread->uc_off + UC_GREGS) + greg;
}

static struct gate_regs *light_regs(const struct uthread *thread)
{
	return (struct gate_regs *)block_at(thread, BLOCK_STACK_TOP) - 1;
}

/* Where the frame's vector state is: an offset in the block, or 0 for none (or for an address that cannot be it). */
static uint32_t fp_off(const struct uthread *thread)
{
	uint64_t addr = READ_ONCE(*(uint64_t *)block_at(thread, thread->uc_off + UC_FPREGS));
	uint64_t off = addr - block_addr(thread, 0);

	if (!addr || off < BLOCK_ALT || off > ALT_END - systrap.fp_bytes || off % 64)
		return 0;
	return (uint32_t)off;
}

void context_note_frame(struct uthread *thread, uint64_t uc)
{
	uint64_t off = uc - block_addr(thread, 0);

	if (off < BLOCK_ALT || off > ALT_END - UC_BYTES || off % 8)
		off = FRESH_UC; /* forged: some place in its own block */
	thread->uc_off = (uint32_t)off;
	uint64_t *rip = context_frame_reg(thread, REG_RIP);
	*rip = patch_guest_rip(thread->as, *rip);
}

void context_result_set(struct uthread *thread, int64_t result)
{
	if (thread->frame)
		*context_frame_reg(thread, REG_RAX) = (uint64_t)result;
	else
		light_regs(thread)->rax = (uint64_t)result;
}

/* Has the line that context_rip wants on its way while the fiber is being switched to. */
void context_prefetch(const struct uthread *thread)
{
	__builtin_prefetch(&light_regs(thread)->rip);
}

static uint64_t fs_base(struct uthread *thread)
{
	if (thread->fs_unread)
		thread->fs_base = READ_ONCE(thread->ch->fs_base);
	thread->fs_unread = false;
	return thread->fs_base;
}

uint64_t context_rip(struct uthread *thread)
{
	return thread->frame ? READ_ONCE(*context_frame_reg(thread, REG_RIP)) : READ_ONCE(light_regs(thread)->rip);
}

bool context_full(struct uthread *thread)
{
	if (thread->frame)
		return thread->state == UTHREAD_AT_STOP;
	uint32_t answer = thread->answer;
	int64_t ret = thread->ret;
	/* A changed FS base goes along now, and is read back with the frame. */
	if (!uthread_round_trip(thread, ANSWER_RETRAP | (answer & ANSWER_SET_FS)))
		return false;
	thread->answer = answer & ~(uint32_t)ANSWER_SET_FS;
	thread->ret = ret;
	thread->frame = true;
	context_note_frame(thread, READ_ONCE(thread->ch->uc));
	return true;
}

/* ------------------------------------------------------------------------------------------------ general registers */

/* clang-format off */
#define EACH_FRAME_REG(X)                                                                                      \
	X(r8, REG_R8) X(r9, REG_R9) X(r10, REG_R10) X(r11, REG_R11) X(r12, REG_R12) X(r13, REG_R13) X(r14, REG_R14) \
	X(r15, REG_R15) X(rdi, REG_RDI) X(rsi, REG_RSI) X(rbp, REG_RBP) X(rbx, REG_RBX) X(rdx, REG_RDX)            \
	X(rax, REG_RAX) X(rcx, REG_RCX) X(rsp, REG_RSP) X(rip, REG_RIP) X(rflags, REG_EFL)

#define EACH_LIGHT_REG(X)                                                                                      \
	X(r8, r8) X(r9, r9) X(r10, r10) X(r11, r11) X(r12, r12) X(r13, r13) X(r14, r14) X(r15, r15) X(rdi, rdi)    \
	X(rsi, rsi) X(rbp, rbp) X(rbx, rbx) X(rdx, rdx) X(rax, rax) X(rcx, rcx) X(rsp, rsp) X(rip, rip)            \
	X(rflags, flags)
/* clang-format on */

void uthread_context_get(struct uthread *thread, struct uregs *out)
{
	memset(out, 0, sizeof *out);
	if (thread->state != UTHREAD_AT_STOP)
		return;
	out->fs_base = fs_base(thread);
	if (thread->frame) {
#define X(name, index) out->name = READ_ONCE(*context_frame_reg(thread, index));
		EACH_FRAME_REG(X)
#undef X
	} else {
		const struct gate_regs *regs = light_regs(thread);
#define X(name, member) out->name = READ_ONCE(regs->member);
		EACH_LIGHT_REG(X)
#undef X
	}
}

static void frame_regs_set(struct uthread *thread, const struct uregs *regs)
{
#define X(name, index) *context_frame_reg(thread, index) = regs->name;
	EACH_FRAME_REG(X)
#undef X
}

void uthread_context_set(struct uthread *thread, const struct uregs *regs)
{
	if (thread->state != UTHREAD_AT_STOP)
		return;
	if (thread->frame) {
		frame_regs_set(thread, regs);
	} else {
		struct gate_regs *light = light_regs(thread);
#define X(name, member) light->member = regs->name;
		EACH_LIGHT_REG(X)
#undef X
	}
	if (regs->fs_base != fs_base(thread) && regs->fs_base < HOST_END) {
		thread->fs_base = regs->fs_base;
		thread->answer |= ANSWER_SET_FS;
	}
	thread->answer |= ANSWER_NO_RET;
}

/* ------------------------------------------------------------------------------------------------ a new frame */

void context_build(struct uthread *thread, const struct uthread *from, const struct uregs *regs)
{
	/* What a guest thread must be able to get; everything else of the host stays out. */
	const uint64_t open = 1ull << (SIGSYS - 1) | 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) |
			      1ull << (SIGFPE - 1) | 1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) |
			      1ull << (KICK_SIGNAL - 1);
	uint32_t source = from && from->frame ? fp_off(from) : 0;
	char *uc = block_at(thread, FRESH_UC);

	memset(uc, 0, UC_BYTES);
	thread->uc_off = FRESH_UC;
	thread->frame = true;
	*(uint64_t *)(uc + UC_FLAGS) = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	/* rt_sigreturn sets the alternate stack too. */
	*(stack_t *)(uc + UC_STACK) =
		(stack_t){.ss_sp = (void *)block_addr(thread, BLOCK_ALT), .ss_flags = 0, .ss_size = BLOCK_ALT_BYTES};
	frame_regs_set(thread, regs);
	*context_frame_reg(thread, REG_CSGSFS) = 0x33 | 0x2bull << 48;
	*(uint64_t *)(uc + UC_SIGMASK) = ~open;
	if (source) {
		memcpy(block_at(thread, FRESH_FP), block_at(from, source), systrap.fp_bytes);
		*(uint64_t *)(uc + UC_FPREGS) = block_addr(thread, FRESH_FP);
	}
	WRITE_ONCE(thread->ch->uc, block_addr(thread, FRESH_UC));
	thread->fs_base = regs->fs_base < HOST_END ? regs->fs_base : 0;
	thread->answer = ANSWER_NO_RET | ANSWER_SET_FS;
}

/* ------------------------------------------------------------------------------------------------ vector state */

static volatile uint32_t seen_bytes, seen_mask;
static volatile uint64_t seen_features;

static void measure_handler(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	const char *fp = (const char *)uc->uc_mcontext.fpregs;

	(void)sig;
	(void)info;
	uint32_t magic;
	memcpy(&magic, fp + FX_SW_OFFSET, 4);
	memcpy((void *)&seen_mask, fp + FX_MXCSR_MASK, 4);
	seen_bytes = XSTATE_HEADER;
	if (magic == FP_MAGIC1) {
		memcpy((void *)&seen_bytes, fp + FX_SW_OFFSET + 4, 4);
		memcpy((void *)&seen_features, fp + FX_SW_OFFSET + 8, 8);
	}
}

/* Takes a signal to see what the kernel puts into a frame. Before the jail closes. */
void context_measure(void)
{
	struct sigaction action = {.sa_sigaction = measure_handler, .sa_flags = SA_SIGINFO}, old;
	sigset_t set, old_set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR2, &action, &old);
	sigprocmask(SIG_UNBLOCK, &set, &old_set);
	raise(SIGUSR2);
	sigprocmask(SIG_SETMASK, &old_set, NULL);
	sigaction(SIGUSR2, &old, NULL);
	systrap.fp_bytes = (seen_bytes + 63) & ~63u; /* whole lines are copied */
	systrap.fp_state_bytes = seen_bytes;
	systrap.fp_features = seen_features;
	systrap.mxcsr_mask = seen_mask ? seen_mask : 0xffbf;
}

size_t uthread_fpstate_size(void)
{
	return systrap.fp_state_bytes;
}

/* The state that the CPU starts with, in the frame's format (Intel SDM vol. 1, 13.6: XINUSE all clear). */
static void initial_state(char *out)
{
	const uint16_t fcw = 0x37f;
	const uint32_t mxcsr = 0x1f80, magic1 = FP_MAGIC1, magic2 = FP_MAGIC2;
	const uint32_t all = (uint32_t)systrap.fp_state_bytes, xstate = all - 4;

	memset(out, 0, all);
	memcpy(out, &fcw, 2);
	memcpy(out + FX_MXCSR, &mxcsr, 4);
	memcpy(out + FX_MXCSR_MASK, &systrap.mxcsr_mask, 4);
	if (all <= XSTATE_HEADER)
		return;
	memcpy(out + FX_SW_OFFSET, &magic1, 4);
	memcpy(out + FX_SW_OFFSET + 4, &all, 4);
	memcpy(out + FX_SW_OFFSET + 8, &systrap.fp_features, 8);
	memcpy(out + FX_SW_OFFSET + 16, &xstate, 4);
	memcpy(out + all - 4, &magic2, 4);
}

void uthread_fpstate_get(struct uthread *thread, void *out)
{
	uint32_t off = context_full(thread) ? fp_off(thread) : 0;

	if (off)
		memcpy(out, block_at(thread, off), systrap.fp_state_bytes);
	else
		initial_state(out);
}

/* What XRSTOR and the kernel's sigreturn would refuse (Intel SDM vol. 1, 13.8; arch/x86/kernel/fpu/signal.c). */
static bool state_acceptable(const char *state)
{
	uint32_t mxcsr, magic1, magic2, bytes;
	uint64_t features, header[8];

	memcpy(&mxcsr, state + FX_MXCSR, 4);
	if (mxcsr & ~systrap.mxcsr_mask)
		return false;
	if (systrap.fp_state_bytes <= XSTATE_HEADER)
		return true;
	memcpy(&magic1, state + FX_SW_OFFSET, 4);
	memcpy(&bytes, state + FX_SW_OFFSET + 4, 4);
	memcpy(&features, state + FX_SW_OFFSET + 8, 8);
	memcpy(&magic2, state + systrap.fp_state_bytes - 4, 4);
	if (magic1 != FP_MAGIC1 || magic2 != FP_MAGIC2)
		return true; /* the kernel then takes the legacy part alone */
	memcpy(header, state + XSTATE_HEADER, sizeof header);
	for (int i = 1; i < 8; i++)
		if (header[i])
			return false;
	return bytes == systrap.fp_state_bytes && !(features & ~systrap.fp_features) &&
	       !(header[0] & ~systrap.fp_features);
}

int uthread_fpstate_set(struct uthread *thread, const void *state)
{
	uint64_t *pointer;
	uint32_t off;

	if (state && !state_acceptable(state))
		return -EINVAL;
	if (!context_full(thread))
		return 0; /* dead: nobody will look */
	pointer = (uint64_t *)block_at(thread, thread->uc_off + UC_FPREGS);
	if (!state) {
		WRITE_ONCE(*pointer, 0);
		return 0;
	}
	off = fp_off(thread);
	if (!off)
		off = FRESH_FP;
	memcpy(block_at(thread, off), state, systrap.fp_state_bytes);
	WRITE_ONCE(*pointer, block_addr(thread, off));
	*(uint64_t *)block_at(thread, thread->uc_off + UC_FLAGS) |= UC_FP_XSTATE;
	return 0;
}
