/* scribble.c - a guest that writes over everything of the gate that it can write, while it and its siblings make calls.
 *
 *   blocks N    seed N: threads scribble over blocks, reply page and bell, post requests by hand with wild contents
 *   anywhere N  jumps to byte offsets of the gate's code with wild registers
 *   frame N     rt_sigreturn, by the gate's instruction, with wild frames
 *   blocked     the same with SIGSYS blocked, then a call: ends the sandbox (it cannot be told from a forged tag)
 *
 * Whatever becomes of the guest's process, the sentry must neither crash nor hang: the runner looks at how it ended.
 */
#include <pthread.h>

#include "tests/attack/attack.h"

static uint64_t state;

static uint64_t wild(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

/* Numbers that do not end or stop the attacker itself. */
static uint64_t number(void)
{
	static const short tame[] = {0,  1,  3,  8,  9,   10,  11,  12,  16,  20,  25,  28,  39,  63,  72,  79,  89,
				     96, 97, 98, 99, 110, 131, 158, 202, 204, 228, 257, 262, 302, 318, 332, 334, 500};

	return wild() % 5 ? (uint64_t)tame[wild() % (sizeof tame / sizeof *tame)] : 512 + (wild() >> (wild() & 63));
}

static void scribble_once(volatile struct channel *ch, uint64_t round)
{
	volatile uint64_t *block = (volatile uint64_t *)ch, *reply = (volatile uint64_t *)GATE_REPLY;
	struct bell *bell = (struct bell *)GATE_BELL;
	unsigned words = round % 16 ? 16 : BLOCK_BYTES / 8;

	for (unsigned i = 1; i < words; i++)
		block[round % 3 ? i : wild() % (BLOCK_BYTES / 8)] = round % 5 ? wild() : wild() >> (wild() & 63);
	if (round % 4 == 0)
		for (int i = 0; i < 64; i++)
			reply[wild() % 512] = wild();
	if (round % 8 == 0) {
		bell->spin_max = wild();
		bell->sleeping = wild() & 1;
		bell->pending[wild() % (BELL_SLOTS / 64)] = wild();
	}
	ch->nr = number();
	for (int i = 0; i < 6; i++)
		ch->arg[i] = wild() % 3 ? wild() >> (wild() & 63) : 0;
	ch->kind = wild() % 3 ? wild() % 6 | (wild() & (POST_FRAME | POST_FOREIGN)) : wild();
	ch->uc = wild() % 2 ? (uint64_t)ch + BLOCK_ALT + wild() % BLOCK_ALT_BYTES : wild();
	ch->op_done = wild() % 2 ? ch->op_seq : wild();
	ch->in_bytes = wild() >> (wild() & 31);
	ch->state = wild() % 8 ? CHANNEL_REQUEST : wild();
	bell->pending[ch->slot % BELL_SLOTS / 64] = ~0ull;
	bell->summary = ~0ull;
	bell->sleeping = 0;
	attack_armed = 0;
	{ /* wake a sleeping sentry, from the gate as it must be */
		register uint64_t r10 __asm__("r10") = 0, r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
		long ret;
		__asm__ volatile("sub $128, %%rsp\n\tcall *%[at]\n\tadd $128, %%rsp"
				 : "=a"(ret)
				 : "0"(202l), "D"(&bell->sleeping), "S"(1), "d"(1), "r"(r10), "r"(r8),
				   "r"(r9), [at] "r"((uint64_t)GATE_CODE)
				 : "rcx", "r11", "memory");
	}
	for (int spin = 0; spin < 20000 && ch->state != CHANNEL_DONE; spin++)
		__builtin_ia32_pause();
}

static void *honest(void *arg)
{
	(void)arg;
	for (;;) {
		void *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED)
			munmap(p, 16384);
		syscall(SYS_getppid);
	}
	return NULL;
}

