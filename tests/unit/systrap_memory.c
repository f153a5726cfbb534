/* systrap_memory.c - tests of the systrap platform's memory: signed calls made by the guest's thread, the agent, files,
 * copies, patches.
 */
#include <criterion/criterion.h>

#include "platform/hostfile.h"
#include "tests/unit/systrap.h"

#include <errno.h>
#include <signal.h>

#define RUN(name, body)                                                                                                \
	Test(systrap_memory, name, .timeout = 30)                                                                      \
	{                                                                                                              \
		test_run(body);                                                                                        \
	}

#define AREA 0x40000000ull
#define FAR  0x80000000000ull /* 8 TiB */

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

static void expect_fault(struct uthread *thread, uint64_t addr)
{
	struct stop stop;

	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_FAULT, "stop %d, call %lu", stop.kind, stop.nr);
	cr_assert_eq(stop.addr.v, addr);
}

static struct mem_op map(uint64_t addr, uint64_t size)
{
	return (struct mem_op){
		.kind = MEM_MAP, .prot = MEM_READ | MEM_WRITE, .file = MEM_NO_FILE, .addr = addr, .size = size};
}

/* A guest that does what it is told: the answer of getppid is an address to read a word of (and to report by write),
 * or, with the lowest bit set, to store 5 at. */
GUEST static void guest_obeys(void)
{
	for (;;) {
		unsigned long what = (unsigned long)CALL0(SYS_getppid);

		if (what & 1)
			*(volatile unsigned long *)(what - 1) = 5;
		else
			CALL1(SYS_write, *(volatile unsigned long *)what);
	}
}

static uint64_t guest_reads(struct uthread *thread, uint64_t addr)
{
	uthread_answer(thread, (long)addr);
	uint64_t value = expect_call(thread, SYS_write).args[0];
	uthread_answer(thread, 0);
	expect_call(thread, SYS_getppid);
	return value;
}

static void guest_writes(struct uthread *thread, uint64_t addr)
{
	uthread_answer(thread, (long)addr + 1);
	expect_call(thread, SYS_getppid);
}

/* After a fault: back to before the access is no use; start the guest anew. */
static void restart(struct uthread *thread)
{
	struct uregs regs;

	uthread_context_get(thread, &regs);
	regs.rip = guest_address(guest_obeys);
	regs.rsp = GUEST_STACK - 8;
	uthread_context_set(thread, &regs);
	expect_call(thread, SYS_getppid);
}

static void operations(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_obeys);
	struct mem_op op;
	struct platform_stats stats;
	uint64_t word;

	expect_call(thread, SYS_getppid);
	op = map(AREA, 0x10000);
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(guest_reads(thread, AREA + 0x8000), 0);
	guest_writes(thread, AREA + 0x8000);
	cr_assert_eq(guest_reads(thread, AREA + 0x8000), 5);

	op = (struct mem_op){
		.kind = MEM_REMAP, .addr = AREA + 0x8000, .size = 0x1000, .new_addr = FAR, .new_size = 0x3000};
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(guest_reads(thread, FAR), 5);
	cr_assert_eq(guest_reads(thread, FAR + 0x2000), 0);
	op = (struct mem_op){.kind = MEM_REMAP, .addr = FAR, .size = 0x3000, .new_addr = FAR, .new_size = 0x1000};
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(aspace_settle(as, thread), 0);
	cr_assert_eq(aspace_read(as, thread, &word, UADDR(FAR + 0x2000), 8), -EFAULT);
	uthread_answer(thread, (long)FAR + 0x2000);
	expect_fault(thread, FAR + 0x2000);
	restart(thread);

	op = (struct mem_op){.kind = MEM_PROTECT, .prot = MEM_READ, .addr = AREA, .size = 0x1000};
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	uthread_answer(thread, (long)AREA + 1);
	expect_fault(thread, AREA);
	restart(thread);

	op = (struct mem_op){.kind = MEM_ADVISE, .advice = MADV_DONTNEED, .addr = FAR, .size = 0x1000};
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(guest_reads(thread, FAR), 0);

	op = (struct mem_op){.kind = MEM_UNMAP, .addr = AREA, .size = 0x10000};
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	uthread_answer(thread, (long)AREA + 0x4000);
	expect_fault(thread, AREA + 0x4000);
	platform_stats_get(&stats);
	cr_assert_eq(stats.memory_calls, 6);
	cr_assert_null(platform_fatal());
	test_end(thread);
	aspace_free(as);
}
RUN(operations, operations)

