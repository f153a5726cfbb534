/* filter_stack.c - the three programs stacked in the kernel as a guest thread has them, and the agent's alone. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/futex.h>
#include <ucontext.h>

#include "tests/unit/filter_gate.h"

#include "platform/platform.h"

#define CALLS    512
#define TRAPPED  (-4242)
#define AGENT_FD 3
#define SCRATCH  0x10000000ull

static const struct sign_key key = {{1, 2, 3, 4}};

/* What a call returned, told by the child through shared memory; TRAPPED: it raised SIGSYS. */
struct report {
	long own[CALLS], x32[CALLS], free_site[CALLS], slot[CALLS], other_slot[CALLS], agent_site[CALLS];
	long int80, futex_wait, futex_requeue, prctl_cpuid, wrong_arch, honest, replay, si_arch_int80;
	int done;
};
static struct report *report;

/* As the gate: the restorer is the gate's. */
static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	report->si_arch_int80 = info->si_arch;
	uc->uc_mcontext.gregs[REG_RAX] = TRAPPED;
}

static void handler_install(void)
{
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		uint64_t restorer, mask;
	} sa = {on_sigsys, SA_SIGINFO | SA_NODEFER | 0x04000000, TEST_RESTORE, 0};

	if (syscall(SYS_rt_sigaction, SIGSYS, &sa, NULL, 8))
		_exit(98);
}

static void stack_install(void)
{
	static struct filter agent, signed_calls, guest;
	struct filter_layout layout = test_layout();
	struct sock_fprog *prog = (void *)layout.program_start;

	filter_agent(&agent, &layout);
	filter_signed(&signed_calls, &layout, &key, 0);
	filter_guest(&guest, &layout, 0);
	test_gate_map();
	handler_install();
	if (mmap(prog, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	    prog)
		_exit(97);
	prog[0] = (struct sock_fprog){signed_calls.len, signed_calls.insn};
	prog[1] = (struct sock_fprog){guest.len, guest.insn};
	test_install(&agent);
	if (CALL_AT(TEST_AGENT, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (uint64_t)&prog[0]) ||
	    CALL_AT(TEST_AGENT, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (uint64_t)&prog[1]))
		__builtin_trap();
}

/* uretprobe and uprobe never reach seccomp on recent kernels and only raise SIGILL; the free three are tried apart; so
 * is what the slot checks. */
static bool tried(int nr)
{
	return nr != 335 && nr != 336;
}

static bool is_memory(int nr)
{
	return nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_madvise || nr == SYS_mremap;
}

static bool is_free(int nr)
{
	return nr == SYS_futex || nr == SYS_rt_sigreturn || nr == SYS_arch_prctl;
}

static long int80(long nr)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "0"(nr), "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void guest_child(void *arg)
{
	static uint32_t word;
	struct signed_call c = {SYS_mmap, {SCRATCH, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0, 0}};

	(void)arg;
	if (sign_call(&key, &c))
		_exit(96);
	stack_install();
	for (int nr = 0; nr < CALLS; nr++) {
		if (!tried(nr))
			continue;
		report->own[nr] = syscall(nr, 0, 0, 0, 0, 0, 0);
		report->x32[nr] = CALL_AT(TEST_FREE, nr | 0x40000000, 0);
		report->agent_site[nr] = CALL_AT(TEST_AGENT, nr, 0);
		if (!is_free(nr)) {
			report->free_site[nr] = CALL_AT(TEST_FREE, nr, 0);
			report->other_slot[nr] = CALL_AT(SLOT(1), nr, 0);
			if (!is_memory(nr))
				report->slot[nr] = CALL_AT(SLOT(0), nr, 0);
		}
	}
	report->int80 = int80(20);
	report->futex_wait = CALL_AT(TEST_FREE, SYS_futex, (uint64_t)&word, FUTEX_WAIT_PRIVATE, 1);
	report->futex_requeue = CALL_AT(TEST_FREE, SYS_futex, (uint64_t)&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1);
	report->prctl_cpuid = CALL_AT(TEST_FREE, SYS_arch_prctl, 0x1012, 0);
	report->honest = call_at(SLOT(0), c.nr, c.arg);
	report->replay = call_at(SLOT(0), c.nr, c.arg);
	report->done = 1;
	for (;;)
		__asm__ volatile("hlt");
}

Test(stack, guest_thread, .timeout = 60)
{
	int status;

	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	status = test_child(guest_child, NULL);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && report->done, "status %#x", status);
	for (int nr = 0; nr < CALLS; nr++) {
		if (!tried(nr))
			continue;
		cr_expect_eq(report->own[nr], TRAPPED, "own %d", nr);
		cr_expect_eq(report->x32[nr], TRAPPED, "x32 %d", nr);
		cr_expect_eq(report->agent_site[nr], TRAPPED, "at the agent's instruction %d", nr);
		if (is_free(nr))
			continue;
		cr_expect_eq(report->free_site[nr], TRAPPED, "in the gate %d", nr);
		cr_expect_eq(report->other_slot[nr], TRAPPED, "at another slot %d", nr);
		if (!is_memory(nr))
			cr_expect_eq(report->slot[nr], TRAPPED, "at the slot %d", nr);
	}
	cr_expect_eq(report->int80, TRAPPED);
	cr_expect_eq(report->futex_wait, -EAGAIN);
	cr_expect_eq(report->futex_requeue, TRAPPED);
	cr_expect_eq(report->prctl_cpuid, TRAPPED);
	cr_expect_eq(report->honest, (long)SCRATCH);
	cr_expect_eq(report->replay, (long)SCRATCH);
}

