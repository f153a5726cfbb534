/* signal_frame.c - how a handler is entered and left on x86-64: the frame on the guest's stack, sigaltstack,
 * rt_sigreturn.
 *
 *     old rsp                                    as arch/x86/kernel/signal.c lays it out:
 *       128 bytes  red zone (not when switching to the alternate stack)
 *       fpstate    uthread_fpstate_size bytes, aligned to 64, with its magic words
 *       frame      struct abi_rt_sigframe: return address, ucontext, siginfo; 8 below a multiple of 16
 *     new rsp
 *
 * A handler begins with the initial vector state. rt_sigreturn believes nothing: the flags are masked, an address
 * outside the guest's range faults, and a vector state that the CPU would refuse is a SIGSEGV. Segment selectors in the
 * frame are shown and not taken back: a guest thread always runs in 64-bit user mode. The base of fs is no part of a
 * frame, as in Linux.
 */
#include "sentry/base/arena.h"
#include "sentry/signal.h"
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define RED_ZONE_BYTES 128
#define FPSTATE_ALIGN  64
#define USER_CS        0x33
#define USER_SS        0x2b
#define FLAG_TRAP      0x100ull
#define FLAG_DIRECTION 0x400ull
#define FLAG_RESUME    0x10000ull
#define FLAGS_FIXED    0x202ull /* reserved bit 1, interrupts on */
/* What a frame may change: AC OF DF TF SF ZF AF PF CF RF (FIX_EFLAGS). */
#define FLAGS_OF_USER   0x50dd5ull
#define XSTATE_FP_SSE   3ull
#define XSAVE_HEADER_AT ABI_FXSAVE_BYTES

/* ------------------------------------------------------------------------------------------------ sigaltstack */

static bool on_altstack(const struct task *task, uint64_t rsp)
{
	/* With SS_AUTODISARM the setting is gone while a handler runs there, so nobody is ever "on" it. */
	if (task->altstack_flags & ABI_SS_AUTODISARM)
		return false;
	return rsp > task->altstack.v && rsp - task->altstack.v <= task->altstack_size;
}

static int32_t altstack_flags(const struct task *task, uint64_t rsp)
{
	if (!task->altstack_size)
		return ABI_SS_DISABLE;
	return on_altstack(task, rsp) ? ABI_SS_ONSTACK : 0;
}

static void altstack_get(const struct task *task, uint64_t rsp, struct abi_stack *out)
{
	uint32_t kept = task->altstack_flags & ABI_SS_AUTODISARM;

	*out = (struct abi_stack){.ss_sp = task->altstack.v,
				  .ss_size = task->altstack_size,
				  .ss_flags = (int32_t)((uint32_t)altstack_flags(task, rsp) | kept)};
}

static void altstack_disable(struct task *task)
{
	task->altstack = UADDR_NULL;
	task->altstack_size = 0;
	task->altstack_flags = ABI_SS_DISABLE;
}