/* Many in one answer, more than a batch holds; what does not fit a signed call; copies into what is only queued. */
static void queues(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_obeys);
	uint64_t word = 99;
	struct mem_op op;

	expect_call(thread, SYS_getppid);
	for (unsigned i = 0; i < 100; i++) {
		op = map(AREA + i * 0x2000, 0x1000);
		cr_assert_eq(aspace_mem(as, thread, &op), 0);
	}
	cr_assert_eq(guest_reads(thread, AREA + 99 * 0x2000), 0);
	op = map(FAR, 6ull << 40); /* 6 TiB */
	op.flags = MEM_NORESERVE;
	op.prot = 0;
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	op = map(FAR + (5ull << 40), 0x1000);
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(aspace_write(as, thread, UADDR(FAR + (5ull << 40)), &word, 8), 0);
	cr_assert_eq(guest_reads(thread, FAR + (5ull << 40)), 99);
	op = map(AREA, 0);
	cr_assert_eq(aspace_mem(as, thread, &op), -EINVAL);
	op = map(PLATFORM_MAX_ADDR - 0x1000, 0x2000);
	cr_assert_eq(aspace_mem(as, thread, &op), -EINVAL);
	op = map(0x7ffff0000000, 0x1000);
	cr_assert_eq(aspace_mem(as, thread, &op), -EINVAL);
	test_end(thread);
	aspace_free(as);
}
RUN(queues, queues)

/* A queued call that the host refuses: settle tells, and without it the guest's call fails. */
static void failures(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_obeys);
	struct mem_op bad = {.kind = MEM_REMAP,
			     .addr = AREA,
			     .size = 0x1000,
			     .new_addr = FAR,
			     .new_size = 0x1000}; /* nothing there */

	expect_call(thread, SYS_getppid);
	cr_assert_eq(aspace_mem(as, thread, &bad), 0);
	cr_assert_eq(aspace_settle(as, thread), -EFAULT);
	cr_assert_eq(aspace_settle(as, thread), 0);
	cr_assert_eq(aspace_mem(as, thread, &bad), 0);
	uthread_answer(thread, (long)GUEST_DATA);
	/* The guest sees -EFAULT, an odd address, and stores at -15. */
	struct stop stop;
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_FAULT);
	test_end(thread);
	aspace_free(as);
}
RUN(failures, failures)

static void files(void)
{
	struct aspace *as = test_aspace(), *child;
	struct uthread *thread = test_thread(as, guest_obeys), *child_thread;
	uint32_t file;
	uint64_t word = 0x1122334455667788;
	struct mem_op op = map(AREA, 0x2000);

	cr_assert_eq(hostfile_memory("shared", 0x3000, &file), 0);
	cr_assert_eq(host_pwrite(hostfile_fd(file), &word, 8, 0x2000), 8);
	expect_call(thread, SYS_getppid);
	op.file = file;
	op.flags = MEM_SHARED;
	op.offset = 0x1000;
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(guest_reads(thread, AREA + 0x1000), word);
	op = map(AREA + 0x10000, 0x1000);
	op.file = file;
	op.offset = 0x2000;
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	guest_writes(thread, AREA + 0x10000); /* private: the file keeps its word */
	cr_assert_eq(guest_reads(thread, AREA + 0x1000), word);
	guest_writes(thread, AREA + 0x1000);
	cr_assert_eq(host_pread(hostfile_fd(file), &word, 8, 0x2000), 8);
	cr_assert_eq(word, 5);
	/* A child shares it, and maps it itself. */
	cr_assert_eq(aspace_fork(as, thread, &child, &child_thread), 0);
	guest_writes(thread, AREA + 0x800);
	struct uregs regs;
	uthread_context_get(child_thread, &regs);
	regs.rax = AREA + 0x800;
	uthread_context_set(child_thread, &regs);
	cr_assert_eq(expect_call(child_thread, SYS_write).args[0], 5);
	op = map(AREA + 0x20000, 0x1000);
	op.file = file;
	op.offset = 0x1000;
	cr_assert_eq(aspace_mem(child, child_thread, &op), 0);
	uthread_answer(child_thread, 0);
	expect_call(child_thread, SYS_getppid);
	cr_assert_eq(guest_reads(child_thread, AREA + 0x20000 + 0x800), 5);
	hostfile_put(file);
	test_end(child_thread);
	test_end(thread);
	aspace_free(child);
	aspace_free(as);
}
RUN(files, files)

