/* guest.c - runs one step of a guest's program, and what programs need for that (guest.h). */
#include "tests/sim/guest.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const call_names[] = {
#define SYSCALL(nr, name, ...) [nr] = #name,
#define MISSING(nr, name, ...) [nr] = #name,
#include "syscalls/syscalls.def"
};

const char *guest_call_name(uint64_t nr)
{
	static char number[24];

	if (nr < COUNT(call_names) && call_names[nr])
		return call_names[nr];
	snprintf(number, sizeof number, "%lu", nr);
	return number;
}

/* ------------------------------------------------------------------------------------------------ steps */

uint64_t guest_address(void (*function)(struct cpu *c))
{
	for (unsigned i = 0; i < guest_function_count; i++)
		if (guest_functions[i] == function)
			return GUEST_TEXT + i * GUEST_STRIDE;
	fprintf(stderr, "sim: a function of a guest is not in guest_functions\n");
	abort();
}

static bool at_syscall(uint64_t rip)
{
	return rip >= GUEST_TEXT && rip < GUEST_TEXT + GUEST_FUNCTIONS * GUEST_STRIDE && rip % 8 == 6;
}

static bool make_call(struct uthread *thread, struct stop *stop)
{
	struct uregs *r = &thread->regs;

	r->rip += 2;
	*stop = (struct stop){.kind = STOP_SYSCALL,
			      .nr = r->rax,
			      .args = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9},
			      .rip = r->rip};
	return true;
}

static bool illegal(struct uthread *thread, struct stop *stop)
{
	*stop = (struct stop){.kind = STOP_FAULT, .sig = 4, .code = 2, .trapno = 6, .rip = thread->regs.rip};
	stop->addr = UADDR(thread->regs.rip);
	return true;
}

bool guest_step(struct uthread *thread, struct stop *stop)
{
	struct cpu c = {.thread = thread, .r = thread->regs};
	uint64_t rip = thread->regs.rip, n = (rip - GUEST_TEXT) / GUEST_STRIDE;

	if (!sim_may_fetch(thread, rip, stop)) {
		stop->rip = rip;
		return true;
	}
	if (at_syscall(rip))
		return make_call(thread, stop);
	if (rip < GUEST_TEXT || n >= guest_function_count || rip % 8)
		return illegal(thread, stop);
	c.base = GUEST_TEXT + n * GUEST_STRIDE;
	guest_functions[n](&c);
	if (c.faulted) {
		*stop = c.stop;
		stop->rip = rip;
		return true;
	}
	thread->regs = c.r;
	/* Most calls come at once; sometimes a signal gets in between. */
	if (at_syscall(c.r.rip) && !sim_chance(100))
		return make_call(thread, stop);
	return false;
}

/* ------------------------------------------------------------------------------------------------ memory */

static void touch(struct cpu *c, uint64_t addr, void *data, size_t n, bool write)
{
	if (c->faulted) {
		if (!write)
			memset(data, 0, n);
		return;
	}
	c->faulted = !sim_access(c->thread, addr, data, n, write, &c->stop);
	if (c->faulted && !write)
		memset(data, 0, n);
}

void guest_read(struct cpu *c, void *dst, uint64_t addr, size_t n)
{
	touch(c, addr, dst, n, false);
}

void guest_write(struct cpu *c, uint64_t addr, const void *src, size_t n)
{
	touch(c, addr, (void *)src, n, true);
}

uint64_t guest_load(struct cpu *c, uint64_t addr)
{
	uint64_t value;

	touch(c, addr, &value, sizeof value, false);
	return value;
}

uint32_t guest_load32(struct cpu *c, uint64_t addr)
{
	uint32_t value;

	touch(c, addr, &value, sizeof value, false);
	return value;
}

void guest_store(struct cpu *c, uint64_t addr, uint64_t value)
{
	touch(c, addr, &value, sizeof value, true);
}

void guest_store32(struct cpu *c, uint64_t addr, uint32_t value)
{
	touch(c, addr, &value, sizeof value, true);
}

void guest_string(struct cpu *c, uint64_t addr, const char *text)
{
	guest_write(c, addr, text, strlen(text) + 1);
}

uint64_t guest_random(struct cpu *c, uint64_t below)
{
	uint64_t x = (uint64_t)GET(W_RANDOM);

	/* xorshift64 (Marsaglia); never 0. */
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	SET(W_RANDOM, x ? x : 1);
	return below ? (x >> 16) % below : x;
}

/* ------------------------------------------------------------------------------------------------ for programs */

void guest_call(struct cpu *c, int line, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e, uint64_t f,
		uint64_t g)
{
	c->r.rax = nr;
	c->r.rdi = a;
	c->r.rsi = b;
	c->r.rdx = d;
	c->r.r10 = e;
	c->r.r8 = f;
	c->r.r9 = g;
	c->r.rip = c->base + 8 * (uint64_t)line - 2;
}

void guest_complain(struct cpu *c, int line, const char *format, ...)
{
	char text[256];
	va_list args;

	if (c->faulted)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	sim_fail("guest %s, function %lu line %d: %s", sim_thread_name(c->thread),
		 (unsigned long)((c->base - GUEST_TEXT) / GUEST_STRIDE), line, text);
}

uint64_t guest_block(struct cpu *c, unsigned n)
{
	uint64_t block = GUEST_DATA + GUEST_BLOCK * (n + 1);

	guest_store(c, block + 8 * W_RANDOM, RANDOM(0) | 1);
	guest_store(c, block + 8 * W_SELF, block);
	return block;
}

/* ------------------------------------------------------------------------------------------------ the program's file
 */

size_t guest_elf(void *out, size_t room, uint64_t *file_bytes)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr phdr[3];
	} elf = {.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			    .e_type = ET_EXEC,
			    .e_machine = EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_entry = GUEST_TEXT,
			    .e_phoff = sizeof(Elf64_Ehdr),
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 3}};
	const uint64_t text = GUEST_FUNCTIONS * GUEST_STRIDE;

	elf.phdr[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, PAGE_SIZE, GUEST_TEXT, GUEST_TEXT, text, text, PAGE_SIZE};
	elf.phdr[1] = (Elf64_Phdr){PT_LOAD,    PF_R | PF_W, PAGE_SIZE + text, GUEST_DATA,
				   GUEST_DATA, PAGE_SIZE,   GUEST_DATA_SIZE,  PAGE_SIZE};
	elf.phdr[2] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
	assert(sizeof elf <= room);
	memcpy(out, &elf, sizeof elf);
	*file_bytes = PAGE_SIZE + text + PAGE_SIZE;
	return sizeof elf;
}
