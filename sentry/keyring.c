/* keyring.c - keyrings: links, and searches through keyrings in keyrings (security/keys/keyring.c in Linux).
 *
 * The links of a keyring are an array, sorted by type, hash and description: finding one is a binary search, and a walk
 * into nested keyrings looks at the keyrings only, which come first.
 *
 * A search goes level by level: all keyrings that a path of n links leads to, then those of n + 1, down to
 * KEYRING_DEPTH_LIMIT. A keyring that was met is marked with the walk's number and not gone to again, however many
 * paths lead to it: nesting cannot make a search explode, KEY_LINK_LIMIT bounds it. That no keyring leads to itself is
 * seen to when it is linked (EDEADLK). That walk asks for the longest path, not the shortest: each level has a mark of
 * its own.
 *
 * Limits: EDEADLK and ELOOP are judged from the new link down, as in Linux: longer chains can be made from below.
 */
#include "fs/cred.h"
#include "fs/inode.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/keys.h"
#include <errno.h>
#include <string.h>

#define LINK_BYTES     4 /* in the quota, as KEYQUOTA_LINK_BYTES */
#define LINKS_AT_FIRST 8u

static uint64_t walks; /* numbers of levels so far */
static uint32_t links_total;

uint64_t key_walk_begin(void)
{
	return ++walks;
}

/* ------------------------------------------------------------------------------------------------ one keyring */

static int compare(const struct key *key, enum key_type type, uint32_t hash, const char *description)
{
	if (key->type != type)
		return key->type < type ? -1 : 1;
	if (key->hash != hash)
		return key->hash < hash ? -1 : 1;
	return strcmp(key->description, description);
}

