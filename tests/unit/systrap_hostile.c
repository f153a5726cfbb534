/* systrap_hostile.c - guests that write over all that they can write, deafen themselves, or empty the doorbell: the
 * sentry goes on. */
#include <criterion/criterion.h>

#include "platform/systrap/abi.h"
#include "tests/unit/systrap.h"

#include <errno.h>
#include <signal.h>

#define RUN(name, body)                                                                                                \
	Test(systrap_hostile, name, .timeout = 60)                                                                     \
	{                                                                                                              \
		test_run(body);                                                                                        \
	}

#define BLOCK ((volatile struct channel *)GATE_BLOCK0)
#define BELLS ((volatile struct bell *)GATE_BELL)

/* ---- nothing of the gate can be written where it must not, and the key is gone */

GUEST static void guest_stores(void)
{
	volatile unsigned long *where = (volatile unsigned long *)GUEST_DATA;

	*(volatile unsigned long *)*where = 1;
	CALL1(SYS_exit_group, 1);
}

static void stores(void)
{
	static const uint64_t places[] = {GATE_CMD, GATE_CODE, GATE_CONF, GATE_KEY, GATE_BELL + 0x1000, GATE_END};

	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		struct aspace *as = test_aspace();
		struct uthread *thread = test_thread(as, guest_stores);
		struct stop stop;

		cr_assert_eq(aspace_write(as, NULL, UADDR(GUEST_DATA), &places[i], 8), 0);
		uthread_wait(thread, &stop);
		cr_assert_eq(stop.kind, STOP_FAULT);
		cr_assert_eq(stop.addr.v, places[i]);
		test_end(thread);
		aspace_free(as);
	}
}
RUN(stores, stores)

GUEST static void guest_key(void)
{
	unsigned long seen = 0;

	for (unsigned long at = GATE_KEY; at < GATE_KEY + GATE_KEY_BYTES; at += 8)
		seen |= *(volatile unsigned long *)at;
	CALL1(SYS_exit_group, seen);
}

static void key_is_gone(void)
{
	struct aspace *as = test_aspace();
	struct uthread *thread = test_thread(as, guest_key);
	struct stop stop;

	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_SYSCALL);
	cr_assert_eq(stop.args[0], 0);
	test_end(thread);
	aspace_free(as);
}
RUN(key_is_gone, key_is_gone)

/* ---- all signals blocked by a forged frame, then a loop: only this process ends */

GUEST static void guest_blocks_signals(void)
{
	__asm__ volatile("sub $2048, %%rsp\n"
			 "mov %%rsp, %%rdi\n"
			 "xor %%eax, %%eax\n"
			 "mov $256, %%ecx\n"
			 "rep stosq\n"
			 "movq $6, (%%rsp)\n" /* flags */
			 "lea 1f(%%rip), %%rax\n"
			 "mov %%rax, 168(%%rsp)\n" /* rip */
			 "mov %%rsp, 160(%%rsp)\n" /* rsp */
			 "movq $0x202, 176(%%rsp)\n"
			 "movabs $0x2b000000000033, %%rax\n"
			 "mov %%rax, 184(%%rsp)\n"
			 "movq $-1, 296(%%rsp)\n" /* mask */
			 "mov $15, %%eax\n"
			 "jmp *%0\n"
			 "1: jmp 1b"
			 :
			 : "r"((unsigned long)GATE_CODE)
			 : "memory", "rax", "rcx", "rdi");
}

static struct uthread *deaf;

static void deaf_kicker(void *argument)
{
	(void)argument;
	(void)!fiber_park_until(host_monotonic_ns() + 50 * NS_PER_MS);
	uthread_kick(deaf);
}

static void blocked_signals(void)
{
	struct aspace *as = test_aspace(), *other = test_aspace();
	struct fiber *fiber;
	struct stop stop;

	deaf = test_thread(as, guest_blocks_signals);
	cr_assert_eq(fiber_new(deaf_kicker, NULL, &fiber), 0);
	uthread_wait(deaf, &stop);
	cr_assert_eq(stop.kind, STOP_DEAD);
	uthread_free(deaf);
	aspace_free(as);
	struct uthread *thread = test_thread(other, guest_key);
	uthread_wait(thread, &stop);
	cr_assert_eq(stop.kind, STOP_SYSCALL);
	cr_assert_null(platform_fatal());
	test_end(thread);
	aspace_free(other);
}
RUN(blocked_signals, blocked_signals)

/* ---- a process that empties the doorbell all the time: others still get through */

GUEST static void guest_empties_bell(void)
{
	for (;;) {
		BELLS->summary = 0;
		BELLS->sleeping = 0;
		for (int i = 0; i < BELL_SLOTS / 64; i++)
			BELLS->pending[i] = 0;
	}
}

GUEST static void guest_calls_slowly(void)
{
	for (;;) {
		for (volatile int i = 0; i < 3000000; i++)
			;
		CALL0(SYS_getppid);
	}
}

static struct uthread *thief;
static bool thief_ended;

static void thief_owner(void *argument)
{
	struct stop stop;

	(void)argument;
	uthread_wait(thief, &stop);
	uthread_free(thief);
	thief_ended = true;
}