static void forged_child(void *arg)
{
	struct signed_call c = {SYS_munmap, {SCRATCH, 8192}};

	if (sign_call(&key, &c))
		_exit(96);
	c.arg[2] ^= 1u << *(int *)arg;
	stack_install();
	call_at(SLOT(0), c.nr, c.arg);
	for (;;)
		__asm__ volatile("hlt");
}

/* KILL outranks the guest program's TRAP: no handler is asked. */
Test(stack, forgery_dies)
{
	for (int bit = 0; bit < 32; bit += 7) {
		int status = test_child(forged_child, &bit);

		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "bit %d: status %#x", bit, status);
	}
}

/* ------------------------------------------------------------------------------------------------ the agent */

#define LIMIT PLATFORM_MAX_ADDR

static const struct {
	const char *what;
	uint64_t nr, a[6];
} refused[] = {
	{"munmap of the gate", SYS_munmap, {TEST_GATE, 4096}},
	{"munmap of everything", SYS_munmap, {0, 0x7ffffffff000}},
	{"munmap, length wraps", SYS_munmap, {0x10000, -0x10000ul}},
	{"munmap one page too far", SYS_munmap, {0, LIMIT + 4096}},
	{"munmap, half a page", SYS_munmap, {0x10800, 4096}},
	{"mprotect of the gate", SYS_mprotect, {TEST_GATE, 4096, 7}},
	{"mprotect of the command page", SYS_mprotect, {TEST_GATE + 0x10000, 4096, 3}},
	{"mmap over the gate", SYS_mmap, {TEST_GATE, 4096, 7, 0x32, -1}},
	{"mmap of the command page, writable", SYS_mmap, {TEST_GATE + 0x10000, 0x4000, 3, 0x11, 3}},
	{"mmap of the command page, longer", SYS_mmap, {TEST_GATE + 0x10000, 0x5000, 1, 0x11, 3}},
	{"mmap of the command page, another file", SYS_mmap, {TEST_GATE + 0x10000, 0x4000, 1, 0x11, 16}},
	{"mmap of the blocks, executable", SYS_mmap, {TEST_GATE + 0x1f000, 0x4001000, 7, 0x11, 3}},
	{"mmap of the platform's file for the guest", SYS_mmap, {SCRATCH, 4096, 3, 0x11, 3}},
	{"mmap at the kernel's choice", SYS_mmap, {0, 4096, 3, 0x22, -1}},
	{"mmap that ends above", SYS_mmap, {LIMIT - 4096, 8192, 3, 0x32, -1}},
	{"mmap, locked", SYS_mmap, {SCRATCH, 4096, 3, 0x2032, -1}},
	{"mmap, growing down", SYS_mmap, {SCRATCH, 4096, 3, 0x132, -1}},
	{"mremap onto the gate", SYS_mremap, {SCRATCH, 4096, 4096, 3, TEST_GATE}},
	{"mremap at the kernel's choice", SYS_mremap, {SCRATCH, 4096, 8192, 1}},
	{"mremap of the gate", SYS_mremap, {TEST_GATE, 4096, 4096, 3, SCRATCH}},
	{"madvise: poison", SYS_madvise, {SCRATCH, 4096, 100}},
	{"madvise: remove", SYS_madvise, {SCRATCH, 4096, 9}},
	{"madvise: merge", SYS_madvise, {SCRATCH, 4096, 12}},
	{"clone, new user namespace", SYS_clone, {0x10008411}},
	{"clone, thread group", SYS_clone, {0x18511 | 0x800}},
	{"clone, own descriptors", SYS_clone, {0x8111}},
	{"clone, pidfd", SYS_clone, {0x9511}},
	{"clone, high flags", SYS_clone, {0x100008511}},
	{"clone3", SYS_clone3, {0}},
	{"fork", SYS_fork, {0}},
	{"vfork", SYS_vfork, {0}},
	{"prctl: dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1}},
	{"prctl: no parent death signal", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
	{"seccomp from guest memory", SYS_seccomp, {1, 0, SCRATCH}},
	{"seccomp, end of the pages", SYS_seccomp, {1, 0, TEST_GATE + 0x14000 - 8}},
	{"seccomp with a listener", SYS_seccomp, {1, 8, TEST_GATE + 0x10000}},
	{"seccomp for all threads", SYS_seccomp, {1, 1, TEST_GATE + 0x10000}},
	{"rt_sigreturn", SYS_rt_sigreturn, {0}},
	{"futex: requeue", SYS_futex, {SCRATCH, 4, 1}},
	{"arch_prctl: cpuid", SYS_arch_prctl, {0x1012, 0}},
	{"execve", SYS_execve, {0}},
	{"execveat", SYS_execveat, {0}},
	{"openat", SYS_openat, {-100}},
	{"ptrace", SYS_ptrace, {0}},
	{"read", SYS_read, {3, SCRATCH, 16}},
	{"write", SYS_write, {3, SCRATCH, 16}},
	{"sendmsg", SYS_sendmsg, {3}},
	{"kill", SYS_kill, {1, 9}},
	{"close", SYS_close, {3}},
	{"dup2", SYS_dup2, {3, 5}},
	{"io_uring_setup", SYS_io_uring_setup, {1}},
	{"process_vm_writev", SYS_process_vm_writev, {1}},
	{"mmap, x32", SYS_mmap | 0x40000000, {SCRATCH, 4096, 3, 0x32, -1}},
	{"socket", SYS_socket, {1, 1, 0}},
	{"brk", SYS_brk, {0}},
	{"mlockall", SYS_mlockall, {3}},
	{"remap_file_pages", SYS_remap_file_pages, {SCRATCH, 4096}},
	{"pkey_mprotect", SYS_pkey_mprotect, {SCRATCH, 4096, 7, -1}},
};

static struct {
	long got[COUNT(refused)], int80, elsewhere;
	long scrub, map, advise, move, grow, death, lane, clone;
	bool done;
} * agent_report;

static void agent_child(void *arg)
{
	static struct filter agent;
	struct filter_layout layout = test_layout();
	long child;

	(void)arg;
	test_gate_map();
	if (dup2(memfd_create("gate", 0), AGENT_FD) != AGENT_FD || ftruncate(AGENT_FD, 0x5000000))
		_exit(95);
	filter_agent(&agent, &layout);
	test_install(&agent);
	for (unsigned i = 0; i < COUNT(refused); i++)
		agent_report->got[i] = call_at(TEST_AGENT, refused[i].nr, refused[i].a);
	agent_report->int80 = int80(20);
	agent_report->elsewhere = CALL_AT(TEST_FREE, SYS_lseek, AGENT_FD, 77, SEEK_SET);
	agent_report->map = CALL_AT(TEST_AGENT, SYS_mmap, SCRATCH, 8192, 3, 0x32, -1ul);
	agent_report->advise = CALL_AT(TEST_AGENT, SYS_madvise, SCRATCH, 8192, MADV_DONTNEED);
	agent_report->move = CALL_AT(TEST_AGENT, SYS_mremap, SCRATCH, 4096, 8192, 3, SCRATCH * 2);
	agent_report->grow = CALL_AT(TEST_AGENT, SYS_mremap, SCRATCH * 2, 8192, 4096, 0, 0);
	agent_report->scrub = CALL_AT(TEST_AGENT, SYS_munmap, 0, LIMIT);
	agent_report->death = CALL_AT(TEST_AGENT, SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	agent_report->lane = CALL_AT(TEST_AGENT, SYS_lseek, AGENT_FD, 77, SEEK_SET);
	if (CALL_AT(TEST_AGENT, SYS_mmap, TEST_GATE + 0x10000, 0x4000, 1, 0x11, 3, 0x4000) !=
		    (long)(TEST_GATE + 0x10000) ||
	    CALL_AT(TEST_AGENT, SYS_mmap, TEST_GATE + 0x1f000, 0x4001000, 3, 0x11, 3, 0) != (long)(TEST_GATE + 0x1f000))
		agent_report->lane = -1;
	child = CALL_AT(TEST_AGENT, SYS_clone, FILTER_CLONE_FORK, 0);
	if (child == 0)
		CALL_AT(TEST_AGENT, SYS_exit, 0);
	agent_report->clone = child;
	agent_report->done = true;
	CALL_AT(TEST_AGENT, SYS_exit, 0);
}

Test(stack, agent, .timeout = 60)
{
	int status;

	agent_report = mmap(NULL, sizeof *agent_report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	status = test_child(agent_child, NULL);
	cr_assert(status == 0 && agent_report->done, "status %#x", status);
	for (unsigned i = 0; i < COUNT(refused); i++)
		cr_expect_eq(agent_report->got[i], -EPERM, "%s: %ld", refused[i].what, agent_report->got[i]);
	cr_expect_eq(agent_report->int80, -EPERM);
	cr_expect_eq(agent_report->elsewhere, -EPERM);
	cr_expect_eq(agent_report->map, (long)SCRATCH);
	cr_expect_eq(agent_report->advise, 0);
	cr_expect_eq(agent_report->move, (long)SCRATCH * 2);
	cr_expect_eq(agent_report->grow, (long)SCRATCH * 2);
	cr_expect_eq(agent_report->scrub, 0);
	cr_expect_eq(agent_report->death, 0);
	cr_expect_eq(agent_report->lane, 77);
	cr_expect_gt(agent_report->clone, 0, "%ld", agent_report->clone);
	waitpid(agent_report->clone, NULL, __WALL);
}
