/* guest_init.c - how every program begins, and pid 1: it starts the guests of a round, lets them live for a while, ends
 * and reaps them all, clears up, and has the simulator look for what has leaked.
 */
#include "tests/sim/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { W_ROUND = W_FIRST, W_LEFT, W_UNTIL, W_CHOICE, W_PID };

/* argv[1]: number of a program (none: pid 1); argv[2]: seed of the thread's random numbers. */
void guest_start(struct cpu *c)
{
	uint64_t argc = guest_load(c, c->r.rsp), choice = 0, random = sim.config.seed;
	char text[32] = "";

	c->r.rbx = GUEST_DATA + GUEST_BLOCK;
	if (argc >= 2) {
		guest_read(c, text, guest_load(c, c->r.rsp + 16), 8);
		choice = strtoul(text, NULL, 10);
	}
	if (argc >= 3) {
		guest_read(c, text, guest_load(c, c->r.rsp + 24), 24);
		random = strtoul(text, NULL, 10);
	}
	SET(W_RANDOM, random | 1);
	SET(W_SELF, c->r.rbx);
	c->r.rsp = c->r.rbx + GUEST_BLOCK;
	if (!argc || choice >= guest_program_count)
		choice = 0;
	c->r.rip = guest_address(argc < 2 ? guest_init : guest_programs[choice].main);
}

void guest_restorer(struct cpu *c)
{
	BEGIN;
	SYS(SYS_rt_sigreturn);
	END;
}

static unsigned choose_program(struct cpu *c)
{
	unsigned total = 0, i;

	for (i = 0; i < guest_program_count; i++)
		if (sim.config.programs >> i & 1 && (guest_programs[i].ends || !sim.config.strict))
			total += guest_programs[i].weight;
	if (!total)
		return 0;
	uint64_t at = RANDOM(total);
	for (i = 0; i < guest_program_count; i++) {
		if (!(sim.config.programs >> i & 1) || (!guest_programs[i].ends && sim.config.strict))
			continue;
		if (at < guest_programs[i].weight)
			return i;
		at -= guest_programs[i].weight;
	}
	return 0;
}

/* execve arguments in the buffer: path, argv, envp. */
static void write_arguments(struct cpu *c, unsigned choice)
{
	char text[32];

	guest_string(c, BUF, "/ro/prog");
	snprintf(text, sizeof text, "%u", choice);
	guest_string(c, BUF + 32, text);
	snprintf(text, sizeof text, "%lu", RANDOM(0));
	guest_string(c, BUF + 64, text);
	guest_store(c, BUF + 128, BUF);
	guest_store(c, BUF + 136, BUF + 32);
	guest_store(c, BUF + 144, BUF + 64);
	guest_store(c, BUF + 152, 0);
}

/* A child of pid 1: becomes a program, by exec or just so. */
static void child_main(struct cpu *c)
{
	BEGIN;
	SYS(SYS_setpgid, 0, 0);
	SET(W_CHOICE, choose_program(c));
	write_arguments(c, (unsigned)GET(W_CHOICE));
	if (RANDOM(3)) {
		SYS(SYS_execve, BUF, BUF + 128, BUF + 152);
		EXPECT(!sim.config.strict, "execve %ld", RESULT);
	}
	SET(W_RANDOM, (uint64_t)GET(W_RANDOM) * 6364136223846793005ull + c->thread->identity.tid);
	c->r.rip = guest_address(guest_programs[GET(W_CHOICE)].main);
	return;
	END;
}

static void write_time(struct cpu *c, uint64_t addr, uint64_t ns)
{
	struct timespec time = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

	guest_write(c, addr, &time, sizeof time);
}

/* The names that programs use, in the directories that they use. */
static const char *const directories[] = {"/tmp",   "/rw",    "/cow",    "/tmp/d0", "/tmp/d1",
					  "/rw/d0", "/rw/d1", "/cow/d0", "/cow/d1"};
#define NAMES 12

