/* random.c - one stream of random numbers from the seed, and the transcript whose hash tells whether two runs were
 * equal.
 *
 * splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"). Guests have streams of their own
 * in their memory, seeded from this one.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

struct sim sim;

static uint64_t state;

void sim_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	sim.hash = 0xcbf29ce484222325ull;
}

uint64_t sim_random(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return below ? z % below : z;
}

bool sim_chance(unsigned of_1000)
{
	return of_1000 && sim_random(1000) < of_1000;
}

bool sim_inject(unsigned of_1000)
{
	if (!sim.armed || sim.quiet || !sim_chance(of_1000))
		return false;
	sim.injected++;
	return true;
}

/* FNV-1a. */
void sim_hash(const void *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		sim.hash = (sim.hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3ull;
}

void sim_note(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	sim_hash(line, MIN((size_t)MAX(n, 0), sizeof line - 1));
	if (sim.verbose)
		printf("%8lu %12.6f %s\n", sim.steps, (double)sim.now_ns / 1e9, line);
}

void sim_fail(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	sim.failures++;
	if (sim.failures <= 5)
		printf("FAIL seed %lu step %lu: %s\n", sim.config.seed, sim.steps, line);
	fflush(stdout);
}

/* Half of the worlds are hostile in some way; a fifth are strict, where every program must end well. */
void sim_configure(uint64_t seed, struct sim_config *out)
{
	sim_seed(seed);
	*out = (struct sim_config){
		.seed = seed,
		.delay = sim_chance(300) ? 0 : (unsigned)sim_random(300),
		.queue = (unsigned)sim_random(1000),
		.workers = 1 + (unsigned)sim_random(8),
		.rounds = 2,
		.life_ns = (1 + sim_random(20)) * 50 * NS_PER_MS,
		.programs = sim_random(0) | sim_random(0),
	};
	out->strict = sim_chance(250);
	if (out->strict)
		return;
	out->kick = sim_chance(500) ? (unsigned)sim_random(50) : 0;
	out->host_fault = sim_chance(400) ? (unsigned)sim_random(100) : 0;
	out->host_short = sim_chance(500) ? (unsigned)sim_random(400) : 0;
	out->refuse = sim_chance(300) ? (unsigned)sim_random(300) : 0;
	out->arena_fault = sim_chance(300) ? (unsigned)sim_random(30) : 0;
	out->host_kill = sim_chance(200) ? 1 + (unsigned)sim_random(20) : 0;
	out->chaos = sim_chance(500) ? (unsigned)sim_random(1000) : 0;
}
