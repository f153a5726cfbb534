/* filter.c - the programs that hold no secret: what an agent may do, what a guest thread may do (filter.h).
 *
 * Theory of operation. Raw classic BPF, because the programs compare 64-bit ranges and the instruction pointer, which
 * libseccomp cannot say. Addresses of code are compared with the instruction pointer that seccomp reports: the one
 * behind the syscall instruction.
 *
 * Verdicts. Agent: ERRNO, because TRAP would put a signal frame of the agent's on memory that the guest writes, and
 * because guest threads inherit this program, so that KILL here would outrank the guest program's TRAP. Guest: TRAP,
 * whatever it is: the sentry answers.
 *
 * Why the guest's program asks for the instruction pointer even for futex and rt_sigreturn: not for safety (a hostile
 * guest jumps into the gate) but for truth: an honest guest's own futex must reach the sentry and not the host kernel,
 * which would wait on the host's behalf unseen. That costs the kernel's per-number cache of "always allowed"; the
 * figures are in docs/decisions/0001-signed-calls.md.
 *
 * Limits: uretprobe (335) and uprobe (336) never reach seccomp on recent kernels; from outside the kernel's own
 * trampoline they do nothing but raise SIGILL, which the platform turns into ENOSYS.
 */
#include "platform/systrap/filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "platform/systrap/bpf.h"

#define REFUSE (SECCOMP_RET_ERRNO | 1) /* EPERM */

static_assert(FILTER_CLONE_THREAD == (CLONE_VM | CLONE_FILES | CLONE_PARENT | SIGCHLD), "a thread of the guest");
static_assert(FILTER_CLONE_FORK == (CLONE_FILES | CLONE_PARENT | SIGCHLD), "a forked address space");

static const uint32_t memory_calls[] = {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mremap};
#define MEMORY_CALLS ((int)COUNT(memory_calls))

/* FUTEX_WAIT and FUTEX_WAKE, private or not, pass; the kernel reads an int. */
static void need_wait_or_wake(int bad)
{
	bpf_load(ARG_LOW(1));
	bpf_put(BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)FUTEX_PRIVATE_FLAG);
	bpf_jump(BPF_JGT, FUTEX_WAKE, bad, NEXT);
}

/* ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS; the kernel reads an int. */
static void need_segment_base(int bad)
{
	bpf_load(ARG_LOW(0));
	bpf_jump(BPF_JGE, 0x1001, NEXT, bad);
	bpf_jump(BPF_JGT, 0x1004, bad, NEXT);
}

/* ------------------------------------------------------------------------------------------------ the guest's program
 */

void filter_guest(struct filter *out, const struct filter_layout *layout, unsigned slot)
{
	uint64_t slot_ip = filter_slot_ip(layout, slot);
	int trap, allow, memory, not_futex;

	assert(slot_ip > layout->guest_code && slot_ip <= layout->guest_code_end);
	bpf_begin(out);
	trap = bpf_label();
	allow = bpf_label();
	memory = bpf_label();
	not_futex = bpf_label();
	bpf_load(OFF_ARCH);
	bpf_jump(BPF_JEQ, AUDIT_ARCH_X86_64, NEXT, trap);
	bpf_need_code(layout->guest_code, layout->guest_code_end, trap);
	bpf_load(OFF_NR);
	bpf_jump(BPF_JEQ, SYS_rt_sigreturn, allow, NEXT);
	for (int i = 0; i < MEMORY_CALLS; i++)
		bpf_jump(BPF_JEQ, memory_calls[i], memory, NEXT);
	bpf_jump(BPF_JEQ, SYS_futex, NEXT, not_futex);
	need_wait_or_wake(trap);
	bpf_go(allow);
	bpf_here(not_futex);
	if (layout->arch_prctl) {
		bpf_jump(BPF_JEQ, SYS_arch_prctl, NEXT, trap);
		need_segment_base(trap);
		bpf_go(allow);
	} else {
		bpf_go(trap);
	}
	bpf_here(memory); /* the upper half of the instruction pointer has been compared */
	bpf_load(OFF_IP);
	bpf_jump(BPF_JEQ, LOW(slot_ip), allow, trap);
	bpf_here(trap);
	bpf_ret(SECCOMP_RET_TRAP);
	bpf_here(allow);
	bpf_ret(SECCOMP_RET_ALLOW);
	bpf_end();
}

