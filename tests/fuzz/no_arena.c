/* no_arena.c - the arena's part of a text that grows, which nothing here does. */
#include "sentry/base/arena.h"

#include <stdlib.h>

void *arena_realloc(void *memory, size_t old_bytes, size_t new_bytes)
{
	(void)old_bytes;
	return realloc(memory, new_bytes);
}

void arena_free(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}
