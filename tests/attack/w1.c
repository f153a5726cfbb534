/* w1.c - every system call number, by every road, from everywhere (design, rule W1).
 *
 *   own [FROM]   a `syscall` of the guest's own: numbers 0-511, the same with the x32 bit, with garbage above bit 31
 *   gate [FROM]  every 0f 05 at any byte offset of the gate's pages: numbers 0-511 with several kinds of registers, and
 *                the x32 range; then every cd 80 and 0f 34 there
 *   compat       int 0x80, sysenter, and both and syscall from a 32-bit code segment by a forged signal frame
 *   vsyscall     the three calls of the vsyscall page
 *
 * Prints what happened; the proof that none of it reached the host is the observer's (tests/attack/run). A jump into
 * the middle of the gate may end in a forged signal frame that blocks SIGSYS, which ends the sandbox as a wrong tag
 * does: so each try says its number first ("at N"), and the runner begins again behind it.
 */
#include "tests/attack/attack.h"

#define NUMBERS 512

static struct progress *progress;
static uint64_t site[256], compat_site[256];
static unsigned sites, compat_sites;
static pid_t self;

static void one(uint64_t target, uint64_t nr, const uint64_t arg[6], uint64_t others)
{
	int how;

	self = syscall(SYS_getpid);
	how = attack_jump(target, nr, arg, others);
	if (syscall(SYS_getpid) != self) /* it was a fork */
		_exit(0);
	how == 1 ? progress->came_back++ : progress->signalled++;
}

static const uint64_t marked[6] = {0, 0, 0, 0, 0, MARK};

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

static void announce(uint64_t i)
{
	char line[32];
	int n = snprintf(line, sizeof line, "at %lu\n", i);

	if (write(1, line, n) != n)
		_exit(94);
}

static void try_own(uint64_t i)
{
	uint64_t nr = i % NUMBERS, kind = i / NUMBERS;

	one(own_site("\x0f\x05\xc3", 3),
	    nr | (kind == 1   ? 0x40000000ul
		  : kind == 2 ? 0x7700000000ul
			      : 0),
	    marked, ATTACK_NOWHERE);
}

/* Arguments with which the platform's own code makes these calls: what its programs would have to let pass. */
static int agents_arguments(uint64_t nr, uint64_t arg[6])
{
	static const struct {
		uint64_t nr, arg[5];
	} known[] = {
		{SYS_mmap, {GATE_CMD, GATE_CMD_BYTES, PROT_READ, MAP_SHARED | MAP_FIXED, FD_GATE}},
		{SYS_munmap, {GATE_END, 4096}},
		{SYS_mprotect, {GATE_CMD, 4096, PROT_READ | PROT_WRITE}},
		{SYS_madvise, {FAKE_STACK, 4096, MADV_DONTNEED}},
		{SYS_mremap, {FAKE_STACK, 4096, 4096, 0}},
		{SYS_lseek, {FD_LANE0, 77, SEEK_SET}},
		{SYS_clone, {0x8500 /* VM, FILES, PARENT */ | SIGCHLD}},
		{SYS_prctl, {1 /* PR_SET_PDEATHSIG */, SIGKILL}},
		{SYS_seccomp, {1, 0, GATE_CONF + CONF_GUEST}},
		{SYS_arch_prctl, {0x1003, FAKE_STACK + 64}},
		{SYS_futex, {GATE_BELL, 1, 1}},
		{SYS_process_vm_readv, {1, FAKE_STACK, 1, FAKE_STACK, 1}},
	};

	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].nr == nr) {
			memcpy(arg, known[i].arg, sizeof known[i].arg);
			return 1;
		}
	return 0;
}

enum { KIND_ZERO, KIND_ONES, KIND_POINTERS, KIND_AGENT, KIND_X32, KINDS };

/* A wrong tag ends the sandbox: that is signed.c's. */
static int is_signed(uint64_t target, uint64_t nr)
{
	return target == GATE_CODE &&
	       (nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_madvise || nr == SYS_mremap);
}

