/* machine.c - the simulated processor: user threads, the scheduler, the clock (platform/platform.h).
 *
 * A user thread that runs is in sim.threads with state SIM_RUNNING. Each step of the machine (platform_poll) picks some
 * of those at random and lets each take one step of its program (guest.c), which may end in a stop: then its owner's
 * fiber is made ready. Time moves on a little with each step; when nobody can run it leaps to the next thing that will
 * happen. When nothing ever will, the world has hung, and that is a failure.
 *
 * Where platform.h says PARKS, sim_delay lets other fibers in, sometimes, for some simulated time: interleavings that
 * the real platform shows once in a year come up here all the time.
 *
 * Limits: STEP_LIMIT steps of guests, and POLL_LIMIT of the machine, in a world.
 */
#include "platform/hostfile.h"
#include "sentry/base/fiber.h"
#include "tests/sim/guest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_LIMIT        2000000u
#define POLL_LIMIT        3000000u
#define CHECK_WAITS_EVERY 3
#define CHECK_EVERY       64 /* steps between looks at the whole world */
#define FPSTATE_BYTES     (ABI_FXSAVE_BYTES + 64 + 8 * SIM_FP_WORDS + sizeof(uint32_t))
#define FPSTATE_OFFSET    (ABI_FXSAVE_BYTES + 64)

struct sleeper {
	struct list node;
	struct fiber *fiber;
	uint64_t at_ns;
	bool done;
};
static struct list sleepers = LIST_INIT(sleepers);
static bool stopped;

/* ------------------------------------------------------------------------------------------------ letting others in */

void sim_sleep(uint64_t ns)
{
	struct sleeper self = {.fiber = fiber_current(), .at_ns = sim.now_ns + ns};

	if (!self.fiber)
		return;
	list_push_back(&sleepers, &self.node);
	while (!self.done)
		fiber_park();
	list_remove(&self.node);
}

void sim_delay(void)
{
	sim.parks++;
	if (sim_chance(sim.config.delay))
		sim_sleep(sim_random(20 * NS_PER_US));
}

static uint64_t sleepers_wake(void)
{
	struct sleeper *sleeper;
	uint64_t next = DEADLINE_NONE;

	list_for_each (sleeper, &sleepers, node) {
		if (sleeper->done)
			continue;
		if (sleeper->at_ns <= sim.now_ns) {
			sleeper->done = true;
			fiber_wake(sleeper->fiber);
		} else {
			next = MIN(next, sleeper->at_ns);
		}
	}
	return next;
}

/* ------------------------------------------------------------------------------------------------ user threads */

const char *sim_thread_name(const struct uthread *thread)
{
	static char name[64];

	snprintf(name, sizeof name, "%u/%u", thread->identity.pid, thread->identity.tid);
	return name;
}

int uthread_new(struct aspace *as, struct uthread *from, const struct uregs *regs, struct uthread **out)
{
	if (from && from->state == SIM_RUNNING)
		sim_fail("a thread is copied that is not at a stop");
	sim_delay();
	if ((from && from->state == SIM_GONE) || sim_inject(sim.config.refuse))
		return -EAGAIN;
	struct uthread *thread = calloc(1, sizeof *thread);
	if (!thread)
		abort();
	thread->as = as;
	thread->regs = *regs;
	thread->state = SIM_AT_STOP;
	if (from)
		memcpy(thread->fp, from->fp, sizeof thread->fp);
	list_push_back(&as->threads, &thread->node);
	list_push_back(&sim.threads, &thread->all_node);
	*out = thread;
	return 0;
}

void uthread_kill(struct uthread *thread)
{
	sim_apply_queued(thread);
	thread->killed = true;
	if (thread->waiter)
		fiber_wake(thread->waiter);
}

void uthread_free(struct uthread *thread)
{
	if (thread->waiter)
		sim_fail("thread %s freed while its owner waits for it", sim_thread_name(thread));
	sim_apply_queued(thread);
	list_remove(&thread->node);
	list_remove(&thread->all_node);
	free(thread);
}

/* The host has ended a whole stub. */
static void stub_die(struct aspace *as)
{
	struct uthread *thread;

	sim_note("stub %u is killed on the host", as->id);
	list_for_each (thread, &as->threads, node) {
		thread->state = SIM_GONE;
		thread->host_signal = SIGKILL;
		if (thread->waiter)
			fiber_wake(thread->waiter);
	}
}

