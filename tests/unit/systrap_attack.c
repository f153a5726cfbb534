/* systrap_attack.c - the walls of the systrap platform, with the test in the sentry's place: rule W1 from every
 * instruction of the gate, forged and replayed memory calls. tests/attack does the same from inside a whole sandbox. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "tests/unit/systrap.h"

#include "platform/hostfile.h"
#include "platform/systrap/systrap.h"

#define MARK    0x5afe5afe5afeull
#define NOWHERE 0x8888888888888888ull
#define NUMBERS 512

static struct uthread *thread;

/* The harness wants some guest code; the attacker's is one instruction long (start). */
GUEST static void idle(void)
{
	for (;;)
		CALL0(SYS_sched_yield);
}

static struct uregs attempt(uint64_t target, uint64_t nr)
{
	struct uregs regs;

	memset(&regs, 0x88, sizeof regs);
	regs.rip = target;
	regs.rax = nr;
	regs.rdi = regs.rsi = regs.rdx = regs.r10 = regs.r8 = 0;
	regs.r9 = MARK;
	regs.rsp = GUEST_STACK - 4096;
	regs.rflags = 0x202;
	regs.fs_base = 0;
	regs.gs_base = 0;
	return regs;
}

static bool is_free(uint64_t nr)
{
	return nr == SYS_futex || nr == SYS_rt_sigreturn || nr == SYS_arch_prctl;
}

static bool is_memory(uint64_t nr)
{
	return nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_madvise || nr == SYS_mremap;
}

/* uretprobe and uprobe never reach seccomp, and raise SIGILL or SIGTRAP. */
static bool unseen(uint64_t nr)
{
	return nr == 335 || nr == 336;
}

static unsigned wrong, retrapped;

/* One attempt must arrive as a stop with its number and mark. */
static void must_arrive(uint64_t target, uint64_t nr, uint64_t seen_nr)
{
	struct uregs regs = attempt(target, nr);
	struct stop stop;

	uthread_context_set(thread, &regs);
	uthread_wait(thread, &stop);
	if (stop.kind == STOP_SYSCALL && stop.nr == seen_nr && stop.args[5] == MARK)
		return;
	if (stop.kind == STOP_KICK && stop.nr == 0) { /* the gate's deliberate trap: it asks the sentry for no call */
		retrapped++;
		return;
	}
	if (unseen((uint32_t)nr) && (stop.kind == STOP_SYSCALL || stop.kind == STOP_FAULT))
		return;
	if (wrong++ < 5)
		cr_log_error("at %#lx number %#lx: stop %d, number %#lx, signal %d", target, nr, stop.kind, stop.nr,
			     stop.sig);
	cr_assert_neq(stop.kind, STOP_DEAD, "at %#lx number %#lx: it died", target, nr);
}

static void start(struct aspace **as)
{
	struct uregs regs = attempt(NOWHERE, 0);
	struct stop stop;

	*as = test_aspace();
	cr_assert_not_null(*as);
	cr_assert_eq(uthread_new(*as, NULL, &regs, &thread), 0);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_FAULT);
}

static void every_number(void)
{
	static unsigned char code[GATE_CODE_BYTES];
	static const unsigned char own[] = {0x0f, 0x05, 0x0f, 0x0b};
	struct mem_op text = {.kind = MEM_MAP,
			      .prot = MEM_READ | MEM_WRITE | MEM_EXEC,
			      .file = MEM_NO_FILE,
			      .addr = 0x40000000,
			      .size = 4096};
	struct aspace *as;
	unsigned sites = 0;
	extern const char gate_blob[], gate_blob_end[];

	memcpy(code, gate_blob, (size_t)(gate_blob_end - gate_blob));
	start(&as);
	cr_assert_eq(aspace_mem(as, NULL, &text), 0);
	cr_assert_eq(aspace_write(as, NULL, UADDR(0x40000000), own, sizeof own), 0);
	for (uint64_t nr = 0; nr < NUMBERS; nr++) {
		must_arrive(0x40000000, nr, nr);
		must_arrive(0x40000000, nr | 0x40000000, nr | 0x40000000);
	}
	for (uint64_t at = 0; at + 1 < GATE_CODE_BYTES; at++) {
		if (code[at] != 0x0f || code[at + 1] != 0x05)
			continue;
		sites++;
		bool guest_half = at < GATE_GUEST_BYTES, slot = at == 0;
		for (uint64_t nr = 0; nr < NUMBERS; nr++)
			if (!(guest_half && is_free(nr)) && !(slot && is_memory(nr)))
				must_arrive(GATE_CODE + at, nr, nr);
		must_arrive(GATE_CODE + at, SYS_futex | 0x40000000, SYS_futex | 0x40000000);
	}
	cr_assert_gt(sites, 10);
	cr_assert_leq(retrapped, NUMBERS + 1, "more than one site goes unseen");
	cr_assert_eq(wrong, 0, "%u attempts did not arrive", wrong);
	test_end(thread);
	aspace_free(as);
}

Test(systrap_attack, every_number, .timeout = 120)
{
	test_run(every_number);
}

/* ------------------------------------------------------------------------------------------------ signed calls */

#define PLACE 0x50000000ull

