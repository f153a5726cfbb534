/* wrap.c - stands between the sentry and its arena (the linker's --wrap): the arena is full now and then, and with
 * --verbose whatever has leaked is told with the place in the code that asked for it.
 */
#include "sentry/base/arena.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

#define LIVE_LIMIT 65536
#define MOST_BYTES (256ul << 20) /* whatever guests do, the test machine stays usable */

struct live {
	const void *memory, *caller;
	const char *what;
	uint64_t step;
};
static struct live live[LIVE_LIMIT];
static unsigned lives;
static size_t bytes_in_use; /* of what is not in slabs */

void *__real_slab_new(struct slab *slab);
void *__real_arena_alloc(size_t bytes);
void *__real_arena_alloc_dirty(size_t bytes);
void *__real_arena_alloc_bulk(size_t bytes);
char *__real_arena_string(const char *text);
void *__real_arena_realloc(void *memory, size_t old_bytes, size_t new_bytes);
void __real_slab_free(struct slab *slab, void *object);
void __real_arena_free(void *memory, size_t bytes);
void __real_arena_string_free(char *text);
void *__wrap_slab_new(struct slab *slab);
void *__wrap_arena_alloc(size_t bytes);
void *__wrap_arena_alloc_dirty(size_t bytes);
void *__wrap_arena_alloc_bulk(size_t bytes);
char *__wrap_arena_string(const char *text);
void *__wrap_arena_realloc(void *memory, size_t old_bytes, size_t new_bytes);
void __wrap_slab_free(struct slab *slab, void *object);
void __wrap_arena_free(void *memory, size_t bytes);
void __wrap_arena_string_free(char *text);

/* As addr2line wants it. */
static unsigned long offset_of(const void *code)
{
	extern const char __executable_start[];

	return (unsigned long)((const char *)code - __executable_start);
}

static void *entered(void *memory, const char *what, const void *caller)
{
	if (sim.verbose && memory && lives < LIVE_LIMIT)
		live[lives++] = (struct live){memory, caller, what, sim.steps};
	return memory;
}

static void *counted(void *memory, size_t bytes, const char *what, const void *caller)
{
	bytes_in_use += memory ? bytes : 0;
	return entered(memory, what, caller);
}

size_t sim_arena_bytes(void)
{
	return bytes_in_use;
}

static void left(const void *memory)
{
	for (unsigned i = lives; sim.verbose && i > 0; i--)
		if (live[i - 1].memory == memory) {
			live[i - 1] = live[--lives];
			return;
		}
}

static bool is_full(const char *what, const void *caller)
{
	if (!sim_inject(sim.config.arena_fault) && (!sim.armed || arena_used_bytes() < MOST_BYTES))
		return false;
	if (sim.verbose)
		printf("             no memory for %s (%lx)\n", what, offset_of(caller));
	return true;
}

void *__wrap_slab_new(struct slab *slab)
{
	const void *caller = __builtin_return_address(0);

	return is_full(slab->name, caller) ? NULL : entered(__real_slab_new(slab), slab->name, caller);
}

void *__wrap_arena_alloc(size_t bytes)
{
	const void *caller = __builtin_return_address(0);

	return is_full("bytes", caller) ? NULL : counted(__real_arena_alloc(bytes), bytes, "bytes", caller);
}

void *__wrap_arena_alloc_dirty(size_t bytes)
{
	const void *caller = __builtin_return_address(0);

	return is_full("bytes", caller) ? NULL : counted(__real_arena_alloc_dirty(bytes), bytes, "bytes", caller);
}

void *__wrap_arena_alloc_bulk(size_t bytes)
{
	const void *caller = __builtin_return_address(0);

	return is_full("bytes", caller) ? NULL : counted(__real_arena_alloc_bulk(bytes), bytes, "bytes", caller);
}

char *__wrap_arena_string(const char *text)
{
	const void *caller = __builtin_return_address(0);

	if (is_full("a string", caller))
		return NULL;
	return counted(__real_arena_string(text), strlen(text) + 1, "string", caller);
}

void *__wrap_arena_realloc(void *memory, size_t old_bytes, size_t new_bytes)
{
	const void *caller = __builtin_return_address(0);

	if (is_full("more bytes", caller))
		return NULL;
	void *grown = __real_arena_realloc(memory, old_bytes, new_bytes);
	if (grown && memory) {
		left(memory);
		bytes_in_use -= old_bytes;
	}
	return counted(grown, new_bytes, "bytes", caller);
}

void __wrap_slab_free(struct slab *slab, void *object)
{
	left(object);
	__real_slab_free(slab, object);
}

void __wrap_arena_free(void *memory, size_t bytes)
{
	left(memory);
	bytes_in_use -= memory ? bytes : 0;
	__real_arena_free(memory, bytes);
}

void __wrap_arena_string_free(char *text)
{
	left(text);
	bytes_in_use -= text ? strlen(text) + 1 : 0;
	__real_arena_string_free(text);
}

void sim_print_live(uint64_t since_step)
{
	for (unsigned i = 0; i < lives; i++)
		if (live[i].step >= since_step)
			printf("             alive: %s %p since step %lu, asked for at %lx\n", live[i].what,
			       live[i].memory, live[i].step, offset_of(live[i].caller));
}
