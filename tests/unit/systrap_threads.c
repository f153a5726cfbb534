/* systrap_threads.c - tests of the systrap platform with small guests: calls, registers, faults, kicks, threads, fork,
 * vector state. */
#include <criterion/criterion.h>

#include "platform/systrap/systrap.h"
#include "tests/unit/systrap.h"

#include <errno.h>
#include <signal.h>

#define RUN(name, body)                                                                                                \
	Test(systrap, name, .timeout = 30)                                                                             \
	{                                                                                                              \
		test_run(body);                                                                                        \
	}

/* Waits for the next system call, which must be this one. */
static struct stop expect_call(struct uthread *thread, uint64_t nr)
{
	struct stop stop;

	do
		uthread_wait(thread, &stop);
	while (stop.kind == STOP_KICK);
	cr_assert_eq(stop.kind, STOP_SYSCALL, "stop %d signal %d at %lx", stop.kind, stop.sig, stop.rip);
	cr_assert_eq(stop.nr, nr, "call %lu instead of %lu", stop.nr, nr);
	return stop;
}

/* ---- calls */

GUEST static void guest_calls(void)
{
	long sum = 0;

	for (int i = 0; i < 20; i++)
		sum += CALL0(SYS_getppid);
	CALL3(SYS_write, 1, sum, 5);
	CALL1(SYS_exit_group, 7);
}

static void calls(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_calls);
	struct platform_stats stats;
	struct stop stop;

	for (int i = 0; i < 20; i++) {
		expect_call(thread, SYS_getppid);
		uthread_answer(thread, i);
	}
	stop = expect_call(thread, SYS_write);
	cr_assert_eq(stop.args[1], 190);
	cr_assert_eq(stop.args[2], 5);
	uthread_answer(thread, -EBADF);
	stop = expect_call(thread, SYS_exit_group);
	cr_assert_eq(stop.args[0], 7);
	platform_stats_get(&stats);
	cr_assert_eq(stats.sites_patched, 3);
	test_end(thread);
	aspace_free(as);
}
RUN(calls, calls)

/* ---- faults */

GUEST static void guest_faults(void)
{
	*(volatile char *)0x1234 = 1;
	__asm__ volatile("ud2");
	__asm__ volatile("int3");
	__asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx" ::: "rax", "rcx", "rdx", "cc");
	__asm__ volatile("int $0x80" : : "a"(20) : "memory");
	CALL0(335);
	CALL1(SYS_exit_group, 0);
}

static void skip(struct uthread *thread, int bytes)
{
	struct uregs regs;

	uthread_context_get(thread, &regs);
	regs.rip += (uint64_t)bytes;
	uthread_context_set(thread, &regs);
}

static void faults(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_faults);
	struct stop stop;

	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_FAULT);
	cr_assert_eq(stop.sig, SIGSEGV);
	cr_assert_eq(stop.addr.v, 0x1234);
	cr_assert_eq(stop.code, SEGV_MAPERR);
	cr_assert_eq(stop.trapno, 14);
	cr_assert_eq(stop.error & 2, 2);
	skip(thread, 8); /* movb $1, 0x1234 */
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.sig, SIGILL, "signal %d at %lx", stop.sig, stop.rip);
	skip(thread, 2);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.sig, SIGTRAP);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.sig, SIGFPE);
	cr_assert_eq(stop.code, FPE_INTDIV);
	skip(thread, 2);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_SYSCALL);
	cr_assert(stop.foreign);
	uthread_answer(thread, -ENOSYS);
	uthread_wait(thread, &stop);
	if (stop.nr == 335) { /* an old kernel traps it like any other */
		uthread_answer(thread, -ENOSYS);
		uthread_wait(thread, &stop);
	}
	cr_assert_eq(stop.kind, STOP_SYSCALL);
	cr_assert_eq(stop.nr, SYS_exit_group);
	test_end(thread);
	aspace_free(as);
}
RUN(faults, faults)

/* ---- registers and vector state over calls, trapped and patched, with and without the whole state asked for */

