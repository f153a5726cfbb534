/* arena.h - where all of the sentry's state lives (design D5).
 *
 * One mapping at a base address chosen once for each template, so that a checkpoint can save it and a clone can map it
 * as it is. Objects come from type-stable slabs, or from size classes for what varies in length. Memory comes zeroed.
 * Objects hold no function pointer and no host handle; arena_scan proves the first in debug builds.
 */
#ifndef SENTRY_BASE_ARENA_H
#define SENTRY_BASE_ARENA_H

#include "sentry/base/types.h"

#define ARENA_BASE  0x200000000000ull
#define ARENA_LIMIT (64ull << 30) /* of address space; memory is taken as it is touched */

/* Called once at start. -ENOMEM when the host refuses the mapping. */
must_check int arena_init(void);

/* At most this much from now on, however much guests make the sentry remember; never less than ARENA_LEAST. */
#define ARENA_LEAST (64ull << 20)
void arena_limit_set(uint64_t bytes);

/* A slab's descriptor is static and names its type; its state is in the arena. The first use enters it in the arena's
 * list. */
struct slab {
	const char *name;
	uint32_t object_bytes;
	uint32_t id; /* 0: not entered yet */
};
#define SLAB(type)                                                                                                     \
	{                                                                                                              \
		.name = #type, .object_bytes = sizeof(struct type)                                                     \
	}

/* A zeroed object, or NULL when the arena is full (the caller answers ENOMEM). */
must_check void *slab_new(struct slab *slab);
void slab_free(struct slab *slab, void *object);
/* Objects in use: for tests that look for leaks, and for statistics. */
size_t slab_count(const struct slab *slab);

/* Zeroed memory of any size up to 1 GiB, aligned to 16 bytes (to a page from a page on); NULL when the arena is full.
 * The size must be given back. */
must_check void *arena_alloc(size_t bytes);
/* The same, but from a page on with whatever somebody left there: for payload that is written before it is read. */
must_check void *arena_alloc_dirty(size_t bytes);
/* The same for what a guest can have much of (file data, buffers of pipes): NULL already where arena_is_short. */
must_check void *arena_alloc_bulk(size_t bytes);
void arena_free(void *memory, size_t bytes); /* NULL is allowed */
/* Grows or shrinks; content is kept, what is new is zero. NULL leaves the old one as it was. */
must_check void *arena_realloc(void *memory, size_t old_bytes, size_t new_bytes);
must_check char *arena_string(const char *text); /* free with arena_string_free */
void arena_string_free(char *text);

/* Would so many bytes more eat into what is kept of the arena for tasks and the like, so that a guest that has filled
 * its file systems can still start a program that cleans up? */
bool arena_is_short(uint64_t bytes);
size_t arena_used_bytes(void);
/* Every slab by name, size classes included ("bytes-N"), and how many of its objects are in use. */
void arena_slabs(void (*visit)(const char *slab, uint32_t object_bytes, size_t in_use));

/* Looks at every word in use for a value inside [start, end) and calls found with the slab's name and the offset. */
void arena_scan(uint64_t start, uint64_t end, void (*found)(const char *slab, uint64_t address, uint64_t value));

#endif
