/* systrap_aot.c - texts patched ahead of time: the C library of this machine, mapped through the platform. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/systrap.h"

#include "platform/hostfile.h"
#include "platform/systrap/patch_aot.h"
#include "platform/systrap/systrap.h"
#include <elf.h>
#include <sys/stat.h>

#define LIBC  "/lib/x86_64-linux-gnu/libc.so.6"
#define PLACE 0x40000000ull

/* Some code that is not the harness's. */
GUEST static void idle(void)
{
	for (;;)
		CALL0(SYS_sched_yield);
}

Test(patch_aot, find)
{
	static const unsigned char site[] = {0x0f, 0x05, 0x48, 0x3d, 1, 0xf0, 0xff, 0xff};
	unsigned char text[200];

	for (size_t n = 8; n < sizeof text; n += 13)
		for (size_t at = 0; at + 8 <= n; at++) {
			memset(text, 0x0f, sizeof text);
			memcpy(text + at, site, sizeof site);
			cr_assert_eq(patch_aot_find(text, n, 0), at);
			cr_assert_eq(patch_aot_find(text, n, at + 1), n);
			for (int i = 0; i < 8; i++) {
				text[at + i] ^= i == 4 ? 2 : 1;
				if (i != 4 || text[at + i] > 1)
					cr_assert_eq(patch_aot_find(text, n, 0), n, "byte %d", i);
				text[at + i] ^= i == 4 ? 2 : 1;
			}
		}
	cr_assert_eq(patch_aot_find(text, 0, 0), 0);
	cr_assert_eq(patch_aot_find(text, 7, 0), 7);
}

static unsigned char *file;
static Elf64_Phdr text;
static uint32_t host_file;