GUEST static void guest_registers(void)
{
	unsigned long bad = 0;

	for (unsigned long i = 0; i < 8; i++) {
		unsigned long x = 0x1111111111111111ul * (i + 1), xmm, ymm[4], rbx, r12, r13, r14, r15, rdi, rsi, rdx,
			      r8, r9, r10;

		__asm__ volatile(
			"movq %13, %%xmm15; vpbroadcastq %%xmm15, %%ymm15\n"
			"mov %13, %%rbx; mov %13, %%r12; mov %13, %%r13; mov %13, %%r14; mov %13, %%r15\n"
			"mov %13, %%rdi; mov %13, %%rsi; mov %13, %%rdx; mov %13, %%r8; mov %13, %%r9; mov %13, %%r10\n"
			"mov $110, %%eax; syscall; cmp $-4095, %%rax\n"
			"mov %%rbx, %2; mov %%r12, %3; mov %%r13, %4; mov %%r14, %5; mov %%r15, %6; mov %%rdi, %7\n"
			"mov %%rsi, %8; mov %%rdx, %9; mov %%r8, %10; mov %%r9, %11; mov %%r10, %12\n"
			"movq %%xmm15, %%rbx; mov %%rbx, %0; vmovups %%ymm15, %1\n"
			: "=m"(xmm), "=m"(ymm), "=m"(rbx), "=m"(r12), "=m"(r13), "=m"(r14), "=m"(r15), "=m"(rdi),
			  "=m"(rsi), "=m"(rdx), "=m"(r8), "=m"(r9), "=m"(r10)
			: "m"(x)
			: "rax", "rbx", "rcx", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rdx", "r8", "r9",
			  "r10", "xmm15", "memory", "cc");
		unsigned long got[] = {xmm, ymm[3], rbx, r12, r13, r14, r15, rdi, rsi, rdx, r8, r9, r10};
		for (unsigned k = 0; k < sizeof got / sizeof *got; k++)
			bad |= got[k] ^ x;
	}
	CALL1(SYS_exit_group, bad);
}

static void registers(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_registers);
	char *state = malloc(uthread_fpstate_size());
	struct uregs regs;
	struct stop stop;

	for (unsigned long i = 0; i < 8; i++) {
		expect_call(thread, SYS_getppid);
		uthread_context_get(thread, &regs);
		cr_assert_eq(regs.r15, 0x1111111111111111ul * (i + 1));
		cr_assert_eq(regs.rax, SYS_getppid);
		cr_assert_eq(regs.rcx, regs.rip);
		if (i % 4 == 1) {
			uthread_fpstate_get(thread, state);
			cr_assert_eq(*(uint64_t *)(state + 160 + 16 * 15), 0x1111111111111111ul * (i + 1));
			cr_assert_eq(uthread_fpstate_set(thread, state), 0);
			uthread_context_get(thread, &regs);
			cr_assert_eq(regs.rax, SYS_getppid);
		}
		if (i % 4 == 2) {
			regs.rax = 5;
			uthread_context_set(thread, &regs);
		} else {
			uthread_answer(thread, 1);
		}
	}
	stop = expect_call(thread, SYS_exit_group);
	cr_assert_eq(stop.args[0], 0);
	free(state);
	test_end(thread);
	aspace_free(as);
}
RUN(registers, registers)

/* ---- an invented signal: the context goes elsewhere and comes back */

GUEST static void guest_handler(void)
{
	__asm__ volatile("vpxor %%ymm7, %%ymm7, %%ymm7" ::: "xmm7");
	for (;;)
		CALL0(SYS_rt_sigreturn);
}

GUEST static void guest_signalled(void)
{
	unsigned long x = 0x1234567812345678, y;

	__asm__ volatile("movq %0, %%xmm7" : : "r"(x) : "xmm7");
	CALL0(SYS_getppid);
	CALL0(SYS_getppid);
	__asm__ volatile("movq %%xmm7, %0" : "=r"(y));
	CALL1(SYS_exit_group, x ^ y);
}

static void signalled(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_signalled);
	char *state = malloc(uthread_fpstate_size());
	struct uregs saved, regs;

	for (int i = 0; i < 2; i++) {
		expect_call(thread, SYS_getppid);
		uthread_context_get(thread, &saved);
		uthread_fpstate_get(thread, state);
		regs = saved;
		regs.rip = guest_address(guest_handler);
		regs.rsp -= 1000;
		uthread_context_set(thread, &regs);
		expect_call(thread, SYS_rt_sigreturn);
		saved.rax = 0;
		uthread_context_set(thread, &saved);
		cr_assert_eq(uthread_fpstate_set(thread, state), 0);
	}
	cr_assert_eq(expect_call(thread, SYS_exit_group).args[0], 0);
	state[24] = state[25] = state[26] = state[27] = -1; /* mxcsr */
	cr_assert_eq(uthread_fpstate_set(thread, state), -EINVAL);
	free(state);
	test_end(thread);
	aspace_free(as);
}
RUN(signalled, signalled)

/* ---- kicks */

GUEST static void guest_loops(void)
{
	for (volatile unsigned long n = 0;; n++)
		;
}

GUEST static void guest_calls_for_ever(void)
{
	for (;;)
		CALL0(SYS_getppid);
}

static struct uthread *kicked;
static int kicks_left;

