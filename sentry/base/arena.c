/* arena.c - the arena: a buddy allocator of pages, and on it slabs of one size of object each.
 *
 * Layout. One mapping at ARENA_BASE: a header (slab states, free lists), then a byte and a slab number for each page,
 * then the pages. Everything that says what is in use is itself in the arena, so a saved arena is complete.
 *
 * Pages. Blocks of 2^order pages, order 0..18 (1 GiB), split and merged as buddies. What lies behind the high-water
 * mark has never been touched and needs no clearing; a freed block of 2^DISCARD_ORDER pages or more is given back to
 * the host. Smaller ones are not at once, for they are soon wanted again: when TRIM_BYTES of them have been freed,
 * those that have merged into as much are given back too (PAGE_DIRTY: something in this free block may still be there).
 *
 * Slabs. A slab takes blocks of pages, cuts them into objects and never gives them back: an address once an object of a
 * type stays one (type-stable). Sizes without a type of their own (arena_alloc) use slabs of size classes, then whole
 * blocks.
 *
 * Limits: SLAB_LIMIT slabs; objects of at most SLAB_OBJECT_LIMIT bytes; what arena_limit_set says, 64 GiB at most. Out
 * of memory is NULL, never an abort.
 */
#include "sentry/base/arena.h"
#include "sentry/base/hostdep.h"
#include "sentry/base/list.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(memory, bytes)   ASAN_POISON_MEMORY_REGION(memory, bytes)
#define UNPOISON(memory, bytes) ASAN_UNPOISON_MEMORY_REGION(memory, bytes)
#define IS_POISONED(memory)     __asan_address_is_poisoned(memory)
#else
#define POISON(memory, bytes)   ((void)(memory))
#define UNPOISON(memory, bytes) ((void)(memory))
#define IS_POISONED(memory)     0
#endif

#define SLAB_LIMIT        256
#define SLAB_OBJECT_LIMIT 16384
#define SLAB_NAME_BYTES   32
#define ORDERS            19
#define DISCARD_ORDER     6 /* 256 KiB */
#define TRIM_BYTES        (16ul << 20)
#define GROW_BYTES        (512 * 1024ul)
#define ARENA_PAGES       (ARENA_LIMIT / PAGE_SIZE)
#define CLASS_COUNT       32
#define ARENA_RESERVE     16 /* one part in so many is not for what guests can have much of */

/* What a page's byte says: the first page of a free block, or of one in use; the others are 0. */
#define PAGE_FREE  0x40
#define PAGE_USED  0x80
#define PAGE_DIRTY 0x20
#define PAGE_ORDER 0x1f

struct free_object {
	struct free_object *next;
};

struct slab_state {
	char name[SLAB_NAME_BYTES];
	uint32_t object_bytes, block_order;
	size_t in_use;
	struct free_object *free;
};

struct header {
	uint64_t pages_used_high; /* pages from here on were never handed out */
	uint64_t pages_limit;     /* and these never will be */
	uint64_t populated;       /* pages up to here are faulted in */
	size_t bytes_in_blocks;
	size_t dirty_bytes; /* of small blocks freed since the last trim, and not taken again */
	unsigned slab_count;
	struct list free[ORDERS];
	struct slab_state slabs[SLAB_LIMIT]; /* [0] is no slab */
	uint32_t class_slab[CLASS_COUNT];
};

static struct header *header;
static uint8_t *page_state; /* [page] */
static uint8_t *page_slab;  /* [page]: slab that owns the block, by its first page; 0: none */
static char *pages;

int arena_init(void)
{
	size_t tables = page_up(sizeof(struct header)) + 2 * ARENA_PAGES;

	if (header)
		return 0;
	char *base = hostdep_reserve(ARENA_BASE, tables + ARENA_LIMIT);
	if (!base)
		return -ENOMEM;
	header = (struct header *)base;
	page_state = (uint8_t *)base + page_up(sizeof(struct header));
	page_slab = page_state + ARENA_PAGES;
	pages = base + tables;
	hostdep_populate(header, page_up(sizeof *header));
	for (int i = 0; i < ORDERS; i++)
		list_init(&header->free[i]);
	header->slab_count = 1;
	header->pages_limit = ARENA_PAGES;
	return 0;
}

void arena_limit_set(uint64_t bytes)
{
	header->pages_limit = MIN(MAX(bytes, (uint64_t)ARENA_LEAST) / PAGE_SIZE, ARENA_PAGES);
}

static uint64_t page_of(const void *memory)
{
	return ((const char *)memory - pages) / PAGE_SIZE;
}

static void *page_address(uint64_t page)
{
	return pages + page * PAGE_SIZE;
}

/* dirty: 0, or PAGE_DIRTY. */
static void block_release(uint64_t page, unsigned order, uint8_t dirty)
{
	while (order + 1 < ORDERS) {
		uint64_t buddy = page ^ (1ull << order);
		if (buddy >= header->pages_used_high || (page_state[buddy] & ~PAGE_DIRTY) != (PAGE_FREE | order))
			break;
		list_remove(page_address(buddy));
		dirty |= page_state[buddy] & PAGE_DIRTY;
		page_state[buddy] = page_state[page] = 0;
		page = MIN(page, buddy);
		order++;
	}
	page_state[page] = PAGE_FREE | dirty | order;
	list_push_front(&header->free[order], page_address(page));
}