static void copies(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_obeys);
	char text[64];
	uint32_t found;
	struct mem_op op;

	expect_call(thread, SYS_getppid);
	cr_assert_eq(aspace_write(as, thread, UADDR(GUEST_DATA + 0xfffa), "hello", 6), 0);
	cr_assert_eq(aspace_read_string(as, thread, text, UADDR(GUEST_DATA + 0xfffa), sizeof text), 5);
	cr_assert_str_eq(text, "hello");
	cr_assert_eq(aspace_read_string(as, thread, text, UADDR(GUEST_DATA + 0xfffa), 5), -ENAMETOOLONG);
	cr_assert_eq(aspace_write(as, thread, UADDR(GUEST_DATA + 0xfffa), "helloo", 6), 0);
	cr_assert_eq(aspace_read_string(as, thread, text, UADDR(GUEST_DATA + 0xfffa), 64), -EFAULT);
	cr_assert_eq(aspace_write(as, thread, UADDR(GUEST_CODE), "x", 1), -EFAULT);
	cr_assert_eq(aspace_read(as, thread, text, UADDR(0x700000014000), 8), -EFAULT); /* the bell */
	cr_assert_eq(aspace_read(as, thread, text, UADDR(-4ull), 8), -EFAULT);
	cr_assert_eq(aspace_read(as, thread, text, UADDR(0), 0), 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(aspace_cmpxchg32(as, i ? NULL : thread, UADDR(GUEST_DATA), i ? 7 : 0, 7 + i, &found), 0);
		cr_assert_eq(found, i ? 7 : 0);
	}
	cr_assert_eq(aspace_cmpxchg32(as, thread, UADDR(GUEST_DATA), 0, 1, &found), 0);
	cr_assert_eq(found, 8);
	cr_assert_eq(aspace_cmpxchg32(as, thread, UADDR(AREA), 0, 1, &found), -EFAULT);
	cr_assert_eq(aspace_cmpxchg32(as, thread, UADDR(GUEST_CODE), 0, 1, &found), -EFAULT);
	op = map(AREA, 0x1000);
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(aspace_cmpxchg32(as, thread, UADDR(AREA), 0, 1, &found), 0);
	cr_assert_eq(guest_reads(thread, AREA), 1);
	/* The same from a stop by fault, whose state is in a signal frame. */
	uthread_answer(thread, 0x1000);
	expect_fault(thread, 0x1000);
	cr_assert_eq(aspace_cmpxchg32(as, thread, UADDR(0x2000), 0, 1, &found), -EFAULT);
	cr_assert_eq(aspace_cmpxchg32(as, thread, UADDR(AREA), 1, 2, &found), 0);
	restart(thread);
	cr_assert_eq(guest_reads(thread, AREA), 2);
	test_end(thread);
	aspace_free(as);
}
RUN(copies, copies)