/* Makes the thread's next memory call a queued one, and returns it as the thread's block holds it. */
static struct gate_op granted(struct aspace *as, const struct mem_op *op)
{
	struct uregs regs = attempt(0x40000000, 500);
	struct gate_op found;
	struct stop stop;

	uthread_context_set(thread, &regs);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_SYSCALL);
	cr_assert_eq(aspace_mem(as, thread, op), 0);
	uthread_answer(thread, 0);
	uthread_wait(thread, &stop); /* the next instruction is a call too: by then it has been made */
	cr_assert_eq(stop.kind, STOP_SYSCALL);
	memcpy(&found, (char *)thread->ch + BLOCK_OPS, sizeof found); /* the attacker reads it in its own block */
	return found;
}

/* The guest makes this call at the slot; what it returned, or a death. */
static struct stop replay(const struct gate_op *op, uint64_t *result)
{
	struct uregs regs = attempt(GATE_CODE, op->nr), after;
	struct stop stop;

	regs.rdi = op->arg[0];
	regs.rsi = op->arg[1];
	regs.rdx = op->arg[2];
	regs.r10 = op->arg[3];
	regs.r8 = op->arg[4];
	regs.r9 = op->arg[5];
	uthread_context_set(thread,
			    &regs); /* `ret` behind the call goes to what lies on the stack: nothing mapped at 0 */
	uthread_wait(thread, &stop);
	if (stop.kind == STOP_FAULT) {
		uthread_context_get(thread, &after);
		*result = after.rax;
	}
	return stop;
}

static void signed_start(struct aspace **as)
{
	static const unsigned char own[] = {0x0f, 0x05, 0x0f, 0x05};
	struct mem_op text = {.kind = MEM_MAP,
			      .prot = MEM_READ | MEM_WRITE | MEM_EXEC,
			      .file = MEM_NO_FILE,
			      .addr = 0x40000000,
			      .size = 4096};

	start(as);
	cr_assert_eq(aspace_mem(*as, NULL, &text), 0);
	cr_assert_eq(aspace_write(*as, NULL, UADDR(0x40000000), own, sizeof own), 0);
}

static const struct mem_op map_op = {
	.kind = MEM_MAP, .prot = MEM_READ | MEM_WRITE, .file = MEM_NO_FILE, .addr = PLACE, .size = 8192};

static void replayed(void)
{
	struct aspace *as;
	struct gate_op op;
	struct stop stop;
	uint64_t result = 0, word = 7;

	signed_start(&as);
	op = granted(as, &map_op);
	cr_assert_eq(op.nr, SYS_mmap);
	cr_assert_eq(aspace_write(as, NULL, UADDR(PLACE), &word, sizeof word), 0);
	for (int i = 0; i < 3; i++) {
		stop = replay(&op, &result);
		cr_assert_eq(stop.kind, STOP_FAULT);
		cr_assert_eq(result, PLACE);
	}
	cr_assert_eq(aspace_read(as, NULL, &word, UADDR(PLACE), sizeof word), 0);
	cr_assert_eq(word, 0);
	cr_assert_null(platform_fatal());
	test_end(thread);
	aspace_free(as);
}

Test(systrap_attack, replayed, .timeout = 60)
{
	test_run(replayed);
}

static void forged(void)
{
	struct aspace *as;
	struct gate_op op;
	struct stop stop;
	uint64_t result = 0;

	signed_start(&as);
	op = granted(as, &map_op);
	op.arg[2] |= 4;
	stop = replay(&op, &result);
	cr_assert_eq(stop.kind, STOP_DEAD);
	cr_assert_eq(stop.host_signal, SIGSYS);
	cr_assert_not_null(platform_fatal());
}

Test(systrap_attack, forged, .timeout = 60)
{
	test_run(forged);
}

/* mprotect(READ|WRITE), granted for the guest's own memory, must not make a read-only shared file mapping writable. */
static void upgraded(void)
{
	struct mem_op protect = {.kind = MEM_PROTECT, .prot = MEM_READ | MEM_WRITE, .addr = PLACE, .size = 8192};
	struct mem_op file = {
		.kind = MEM_MAP, .prot = MEM_READ, .flags = MEM_SHARED | MEM_READ_ONLY, .addr = PLACE, .size = 8192};
	struct mem_op writable = file;
	struct aspace *as;
	struct gate_op op;
	uint64_t result = 0;

	cr_assert_eq(hostfile_memory("test", 8192, &file.file), 0);
	signed_start(&as);
	cr_assert_eq(aspace_mem(as, NULL, &map_op), 0);
	op = granted(as, &protect);
	cr_assert_eq(op.nr, SYS_mprotect);
	cr_assert_eq(aspace_mem(as, NULL, &file), 0);
	cr_assert_eq(replay(&op, &result).kind, STOP_FAULT);
	cr_assert_eq((long)result, -EACCES, "%ld", (long)result);
	/* And the other way: who may write the file may ask for it later. */
	writable.file = file.file;
	writable.flags = MEM_SHARED;
	cr_assert_eq(aspace_mem(as, NULL, &writable), 0);
	cr_assert_eq(aspace_mem(as, NULL, &protect), 0);
	test_end(thread);
	aspace_free(as);
}

Test(systrap_attack, upgraded, .timeout = 60)
{
	test_run(upgraded);
}