static void libc_open(void)
{
	int fd = open(LIBC, O_RDONLY | O_CLOEXEC);
	struct stat st;
	Elf64_Phdr *ph;

	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	/* All of it in memory: a text that is not is left for another time. */
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	cr_assert_neq(file, MAP_FAILED);
	ph = (Elf64_Phdr *)(file + ((Elf64_Ehdr *)file)->e_phoff);
	while (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
		ph++;
	text = *ph;
	cr_assert_eq(hostfile_add(fd, &host_file), 0);
}

static struct mem_op text_op(void)
{
	return (struct mem_op){.kind = MEM_MAP,
			       .prot = MEM_READ | MEM_EXEC,
			       .file = host_file,
			       .addr = PLACE,
			       .size = page_up(text.p_filesz),
			       .offset = text.p_offset};
}

static unsigned char guest_byte(struct aspace *as, uint64_t addr)
{
	unsigned char byte = 0;

	cr_assert_eq(aspace_read(as, NULL, &byte, UADDR(addr), 1), 0);
	return byte;
}

/* The thread makes a call at this site. */
static void call_at(struct uthread *thread, uint64_t site, uint64_t nr)
{
	struct uregs regs = {.rip = site, .rax = nr, .rsp = GUEST_STACK - 4096, .rflags = 0x202, .rbx = 77};
	struct stop stop;

	uthread_context_set(thread, &regs);
	uthread_wait(thread, &stop);
	cr_assert(stop.kind == STOP_SYSCALL && stop.nr == nr, "at %#lx: stop %d, number %lu", site, stop.kind, stop.nr);
	cr_assert_eq(stop.rip, site + 2);
	uthread_context_get(thread, &regs);
	cr_assert_eq(regs.rbx, 77);
	cr_assert_eq(regs.rip, site + 2);
}

/* A text is looked through when one of its calls traps; a process that has it then has all of it patched. */
static void map_once(void)
{
	struct aspace *as = test_aspace();
	struct uregs regs = {.rip = 0x1000, .rsp = GUEST_STACK - 8, .rflags = 0x202};
	struct mem_op op = text_op();
	const unsigned char *code = file + text.p_offset;
	size_t first = patch_aot_find(code, text.p_filesz, 0), second = patch_aot_find(code, text.p_filesz, first + 64);
	struct uthread *thread;
	struct stop stop;

	cr_assert_eq(aspace_mem(as, NULL, &op), 0);
	cr_assert_eq(guest_byte(as, PLACE + second), 0x0f, "the first mapping of a text is the file itself");
	cr_assert_eq(uthread_new(as, NULL, &regs, &thread), 0);
	uthread_wait(thread, &stop);
	call_at(thread, PLACE + first, 400);
	cr_assert_eq(guest_byte(as, PLACE + second), systrap.config.no_patch ? 0x0f : 0xe9);
	test_end(thread);
	aspace_free(as);
}

/* After some more mappings there is a copy. */
static void map_often(void)
{
	map_once();
	for (int i = 0; i < 8; i++) {
		struct aspace *as = test_aspace();
		struct mem_op op = text_op();

		cr_assert_eq(aspace_mem(as, NULL, &op), 0);
		aspace_free(as);
	}
}

/* Of two sites so close together that their trampolines would overlap the second is left out. */
static bool left_out(size_t free_from[2], const unsigned char *code, size_t at)
{
	if (at < free_from[code[at + 4]])
		return true;
	free_from[code[at + 4]] = at + AHEAD_DISTANCE;
	return false;
}

static void (*prepare)(void);

static void whole_libc(void)
{
	struct mem_op op, cover = {.kind = MEM_MAP, .prot = MEM_READ, .file = MEM_NO_FILE};
	struct uregs regs = {.rip = 0x1000, .rsp = GUEST_STACK - 8, .rflags = 0x202};
	struct platform_stats before, after;
	struct uthread *thread;
	struct aspace *as;
	struct stop stop;
	unsigned sites = 0;
	size_t free_from[2] = {0, 0}, again[2] = {0, 0};
	const unsigned char *code;

	libc_open();
	code = file + text.p_offset;
	prepare();
	op = text_op();
	as = test_aspace();
	cr_assert_eq(aspace_mem(as, NULL, &op), 0);
	cr_assert_eq(uthread_new(as, NULL, &regs, &thread), 0);
	uthread_wait(thread, &stop);
	platform_stats_get(&before);
	for (size_t at = 0; (at = patch_aot_find(code, text.p_filesz, at)) < text.p_filesz; at += 8) {
		if (left_out(free_from, code, at)) {
			cr_assert_eq(guest_byte(as, PLACE + at), 0x0f);
			continue;
		}
		sites++;
		cr_assert_eq(guest_byte(as, PLACE + at), 0xe9);
		call_at(thread, PLACE + at, 400 + sites);
	}
	platform_stats_get(&after);
	cr_assert_gt(sites, 100);
	cr_assert_geq(after.calls_patched - before.calls_patched, sites);
	cr_assert_eq(after.sites_patched, before.sites_patched, "none was patched when it ran");

	/* The guest maps something into the image of the trampolines: those sites trap again, the others do not. */
	cover.addr = page_down(PLACE + text.p_filesz / 2 + 0x13d4805);
	cover.size = 16 * PAGE_SIZE;
	cr_assert_eq(aspace_mem(as, NULL, &cover), 0);
	for (size_t at = 0; (at = patch_aot_find(code, text.p_filesz, at)) < text.p_filesz; at += 8) {
		uint64_t target = PLACE + at + 5 + (code[at + 4] ? 0x13d4805 : 0x3d4805);
		bool covered = target + 15 > cover.addr && target < cover.addr + cover.size;

		if (left_out(again, code, at))
			continue;

		cr_assert_eq(guest_byte(as, PLACE + at), covered ? 0x0f : 0xe9);
		call_at(thread, PLACE + at, 444);
	}
	test_end(thread);
	aspace_free(as);
}

Test(patch_aot, whole_libc_in_place, .timeout = 60)
{
	prepare = map_once;
	test_run(whole_libc);
}

Test(patch_aot, whole_libc_copy, .timeout = 60)
{
	prepare = map_often;
	test_run(whole_libc);
}

/* A text that the guest has made writable in between is its own: what it has written there stays. */
static void changed_by_guest(void)
{
	struct mem_op op, protect;
	struct uregs regs = {.rip = 0x1000, .rsp = GUEST_STACK - 8, .rflags = 0x202};
	struct aspace *as = test_aspace();
	struct uthread *thread;
	struct stop stop;
	unsigned char byte = 0xab;
	size_t first, second;

	libc_open();
	op = text_op();
	first = patch_aot_find(file + text.p_offset, text.p_filesz, 0);
	second = patch_aot_find(file + text.p_offset, text.p_filesz, first + 64);
	cr_assert_eq(aspace_mem(as, NULL, &op), 0);
	protect = (struct mem_op){.kind = MEM_PROTECT, .prot = MEM_READ | MEM_WRITE, .addr = op.addr, .size = op.size};
	cr_assert_eq(aspace_mem(as, NULL, &protect), 0);
	cr_assert_eq(aspace_write(as, NULL, UADDR(PLACE + first + 20), &byte, 1), 0);
	protect.prot = MEM_READ | MEM_EXEC;
	cr_assert_eq(aspace_mem(as, NULL, &protect), 0);
	cr_assert_eq(uthread_new(as, NULL, &regs, &thread), 0);
	uthread_wait(thread, &stop);
	call_at(thread, PLACE + first, 400);
	cr_assert_eq(guest_byte(as, PLACE + first + 20), 0xab);
	cr_assert_eq(guest_byte(as, PLACE + second), 0x0f);
	test_end(thread);
	aspace_free(as);
}

Test(patch_aot, changed_by_guest, .timeout = 60)
{
	test_run(changed_by_guest);
}

/* A site that the patterns do not name; after_mov: preceded by mov $nr, %eax. The text's size: none. */
static size_t other_site(bool after_mov)
{
	const unsigned char *code = file + text.p_offset;

	for (size_t at = 16; at + 16 < text.p_filesz; at++) {
		const unsigned char *mov = code + at - 5;
		bool is_mov = mov[0] == 0xb8 && mov[2] <= 1 && !mov[3] && !mov[4];

		if (code[at] == 0x0f && code[at + 1] == 0x05 && is_mov == after_mov && code[at + 2] != 0x48 &&
		    code[at + 4] < 0x80)
			return at;
	}
	return text.p_filesz;
}

/* What traps in one process is patched in the next when it maps the text, if it is an instruction for certain. */
static void learned(void)
{
	struct uregs regs = {.rip = 0x1000, .rsp = GUEST_STACK - 8, .rflags = 0x202};
	struct uthread *thread;
	struct aspace *as;
	struct mem_op op;
	struct stop stop;
	size_t site, other;

	libc_open();
	site = other_site(true);
	other = other_site(false);
	cr_assert(site < text.p_filesz && other < text.p_filesz);
	for (int process = 0; process < 3; process++) {
		op = text_op();
		as = test_aspace();
		cr_assert_eq(aspace_mem(as, NULL, &op), 0);
		cr_assert_eq(guest_byte(as, PLACE + site), process ? 0xe9 : 0x0f, "process %d", process);
		cr_assert_eq(guest_byte(as, PLACE + other), 0x0f);
		cr_assert_eq(uthread_new(as, NULL, &regs, &thread), 0);
		uthread_wait(thread, &stop);
		call_at(thread, PLACE + site, 400);
		call_at(thread, PLACE + other, 401);
		call_at(thread, PLACE + site, 402);
		test_end(thread);
		aspace_free(as);
	}
}

Test(patch_aot, learned, .timeout = 60)
{
	test_run(learned);
}

/* A second address space is patched too; one where the room is taken gets the file itself. */
static void shared_and_refused(void)
{
	struct mem_op op, taken = {.kind = MEM_MAP, .prot = MEM_READ, .file = MEM_NO_FILE, .size = PAGE_SIZE};
	struct aspace *one, *two;
	size_t at;

	libc_open();
	map_once();
	op = text_op();
	at = patch_aot_find(file + text.p_offset, text.p_filesz, 0);
	one = test_aspace();
	two = test_aspace();
	taken.addr = page_down(PLACE + text.p_filesz / 2 + 0x3d4805);
	cr_assert_eq(aspace_mem(two, NULL, &taken), 0);
	cr_assert_eq(aspace_mem(one, NULL, &op), 0);
	cr_assert_eq(aspace_mem(two, NULL, &op), 0);
	cr_assert_eq(guest_byte(one, PLACE + at), 0xe9);
	cr_assert_eq(guest_byte(two, PLACE + at), 0x0f);
	op.addr += 1ull << 30;
	cr_assert_eq(aspace_mem(two, NULL, &op), 0);
	cr_assert_eq(guest_byte(two, op.addr + at), 0xe9);
	op.prot |= MEM_WRITE; /* what a program may write itself is the file's */
	op.addr += 1ull << 30;
	cr_assert_eq(aspace_mem(two, NULL, &op), 0);
	cr_assert_eq(guest_byte(two, op.addr + at), 0x0f);
	aspace_free(one);
	aspace_free(two);
}

Test(patch_aot, shared_and_refused, .timeout = 60)
{
	test_run(shared_and_refused);
}

static void refused_without_patching(void)
{
	struct mem_op op;
	struct aspace *as = test_aspace();

	libc_open();
	map_once();
	op = text_op();
	cr_assert_eq(aspace_mem(as, NULL, &op), 0);
	cr_assert_eq(guest_byte(as, PLACE + patch_aot_find(file + text.p_offset, text.p_filesz, 0)), 0x0f);
	aspace_free(as);
}

Test(patch_aot, no_patch, .timeout = 60)
{
	test_run_config(refused_without_patching, (struct platform_config){.no_patch = true});
}