static void try_gate(uint64_t i)
{
	uint64_t target = site[i / NUMBERS / KINDS], nr = i % NUMBERS, kind = i / NUMBERS % KINDS;
	uint64_t arg[6] = {0, 0, 0, 0, 0, MARK}, others = ATTACK_NOWHERE;

	if (is_signed(target, nr) && kind != KIND_X32)
		return;
	if (kind == KIND_ONES)
		memset(arg, 0xff, 5 * sizeof *arg);
	if (kind == KIND_POINTERS || kind == KIND_AGENT) {
		for (int a = 0; a < 5; a++)
			arg[a] = FAKE_STACK + FAKE_BYTES / 2 + 256 * a;
		/* In the agent's half valid pointers only lead into its endless loop. */
		others = kind == KIND_AGENT    ? GATE_BLOCK0
			 : target < GATE_AGENT ? FAKE_STACK + FAKE_BYTES / 4
					       : ATTACK_NOWHERE;
	}
	if (kind == KIND_AGENT && !agents_arguments(nr, arg))
		return; /* as KIND_POINTERS */
	announce(i);
	one(target, kind == KIND_X32 ? nr | 0x40000000 : nr, arg, others);
}

/* The other instructions that enter a kernel, wherever the gate's bytes spell one. */
static void try_gate_compat(uint64_t i)
{
	one(compat_site[i / NUMBERS], i % NUMBERS, marked, ATTACK_NOWHERE);
}

static void try_int80(uint64_t i)
{
	one(own_site("\xcd\x80\xc3", 3), i % NUMBERS, marked, ATTACK_NOWHERE);
}

static void try_sysenter(uint64_t i)
{
	one(own_site("\x0f\x34\xc3", 3), i * 20, marked, ATTACK_NOWHERE);
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
	one(gate_sigreturn, SYS_rt_sigreturn, marked, ATTACK_NOWHERE);
}

static void try_vsyscall(uint64_t i)
{
	one(0xffffffffff600000ul + i * 0x400, 0, marked, ATTACK_NOWHERE);
}

static void find_sites(void)
{
	const unsigned char *code = (const unsigned char *)GATE_CODE;

	for (unsigned i = 0; i + 1 < GATE_CODE_BYTES && sites < 256 && compat_sites < 256; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05)
			site[sites++] = GATE_CODE + i;
		else if ((code[i] == 0xcd && code[i + 1] == 0x80) || (code[i] == 0x0f && code[i + 1] == 0x34))
			compat_site[compat_sites++] = GATE_CODE + i;
	for (unsigned i = 0; i + 7 < GATE_CODE_BYTES; i++)
		if (!memcmp(code + i, "\xb8\x0f\x00\x00\x00\x0f\x05", 7))
			gate_sigreturn = GATE_CODE + i + 5;
}

static void section(const char *name, uint64_t from, uint64_t count, void (*try)(uint64_t))
{
	progress->came_back = progress->signalled = progress->died = 0;
	attack_each(progress, from, count, 256, try);
	printf("%s: %lu tried, %lu came back, %lu raised a signal, %lu ended their process\n", name, count,
	       progress->came_back, progress->signalled, progress->died);
	fflush(stdout);
}

/* A free call that must be seen: else the observer's silence would prove nothing. FUTEX_WAKE, by the gate's slot. */
static void control(void)
{
	static uint32_t word;
	const uint64_t arg[6] = {(uint64_t)&word, 1, 1, 0, 0, MARK};

	attack_setup();
	one(GATE_CODE, SYS_futex, arg, ATTACK_NOWHERE);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "own";
	uint64_t from = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	attack_require_sandbox();
	progress = attack_progress();
	setvbuf(stdout, NULL, _IOLBF, 0);
	control();
	find_sites();
	if (!strcmp(what, "own"))
		section("own", from, 3 * NUMBERS, try_own);
	if (!strcmp(what, "vsyscall"))
		section("vsyscall", 0, 3, try_vsyscall);
	if (!strcmp(what, "gate")) {
		printf("%u sites in the gate, and %u of the old kinds\n", sites, compat_sites);
		section("gate", from, sites * (uint64_t)NUMBERS * KINDS, try_gate);
		section("gate, old kinds", 0, compat_sites * (uint64_t)NUMBERS, try_gate_compat);
	}
	if (!strcmp(what, "compat")) {
		section("int 0x80", 0, NUMBERS, try_int80);
		section("sysenter", 0, 20, try_sysenter);
		if (gate_sigreturn)
			section("32-bit segment", 0, 9, try_32bit);
	}
	puts("done");
	return 0;
}