/* Gives large free blocks back to the host that are not its yet. */
static void trim(void)
{
	header->dirty_bytes = 0;
	for (unsigned order = DISCARD_ORDER; order < ORDERS; order++) {
		struct list *node, *next;
		for (node = header->free[order].next; node != &header->free[order]; node = next) {
			uint64_t page = page_of(node);
			next = node->next;
			if (!(page_state[page] & PAGE_DIRTY))
				continue;
			list_remove(node); /* it lies in what is given back */
			hostdep_discard(page_address(page), PAGE_SIZE << order);
			page_state[page] &= (uint8_t)~PAGE_DIRTY;
			list_push_front(&header->free[order], page_address(page));
		}
	}
}

/* Takes fresh pages from behind the high-water mark, aligned to their size; what the alignment skips becomes free. */
static void *block_fresh(unsigned order)
{
	uint64_t count = 1ull << order, start = (header->pages_used_high + count - 1) & ~(count - 1);

	if (start + count > header->pages_limit)
		return NULL;
	uint64_t end = start + count, skip = header->pages_used_high;
	if (end > header->populated) {
		/* Small blocks follow one another: fault in ahead. Large ones may never be touched as a whole. */
		uint64_t ahead = order < DISCARD_ORDER ? MAX(end, header->populated + GROW_BYTES / PAGE_SIZE) : end;
		ahead = MIN(ahead, header->pages_limit);
		if (order < DISCARD_ORDER)
			hostdep_populate(page_address(header->populated), (ahead - header->populated) * PAGE_SIZE);
		header->populated = ahead;
	}
	header->pages_used_high = end;
	for (; skip < start; skip++)
		block_release(skip, 0, 0);
	page_state[start] = PAGE_USED | order;
	return page_address(start);
}

/* A block of 2^order pages. zero: what somebody left in it is wiped; fresh ones are zero in any case. */
static void *block_new(unsigned order, bool zero)
{
	unsigned have = order;

	while (have < ORDERS && list_empty(&header->free[have]))
		have++;
	if (have >= ORDERS)
		return block_fresh(order);
	struct list *node = header->free[have].next;
	list_remove(node);
	uint64_t page = page_of(node);
	uint8_t dirty = page_state[page] & PAGE_DIRTY;
	while (have > order) {
		have--;
		uint64_t half = page + (1ull << have);
		page_state[half] = PAGE_FREE | dirty | have;
		list_push_front(&header->free[have], page_address(half));
	}
	page_state[page] = PAGE_USED | order;
	if (dirty) /* what comes and goes is no reason to trim */
		header->dirty_bytes -= MIN(header->dirty_bytes, PAGE_SIZE << order);
	if (zero)
		memset(page_address(page), 0, PAGE_SIZE << order);
	return page_address(page);
}

static void block_free(void *memory, unsigned order)
{
	uint64_t page = page_of(memory);

	assert(page_state[page] == (PAGE_USED | order));
	if (order >= DISCARD_ORDER)
		hostdep_discard(memory, PAGE_SIZE << order);
	page_state[page] = 0;
	block_release(page, order, order < DISCARD_ORDER ? PAGE_DIRTY : 0);
	header->dirty_bytes += order < DISCARD_ORDER ? PAGE_SIZE << order : 0;
	if (header->dirty_bytes > TRIM_BYTES)
		trim();
}