static void stolen_bell(void)
{
	struct aspace *as = test_aspace(), *victim_as = test_aspace();
	struct uthread *victim = test_thread(victim_as, guest_calls_slowly);
	struct fiber *fiber;
	struct stop stop;

	thief = test_thread(as, guest_empties_bell);
	cr_assert_eq(fiber_new(thief_owner, NULL, &fiber), 0);
	for (int i = 0; i < 20; i++) {
		uthread_wait(victim, &stop);
		cr_assert_eq(stop.kind, STOP_SYSCALL);
		uthread_answer(victim, 0);
	}
	test_end(victim);
	uthread_kill(thief);
	while (!thief_ended)
		(void)!fiber_park_until(host_monotonic_ns() + NS_PER_MS);
	aspace_free(victim_as);
	aspace_free(as);
}
RUN(stolen_bell, stolen_bell)

/* ---- scribbling over everything that can be written */

GUEST static unsigned long next_random(unsigned long *state)
{
	unsigned long x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

GUEST static void guest_scribbles(void)
{
	unsigned long state = 88172645463325252ul + *(volatile unsigned long *)GUEST_DATA;
	volatile unsigned long *block = (volatile unsigned long *)GATE_BLOCK0;
	volatile unsigned long *reply = (volatile unsigned long *)GATE_REPLY;

	for (long n = 0;; n++) {
		unsigned long x;
		long words = n % 16 ? 32 : BLOCK_BYTES / 8;

		for (long i = 1; i < words; i++) {
			x = next_random(&state);
			block[i] = n % 3 ? x : x >> (x & 63);
		}
		for (int i = 0; n % 4 == 0 && i < 64; i++)
			reply[i] = next_random(&state);
		x = next_random(&state);
		BLOCK->kind = (uint32_t)(x & 7) | (x & 8 ? POST_FRAME : 0) | (x & 0x30 ? 0 : POST_FOREIGN) |
			      (x & 0x3c0 ? 0 : (uint32_t)x);
		BLOCK->slot = x & 0x400 ? 0 : (uint32_t)x;
		BLOCK->nr = x >> 20 & 511;
		if (x & 0x800)
			BLOCK->uc = GATE_BLOCK0 + BLOCK_ALT + (x >> 40 & 0x5fff);
		BELLS->pending[next_random(&state) % 64] = next_random(&state);
		BELLS->pending[0] = ~0ul;
		BLOCK->state = x & 0x1000 ? CHANNEL_REQUEST : CHANNEL_REQUEST_ASLEEP;
		BELLS->summary = ~0ul;
		for (int k = 0; k < 20000 && BLOCK->state != CHANNEL_DONE; k++)
			;
	}
}

static uint64_t chance(uint64_t n)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 33) % n;
}

/* What a sentry might do at a stop, without looking at what it is. */
static void act(struct aspace *as, struct uthread *thread, char *state)
{
	struct mem_op op = {.kind = (enum mem_kind)chance(5),
			    .prot = (uint32_t)chance(4),
			    .file = MEM_NO_FILE,
			    .addr = 0x40000000,
			    .size = 0x1000 * (1 + chance(8)),
			    .new_addr = 0x50000000,
			    .new_size = 0x2000,
			    .advice = MADV_DONTNEED};
	struct uregs regs;
	uint32_t found;

	switch (chance(12)) {
	case 0:
		uthread_context_get(thread, &regs);
		uthread_context_set(thread, &regs);
		break;
	case 1:
		uthread_fpstate_get(thread, state);
		break;
	case 2:
		uthread_fpstate_get(thread, state);
		(void)!uthread_fpstate_set(thread, state);
		break;
	case 3:
	case 4:
		(void)!aspace_mem(as, thread, &op);
		break;
	case 5:
		(void)!aspace_mem(as, NULL, &op);
		break;
	case 6:
		(void)!aspace_settle(as, thread);
		break;
	case 7:
		(void)!aspace_cmpxchg32(as, thread, UADDR(GUEST_DATA + 0x100), 1, 2, &found);
		break;
	case 8:
		(void)!aspace_write(as, thread, UADDR(0x40000000), "x", 1);
		break;
	default:
		uthread_answer(thread, (long)chance(1000));
	}
}

/* The guest rings, but wakes nobody: without this the sentry would sleep for most of the time. */
static void ticker(void *argument)
{
	(void)argument;
	for (;;)
		(void)!fiber_park_until(host_monotonic_ns() + 100 * NS_PER_US);
}

/* The guest goes on at once with a frame of garbage, or not at all; so it starts anew often. */
static void scribble(void)
{
	char *state = malloc(uthread_fpstate_size());
	unsigned stops = 0, deaths = 0;
	uint64_t end = host_monotonic_ns() + 10 * NS_PER_S;
	struct fiber *fiber;
	struct stop stop;

	cr_assert_eq(fiber_new(ticker, NULL, &fiber), 0);
	while (host_monotonic_ns() < end && !platform_fatal()) {
		struct aspace *as = test_aspace();
		struct uthread *thread = as ? test_thread(as, guest_scribbles) : NULL;
		uint64_t seed = deaths * 7919;

		cr_assert_not_null(thread);
		cr_assert_eq(aspace_write(as, NULL, UADDR(GUEST_DATA), &seed, 8), 0);
		do {
			uthread_wait(thread, &stop);
			stops++;
			if (stop.kind != STOP_DEAD)
				act(as, thread, state);
		} while (stop.kind != STOP_DEAD && stops % 200 && !platform_fatal());
		deaths++;
		if (stop.kind == STOP_DEAD)
			uthread_free(thread);
		else
			test_end(thread);
		aspace_free(as);
	}
	printf("%u stops, %u processes, %s\n", stops, deaths, platform_fatal() ? platform_fatal() : "no wrong tag");
	free(state);
	cr_assert_gt(stops, 3);
}
RUN(scribble, scribble)
