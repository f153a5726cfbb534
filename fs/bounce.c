/* bounce.c - a free list of buffers. What a buffer's first word links is nobody's data. Limits: KEEP_LIMIT are kept. */
#include "fs/bounce.h"
#include "sentry/base/arena.h"

#define KEEP_LIMIT 64

struct bounce {
	struct bounce *next;
};

static struct bounce *free_list;
static unsigned kept;

void *bounce_get(void)
{
	struct bounce *buffer = free_list;

	if (!buffer)
		return arena_alloc(BOUNCE_BYTES);
	free_list = buffer->next;
	kept--;
	return buffer;
}

void bounce_put(void *memory)
{
	struct bounce *buffer = memory;

	assert(buffer);
	if (kept >= KEEP_LIMIT) {
		arena_free(memory, BOUNCE_BYTES);
		return;
	}
	buffer->next = free_list;
	free_list = buffer;
	kept++;
}
