/* tracee.c - who is traced, and the programs that each has loaded.
 *
 * Theory. Programs form a tree as in the kernel: each points to the one that was the newest when it was loaded, and is
 * counted by tracees and by later programs. So all guest threads of a stub share the stub's keyed program. They are run
 * by filter_verdict, the interpreter with which the tests compare the kernel; what it cannot run is refused when
 * loaded, so that no program can lead the tracer astray.
 *
 * Tracees are in a hash table by pid with linear probing; removal closes the gap.
 *
 * Limits: TRACEES at a time, PROGRAMS of FILTER_INSN_LIMIT instructions; both hold more than a sandbox may make
 * (systrap.h: ASPACES address spaces, BELL_SLOTS threads, each of which loads one program).
 */
#include "platform/ptrace/tracee.h"

#include <errno.h>
#include <sys/mman.h>

#include "platform/host.h"
#include "platform/systrap/filter.h"
#include "platform/systrap/systrap.h"

#define TRACEES  16384u /* a power of two, half of it in use at most */
#define PROGRAMS (ASPACES + BELL_SLOTS + 16)
static_assert(ASPACES + BELL_SLOTS + 16 <= TRACEES / 2, "all that a sandbox may make, in a table that is half empty");

struct program {
	struct filter filter;
	struct program *previous; /* counted; of a free one: the next free one */
	unsigned refs;
};

static struct tracee tracees[TRACEES];
static unsigned tracee_count;
static struct program *programs; /* PROGRAMS of them */
static struct program *free_programs;
static unsigned programs_used; /* places that have been in use at least once */

/* ------------------------------------------------------------------------------------------------ tracees */

static unsigned home(pid_t pid)
{
	return (unsigned)pid * 2654435761u % TRACEES;
}

static struct tracee *place_of(pid_t pid)
{
	unsigned at = home(pid);

	while (tracees[at].pid && tracees[at].pid != pid)
		at = (at + 1) % TRACEES;
	return &tracees[at];
}

struct tracee *tracee_find(pid_t pid)
{
	struct tracee *tracee = place_of(pid);

	return tracee->pid ? tracee : NULL;
}

struct tracee *tracee_add(pid_t pid, enum tracee_state state)
{
	struct tracee *tracee = place_of(pid);

	assert(!tracee->pid);
	if (tracee_count == TRACEES / 2)
		return NULL;
	tracee_count++;
	*tracee = (struct tracee){.pid = pid, .group = pid, .state = state};
	return tracee;
}

static void program_put(struct program *program)
{
	while (program && --program->refs == 0) {
		struct program *previous = program->previous;
		program->filter.len = 0;
		program->previous = free_programs;
		free_programs = program;
		program = previous;
	}
}

/* Whoever comes behind the gap, and would not be found behind it, moves into it. */
void tracee_remove(struct tracee *tracee)
{
	unsigned gap = (unsigned)(tracee - tracees);

	program_put(tracee->program);
	for (unsigned at = (gap + 1) % TRACEES; tracees[at].pid; at = (at + 1) % TRACEES)
		if ((at - home(tracees[at].pid)) % TRACEES >= (at - gap) % TRACEES) {
			tracees[gap] = tracees[at];
			gap = at;
		}
	tracees[gap] = (struct tracee){0};
	tracee_count--;
}

void tracee_inherit(struct tracee *child, const struct tracee *maker)
{
	assert(!child->program);
	child->program = maker->program;
	if (child->program)
		child->program->refs++;
}

/* ------------------------------------------------------------------------------------------------ programs */

static struct program *draft;

int programs_start(void)
{
	int error = 0;

	programs = host_mmap(NULL, PROGRAMS * sizeof *programs, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, &error);
	return error;
}

static struct program *program_alloc(void)
{
	struct program *program = free_programs;

	if (program)
		free_programs = program->previous;
	else if (programs_used < PROGRAMS)
		program = &programs[programs_used++];
	return program;
}

struct sock_filter *program_draft(unsigned n)
{
	if (!draft)
		draft = program_alloc();
	return draft && n && n <= FILTER_INSN_LIMIT ? draft->filter.insn : NULL;
}

int program_load(struct tracee *tracee, unsigned n, bool whole)
{
	assert(draft && n && n <= FILTER_INSN_LIMIT);
	draft->filter.len = (unsigned short)n;
	if (!filter_runnable(&draft->filter))
		return -EINVAL;
	draft->previous = tracee->program;
	draft->refs = 1;
	tracee->program = draft;
	for (unsigned i = 0; whole && i < TRACEES; i++)
		if (tracees[i].pid && tracees[i].group == tracee->group && &tracees[i] != tracee) {
			program_put(tracees[i].program);
			tracees[i].program = draft;
			draft->refs++;
		}
	/* What the tracee had counts for the new program now. */
	draft = NULL;
	return 0;
}

uint32_t tracee_verdict(const struct tracee *tracee, const struct seccomp_data *data)
{
	uint32_t strictest = SECCOMP_RET_ALLOW;

	for (const struct program *program = tracee->program; program; program = program->previous) {
		uint32_t said = filter_verdict(&program->filter, data, NULL);
		/* As signed numbers: the killing of a process is the lowest (linux/seccomp.h). */
		if ((int32_t)(said & SECCOMP_RET_ACTION_FULL) < (int32_t)(strictest & SECCOMP_RET_ACTION_FULL))
			strictest = said;
	}
	return strictest;
}
