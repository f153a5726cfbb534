/* dentry.c - the cache of names.
 *
 * One hash table over (parent, name) in the arena, chains of dentries; children hang in their parent's list; unused
 * ones in one LRU list, at most DENTRY_CACHE_LIMIT. Freeing a dentry gives back its parent, which may free that one in
 * turn: a loop, never recursion, because a guest chooses how deep directories go.
 *
 * Limits: names of at most NAME_LIMIT bytes, which callers check.
 */
#include "fs/dentry.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <string.h>

#define BUCKETS (1u << 16)

static struct slab dentry_slab = SLAB(dentry);

static struct cache {
	struct list lru; /* oldest first */
	size_t unused;
	struct dentry *buckets[BUCKETS];
} * cache;

int dentry_init(void)
{
	if (cache)
		return 0;
	cache = arena_alloc(sizeof *cache);
	if (!cache)
		return -ENOMEM;
	list_init(&cache->lru);
	return 0;
}

static uint32_t hash_of(const struct dentry *parent, const char *name, size_t length)
{
	uint64_t hash = (uintptr_t)parent * 0x9e3779b97f4a7c15ull + length;

	while (length >= 8) {
		uint64_t word;
		memcpy(&word, name, 8);
		hash = (hash ^ word) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
		name += 8;
		length -= 8;
	}
	uint64_t word = 0;
	memcpy(&word, name, length);
	hash = (hash ^ word) * 0xff51afd7ed558ccdull;
	return (uint32_t)(hash >> 32);
}

static void hash_insert(struct dentry *dentry)
{
	struct dentry **bucket = &cache->buckets[dentry->hash % BUCKETS];

	assert(!dentry->hashed);
	dentry->chain = *bucket;
	*bucket = dentry;
	dentry->hashed = true;
}

static void hash_remove(struct dentry *dentry)
{
	struct dentry **link = &cache->buckets[dentry->hash % BUCKETS];

	if (!dentry->hashed)
		return;
	while (*link != dentry)
		link = &(*link)->chain;
	*link = dentry->chain;
	dentry->hashed = false;
}

static void name_free(struct dentry *dentry)
{
	if (dentry->name != dentry->short_name)
		arena_free(dentry->name, dentry->name_length + 1ul);
}

/* Frees an unused dentry, and its ancestors as far as this was what held them. */
static void dentry_free(struct dentry *dentry)
{
	while (dentry) {
		struct dentry *parent = dentry->parent;
		assert(!dentry->count && list_empty(&dentry->children) && !dentry->mounts);
		hash_remove(dentry);
		if (!list_empty(&dentry->lru)) {
			list_remove(&dentry->lru);
			cache->unused--;
		}
		list_remove(&dentry->sibling);
		if (dentry->inode)
			inode_put(dentry->inode);
		name_free(dentry);
		slab_free(&dentry_slab, dentry);
		if (!parent || --parent->count)
			return;
		if (parent->hashed) {
			list_push_back(&cache->lru, &parent->lru);
			cache->unused++;
			return;
		}
		dentry = parent;
	}
}

static struct dentry *dentry_new(struct inode *inode)
{
	struct dentry *dentry = slab_new(&dentry_slab);

	if (!dentry)
		return NULL;
	dentry->count = 1;
	dentry->inode = inode;
	if (inode)
		inode_get(inode);
	list_init(&dentry->lru);
	list_init(&dentry->children);
	list_init(&dentry->sibling);
	dentry->name = dentry->short_name;
	return dentry;
}

struct dentry *dentry_new_root(struct inode *inode)
{
	assert(cache && inode);
	return dentry_new(inode);
}

void dentry_get(struct dentry *dentry)
{
	if (!dentry->count++ && !list_empty(&dentry->lru)) {
		list_remove(&dentry->lru);
		cache->unused--;
	}
	assert(dentry->count);
}

void dentry_put(struct dentry *dentry)
{
	assert(dentry->count);
	if (--dentry->count)
		return;
	if (!dentry->hashed) {
		dentry_free(dentry);
		return;
	}
	list_push_back(&cache->lru, &dentry->lru);
	if (++cache->unused > DENTRY_CACHE_LIMIT)
		dentry_free(list_first(&cache->lru, struct dentry, lru));
}

struct dentry *dentry_find(struct dentry *parent, const char *name, size_t length)
{
	uint32_t hash = hash_of(parent, name, length);
	struct dentry *dentry = cache->buckets[hash % BUCKETS];

	for (; dentry; dentry = dentry->chain) {
		if (dentry->hash != hash || dentry->parent != parent || dentry->name_length != length ||
		    memcmp(dentry->name, name, length))
			continue;
		dentry_get(dentry);
		return dentry;
	}
	return NULL;
}

