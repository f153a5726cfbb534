/* guest.h - how guests of the simulation are written.
 *
 * A guest's program is a C function of the simulator that is called once for each step. All of its state is the
 * simulated thread's registers and the simulated memory, so fork copies it, exec throws it away, and a signal handler
 * can interrupt it anywhere between two steps. A step begins where the last one ended: the instruction pointer holds
 * the function and the line (a switch in the manner of Duff's device):
 *
 *     static void hello(struct cpu *c)
 *     {
 *             BEGIN;
 *             SYS(SYS_getpid);          the step ends with a system call; its result is RESULT
 *             SET(PID, RESULT);         a word of the thread's own memory
 *             STEP;                     the step ends; others may run
 *             EXIT(0);
 *             END;
 *     }
 *
 * C variables do not live from one step to the next. A step may be cut off by a fault (the registers are then as before
 * the step; memory that it wrote stays written).
 *
 * Addresses: function n of guest_functions begins at GUEST_TEXT + n * GUEST_STRIDE, its line l at 8 * l behind. Two
 * bytes before that is "the syscall instruction": continuing there makes the call of the registers (again). Each thread
 * has a block of GUEST_BLOCK bytes, found by rbx: words (GET, SET), a buffer, and its stack.
 */
#ifndef TESTS_SIM_GUEST_H
#define TESTS_SIM_GUEST_H

#include "sentry/abi/signal.h"
#include "tests/sim/sim.h"

#include <sys/syscall.h>

#define GUEST_TEXT        0x400000ull
#define GUEST_STRIDE      0x8000ull /* lines up to 4095 */
#define GUEST_FUNCTIONS   64
#define GUEST_DATA        0x800000ull
#define GUEST_BLOCK       0x8000ull /* of a thread */
#define GUEST_BLOCKS      32
#define GUEST_DATA_SIZE   (GUEST_BLOCK * (GUEST_BLOCKS + 1))
#define GUEST_WORDS       256   /* at the start of a block */
#define GUEST_BUFFER      0x800 /* offset in a block */
#define GUEST_BUFFER_SIZE 0x1800
#define GUEST_BSS         GUEST_DATA /* words that all threads of a process share: see guest_shared */

struct cpu {
	struct uthread *thread;
	struct uregs r;
	uint64_t base; /* of the function that runs */
	bool faulted;
	struct stop stop;
};

/* One step. True: it ended in a stop. */
bool guest_step(struct uthread *thread, struct stop *stop);
const char *guest_call_name(uint64_t nr);
uint64_t guest_address(void (*function)(struct cpu *c));
/* The program's ELF image up to its text, which lies sparse in the rest of the file. */
size_t guest_elf(void *out, size_t room, uint64_t *file_bytes);

/* ---- for programs */

uint64_t guest_load(struct cpu *c, uint64_t addr);
uint32_t guest_load32(struct cpu *c, uint64_t addr);
void guest_store(struct cpu *c, uint64_t addr, uint64_t value);
void guest_store32(struct cpu *c, uint64_t addr, uint32_t value);
void guest_read(struct cpu *c, void *dst, uint64_t addr, size_t n);
void guest_write(struct cpu *c, uint64_t addr, const void *src, size_t n);
void guest_string(struct cpu *c, uint64_t addr, const char *text);
uint64_t guest_random(struct cpu *c, uint64_t below); /* from a word of the thread's block */
void guest_call(struct cpu *c, int line, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e, uint64_t f,
		uint64_t g);
/* Something that a correct kernel cannot have done. */
printf_like(3, 4) void guest_complain(struct cpu *c, int line, const char *format, ...);
/* Set up block number n for a new thread and give its address; the stack's top is its end. */
uint64_t guest_block(struct cpu *c, unsigned n);

#define BEGIN                                                                                                          \
	switch ((c->r.rip - c->base) / 8) {                                                                            \
	case 0:;
#define END                                                                                                            \
	}                                                                                                              \
	guest_complain(c, __LINE__, "ran off its end or to line %lu", (c->r.rip - c->base) / 8);
