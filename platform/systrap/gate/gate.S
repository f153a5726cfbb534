/* gate.S - entry points of the blob.
 *
 * Two privileges live in one address space. Code in .agent runs under the *agent's* programs: it must not let
 * guest-writable memory decide anything, so it has no stack, takes its values from registers and from read-only pages, and
 * runs with every signal blocked, because a signal frame on guest-writable memory would hand its registers to the
 * guest. Code in .text has the guest's own privilege and may be as careless as C: nothing here protects anybody from a
 * guest, it only has to be right for one that behaves.
 */
#include "platform/systrap/abi.h"
#define SYS_mmap         9
#define SYS_munmap       11
#define SYS_rt_sigreturn 15
#define SYS_lseek        8
#define SYS_clone        56
#define SYS_prctl        157
#define SYS_arch_prctl   158
#define SYS_futex        202
#define SYS_seccomp      317

	.section .text.slots, "ax", @progbits
/* The only places where memory calls are made with the guest's rights: sign.h's slots, 16 bytes apart. The seccomp program
 * of an address space admits one of them, and only with a tag. */
	.globl gate_slots
gate_slots:
	.rept	8
	syscall
	ret
	.balign	16, 0xcc
	.endr

	.text
/* long gate_signed(struct gate_op *op): the queued call, as it stands. */
	.globl gate_signed
gate_signed:
	mov	(%rdi), %rax
	mov	16(%rdi), %rsi
	mov	24(%rdi), %rdx
	mov	32(%rdi), %r10
	mov	40(%rdi), %r8
	mov	48(%rdi), %r9
	mov	8(%rdi), %rdi
	jmp	gate_slots

/* long gate_copy(void *to, const void *from, size_t n); long gate_cmpxchg(uint32_t *word, uint32_t old, uint32_t new);
 * A fault at the labelled instructions continues at gate_copy_fault (gate_signal sees to it). */
	.globl gate_probe, gate_probe_insn
/* long gate_probe(void *byte): writes what is there. */
gate_probe:
	xor	%eax, %eax
gate_probe_insn:
	lock orb $0, (%rdi)
	ret
	.globl gate_copy, gate_copy_insn, gate_cmpxchg, gate_cmpxchg_insn, gate_copy_fault
gate_copy:
	mov	%rdx, %rcx
gate_copy_insn:
	rep movsb
	xor	%eax, %eax
	ret
gate_cmpxchg:
	mov	%esi, %eax
gate_cmpxchg_insn:
	lock cmpxchg %edx, (%rdi)
	mov	%eax, %eax
	ret
gate_copy_fault:
	mov	$-14, %rax
	ret

/* A new thread with the guest's rights: rbp = its block. Its frame is in the block when the first answer comes; the frame
 * also unblocks the signals and sets the alternate stack. */
	.globl gate_start
gate_start:
	lea	BLOCK_STACK_TOP(%rbp), %rsp
	mov	%rbp, %rdi
	call	gate_thread
	mov	CH_UC(%rbp), %rsp
	.globl gate_restore
gate_restore:
	mov	$SYS_rt_sigreturn, %eax
	syscall
	ud2

/* The patched way in: rcx = return address, everything else is the guest's. Nothing goes on the guest's stack (red zone).
 * What is pushed is struct gate_regs, rcx and r11 as `syscall` leaves them. */
	.globl gate_entry
gate_entry:
	mov	%rsp, %gs:CH_RSP
	mov	%gs:CH_STACK, %rsp
	pushfq
	push	%gs:CH_RSP
	push	%rcx
	push	16(%rsp)
	push	%rcx
	push	%rax
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r10
	push	%r8
	push	%r9
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	call	gate_patched
	test	%eax, %eax
	jnz	gate_retrap

