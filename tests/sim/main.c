/* main.c - sim: runs seeds, each in a child process of its own, some of them twice to see that they replay exactly.
 *
 *     sim [--seed N] [--seeds FROM-TO] [--jobs N] [--verbose] [--seconds N] [--regressions FILE]
 *
 * --plant puts a pointer into code into the arena before it is scanned: then every seed must fail.
 *
 * A world is one process: the sentry's state is global, a failed assertion kills only its seed, and all children of one
 * parent have the same addresses. Address space randomization is switched off, so a seed that is run alone has them
 * too.
 */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_LIMIT   16
#define TWICE_EVERY  25 /* every so many seeds one is run again */
#define SEED_LIMIT_S 60

struct result {
	bool complete;
	unsigned failures;
	uint64_t hash, steps, parks, injected, faults;
};

struct job {
	pid_t pid;
	uint64_t seed;
	bool again;
};

static struct {
	uint64_t from, to;
	unsigned jobs, seconds;
	bool verbose, plant;
	const char *regressions;
} options = {.from = 1, .to = 1000, .jobs = 2};

static struct result *results; /* shared: [job] */
static struct job jobs[JOBS_LIMIT];
static uint64_t first_hash[JOBS_LIMIT];
static unsigned passed, failed;
static uint64_t total_steps, total_injected;

static void run_here(uint64_t seed, struct result *out)
{
	alarm(SEED_LIMIT_S);
	sim.verbose = options.verbose;
	sim.plant = options.plant;
	sim_configure(seed, &sim.config);
	unsigned failures = sim_world_run();
	*out = (struct result){.complete = true,
			       .failures = failures,
			       .hash = sim.hash,
			       .steps = sim.steps,
			       .parks = sim.parks,
			       .injected = sim.injected,
			       .faults = sim.faults};
	fflush(stdout);
	_exit(failures ? 1 : 0);
}

static void start(unsigned slot, uint64_t seed, bool again)
{
	results[slot] = (struct result){0};
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0) {
		perror("sim: fork");
		exit(1);
	}
	if (!pid)
		run_here(seed, &results[slot]);
	jobs[slot] = (struct job){pid, seed, again};
}

static void replay_hint(uint64_t seed)
{
	printf("     replay: build/sim/sim --seed %lu --verbose\n", seed);
}

/* True: the slot runs its seed once more. */
static bool finish(unsigned slot, int status)
{
	struct job *job = &jobs[slot];
	const struct result *result = &results[slot];

	job->pid = 0;
	total_steps += result->steps;
	total_injected += result->injected;
	if (!result->complete || result->failures) {
		if (!result->complete)
			printf("FAIL seed %lu: ended by %s %d\n", job->seed, WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		replay_hint(job->seed);
		failed++;
		return false;
	}
	if (job->again && result->hash != first_hash[slot]) {
		printf("FAIL seed %lu: two runs differ: %016lx and %016lx\n", job->seed, first_hash[slot],
		       result->hash);
		failed++;
		return false;
	}
	if (options.verbose)
		printf("seed %lu: hash %016lx, %lu steps, %lu failures injected\n", job->seed, result->hash,
		       result->steps, result->injected);
	if (!job->again && job->seed % TWICE_EVERY == 0) {
		first_hash[slot] = result->hash;
		start(slot, job->seed, true);
		return true;
	}
	passed++;
	return false;
}

static void reap_one(void)
{
	int status;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < options.jobs; i++)
		if (jobs[i].pid == pid)
			finish(i, status);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The seeds of the regression file first, then the range. */
static bool next_seed(FILE *regressions, uint64_t *range, uint64_t *out)
{
	char line[512];

	while (regressions && fgets(line, sizeof line, regressions))
		if (sscanf(line, "%lu", out) == 1)
			return true;
	*out = *range;
	if (*range > options.to)
		return false;
	++*range;
	return true;
}

static void run_all(void)
{
	FILE *regressions = options.regressions ? fopen(options.regressions, "re") : NULL;
	double began = seconds();
	uint64_t range = options.from, seed;
	unsigned busy;

	if (options.regressions && !regressions)
		perror(options.regressions);
	do {
		busy = 0;
		for (unsigned i = 0; i < options.jobs; i++) {
			bool late = options.seconds && seconds() - began > options.seconds;
			if (!jobs[i].pid && !late && next_seed(regressions, &range, &seed))
				start(i, seed, false);
			busy += jobs[i].pid != 0;
		}
		if (busy)
			reap_one();
	} while (busy);
	printf("seeds %lu to %lu: %lu steps of guests, %lu injected failures, %.1f s\n", options.from, range - 1,
	       total_steps, total_injected, seconds() - began);
	printf("%u passed, %u failed\n", passed, failed);
}

static void usage(void)
{
	fprintf(stderr, "usage: sim [--seed N] [--seeds FROM-TO] [--jobs N] [--seconds N] [--regressions FILE] "
			"[--verbose] [--plant]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (!strcmp(argv[i], "--verbose") || !strcmp(argv[i], "--plant")) {
			options.verbose |= argv[i][2] == 'v';
			options.plant |= argv[i][2] == 'p';
			continue;
		}
		if (!value)
			usage();
		i++;
		if (!strcmp(argv[i - 1], "--seed"))
			options.from = options.to = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i - 1], "--seeds")) {
			if (sscanf(value, "%lu-%lu", &options.from, &options.to) != 2)
				usage();
		} else if (!strcmp(argv[i - 1], "--jobs"))
			options.jobs = (unsigned)MIN(MAX(atoi(value), 1), JOBS_LIMIT);
		else if (!strcmp(argv[i - 1], "--regressions"))
			options.regressions = value;
		else if (!strcmp(argv[i - 1], "--seconds"))
			options.seconds = (unsigned)atoi(value);
		else
			usage();
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		personality(ADDR_NO_RANDOMIZE | (unsigned)MAX(personality(0xffffffff), 0));
		execv(argv[0], argv);
	}
	parse(argc, argv);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = MIN(files.rlim_max, 65536ul);
		setrlimit(RLIMIT_NOFILE, &files);
	}
	results = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return 1;
	run_all();
	return failed ? 1 : 0;
}