#define STEP                                                                                                           \
	do {                                                                                                           \
		c->r.rip = c->base + 8 * __LINE__;                                                                     \
		return;                                                                                                \
	case __LINE__:;                                                                                                \
	} while (0)
#define SYS_ARGS(nr, a, b, d, e, f, g, ...)                                                                            \
	(nr), (uint64_t)(a), (uint64_t)(b), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f), (uint64_t)(g)
#define SYS(...)                                                                                                       \
	do {                                                                                                           \
		guest_call(c, __LINE__, SYS_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0));                                   \
		return;                                                                                                \
	case __LINE__:;                                                                                                \
	} while (0)
/* The call that is in the registers already (guest_call). */
#define MAKE_CALL                                                                                                      \
	do {                                                                                                           \
		c->r.rip = c->base + 8 * __LINE__ - 2;                                                                 \
		return;                                                                                                \
	case __LINE__:;                                                                                                \
	} while (0)
/* A call of another function of the guest's, and the way back. */
#define ENTER(function)                                                                                                \
	do {                                                                                                           \
		c->r.rsp -= 8;                                                                                         \
		guest_store(c, c->r.rsp, c->base + 8 * __LINE__);                                                      \
		c->r.rip = guest_address(function);                                                                    \
		return;                                                                                                \
	case __LINE__:;                                                                                                \
	} while (0)
#define LEAVE                                                                                                          \
	do {                                                                                                           \
		c->r.rip = guest_load(c, c->r.rsp);                                                                    \
		c->r.rsp += 8;                                                                                         \
		return;                                                                                                \
	} while (0)
#define RESULT ((int64_t)c->r.rax)
#define EXIT(code)                                                                                                     \
	do {                                                                                                           \
		SYS(SYS_exit_group, code);                                                                             \
	} while (0)
#define WORD(n)   (c->r.rbx + 8 * (n))
#define GET(n)    ((int64_t)guest_load(c, WORD(n)))
#define SET(n, v) guest_store(c, WORD(n), (uint64_t)(v))
#define BUF       (c->r.rbx + GUEST_BUFFER)
#define RANDOM(n) guest_random(c, n)
#define SHARED(n) (GUEST_DATA + 8 * (n)) /* a word of the process */
#define EXPECT(condition, ...)                                                                                         \
	do {                                                                                                           \
		if (!c->faulted && !(condition))                                                                       \
			guest_complain(c, __LINE__, #condition ": " __VA_ARGS__);                                      \
	} while (0)

/* Words of every thread's block that guest.c knows. */
enum { W_RANDOM, W_SELF, W_FIRST };

/* ---- the programs */

struct guest_program {
	const char *name;
	void (*main)(struct cpu *c);
	unsigned weight;
	bool ends; /* by itself: may be chosen in strict worlds */
};
extern const struct guest_program guest_programs[];
extern const unsigned guest_program_count;
extern void (*const guest_functions[])(struct cpu *c);
extern const unsigned guest_function_count;

#define GUEST_FIRST_PID 2 /* of the first program, which keeps order */

/* Everything that a guest can jump to. */
/* clang-format off */
#define GUEST_FUNCTIONS_LIST(X) \
	X(start) X(init) X(live) X(warm_up) X(restorer) X(child) X(end_round) X(clear_ipc) X(clear_up) \
	X(hello) X(handler) X(fuzz) X(pipe) X(pipe_writer) X(rights) X(rights_child) X(epoll) X(epoll_child) \
	X(eventfd) X(lock) X(lock_turns) X(threads) X(thread) X(statuses) X(signals) X(file) X(time) X(names)
/* clang-format on */
#define GUEST_DECLARE(name) void guest_##name(struct cpu *c);
GUEST_FUNCTIONS_LIST(GUEST_DECLARE)

#endif