/* Where a link of this name is, or would be. true: it is there. */
static bool position(const struct key *ring, enum key_type type, uint32_t hash, const char *description, uint32_t *at)
{
	uint32_t low = 0, high = ring->link_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare(ring->links[middle], type, hash, description);
		if (!order) {
			*at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

struct key *keyring_find(const struct key *ring, enum key_type type, const char *description)
{
	uint32_t at;

	return position(ring, type, key_description_hash(description), description, &at) ? ring->links[at] : NULL;
}

/* ------------------------------------------------------------------------------------------------ searching */

/* Is this the key? 0; -EAGAIN: no; another error: yes, but it is of no use. */
static int judge(const struct key *key, const struct key_query *query)
{
	if (query->exactly && key != query->exactly)
		return -EAGAIN;
	if (!query->exactly) {
		if (key->revoked || key->invalidated)
			return -EKEYREVOKED;
		if (key->expiry_s && fs_time_now().s >= key->expiry_s)
			return query->skip_expired ? -EAGAIN : -EKEYEXPIRED;
	}
	if (query->cred && key_permission(key, query->possessed, query->cred, KEY_SEARCH))
		return -EACCES;
	return query->exactly ? 0 : key->negative;
}

/* Does what is in it count? */
static bool is_open(const struct key *ring)
{
	return !ring->revoked && !ring->invalidated;
}

static bool may_enter(const struct key *ring, const struct cred *cred, bool possessed)
{
	return !cred || !key_permission(ring, possessed, cred, KEY_SEARCH);
}

/* The keyrings that paths of one length lead to, in a chain: depth says which of its two links a keyring is in it by,
 * for it may be in the next level, too. */
struct level {
	struct key *first;
	unsigned depth;
	uint64_t mark; /* of keyrings that are not to be gone to again; 0: each level has its own */
};

static struct key *level_after(const struct level *level, const struct key *ring)
{
	return ring->level_next[level->depth & 1];
}

static struct level level_of(struct key *ring, bool once)
{
	ring->level_next[0] = NULL;
	ring->visit = once ? key_walk_begin() : 0;
	return (struct level){ring, 0, ring->visit};
}

/* The keyrings that are linked in a level's keyrings. */
static struct level level_below(const struct level *level, const struct cred *cred, bool possessed)
{
	struct level below = {NULL, level->depth + 1, level->mark};
	struct key **end = &below.first;
	uint64_t mark = level->mark ? level->mark : key_walk_begin();

	for (struct key *ring = level->first; ring; ring = level_after(level, ring)) {
		for (uint32_t i = 0; is_open(ring) && i < ring->ring_count; i++) {
			struct key *nested = ring->links[i];
			if (nested->visit == mark || !may_enter(nested, cred, possessed))
				continue;
			nested->visit = mark;
			*end = nested;
			end = &nested->level_next[below.depth & 1];
		}
	}
	*end = NULL;
	return below;
}

static int search_level(const struct level *level, const struct key_query *query, uint32_t hash, int *result,
			struct key **out)
{
	uint32_t at;

	for (struct key *ring = level->first; ring; ring = level_after(level, ring)) {
		if (!is_open(ring) || !position(ring, query->type, hash, query->description, &at))
			continue;
		int error = judge(ring->links[at], query);
		if (!error) {
			*out = ring->links[at];
			return 0;
		}
		if (error != -EAGAIN)
			*result = error;
	}
	return -EAGAIN;
}

int keyring_search(struct key *ring, const struct key_query *query, struct key **out)
{
	uint32_t hash = key_description_hash(query->description);
	int result = -EAGAIN;

	assert(ring->type == KEY_KEYRING);
	if (!may_enter(ring, query->cred, query->possessed))
		return -EACCES;
	if (!compare(ring, query->type, hash, query->description)) {
		int error = judge(ring, query);
		if (error != -EAGAIN) {
			*out = ring;
			return error;
		}
	}
	struct level level = level_of(ring, true);
	while (level.first && level.depth <= KEYRING_DEPTH_LIMIT) {
		if (!search_level(&level, query, hash, &result, out))
			return 0;
		level = level_below(&level, query->cred, query->possessed);
	}
	return result;
}

void keyring_mark(struct key *ring, const struct cred *cred, uint64_t walk)
{
	if (!may_enter(ring, cred, true))
		return;
	struct level level = level_of(ring, true);
	ring->mark = walk;
	while (level.first && level.depth <= KEYRING_DEPTH_LIMIT) {
		for (struct key *at = level.first; at; at = level_after(&level, at))
			for (uint32_t i = 0; is_open(at) && i < at->link_count; i++)
				if (!key_permission(at->links[i], true, cred, KEY_SEARCH))
					at->links[i]->mark = walk;
		level = level_below(&level, cred, true);
	}
}

/* Does a way lead from key down to ring (EDEADLK), or is it too long to tell (ELOOP)? */
static int cycle_check(const struct key *ring, struct key *key)
{
	struct level level = level_of(key, false);

	while (level.first) {
		for (const struct key *at = level.first; at; at = level_after(&level, at))
			if (at == ring)
				return -EDEADLK;
		if (level.depth > KEYRING_DEPTH_LIMIT)
			return -ELOOP;
		level = level_below(&level, NULL, false);
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ linking */

static int grow(struct key *ring)
{
	if (ring->link_count < ring->link_capacity)
		return 0;
	uint32_t wanted = MAX(ring->link_capacity * 2, LINKS_AT_FIRST);
	struct key **links = arena_realloc(ring->links, ring->link_capacity * sizeof *links, wanted * sizeof *links);
	if (!links)
		return -ENOMEM;
	ring->links = links;
	ring->link_capacity = wanted;
	return 0;
}

static int insert(struct key *ring, uint32_t at, struct key *key)
{
	if (links_total >= KEY_LINK_LIMIT)
		return -ENFILE;
	int error = grow(ring);
	if (!error)
		error = key_charge(ring, ring->charge_bytes + LINK_BYTES);
	if (error)
		return error;
	memmove(&ring->links[at + 1], &ring->links[at], (ring->link_count - at) * sizeof *ring->links);
	ring->links[at] = key_get(key);
	ring->link_count++;
	ring->ring_count += key->type == KEY_KEYRING;
	links_total++;
	return 0;
}

int keyring_link(struct key *ring, struct key *key)
{
	uint32_t at;

	if (ring->type != KEY_KEYRING)
		return -ENOTDIR;
	if (ring->restricted)
		return -EPERM;
	int error = key->type == KEY_KEYRING ? cycle_check(ring, key) : 0;
	if (error)
		return error;
	if (!position(ring, key->type, key->hash, key->description, &at))
		return insert(ring, at, key);
	struct key *old = ring->links[at];
	ring->links[at] = key_get(key);
	key_put(old);
	return 0;
}

/* The count in the quota after links have gone; less is never refused. */
static void links_gone(struct key *ring, uint32_t count)
{
	links_total -= count;
	(void)!key_charge(ring, ring->charge_bytes - count * LINK_BYTES);
}

int keyring_unlink(struct key *ring, struct key *key)
{
	uint32_t at;

	if (ring->type != KEY_KEYRING)
		return -ENOTDIR;
	if (!position(ring, key->type, key->hash, key->description, &at) || ring->links[at] != key)
		return -ENOENT;
	ring->link_count--;
	ring->ring_count -= key->type == KEY_KEYRING;
	memmove(&ring->links[at], &ring->links[at + 1], (ring->link_count - at) * sizeof *ring->links);
	links_gone(ring, 1);
	key_put(key);
	return 0;
}

static void drop(struct key *key, struct key **dead)
{
	if (!ref_put(&key->ref))
		return;
	key->dead_next = *dead;
	*dead = key;
}

void keyring_drop_links(struct key *ring, struct key **dead)
{
	uint32_t count = ring->link_count;

	for (uint32_t i = 0; i < count; i++)
		drop(ring->links[i], dead);
	ring->link_count = ring->ring_count = 0;
	links_gone(ring, count);
}

void keyring_sweep(struct key *ring, bool (*garbage)(const struct key *key), struct key **dead)
{
	uint32_t kept = 0, rings = 0;

	for (uint32_t i = 0; i < ring->link_count; i++) {
		struct key *key = ring->links[i];
		if (garbage(key)) {
			drop(key, dead);
			continue;
		}
		ring->links[kept++] = key;
		rings += key->type == KEY_KEYRING;
	}
	links_gone(ring, ring->link_count - kept);
	ring->link_count = kept;
	ring->ring_count = rings;
}

void keyring_clear(struct key *ring)
{
	struct key *dead = NULL;

	assert(ring->type == KEY_KEYRING);
	keyring_drop_links(ring, &dead);
	keys_free_chain(dead);
}