static void post(struct uthread *thread, const struct stop *stop)
{
	thread->stop = *stop;
	thread->posted = true;
	thread->files_shared = stop->kind == STOP_SYSCALL && sim_files_shared(thread);
	if (thread->waiter)
		fiber_wake(thread->waiter);
}

static void resume(struct uthread *thread)
{
	if (thread->op_error) {
		thread->answer = thread->op_error;
		thread->op_error = 0;
	}
	if (thread->call_open) {
		thread->regs.rax = (uint64_t)thread->answer;
		sim_note("%s = %ld", sim_thread_name(thread), thread->answer);
		if (thread->answer <= -ERESTARTSYS && thread->answer >= -ERESTART_RESTARTBLOCK)
			sim_fail("a restart code reaches a guest");
	}
	thread->call_open = false;
	thread->state = SIM_RUNNING;
	thread->spins = 0;
	thread->ready_ns = sim.now_ns + sim_random(3000);
}

void uthread_wait(struct uthread *thread, struct stop *out)
{
	thread->kick_wanted = false;
	sim_check_resume(thread);
	if (thread->state == SIM_AT_STOP && !thread->killed)
		resume(thread);
	thread->waiter = fiber_current();
	while (thread->state == SIM_RUNNING && !thread->posted && !thread->killed)
		fiber_park();
	thread->waiter = NULL;
	if (thread->state == SIM_GONE || thread->killed) {
		*out = (struct stop){.kind = STOP_DEAD, .host_signal = thread->killed ? 0 : thread->host_signal};
		sim_apply_queued(thread);
		return;
	}
	sim_apply_queued(thread);
	thread->state = SIM_AT_STOP;
	thread->posted = false;
	*out = thread->stop;
	thread->call_open = out->kind == STOP_SYSCALL;
	thread->answer = 0;
}

void uthread_answer(struct uthread *thread, long result)
{
	if (thread->state != SIM_AT_STOP && thread->state != SIM_GONE)
		sim_fail("an answer to a thread that runs");
	thread->answer = result;
}

void uthread_kick(struct uthread *thread)
{
	sim_delay();
	thread->kick_wanted = true;
}

void uthread_context_get(struct uthread *thread, struct uregs *out)
{
	sim_delay();
	*out = thread->regs;
}

void uthread_context_set(struct uthread *thread, const struct uregs *regs)
{
	if (thread->state == SIM_RUNNING)
		sim_fail("the context of a thread that runs is set");
	thread->regs = *regs;
	thread->call_open = false;
	sim_note("%s continues at %lx", sim_thread_name(thread), regs->rip);
}

size_t uthread_fpstate_size(void)
{
	return FPSTATE_BYTES;
}

void uthread_fpstate_get(struct uthread *thread, void *out)
{
	struct abi_fpx_sw_bytes words = {.magic1 = ABI_FP_XSTATE_MAGIC1,
					 .extended_size = FPSTATE_BYTES,
					 .xstate_size = FPSTATE_BYTES - sizeof(uint32_t)};
	uint32_t magic2 = ABI_FP_XSTATE_MAGIC2;

	memset(out, 0, FPSTATE_BYTES);
	memcpy((char *)out + ABI_FPX_SW_OFFSET, &words, sizeof words);
	memcpy((char *)out + FPSTATE_OFFSET, thread->fp, sizeof thread->fp);
	memcpy((char *)out + FPSTATE_BYTES - sizeof magic2, &magic2, sizeof magic2);
}

int uthread_fpstate_set(struct uthread *thread, const void *state)
{
	if (state)
		memcpy(thread->fp, (const char *)state + FPSTATE_OFFSET, sizeof thread->fp);
	else
		memset(thread->fp, 0, sizeof thread->fp);
	return 0;
}

uint64_t uthread_cpu_ns(struct uthread *thread)
{
	return thread->cpu_ns;
}

void uthread_identity_set(struct uthread *thread, const struct uthread_identity *identity)
{
	thread->identity = *identity;
}

/* ------------------------------------------------------------------------------------------------ the platform */

int platform_start(const struct platform_config *config)
{
	(void)config;
	return 0;
}

void platform_stop(void)
{
	stopped = true;
}

void platform_stats_get(struct platform_stats *out)
{
	*out = (struct platform_stats){0};
}

void platform_memory_get(struct platform_memory *out, bool exact)
{
	(void)exact;
	*out = (struct platform_memory){0};
}

void aspace_doom(struct aspace *as)
{
	(void)as;
}

int aspace_barrier(struct aspace *as)
{
	(void)as;
	return 0; /* everybody runs in one thread */
}

uint64_t platform_cpu_ns(void)
{
	return 0;
}