/* ------------------------------------------------------------------------------------------------ the agent's program
 */

/* "exactly this range and protection, MAP_SHARED|MAP_FIXED, of this descriptor" is allowed; anything else goes on. */
static void allow_remap(const struct filter_remap *remap, int allow)
{
	int other = bpf_label();

	bpf_need_arg(0, remap->addr, other);
	bpf_need_arg(1, remap->bytes, other);
	bpf_need_arg(2, remap->prot, other);
	bpf_need_arg(3, MAP_SHARED | MAP_FIXED, other);
	bpf_need_arg(4, remap->fd, other);
	bpf_go(allow);
	bpf_here(other);
}

static void need_map_flags(const struct filter_layout *layout, int bad)
{
	const uint32_t fixed = MAP_FIXED | MAP_FIXED_NOREPLACE;
	const uint32_t known = fixed | MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE;
	int anonymous = bpf_label();

	bpf_load(ARG_HIGH(3));
	bpf_jump(BPF_JEQ, 0, NEXT, bad);
	bpf_load(ARG_LOW(3));
	bpf_jump(BPF_JSET, ~known, bad, NEXT);
	bpf_jump(BPF_JSET, fixed, NEXT, bad);
	bpf_jump(BPF_JSET, MAP_ANONYMOUS, anonymous, NEXT);
	bpf_load(ARG_LOW(4)); /* the kernel reads an int */
	bpf_jump(BPF_JGE, layout->first_file_fd, NEXT, bad);
	bpf_jump(BPF_JGE, SIGN_FD_LIMIT, bad, NEXT);
	bpf_here(anonymous);
}

/* Moves to a place of the sentry's choice, or a change of size in place: never MREMAP_MAYMOVE alone. */
static void need_remap_flags(int bad)
{
	int in_place = bpf_label(), done = bpf_label();

	bpf_load(ARG_LOW(3));
	bpf_jump(BPF_JEQ, 0, in_place, NEXT);
	bpf_need_arg(3, MREMAP_MAYMOVE | MREMAP_FIXED, bad);
	bpf_range(4, 2, 0, 1, bad);
	bpf_go(done);
	bpf_here(in_place);
	bpf_need_arg(3, 0, bad);
	bpf_range(0, 2, 0, 1, bad);
	bpf_here(done);
}

/* A memory call below the limit, by the agent or, at a slot, by a guest thread (the signature's program decides that).
 */
static void memory_call(const struct filter_layout *layout, uint32_t nr, int allow, int refuse)
{
	int bad = bpf_label(), good = bpf_label();

	if (nr == SYS_mmap)
		for (unsigned i = 0; i < layout->remaps; i++)
			allow_remap(&layout->remap[i], good);
	bpf_range(0, 1, 0, 1, bad);
	if (nr == SYS_mmap)
		need_map_flags(layout, bad);
	if (nr == SYS_madvise)
		bpf_need_advice(2, bad);
	if (nr == SYS_mremap)
		need_remap_flags(bad);
	bpf_here(good);
	bpf_go(allow);
	bpf_here(bad);
	bpf_go(refuse);
}

static void clone_call(int allow, int refuse)
{
	bpf_load(ARG_HIGH(0));
	bpf_jump(BPF_JEQ, 0, NEXT, refuse);
	bpf_load(ARG_LOW(0));
	bpf_jump(BPF_JEQ, FILTER_CLONE_THREAD, allow, NEXT);
	bpf_jump(BPF_JEQ, FILTER_CLONE_FORK, allow, refuse);
}

/* Programs come from pages that no guest writes; the last word of the struct sock_fprog must lie in them too. */
static void seccomp_call(const struct filter_layout *layout, int allow, int refuse)
{
	assert(layout->program_end >= layout->program_start + 16);
	assert(HIGH(layout->program_start) == HIGH(layout->program_end));
	bpf_need_arg(0, SECCOMP_SET_MODE_FILTER, refuse);
	bpf_need_arg(1, 0, refuse);
	bpf_load(ARG_HIGH(2));
	bpf_jump(BPF_JEQ, HIGH(layout->program_start), NEXT, refuse);
	bpf_load(ARG_LOW(2));
	bpf_jump(BPF_JGE, LOW(layout->program_start), NEXT, refuse);
	bpf_jump(BPF_JGT, LOW(layout->program_end) - 16, refuse, allow);
}