/* Mapping over a trampoline, unmapping round it, unmapping and replacing patched text. */
static void patches(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_obeys);
	struct mem_op op;
	uint64_t trampoline;
	unsigned char byte;

	for (int i = 0; i < 5; i++) {
		expect_call(thread, SYS_getppid);
		uthread_answer(thread, (long)GUEST_DATA);
		expect_call(thread, SYS_write);
		uthread_answer(thread, 0);
	}
	expect_call(thread, SYS_getppid);
	trampoline = aspace_avoid(as, GUEST_CODE, 64 << 20);
	cr_assert_neq(trampoline, 0);
	cr_assert_eq(aspace_read(as, thread, &byte, UADDR(trampoline), 1), 0);
	op = (struct mem_op){.kind = MEM_UNMAP, .addr = trampoline - 0x10000, .size = 0x20000};
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(guest_reads(thread, GUEST_DATA), 0);
	cr_assert_eq(aspace_avoid(as, GUEST_CODE, 64 << 20), trampoline);
	op = map(trampoline - 0x10000, 0x20000);
	cr_assert_eq(aspace_mem(as, thread, &op), 0);
	cr_assert_eq(aspace_avoid(as, GUEST_CODE, 64 << 20), 0);
	cr_assert_eq(guest_reads(thread, trampoline), 0);
	guest_writes(thread, trampoline);
	cr_assert_eq(guest_reads(thread, trampoline), 5);
	/* A fork from the trapping site, whose child has its own patches. */
	struct aspace *child;
	struct uthread *child_thread;
	cr_assert_eq(aspace_fork(as, thread, &child, &child_thread), 0);
	struct uregs regs;
	uthread_context_get(child_thread, &regs);
	regs.rax = trampoline;
	uthread_context_set(child_thread, &regs);
	cr_assert_eq(expect_call(child_thread, SYS_write).args[0], 5);
	op = (struct mem_op){.kind = MEM_UNMAP, .addr = GUEST_CODE, .size = 0x1000};
	cr_assert_eq(aspace_mem(child, child_thread, &op), 0);
	uthread_answer(child_thread, 0);
	struct stop stop;
	uthread_wait(child_thread, &stop);
	cr_assert_eq(stop.kind, STOP_FAULT);
	cr_assert_eq(stop.addr.v, stop.rip);
	test_end(child_thread);
	test_end(thread);
	aspace_free(child);
	aspace_free(as);
}
RUN(patches, patches)

/* Shared text is never written to. */
static void shared_text(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread;
	uint64_t bytes = page_up((uint64_t)(__stop_guestcode - __start_guestcode));
	struct mem_op op = map(GUEST_CODE, bytes);
	char *now = malloc(bytes);
	uint32_t file;

	cr_assert_eq(hostfile_memory("text", bytes, &file), 0);
	cr_assert_eq(host_pwrite(hostfile_fd(file), __start_guestcode, bytes, 0), (ssize_t)bytes);
	op.file = file;
	op.flags = MEM_SHARED;
	op.prot = MEM_READ | MEM_EXEC;
	cr_assert_eq(aspace_mem(as, NULL, &op), 0);
	thread = test_thread(as, guest_obeys);
	for (int i = 0; i < 3; i++) {
		expect_call(thread, SYS_getppid);
		uthread_answer(thread, (long)GUEST_DATA);
		expect_call(thread, SYS_write);
		uthread_answer(thread, 0);
	}
	cr_assert_eq(host_pread(hostfile_fd(file), now, bytes, 0), (ssize_t)bytes);
	cr_assert_eq(memcmp(now, __start_guestcode, bytes), 0);
	free(now);
	hostfile_put(file);
	test_end(thread);
	aspace_free(as);
}
RUN(shared_text, shared_text)

/* Two threads: one changes memory with every call, the other's faults and copies wait for it. */
GUEST static void guest_maps(void)
{
	for (;;) {
		CALL0(SYS_mmap);
		*(volatile long *)AREA = 1;
		CALL0(SYS_munmap);
	}
}

static struct aspace *race_as;
static bool race_over;
static struct fiber *race_main;

static void mapper(void *argument)
{
	struct uthread *thread = test_thread(race_as, guest_maps);
	struct stop stop;

	(void)argument;
	for (int i = 0; i < 3000; i++) {
		uthread_wait(thread, &stop);
		cr_assert_eq(stop.kind, STOP_SYSCALL);
		struct mem_op op = map(AREA, 0x100000);
		if (stop.nr == SYS_munmap)
			op.kind = MEM_UNMAP;
		cr_assert_eq(aspace_mem(race_as, thread, &op), 0);
		uthread_answer(thread, 0);
	}
	race_over = true;
	test_end(thread);
	fiber_wake(race_main);
}