const char *platform_fatal(void)
{
	return sim.failures ? "the simulation has failed" : NULL;
}

static bool may_run(const struct uthread *thread)
{
	return thread->state == SIM_RUNNING && !thread->posted && !thread->killed;
}

/* One of those that may run now, at random; the earliest time of the others is left in *next_ns. */
static struct uthread *choose(uint64_t *next_ns)
{
	struct uthread *thread, *chosen = NULL;
	unsigned seen = 0;

	list_for_each (thread, &sim.threads, all_node) {
		if (!may_run(thread))
			continue;
		if (thread->ready_ns > sim.now_ns) {
			*next_ns = MIN(*next_ns, thread->ready_ns);
			continue;
		}
		if (!sim_random(++seen))
			chosen = thread;
	}
	return chosen;
}

static void note_stop(struct uthread *thread, const struct stop *stop)
{
	char first[64] = "", second[64] = "";

	if (stop->kind == STOP_SYSCALL) {
		sim_note("%s call %s(%lx, %lx, %lx, %lx)", sim_thread_name(thread), guest_call_name(stop->nr),
			 stop->args[0], stop->args[1], stop->args[2], stop->args[3]);
		if (!sim.verbose)
			return;
		sim_peek_string(thread, stop->args[0], first, sizeof first);
		sim_peek_string(thread, stop->args[1], second, sizeof second);
		if (*first || *second)
			printf("%22s\"%s\" \"%s\"\n", "", first, second);
	} else if (stop->kind == STOP_FAULT) {
		sim_note("%s fault %d at %lx, rip %lx", sim_thread_name(thread), stop->sig, stop->addr.v, stop->rip);
	}
}

static void run_thread(struct uthread *thread)
{
	struct stop stop = {.kind = STOP_KICK, .rip = thread->regs.rip};

	sim.steps++;
	sim_apply_queued(thread);
	if (thread->op_error) { /* the gate makes it the result of the call that queued it */
		thread->regs.rax = (uint64_t)(long)thread->op_error;
		thread->op_error = 0;
	}
	thread->cpu_ns += 200;
	if (thread->kick_wanted || sim_inject(sim.config.kick)) {
		thread->kick_wanted = false;
		post(thread, &stop);
		return;
	}
	if (!guest_step(thread, &stop))
		return;
	if (stop.kind == STOP_FAULT)
		sim.faults++;
	note_stop(thread, &stop);
	post(thread, &stop);
}

static void host_mischief(void)
{
	if (!sim.config.host_kill || !sim.armed || sim.quiet || sim_random(100000) >= sim.config.host_kill)
		return;
	struct aspace *as;
	unsigned seen = 0;
	struct aspace *chosen = NULL;
	list_for_each (as, &sim_aspaces, all_node)
		if (as->id > 1 && !sim_random(++seen))
			chosen = as;
	if (chosen)
		stub_die(chosen);
}

/* Every fiber that was ready has run. So nobody waits for what is there already, unless the host still works for
 * somebody or a delay of ours is under way: such a wait ends by itself. */
static void check_waits(void)
{
	if (!fiber_any_ready() && sim_host_next_ns() == DEADLINE_NONE && list_empty(&sleepers))
		sim_check_waits();
}

/* Nobody runs: to the next moment when something happens. */
static void leap(uint64_t next_ns)
{
	if (next_ns == DEADLINE_NONE) {
		sim_fail("nothing will ever happen again");
		sim_print_tasks();
		return;
	}
	if (next_ns > sim.now_ns + NS_PER_MS)
		check_waits();
	sim.now_ns = MAX(sim.now_ns, next_ns);
}

void platform_poll(uint64_t deadline_ns)
{
	uint64_t next_ns = deadline_ns;
	struct uthread *thread;

	sim.now_ns += 100 + sim_random(400);
	sim_host_collect();
	next_ns = MIN(next_ns, sleepers_wake());
	next_ns = MIN(next_ns, sim_host_next_ns());
	if (sim.steps > STEP_LIMIT || ++sim.polls > POLL_LIMIT) {
		sim_fail("the world does not end");
		sim_print_tasks();
		return;
	}
	host_mischief();
	if (!(sim.steps % CHECK_EVERY))
		sim_check_world();
	else if (!(sim.steps % CHECK_WAITS_EVERY))
		check_waits();
	do {
		thread = choose(&next_ns);
		if (thread)
			run_thread(thread);
	} while (thread && sim_chance(500));
	if (!thread && !fiber_any_ready() && next_ns > sim.now_ns)
		leap(next_ns);
}