static void blocks(void)
{
	pthread_t thread;

	if (state & 1)
		pthread_create(&thread, NULL, honest, NULL);
	for (uint64_t round = 0; round < 4000; round++)
		scribble_once((volatile struct channel *)(GATE_BLOCK0 +
							  (wild() % 3 ? 0 : wild() % 4) * (uint64_t)BLOCK_BYTES),
			      round);
	_exit(0);
}

static void try_anywhere(uint64_t i)
{
	const uint64_t arg[6] = {wild(), wild(), wild(), wild(), wild(), wild()};

	/* no memory call at the slot by chance: numbers are huge */
	attack_jump(GATE_CODE + (i * 7 + state % 7) % GATE_CODE_BYTES, wild() | 0x1000000, arg,
		    wild() % 2 ? wild() : GATE_BLOCK0 + wild() % BLOCK_BYTES);
}

static uint64_t gate_sigreturn(void)
{
	const unsigned char *code = (const unsigned char *)GATE_CODE;

	for (unsigned i = 0; i + 7 < GATE_CODE_BYTES; i++)
		if (!memcmp(code + i, "\xb8\x0f\x00\x00\x00\x0f\x05", 7))
			return GATE_CODE + i + 5;
	exit(95);
}

static void wild_frame(int block_sigsys)
{
	uint64_t *uc = (uint64_t *)(FAKE_STACK + FAKE_BYTES / 2), *sc = uc + 5;

	memset(uc, 0, 1024);
	for (int i = 0; i < 5; i++)
		uc[i] = wild() % 4 ? 0 : wild();
	if (wild() %
	    2) /* the alternate stack elsewhere: in another thread's block, in our memory, in the gate's code */
		uc[2] = wild() % 3 ? GATE_BLOCK0 + (wild() % 8) * BLOCK_BYTES + BLOCK_ALT : FAKE_STACK, uc[4] = 0x6000;
	for (int i = 0; i < 19; i++)
		sc[i] = wild() >> (wild() & 63);
	sc[16] = wild() % 2 ? (uint64_t)attack_pad : sc[16];
	sc[15] = wild() % 2 ? FAKE_STACK + FAKE_BYTES / 2 : sc[15];
	sc[18] = wild() % 3 ? 0x33 | 0x2bul << 48 : wild();
	sc[23] = wild() % 3 ? 0 : FAKE_STACK + wild() % FAKE_BYTES;
	uc[37] = wild() & ~(1ul << (SIGSYS - 1));
	if (block_sigsys) {
		memset(uc, 0, 1024);
		sc[16] = (uint64_t)attack_pad;
		sc[15] = FAKE_STACK + FAKE_BYTES / 2;
		sc[18] = 0x33 | 0x2bul << 48;
		uc[37] = 1ul << (SIGSYS - 1);
	}
}

static void try_frame(uint64_t i)
{
	const uint64_t arg[6] = {0};

	state += i * 0x9e3779b97f4a7c15ul;
	wild_frame(0);
	attack_jump(gate_sigreturn(), SYS_rt_sigreturn, arg, ATTACK_NOWHERE);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "blocks";
	struct progress *p;

	attack_require_sandbox();
	state = 88172645463325252ull + (argc > 2 ? strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ul : 0);
	p = attack_progress();
	if (!strcmp(what, "blocks")) {
		pid_t pid = fork();
		if (pid == 0) {
			alarm(20);
			blocks();
		}
		while (waitpid(pid, NULL, 0) != pid)
			;
	} else if (!strcmp(what, "anywhere")) {
		attack_each(p, 0, GATE_CODE_BYTES / 7, 64, try_anywhere);
	} else if (!strcmp(what, "frame")) {
		attack_each(p, 0, 80, 1, try_frame);
	} else if (!strcmp(what, "blocked")) {
		const uint64_t arg[6] = {0};
		attack_setup();
		wild_frame(1);
		if (sigsetjmp(attack_out, 1) == 0) {
			attack_armed = 1;
			attack_go(gate_sigreturn(), SYS_rt_sigreturn, arg, ATTACK_NOWHERE);
		}
		syscall(SYS_getppid);
	}
	puts("done");
	return 0;
}