static void kicker(void *argument)
{
	(void)argument;
	while (kicks_left) {
		uthread_kick(kicked);
		(void)!fiber_park_until(host_monotonic_ns() + 200000);
	}
}

static void kicks_of(void (*function)(void))
{
	struct aspace *as = test_aspace();
	struct fiber *fiber;
	struct stop stop;

	kicked = test_thread(as, function);
	kicks_left = 300;
	cr_assert_eq(fiber_new(kicker, NULL, &fiber), 0);
	while (kicks_left) {
		struct uregs regs;
		uthread_wait(kicked, &stop);
		if (stop.kind == STOP_SYSCALL) {
			cr_assert_eq(stop.nr, SYS_getppid);
			uthread_answer(kicked, 1);
			continue;
		}
		cr_assert_eq(stop.kind, STOP_KICK);
		uthread_context_get(kicked, &regs);
		cr_assert(regs.rip >= GUEST_CODE && regs.rip < GUEST_CODE + 0x10000, "rip %lx", regs.rip);
		kicks_left--;
	}
	test_end(kicked);
	aspace_free(as);
}

static void kicks_in_loop(void)
{
	kicks_of(guest_loops);
}
RUN(kicks_in_loop, kicks_in_loop)

static void kicks_in_calls(void)
{
	kicks_of(guest_calls_for_ever);
}
RUN(kicks_in_calls, kicks_in_calls)

/* ---- threads */

GUEST static void guest_adds(void)
{
	for (int i = 0; i < 200; i++) {
		__atomic_fetch_add((volatile long *)GUEST_DATA, 1, __ATOMIC_SEQ_CST);
		CALL0(SYS_getppid);
	}
	CALL1(SYS_exit, 0);
}

#define THREADS 8
static int threads_left;
static struct aspace *threads_as;
static struct fiber *threads_main;

static void thread_owner(void *argument)
{
	struct uregs regs = {
		.rip = guest_address(guest_adds), .rsp = GUEST_STACK - 8 - 4096 * (uint64_t)argument, .rflags = 0x202};
	struct uthread *thread;
	struct stop stop;

	cr_assert_eq(uthread_new(threads_as, NULL, &regs, &thread), 0);
	for (;;) {
		uthread_wait(thread, &stop);
		cr_assert_eq(stop.kind, STOP_SYSCALL);
		if (stop.nr == SYS_exit)
			break;
		fiber_yield();
		uthread_answer(thread, 1);
	}
	test_end(thread);
	if (--threads_left == 0)
		fiber_wake(threads_main);
}

static void threads(void)
{
	long sum;

	threads_as = test_aspace();
	threads_main = fiber_current();
	threads_left = THREADS;
	for (uint64_t i = 0; i < THREADS; i++) {
		struct fiber *fiber;
		cr_assert_eq(fiber_new(thread_owner, (void *)i, &fiber), 0);
	}
	while (threads_left)
		fiber_park();
	cr_assert_eq(aspace_read(threads_as, NULL, &sum, UADDR(GUEST_DATA), sizeof sum), 0);
	cr_assert_eq(sum, THREADS * 200);
	aspace_free(threads_as);
}
RUN(threads, threads)

/* ---- fork */

GUEST static void guest_forks(void)
{
	volatile long *word = (volatile long *)GUEST_DATA;
	unsigned long x = 0xabcdef0123456789, y;
	long pid;

	for (int i = 0; i < 3; i++) {
		__asm__ volatile("movq %0, %%xmm9" : : "r"(x) : "xmm9");
		pid = CALL0(SYS_fork);
		__asm__ volatile("movq %%xmm9, %0" : "=r"(y));
		if (x != y)
			CALL1(SYS_exit_group, 99);
		if (pid == 0) {
			*word += 100;
			CALL3(SYS_write, *word, 0, 0);
			CALL1(SYS_exit_group, 5);
		}
		*word += 1;
	}
	CALL1(SYS_exit_group, *word);
}

static void forks(void)
{
	struct aspace *as = test_aspace(), *child;
	struct uthread *thread = test_thread(as, guest_forks), *child_thread;

	for (int i = 0; i < 3; i++) {
		expect_call(thread, SYS_fork);
		cr_assert_eq(aspace_fork(as, thread, &child, &child_thread), 0);
		struct uregs regs;
		uthread_context_get(child_thread, &regs);
		cr_assert_eq(regs.rax, SYS_fork);
		regs.rax = 0;
		uthread_context_set(child_thread, &regs);
		uthread_answer(thread, 1000);
		cr_assert_eq(expect_call(child_thread, SYS_write).args[0], (uint64_t)(100 + i));
		uthread_answer(child_thread, 0);
		cr_assert_eq(expect_call(child_thread, SYS_exit_group).args[0], 5);
		test_end(child_thread);
		aspace_free(child);
	}
	cr_assert_eq(expect_call(thread, SYS_exit_group).args[0], 3);
	test_end(thread);
	aspace_free(as);
}
RUN(forks, forks)