static void races(void)
{
	struct fiber *fiber;
	long word, seen = 0, missed = 0;

	race_as = test_aspace();
	race_main = fiber_current();
	cr_assert_eq(fiber_new(mapper, NULL, &fiber), 0);
	while (!race_over) {
		if (aspace_read(race_as, NULL, &word, UADDR(AREA), 8))
			missed++;
		else
			seen++;
		(void)!fiber_park_until(host_monotonic_ns() + 50000);
	}
	cr_assert_gt(seen + missed, 10);
	aspace_free(race_as);
}
RUN(races, races)

/* ---- copy windows: the first call of each kind traps and is copied without them, the others bring data along */

GUEST static void guest_windows(void)
{
	char *text = (char *)GUEST_DATA + 0x100, *page_end = (char *)GUEST_DATA + 0xfffa;
	unsigned long bad = 0;

	for (int i = 0; i < 4; i++) {
		text[0] = 'a' + i;
		CALL3(SYS_write, 1, text, 10);
		bad += CALL3(SYS_read, 0, GUEST_DATA + 0x200, 8) != 8;
		bad += *(volatile long *)(GUEST_DATA + 0x200) != 1000 + i;
		bad += CALL3(SYS_read, 0, GUEST_CODE, 8) != -EFAULT;
		bad += CALL3(SYS_read, 0, GUEST_DATA + 0xfffc, 8) != -EFAULT;
		for (int k = 0; k < 5; k++)
			page_end[k] = '/';
		page_end[5] = 0;
		CALL3(SYS_openat, -100, page_end, 0);
		page_end[5] = 'x';
		CALL3(SYS_openat, -100, page_end, 0);
	}
	CALL1(SYS_exit_group, bad);
}

/* The answer to a read: its bytes, or what the copy says. */
static void answer_read(struct aspace *as, struct uthread *thread, uint64_t value)
{
	struct stop stop = expect_call(thread, SYS_read);
	uint64_t back = 0;
	int error = aspace_write(as, thread, UADDR(stop.args[1]), &value, 8);

	if (!error && value % 2) { /* what is queued is seen by a later copy of the same call */
		cr_assert_eq(aspace_read(as, thread, &back, UADDR(stop.args[1]), 8), 0);
		cr_assert_eq(back, value);
	}
	uthread_answer(thread, error ? error : 8);
}

static void windows(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_windows);
	struct stop stop;
	char text[64];

	for (unsigned i = 0; i < 4; i++) {
		stop = expect_call(thread, SYS_write);
		cr_assert_eq(aspace_read(as, thread, text, UADDR(stop.args[1] + 0), 10), 0);
		cr_assert_eq(text[0], (char)('a' + i));
		cr_assert_eq(aspace_read(as, thread, text, UADDR(stop.args[1] - 8), 20), 0);
		cr_assert_eq(text[8], (char)('a' + i));
		uthread_answer(thread, 10);
		answer_read(as, thread, 1000 + i);
		answer_read(as, thread, 5);
		answer_read(as, thread, 6);
		stop = expect_call(thread, SYS_openat);
		cr_assert_eq(aspace_read_string(as, thread, text, UADDR(stop.args[1]), sizeof text), 5);
		cr_assert_eq(aspace_read_string(as, thread, text, UADDR(stop.args[1]), 5), -ENAMETOOLONG);
		uthread_answer(thread, -ENOENT);
		stop = expect_call(thread, SYS_openat);
		cr_assert_eq(aspace_read_string(as, thread, text, UADDR(stop.args[1]), sizeof text), -EFAULT);
		uthread_answer(thread, -EFAULT);
	}
	cr_assert_eq(expect_call(thread, SYS_exit_group).args[0], 0);
	test_end(thread);
	aspace_free(as);
}
RUN(windows, windows)
