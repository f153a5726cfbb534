/* w1.c - every system call number, by every road, from everywhere (design, rule W1).
 *
 *   own      a `syscall` of the guest's own, numbers 0-511, the same with the x32 bit, the same with garbage above bit
 * 31 gate     every 0f 05 at any byte offset of the gate's pages, numbers 0-511 compat   int 0x80, sysenter, and both
 * and syscall from a 32-bit code segment by a forged signal frame vsyscall the three calls of the vsyscall page
 *
 * Prints what happened; the proof that none of it reached the host is the observer's (tests/attack/run).
 */
#include "tests/attack/attack.h"

#define NUMBERS 512

static struct progress *progress;
static uint64_t site[256];
static unsigned sites;
static pid_t self;

static void one(uint64_t target, uint64_t nr)
{
	const uint64_t arg[6] = {0, 0, 0, 0, 0, MARK};
	int how;

	self = syscall(SYS_getpid);
	how = attack_jump(target, nr, arg, ATTACK_NOWHERE);
	if (syscall(SYS_getpid) != self) /* it was a fork */
		_exit(0);
	how == 1 ? progress->came_back++ : progress->signalled++;
}

/* In memory of our own, so that no other site is near. */
static uint64_t own_site(const void *code, size_t bytes)
{
	char *p = mmap((void *)0x30000000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		exit(96);
	memset(p, 0xcc, 4096);
	memcpy(p, code, bytes);
	return (uint64_t)p;
}

static void try_own(uint64_t i)
{
	uint64_t nr = i % NUMBERS, kind = i / NUMBERS;

	one(own_site("\x0f\x05\xc3", 3), nr | (kind == 1 ? 0x40000000ul : kind == 2 ? 0x7700000000ul : 0));
}

/* A wrong tag ends the sandbox: that is signed.c's. */
static int is_signed(uint64_t target, uint64_t nr)
{
	return target == GATE_CODE &&
	       (nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_madvise || nr == SYS_mremap);
}

static void try_gate(uint64_t i)
{
	if (!is_signed(site[i / NUMBERS], i % NUMBERS))
		one(site[i / NUMBERS], i % NUMBERS);
}

static void try_int80(uint64_t i)
{
	one(own_site("\xcd\x80\xc3", 3), i % NUMBERS);
}

static void try_sysenter(uint64_t i)
{
	one(own_site("\x0f\x34\xc3", 3), i * 20);
}

/* A signal frame whose rt_sigreturn goes on in 32-bit code. The gate's own rt_sigreturn loads it as it is. */
static uint64_t gate_sigreturn;
static void try_32bit(uint64_t i)
{
	static const char *const code[] = {"\xcd\x80\x0f\x0b", "\x0f\x05\x0f\x0b", "\x0f\x34\x0f\x0b"};
	/* struct rt_sigframe behind the return address: uc_flags, uc_link, stack (3), then struct sigcontext_64 */
	uint64_t *uc = (uint64_t *)(FAKE_STACK + FAKE_BYTES / 2);
	uint64_t *sc = uc + 5;

	own_site(code[i % 3], 4);
	memset(uc, 0, 1024);
	sc[13] = 20;                  /* rax: getpid in the 32-bit table */
	sc[15] = FAKE_STACK + 0x1000; /* rsp */
	sc[16] = 0x30000000;          /* rip */
	sc[17] = 0x202;               /* flags */
	sc[18] = 0x23 | 0x2bul << 48; /* cs: the 32-bit user segment; ss */
	one(gate_sigreturn, SYS_rt_sigreturn);
}

static void try_vsyscall(uint64_t i)
{
	one(0xffffffffff600000ul + i * 0x400, 0);
}

static void find_sites(void)
{
	const unsigned char *code = (const unsigned char *)GATE_CODE;

	for (unsigned i = 0; i + 1 < GATE_CODE_BYTES && sites < 256; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05)
			site[sites++] = GATE_CODE + i;
	for (unsigned i = 0; i + 7 < GATE_CODE_BYTES; i++)
		if (!memcmp(code + i, "\xb8\x0f\x00\x00\x00\x0f\x05", 7))
			gate_sigreturn = GATE_CODE + i + 5;
}

static void section(const char *name, uint64_t count, void (*try)(uint64_t))
{
	progress->came_back = progress->signalled = progress->died = 0;
	attack_each(progress, count, 256, try);
	printf("%s: %lu tried, %lu came back, %lu raised a signal, %lu ended their process\n", name, count,
	       progress->came_back, progress->signalled, progress->died);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "own";

	attack_require_sandbox();
	progress = attack_progress();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "own"))
		section("own", 3 * NUMBERS, try_own);
	if (!strcmp(what, "vsyscall"))
		section("vsyscall", 3, try_vsyscall);
	if (!strcmp(what, "gate") || !strcmp(what, "compat"))
		find_sites();
	if (!strcmp(what, "gate")) {
		printf("%u sites in the gate\n", sites);
		section("gate", sites * (uint64_t)NUMBERS, try_gate);
	}
	if (!strcmp(what, "compat")) {
		section("int 0x80", NUMBERS, try_int80);
		section("sysenter", 20, try_sysenter);
		if (gate_sigreturn)
			section("32-bit segment", 9, try_32bit);
	}
	puts("done");
	return 0;
}