/* All registers from struct gate_regs at rsp; only rip, in CH_RET, is left to go to. */
	.macro	restore_guest
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	pop	%r9
	pop	%r8
	pop	%r10
	pop	%rdx
	pop	%rsi
	pop	%rdi
	pop	%rax
	pop	%rcx
	pop	%r11
	pop	%gs:CH_RET
	pop	%gs:CH_RSP
	popfq
	mov	%gs:CH_RSP, %rsp
	.endm

/* Back to the guest with what struct gate_regs holds. Restartable: until the jump nothing but registers changes, so a
 * kick that arrives here (gate_signal) starts it anew, and the flag is then seen. */
	.globl gate_exit, gate_exit_end
gate_exit:
	mov	%gs:CH_STACK, %rsp
	sub	$REGS_BYTES, %rsp
	cmpl	$0, %gs:CH_KICK
	jne	.Lkicked
	restore_guest
	jmp	*%gs:CH_RET
gate_exit_end:
.Lkicked:
	cld
	mov	%rsp, %rdi
	call	gate_kicked
	test	%eax, %eax
	jz	gate_exit

/* The sentry wants the whole state, vector registers included: restore all and take the SIGSYS road on purpose; the
 * kernel's frame then holds everything. gate_signal puts rax, rcx, r11 and rip right. */
gate_retrap:
	mov	%gs:CH_STACK, %rsp
	sub	$REGS_BYTES, %rsp
	restore_guest
	mov	$RETRAP_NR, %eax
	syscall
	.globl gate_retrapped
gate_retrapped:
	ud2

	.section .agent, "ax", @progbits
/* Entered once, from the factory's C code in the first stub, with the gate mapped and signals blocked. Drops all else, the
 * vdso included if the host lets it go; rdi, rsi: where else it lies. */
	.globl stub_main
stub_main:
	mov	%rdi, %r12
	mov	%rsi, %r13
	xor	%edi, %edi
	movabs	$GATE_BASE, %rsi
	mov	$SYS_munmap, %eax
	syscall
	test	%eax, %eax
	jnz	die
	movabs	$GATE_END, %rdi
	movabs	$(HOST_END - GATE_END), %rsi
	mov	$SYS_munmap, %eax
	syscall
	test	%eax, %eax
	jz	1f                      /* EPERM would mean sealed system mappings (mseal) */
	movabs	$GATE_END, %rdi
	mov	%r12, %rsi
	sub	%rdi, %rsi
	jb	die
	mov	$SYS_munmap, %eax
	syscall
	test	%eax, %eax
	jnz	die
	mov	%r13, %rdi
	movabs	$HOST_END, %rsi
	sub	%rdi, %rsi
	jbe	1f
	mov	$SYS_munmap, %eax
	syscall
	test	%eax, %eax
	jnz	die
1:	mov	$1, %edi
	xor	%esi, %esi
	movabs	$(GATE_CONF + CONF_AGENT), %rdx
	mov	$SYS_seccomp, %eax
	syscall
	test	%eax, %eax
	jnz	die
	xor	%r12d, %r12d

/* r12d next command, r14 reply page, r15 command page */
agent_loop:
	movabs	$GATE_CMD, %r15
	movabs	$GATE_REPLY, %r14
.Lidle:	mov	CMD_SPIN(%r15), %ebp
.Lspin:	mov	(%r15), %eax
	cmp	%r12d, %eax
	jne	.Lrun
	sub	$1, %ebp
	js	.Lsleep
	pause
	jmp	.Lspin
.Lsleep:
	mov	%r15, %rdi              /* FUTEX_WAIT works on a read-only mapping */
	xor	%esi, %esi
	mov	%r12d, %edx
	xor	%r10d, %r10d
	mov	$SYS_futex, %eax
	syscall
	jmp	.Lidle