static bool next_name(struct cpu *c, uint64_t n)
{
	char text[64];

	/* Deepest directories first. */
	if (n >= COUNT(directories) * NAMES)
		return false;
	snprintf(text, sizeof text, "%s/%c%lu", directories[COUNT(directories) - 1 - n / NAMES],
		 n % NAMES < NAMES - 2 ? 'f' : 'd', n % NAMES < NAMES - 2 ? n % NAMES : n % NAMES - (NAMES - 2));
	guest_string(c, BUF, text);
	return true;
}

static void end_round(struct cpu *c);

void guest_init(struct cpu *c)
{
	BEGIN;
	sim.armed = true;
	for (SET(W_ROUND, 0); GET(W_ROUND) < sim.config.rounds; SET(W_ROUND, GET(W_ROUND) + 1)) {
		for (SET(W_LEFT, sim.config.workers); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
			SYS(SYS_fork);
			EXPECT(!sim.config.strict || RESULT >= 0, "fork %ld", RESULT);
			if (RESULT == 0) {
				c->r.rip = guest_address(child_main);
				return;
			}
			if (RANDOM(2))
				STEP;
		}
		SET(W_UNTIL, sim.now_ns + sim.config.life_ns);
		while (!sim.config.strict && (uint64_t)GET(W_UNTIL) > sim.now_ns) {
			write_time(c, BUF, (uint64_t)GET(W_UNTIL));
			SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, BUF, 0);
		}
		c->r.rsp -= 8;
		guest_store(c, c->r.rsp, c->base + 8 * __LINE__);
		c->r.rip = guest_address(end_round);
		return;
	case __LINE__ - 3:;
	}
	EXIT(0);
	END;
}

/* Everybody else is ended and reaped, what they made is removed. */
static void end_round(struct cpu *c)
{
	BEGIN;
	sim.quiet = true; /* no more failures: what is there now must go away */
	if (!sim.config.strict)
		SYS(SYS_kill, -1, SIGKILL);
	for (;;) {
		SYS(SYS_wait4, -1, BUF, __WALL, 0);
		if (RESULT == -ECHILD)
			break;
		EXPECT(RESULT > 0 || RESULT == -EINTR, "wait4 %ld", RESULT);
		if (sim.config.strict)
			EXPECT(guest_load32(c, BUF) == 0, "a program ended with status %x", guest_load32(c, BUF));
	}
	for (SET(W_PID, 0); next_name(c, (uint64_t)GET(W_PID)); SET(W_PID, GET(W_PID) + 1)) {
		SYS(SYS_unlink, BUF);
		next_name(c, (uint64_t)GET(W_PID));
		if (RESULT == -EISDIR)
			SYS(SYS_rmdir, BUF);
		EXPECT(RESULT == 0 || RESULT == -ENOENT || RESULT == -ENOTDIR, "cannot clear up: %ld", RESULT);
	}
	write_time(c, BUF,
		   sim.now_ns + NS_PER_S); /* orphans that nobody waits for, and what the sentry still has to do */
	SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, BUF, 0);
	sim_check_world();
	/* What the first round has changed for good (whiteouts over files of the host) is no leak. */
	if (GET(W_ROUND) == 0)
		sim_mark();
	else
		sim_check_leaks();
	sim.quiet = false;
	c->r.rip = guest_load(c, c->r.rsp);
	c->r.rsp += 8;
	return;
	END;
}

/* ------------------------------------------------------------------------------------------------ the first program */

static void hello(struct cpu *c)
{
	BEGIN;
	SYS(SYS_getpid);
	EXPECT(RESULT == c->thread->identity.pid, "getpid %ld", RESULT);
	guest_string(c, BUF, "hello\n");
	SYS(SYS_write, 1, BUF, 6);
	EXPECT(!sim.config.strict || RESULT == 6, "write %ld", RESULT);
	EXIT(0);
	END;
}

const struct guest_program guest_programs[] = {
	{"hello", hello, 1, true},
};
const unsigned guest_program_count = COUNT(guest_programs);

void (*const guest_functions[])(struct cpu *c) = {
	guest_start, guest_init, guest_restorer, child_main, end_round, hello,
};
const unsigned guest_function_count = COUNT(guest_functions);