int signal_altstack(struct task *task, uint64_t rsp, const struct abi_stack *new, struct abi_stack *old)
{
	if (old)
		altstack_get(task, rsp, old);
	if (!new)
		return 0;
	if (task->altstack_size && on_altstack(task, rsp))
		return -EPERM;
	uint32_t mode = (uint32_t) new->ss_flags & ~ABI_SS_AUTODISARM;
	if (mode && mode != ABI_SS_DISABLE && mode != ABI_SS_ONSTACK)
		return -EINVAL;
	if (mode == ABI_SS_DISABLE) {
		altstack_disable(task);
		task->altstack_flags = (uint32_t) new->ss_flags;
		return 0;
	}
	if (new->ss_size < ABI_MINSIGSTKSZ)
		return -ENOMEM;
	task->altstack = UADDR(new->ss_sp);
	task->altstack_size = new->ss_size;
	task->altstack_flags = (uint32_t) new->ss_flags;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ entering */

static void sigcontext_fill(struct abi_sigcontext *out, const struct uregs *regs)
{
	*out = (struct abi_sigcontext){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.rdi = regs->rdi,
		.rsi = regs->rsi,
		.rbp = regs->rbp,
		.rbx = regs->rbx,
		.rdx = regs->rdx,
		.rax = regs->rax,
		.rcx = regs->rcx,
		.rsp = regs->rsp,
		.rip = regs->rip,
		.rflags = regs->rflags,
		.cs = USER_CS,
		.ss = USER_SS,
	};
}

/* Where the stack of the handler begins; 0 when the alternate stack would run over. */
static uint64_t frame_stack(const struct task *task, const struct uregs *regs, const struct abi_sigaction *action,
			    size_t bytes)
{
	uint64_t sp = regs->rsp - RED_ZONE_BYTES;
	bool nested = task->altstack_size && on_altstack(task, regs->rsp), entering = false;

	if ((action->flags & ABI_SA_ONSTACK) && task->altstack_size && !nested) {
		sp = task->altstack.v + task->altstack_size;
		entering = true;
	}
	if (sp < bytes)
		return 0;
	uint64_t low = sp - bytes;
	if ((nested || entering) && (low < task->altstack.v || low - task->altstack.v > task->altstack_size))
		return 0;
	return sp;
}

/* The vector state goes out from a buffer of the arena: it may be larger than what a fiber's stack should bear. */
static bool fpstate_write(struct task *task, struct uaddr to)
{
	size_t size = uthread_fpstate_size();
	void *state = arena_alloc(size);

	if (!state)
		return false;
	uthread_fpstate_get(task->uthread, state);
	bool good = !user_write(task_user(task), to, state, size);
	arena_free(state, size);
	return good && !uthread_fpstate_set(task->uthread, NULL);
}

static void frame_fill(struct abi_rt_sigframe *frame, struct task *task, const struct uregs *regs,
		       const struct abi_siginfo *info, const struct abi_sigaction *action, uint64_t saved_mask)
{
	frame->pretcode = action->restorer;
	frame->uc.uc_flags = ABI_UC_FP_XSTATE | ABI_UC_SIGCONTEXT_SS | ABI_UC_STRICT_RESTORE_SS;
	frame->uc.uc_link = 0;
	altstack_get(task, regs->rsp, &frame->uc.uc_stack);
	sigcontext_fill(&frame->uc.mcontext, regs);
	frame->uc.mcontext.err = task->fault.error;
	frame->uc.mcontext.trapno = task->fault.trapno;
	frame->uc.mcontext.cr2 = task->fault.addr;
	frame->uc.mcontext.oldmask = saved_mask;
	frame->uc.sigmask = saved_mask;
	frame->info = *info;
}

bool signal_frame_push(struct task *task, struct uregs *regs, const struct abi_siginfo *info,
		       const struct abi_sigaction *action, uint64_t saved_mask)
{
	struct abi_rt_sigframe frame;
	size_t fp_size = uthread_fpstate_size(), most = fp_size + FPSTATE_ALIGN + sizeof frame + 16;
	uint64_t sp = frame_stack(task, regs, action, most);

	/* Without a restorer there is no way back: Linux on x86-64 refuses as well. */
	if (!sp || !(action->flags & ABI_SA_RESTORER))
		return false;
	uint64_t fp_at = (sp - fp_size) & ~(uint64_t)(FPSTATE_ALIGN - 1);
	uint64_t at = ((fp_at - sizeof frame) & ~15ull) - 8;
	frame_fill(&frame, task, regs, info, action, saved_mask);
	frame.uc.mcontext.fpstate = fp_at;
	if (user_write(task_user(task), UADDR(at), &frame, sizeof frame) || !fpstate_write(task, UADDR(fp_at)))
		return false;
	if (task->altstack_flags & ABI_SS_AUTODISARM)
		altstack_disable(task);
	regs->rsp = at;
	regs->rip = action->handler;
	regs->rdi = (uint64_t)info->si_signo;
	regs->rsi = at + offsetof(struct abi_rt_sigframe, info);
	regs->rdx = at + offsetof(struct abi_rt_sigframe, uc);
	regs->rax = 0;
	regs->rflags &= ~(FLAG_TRAP | FLAG_DIRECTION | FLAG_RESUME);
	return true;
}

/* ------------------------------------------------------------------------------------------------ leaving */

static void sigcontext_take(const struct abi_sigcontext *in, struct uregs *regs)
{
	*regs = (struct uregs){
		.r8 = in->r8,
		.r9 = in->r9,
		.r10 = in->r10,
		.r11 = in->r11,
		.r12 = in->r12,
		.r13 = in->r13,
		.r14 = in->r14,
		.r15 = in->r15,
		.rdi = in->rdi,
		.rsi = in->rsi,
		.rbp = in->rbp,
		.rbx = in->rbx,
		.rdx = in->rdx,
		.rax = in->rax,
		.rcx = in->rcx,
		.rsp = in->rsp,
		.rip = in->rip,
		.rflags = (regs->rflags & ~FLAGS_OF_USER) | (in->rflags & FLAGS_OF_USER) | FLAGS_FIXED,
		.fs_base = regs->fs_base,
		.gs_base = regs->gs_base,
	};
}

/* A frame without the magic words holds only the 512 bytes of FXSAVE: the rest takes its initial value. */
static void fpstate_from_fxsave(uint8_t *state, const uint8_t *legacy)
{
	size_t size = uthread_fpstate_size();
	struct abi_fpx_sw_bytes words;
	uint64_t features = XSTATE_FP_SSE;

	memcpy(&words, state + ABI_FPX_SW_OFFSET, sizeof words); /* of the present state: magic, sizes */
	memset(state, 0, size);
	memcpy(state, legacy, ABI_FPX_SW_OFFSET);
	memcpy(state + ABI_FPX_SW_OFFSET, &words, sizeof words);
	if (size < XSAVE_HEADER_AT + sizeof features + sizeof(uint32_t))
		return;
	memcpy(state + XSAVE_HEADER_AT, &features, sizeof features);
	uint32_t magic2 = ABI_FP_XSTATE_MAGIC2;
	memcpy(state + size - sizeof magic2, &magic2, sizeof magic2);
}

static int fpstate_read(struct task *task, struct uaddr from)
{
	size_t size = uthread_fpstate_size();
	struct abi_fpx_sw_bytes words;
	uint32_t magic2 = 0;
	int error = -EFAULT;
	uint8_t *state = arena_alloc(size + ABI_FXSAVE_BYTES);

	if (!state)
		return -ENOMEM;
	uint8_t *legacy = state + size;
	if (user_read(task_user(task), legacy, from, ABI_FXSAVE_BYTES))
		goto out;
	memcpy(&words, legacy + ABI_FPX_SW_OFFSET, sizeof words);
	bool extended = words.magic1 == ABI_FP_XSTATE_MAGIC1 && words.extended_size == size && size > ABI_FXSAVE_BYTES;
	if (extended) {
		if (user_read(task_user(task), state, from, size))
			goto out;
		memcpy(&magic2, state + size - sizeof magic2, sizeof magic2);
	}
	if (magic2 != ABI_FP_XSTATE_MAGIC2) {
		uthread_fpstate_get(task->uthread, state);
		fpstate_from_fxsave(state, legacy);
	}
	error = uthread_fpstate_set(task->uthread, state);
out:
	arena_free(state, size + ABI_FXSAVE_BYTES);
	return error;
}

void signal_return(struct task *task)
{
	struct abi_ucontext uc;
	struct uregs regs;
	uint64_t at;
	int error;

	uthread_context_get(task->uthread, &regs);
	/* The handler's ret has taken the first word of the frame off the stack. */
	at = regs.rsp - sizeof(uint64_t) + offsetof(struct abi_rt_sigframe, uc);
	task->context_set = true;
	error = user_read(task_user(task), &uc, UADDR(at), sizeof uc);
	if (!error)
		error = uc.mcontext.fpstate ? fpstate_read(task, UADDR(uc.mcontext.fpstate))
					    : uthread_fpstate_set(task->uthread, NULL);
	if (error) {
		uthread_context_set(task->uthread, &regs);
		signal_force(task, SIGSEGV, NULL);
		return;
	}
	/* Judged by where the handler's stack pointer was: a handler that set another alternate stack while on it keeps
	 * it. */
	(void)!signal_altstack(task, regs.rsp, &uc.uc_stack, NULL);
	sigcontext_take(&uc.mcontext, &regs);
	signal_mask_set(task, uc.sigmask);
	uthread_context_set(task->uthread, &regs);
	task->restart.kind = RESTART_NONE;
}