/* A fork whose last step fails leaves nothing behind, and says nothing about a thread that is not there. */
static void fork_fails_late(void)
{
	struct aspace *as = test_aspace(), *child = NULL;
	struct uthread *thread = test_thread(as, guest_forks), *child_thread = NULL;

	expect_call(thread, SYS_fork);
	cr_assert_eq(kill(as->agent_pid, SIGKILL), 0);
	cr_assert_lt(aspace_fork(as, thread, &child, &child_thread), 0);
	cr_assert_null(child);
	cr_assert_null(child_thread);
	test_end(thread);
	aspace_free(as);
}
RUN(fork_fails_late, fork_fails_late)

/* ---- processes one after the other: the pool, and nothing left of the one before */

GUEST static void guest_looks(void)
{
	volatile long *word = (volatile long *)GUEST_DATA;
	long seen = *word;

	*word = 77;
	CALL1(SYS_exit_group, seen);
}

static void pool(void)
{
	for (int i = 0; i < 30; i++) {
		struct aspace *as = test_aspace();
		cr_assert_not_null(as);
		struct uthread *thread = test_thread(as, guest_looks);
		cr_assert_eq(expect_call(thread, SYS_exit_group).args[0], 0);
		struct memory_usage usage;
		aspace_usage(as, &usage);
		cr_assert_gt(memory_usage_rss(&usage), 4096);
		cr_assert_gt(uthread_cpu_ns(thread), 1000);
		test_end(thread);
		aspace_free(as);
	}
}
RUN(pool, pool)

/* ---- the FS base, by a call and by the instruction, over everything that saves and restores */

GUEST static void guest_fs(void)
{
	unsigned long value = 0;

	CALL3(SYS_arch_prctl, 0x1002, GUEST_DATA + 64, 0);
	for (int i = 0; i < 4; i++) {
		__asm__ volatile("mov %%fs:0, %0" : "=r"(value));
		CALL1(SYS_write, value);
		CALL3(SYS_arch_prctl, 0x1003, GUEST_DATA + 8, 0);
		if (*(volatile unsigned long *)(GUEST_DATA + 8) != GUEST_DATA + 64)
			CALL1(SYS_exit_group, 1);
	}
	CALL1(SYS_exit_group, CALL3(SYS_arch_prctl, 0x1001, 0, 0));
}

static void fs_base(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_fs);
	struct uregs regs;
	uint64_t word = 4711;

	cr_assert_eq(aspace_write(as, NULL, UADDR(GUEST_DATA + 64), &word, 8), 0);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(expect_call(thread, SYS_write).args[0], 4711);
		uthread_context_get(thread, &regs);
		cr_assert_eq(regs.fs_base, GUEST_DATA + 64);
		uthread_answer(thread, 0);
	}
	cr_assert_eq((long)expect_call(thread, SYS_exit_group).args[0], -EPERM);
	test_end(thread);
	aspace_free(as);
}
RUN(fs_base, fs_base)

/* ---- identity answered in the gate once the site is patched */

GUEST static void guest_identity(void)
{
	long sum = 0;

	for (int i = 0; i < 10; i++)
		sum += CALL0(SYS_getpid);
	CALL1(SYS_exit_group, sum);
}

static void identity(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_identity);
	struct uthread_identity me = {.pid = 12, .tid = 13};

	uthread_identity_set(thread, &me);
	expect_call(thread, SYS_getpid); /* the first traps */
	uthread_answer(thread, 12);
	cr_assert_eq(expect_call(thread, SYS_exit_group).args[0], 120);
	test_end(thread);
	aspace_free(as);
}
RUN(identity, identity)

/* ---- death from outside while its owner waits */

static void late_killer(void *argument)
{
	(void)!fiber_park_until(host_monotonic_ns() + 20000000);
	uthread_kill(argument);
}

static void killed(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_loops);
	struct fiber *fiber;
	struct stop stop;

	cr_assert_eq(fiber_new(late_killer, thread, &fiber), 0);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_DEAD);
	cr_assert_eq(stop.host_signal, 0);
	uthread_free(thread);
	aspace_free(as);
}
RUN(killed, killed)

/* ---- the same without patches and without spinning */

Test(systrap, calls_unpatched, .timeout = 30)
{
	struct platform_config config = {.no_patch = true};

	test_run_config(registers, config);
}

Test(systrap, calls_asleep, .timeout = 30)
{
	struct platform_config config = {.no_spin = true};

	test_run_config(registers, config);
}