/* The slot's number before and after: the sentry may have believed a forged reply and written the slot anew. */
.Lrun:	mov	%r12d, %ebx
	and	$(CMD_SLOTS - 1), %ebx
	shl	$CMD_SHIFT, %ebx
	lea	CMD_SLOT0(%r15,%rbx), %rbx
	lea	1(%r12d), %ecx
	cmp	%rcx, (%rbx)
	jne	die
	mov	8(%rbx), %rax
	mov	16(%rbx), %rdi
	mov	24(%rbx), %rsi
	mov	32(%rbx), %rdx
	mov	40(%rbx), %r10
	mov	48(%rbx), %r8
	mov	56(%rbx), %r9
	mov	64(%rbx), %rbp
	mov	72(%rbx), %r13
	cmp	%rcx, (%rbx)
	jne	die
	mov	%eax, %ebx
	syscall
	cmp	$SYS_clone, %ebx
	jne	1f
	test	%rax, %rax
	jz	.Lchild
/* What clone returned goes where no guest can write: into a file position (+1, as 0 means nothing yet). */
	mov	%rax, %rbx
	mov	%r13, %rdi
	mov	%eax, %esi
	inc	%rsi
	xor	%edx, %edx
	mov	$SYS_lseek, %eax
	syscall
	mov	%rbx, %rax
1:	mov	%r12d, %ecx
	and	$(CMD_SLOTS - 1), %ecx
	mov	%rax, 64(%r14,%rcx,8)
	inc	%r12d
	mov	%r12d, (%r14)
	cmp	%r12d, (%r15)
	jne	.Lrun
	mfence                          /* done must be visible before we look at sleeping */
	movabs	$GATE_BELL, %rdi
	cmpl	$0, BELL_SLEEPING(%rdi)
	je	.Lidle
	movl	$0, BELL_SLEEPING(%rdi)
	mov	$1, %esi
	mov	$1, %edx
	mov	$SYS_futex, %eax
	syscall
	jmp	.Lidle

.Lchild:
	mov	$1, %edi                /* PR_SET_PDEATHSIG: clone clears it, so each task sets its own */
	mov	%r9, %r12               /* a fork: our offset in the gate's memfd, clone's unused sixth argument */
	mov	$9, %esi
	mov	$SYS_prctl, %eax
	syscall
	test	%rbp, %rbp
	jnz	.Lthread
/* A forked address space: its own command page and blocks instead of the parent's, before anything else. */
	movabs	$GATE_CMD, %rdi
	mov	$GATE_CMD_BYTES, %esi
	mov	$1, %edx                /* PROT_READ */
	mov	$0x11, %r10d            /* MAP_SHARED | MAP_FIXED */
	mov	$FD_GATE, %r8d
	mov	%r12, %r9
	mov	$SYS_mmap, %eax
	syscall
	cmp	%rdi, %rax
	jne	die
	movabs	$GATE_DATA, %rdi
	mov	$GATE_DATA_BYTES, %esi
	mov	$3, %edx
	lea	STUB_FILE_REPLY(%r12), %r9
	mov	$SYS_mmap, %eax
	syscall
	cmp	%rdi, %rax
	jne	die
	xor	%r12d, %r12d
	jmp	agent_loop

/* A new guest thread: rbp = its block. Still the agent's rights. */
.Lthread:
	movabs	$(GATE_CONF + CONF_FSGSBASE), %rax
	cmpl	$0, (%rax)
	je	1f
	wrgsbase %rbp
	jmp	2f
1:	mov	$0x1001, %edi           /* ARCH_SET_GS */
	mov	%rbp, %rsi
	mov	$SYS_arch_prctl, %eax
	syscall
	test	%eax, %eax
	jnz	die
2:	mov	$1, %edi
	xor	%esi, %esi
	movabs	$(GATE_CONF + CONF_GUEST), %rdx
	mov	$SYS_seccomp, %eax
	syscall
	test	%eax, %eax
	jnz	die
	movabs	$gate_start, %rax
	jmp	*%rax
die:	ud2
	.section .note.GNU-stack, "", @progbits