/* What an agent does besides memory: proofs (lseek), making threads and forks, barriers, setting up a new thread. A:
 * the number.
 */
static void other_calls(const struct filter_layout *layout, int allow, int refuse)
{
	int not_clone = bpf_label(), not_prctl = bpf_label(), not_arch_prctl = bpf_label(), not_barrier = bpf_label();

	bpf_jump(BPF_JEQ, SYS_arch_prctl, NEXT, not_arch_prctl); /* guest threads may too */
	need_segment_base(refuse);
	bpf_go(allow);
	bpf_here(not_arch_prctl);
	bpf_need_code(layout->agent_code, layout->agent_code_end, refuse);
	bpf_load(OFF_NR);
	bpf_jump(BPF_JEQ, SYS_lseek, allow, NEXT);
	bpf_jump(BPF_JEQ, SYS_sigaltstack, allow, NEXT);
	bpf_jump(BPF_JEQ, SYS_exit, allow, NEXT);
	bpf_jump(BPF_JEQ, SYS_clone, NEXT, not_clone);
	clone_call(allow, refuse);
	bpf_here(not_clone);
	bpf_jump(BPF_JEQ, SYS_membarrier, NEXT, not_barrier);
	bpf_need_arg(0, MEMBARRIER_CMD_GLOBAL_EXPEDITED, refuse);
	bpf_need_arg(1, 0, refuse);
	bpf_go(allow);
	bpf_here(not_barrier);
	bpf_jump(BPF_JEQ, SYS_prctl, NEXT, not_prctl);
	bpf_need_arg(0, PR_SET_PDEATHSIG, refuse);
	bpf_need_arg(1, SIGKILL, refuse);
	bpf_go(allow);
	bpf_here(not_prctl);
	bpf_jump(BPF_JEQ, SYS_seccomp, NEXT, refuse);
	seccomp_call(layout, allow, refuse);
}

void filter_agent(struct filter *out, const struct filter_layout *layout)
{
	int near_refuse, near_allow, sigreturn, not_futex, allow, refuse, section[COUNT(memory_calls)];

	assert(layout->remaps <= FILTER_REMAP_LIMIT && layout->first_file_fd >= 0);
	bpf_begin(out);
	near_refuse = bpf_label();
	near_allow = bpf_label();
	sigreturn = bpf_label();
	not_futex = bpf_label();
	allow = bpf_label();
	refuse = bpf_label();
	bpf_load(OFF_ARCH);
	bpf_jump(BPF_JEQ, AUDIT_ARCH_X86_64, NEXT, near_refuse);
	bpf_load(OFF_NR); /* the free calls of guest threads first: they are the frequent ones */
	bpf_jump(BPF_JEQ, SYS_rt_sigreturn, sigreturn, NEXT);
	bpf_jump(BPF_JEQ, SYS_futex, NEXT, not_futex);
	need_wait_or_wake(near_refuse);
	bpf_go(near_allow);
	bpf_here(sigreturn); /* a guest thread's; an agent has no stack to return from */
	bpf_need_code(layout->guest_code, layout->guest_code_end, near_refuse);
	bpf_here(near_allow);
	bpf_ret(SECCOMP_RET_ALLOW);
	bpf_here(near_refuse);
	bpf_ret(REFUSE);
	bpf_here(not_futex);
	for (int i = 0; i < MEMORY_CALLS; i++) {
		int skip = bpf_label();

		section[i] = bpf_label();
		bpf_jump(BPF_JEQ, memory_calls[i], NEXT, skip);
		bpf_go(section[i]);
		bpf_here(skip);
	}
	other_calls(layout, allow, refuse);
	bpf_here(allow);
	bpf_ret(SECCOMP_RET_ALLOW);
	bpf_here(refuse);
	bpf_ret(REFUSE);
	allow = bpf_label();
	refuse = bpf_label();
	for (int i = 0; i < MEMORY_CALLS; i++) {
		bpf_here(section[i]);
		memory_call(layout, memory_calls[i], allow, refuse);
	}
	bpf_here(allow);
	bpf_ret(SECCOMP_RET_ALLOW);
	bpf_here(refuse);
	bpf_ret(REFUSE);
	bpf_end();
}