static bool name_set(struct dentry *dentry, const char *name, size_t length)
{
	assert(length > 0 && length <= NAME_LIMIT);
	char *text = length < DENTRY_SHORT_NAME ? dentry->short_name : arena_alloc(length + 1);
	if (!text)
		return false;
	memcpy(text, name, length);
	text[length] = 0;
	dentry->name = text;
	dentry->name_length = (uint8_t)length;
	return true;
}

struct dentry *dentry_add(struct dentry *parent, const char *name, size_t length, struct inode *inode)
{
	struct dentry *dentry = dentry_new(inode);

	if (!dentry)
		return NULL;
	if (!name_set(dentry, name, length)) {
		if (inode)
			inode_put(inode);
		slab_free(&dentry_slab, dentry);
		return NULL;
	}
	dentry_get(parent);
	dentry->parent = parent;
	list_push_back(&parent->children, &dentry->sibling);
	dentry->hash = hash_of(parent, name, length);
	dentry->checked_ns = clock_now_ns();
	hash_insert(dentry);
	return dentry;
}

void dentry_become(struct dentry *dentry, struct inode *inode)
{
	assert(!dentry->inode);
	inode_get(inode);
	dentry->inode = inode;
	dentry->checked_ns = clock_now_ns();
	if (!dentry->hashed) /* absence was not worth remembering */
		hash_insert(dentry);
}

void dentry_drop(struct dentry *dentry)
{
	hash_remove(dentry);
	if (!dentry->count)
		dentry_free(dentry);
}

void dentry_drop_children(struct dentry *dentry)
{
	struct dentry *child, *after;

	dentry_get(dentry); /* the last child may be what holds it */
	list_for_each_safe (child, after, &dentry->children, sibling) {
		/* Freeing a child touches no sibling: only ancestors. */
		dentry_drop(child);
	}
	dentry_put(dentry);
}

/* Takes the other's parent and name. */
static bool place_copy(struct dentry *dentry, struct dentry *parent, const char *name, size_t length)
{
	char *old_name = dentry->name == dentry->short_name ? NULL : dentry->name;
	size_t old_bytes = dentry->name_length + 1ul;
	struct dentry *old_parent = dentry->parent;

	if (!name_set(dentry, name, length))
		return false;
	arena_free(old_name, old_name ? old_bytes : 0);
	dentry_get(parent);
	list_remove(&dentry->sibling);
	list_push_back(&parent->children, &dentry->sibling);
	dentry->parent = parent;
	dentry->hash = hash_of(parent, name, length);
	dentry_put(old_parent);
	return true;
}

void dentry_move(struct dentry *dentry, struct dentry *target)
{
	char name[NAME_LIMIT + 1];
	size_t length = target->name_length;

	assert(dentry->count && target->count && dentry != target && dentry->parent && target->parent);
	memcpy(name, target->name, length + 1);
	hash_remove(target);
	hash_remove(dentry);
	if (place_copy(dentry, target->parent, name, length))
		hash_insert(dentry);
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
	char name_a[NAME_LIMIT + 1], name_b[NAME_LIMIT + 1];
	size_t length_a = a->name_length, length_b = b->name_length;
	struct dentry *parent_a = a->parent, *parent_b = b->parent;

	assert(a->count && b->count && parent_a && parent_b);
	memcpy(name_a, a->name, length_a + 1);
	memcpy(name_b, b->name, length_b + 1);
	dentry_get(parent_a);
	dentry_get(parent_b);
	hash_remove(a);
	hash_remove(b);
	if (place_copy(a, parent_b, name_b, length_b))
		hash_insert(a);
	if (place_copy(b, parent_a, name_a, length_a))
		hash_insert(b);
	dentry_put(parent_a);
	dentry_put(parent_b);
}

bool dentry_is_beneath(const struct dentry *below, const struct dentry *above)
{
	for (; below; below = below->parent)
		if (below == above)
			return true;
	return false;
}

static const struct superblock *superblock_of(const struct dentry *dentry)
{
	while (!dentry->inode) /* negative: a directory has it */
		dentry = dentry->parent;
	return dentry->inode->sb;
}

void dentry_forget(const struct superblock *sb)
{
	struct dentry *dentry, *after;

	/* Freeing one may make its parent unused, which then comes last. */
	list_for_each_safe (dentry, after, &cache->lru, lru)
		if (superblock_of(dentry) == sb) {
			bool was_last = after == list_entry(&cache->lru, struct dentry, lru);
			dentry_free(dentry);
			if (was_last)
				after = list_entry(cache->lru.prev, struct dentry, lru);
		}
}

void dentry_shrink_all(void)
{
	while (!list_empty(&cache->lru))
		dentry_free(list_first(&cache->lru, struct dentry, lru));
}