static unsigned order_for(size_t bytes)
{
	unsigned order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

static uint32_t slab_enter(const char *name, uint32_t object_bytes)
{
	assert(header && header->slab_count < SLAB_LIMIT && object_bytes <= SLAB_OBJECT_LIMIT);
	uint32_t id = header->slab_count++;
	struct slab_state *state = &header->slabs[id];

	snprintf(state->name, sizeof state->name, "%s", name);
	state->object_bytes = MAX((object_bytes + 15) & ~15u, (uint32_t)sizeof(struct free_object));
	state->block_order = order_for(MAX(state->object_bytes * 8ul, PAGE_SIZE));
	return id;
}

static bool slab_grow(uint32_t id)
{
	struct slab_state *state = &header->slabs[id];
	char *block = block_new(state->block_order, true);

	if (!block)
		return false;
	size_t bytes = PAGE_SIZE << state->block_order;
	header->bytes_in_blocks += bytes;
	for (uint64_t i = 0; i < 1ull << state->block_order; i++)
		page_slab[page_of(block) + i] = id;
	size_t count = bytes / state->object_bytes;
	for (size_t i = count; i-- > 0;) {
		struct free_object *object = (struct free_object *)(block + i * state->object_bytes);
		object->next = state->free;
		state->free = object;
		POISON(object, state->object_bytes);
	}
	return true;
}

static void *object_new(uint32_t id)
{
	struct slab_state *state = &header->slabs[id];

	if (!state->free && !slab_grow(id))
		return NULL;
	struct free_object *object = state->free;
	UNPOISON(object, state->object_bytes);
	state->free = object->next;
	state->in_use++;
	return memset(object, 0, state->object_bytes);
}

static void object_free(uint32_t id, void *memory)
{
	struct slab_state *state = &header->slabs[id];
	struct free_object *object = memory;

	assert(state->in_use > 0 && page_slab[page_of(memory)] == id && !IS_POISONED(memory));
	object->next = state->free;
	state->free = object;
	state->in_use--;
	POISON(object, state->object_bytes);
}

void *slab_new(struct slab *slab)
{
	if (!slab->id)
		slab->id = slab_enter(slab->name, slab->object_bytes);
	return object_new(slab->id);
}

void slab_free(struct slab *slab, void *object)
{
	object_free(slab->id, object);
}

size_t slab_count(const struct slab *slab)
{
	return slab->id ? header->slabs[slab->id].in_use : 0;
}

/* Size classes: 16 32 48 64, then four steps to each doubling, up to SLAB_OBJECT_LIMIT / 2. Gives the class and its
 * size. */
static unsigned class_of(size_t bytes, uint32_t *class_bytes)
{
	if (bytes <= 64) {
		*class_bytes = MAX((bytes + 15) & ~15ul, 16ul);
		return *class_bytes / 16 - 1;
	}
	unsigned shift = 63 - __builtin_clzl(bytes - 1) - 2;
	size_t step = 1ul << shift, steps = (bytes + step - 1) >> shift; /* 5..8 */
	*class_bytes = steps << shift;
	return 4 + (shift - 4) * 4 + (steps - 5);
}

#define CLASS_LIMIT (SLAB_OBJECT_LIMIT / 2)

static void *pages_alloc(size_t bytes, bool zero)
{
	unsigned order = order_for(bytes);
	void *block = block_new(order, zero);

	if (block)
		header->bytes_in_blocks += PAGE_SIZE << order;
	return block;
}

void *arena_alloc_dirty(size_t bytes)
{
	return bytes < PAGE_SIZE || bytes > 1ul << 30 ? arena_alloc(bytes) : pages_alloc(bytes, false);
}

void *arena_alloc(size_t bytes)
{
	uint32_t class_bytes;

	assert(header);
	if (bytes > 1ul << 30)
		return NULL;
	if (bytes >= PAGE_SIZE)
		return pages_alloc(bytes, true);
	unsigned class = class_of(bytes, &class_bytes);
	static_assert(CLASS_LIMIT >= PAGE_SIZE, "classes reach up to a page");
	assert(class < CLASS_COUNT);
	if (!header->class_slab[class]) {
		char name[SLAB_NAME_BYTES];
		snprintf(name, sizeof name, "bytes-%u", class_bytes);
		header->class_slab[class] = slab_enter(name, class_bytes);
	}
	return object_new(header->class_slab[class]);
}

bool arena_is_short(uint64_t bytes)
{
	uint64_t limit = header->pages_limit * PAGE_SIZE;

	return header->bytes_in_blocks + bytes > limit - limit / ARENA_RESERVE;
}

void *arena_alloc_bulk(size_t bytes)
{
	return arena_is_short(bytes) ? NULL : arena_alloc(bytes);
}

void arena_free(void *memory, size_t bytes)
{
	uint32_t class_bytes;

	if (!memory)
		return;
	if (bytes >= PAGE_SIZE) {
		header->bytes_in_blocks -= PAGE_SIZE << order_for(bytes);
		block_free(memory, order_for(bytes));
		return;
	}
	object_free(header->class_slab[class_of(bytes, &class_bytes)], memory);
}

void *arena_realloc(void *memory, size_t old_bytes, size_t new_bytes)
{
	void *fresh = arena_alloc(new_bytes);

	if (!fresh)
		return NULL;
	if (memory)
		memcpy(fresh, memory, MIN(old_bytes, new_bytes));
	arena_free(memory, old_bytes);
	return fresh;
}

char *arena_string(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = arena_alloc(bytes);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

void arena_string_free(char *text)
{
	if (text)
		arena_free(text, strlen(text) + 1);
}

size_t arena_used_bytes(void)
{
	return header->bytes_in_blocks;
}

void arena_slabs(void (*visit)(const char *slab, uint32_t object_bytes, size_t in_use))
{
	for (unsigned id = 1; id < header->slab_count; id++)
		visit(header->slabs[id].name, header->slabs[id].object_bytes, header->slabs[id].in_use);
}

__attribute__((no_sanitize("address"))) void
arena_scan(uint64_t start, uint64_t end, void (*found)(const char *slab, uint64_t address, uint64_t value))
{
	for (uint64_t page = 0; page < header->pages_used_high; page++) {
		if (!(page_state[page] & PAGE_USED))
			continue;
		const char *name = page_slab[page] ? header->slabs[page_slab[page]].name : "block";
		uint64_t count = 1ull << (page_state[page] & PAGE_ORDER);
		const uint64_t *word = page_address(page);
		for (uint64_t i = 0; i < count * PAGE_SIZE / sizeof *word; i++)
			if (word[i] >= start && word[i] < end)
				found(name, (uint64_t)&word[i], word[i]);
		page += count - 1;
	}
}
