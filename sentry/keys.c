/* keys.c - keys as objects: types, numbers, rights, states, and who pays for them (keyrings(7)).
 *
 * A key lives as long as a keyring links it or somebody holds it. Serial numbers are random, as in Linux, so that they
 * tell nothing. Each key counts in the quota of its owner: one key, its description and payload, KEYQUOTA_LINK_BYTES
 * for each link of a keyring; what quotas do not stop, because there are many users, KEY_LIMIT and KEY_TOTAL_BYTES do.
 *
 * States: a key is positive, or negative (request_key(2) found nothing; looking for it gives its error); it may expire,
 * be revoked (its payload and links are gone) or invalidated. Linux's collector takes dead keys out of keyrings some
 * time later; here keys_collect does, at the first call of anybody after that time.
 *
 * Freeing is a loop over a chain, not a recursion: keyrings can be nested as deep as there are keys.
 *
 * Limits: the types keyring, user and logon.
 */
#include "sentry/keys.h"
#include "fs/cred.h"
#include "fs/inode.h"
#include "platform/host.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/sort.h"
#include <errno.h>
#include <string.h>

#define BUCKETS      4096
#define USER_BUCKETS 1024
#define NEVER_S      INT64_MAX

static struct slab key_slab = SLAB(key), key_user_slab = SLAB(key_user);
static struct {
	struct list keys[BUCKETS];
	struct list users[USER_BUCKETS];
	uint32_t count;
	uint64_t bytes;
	int64_t collect_s; /* when keys_collect will find something */
} * tables;

struct key_tuning key_tuning = {.maxkeys = 200,
				.maxbytes = 20000,
				.root_maxkeys = KEY_LIMIT,
				.root_maxbytes = 25000000,
				.gc_delay_s = 300,
				.persistent_s = 259200};

static const struct {
	const char *name;
	uint32_t perm; /* of a new key, for its possessor */
} types[] = {
	[KEY_KEYRING] = {"keyring", KEY_ALL},
	[KEY_USER] = {"user", KEY_ALL},
	[KEY_LOGON] = {"logon", KEY_ALL & ~KEY_READ},
};
static_assert(COUNT(types) == KEY_TYPES, "each type has a name");

/* Made at the first use: most programs never see a key. */
static int tables_make(void)
{
	if (tables)
		return 0;
	tables = arena_alloc(sizeof *tables);
	if (!tables)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&tables->keys[i]);
	for (unsigned i = 0; i < USER_BUCKETS; i++)
		list_init(&tables->users[i]);
	tables->collect_s = NEVER_S;
	return 0;
}

const char *key_type_name(enum key_type type)
{
	assert(type < KEY_TYPES);
	return types[type].name;
}

int key_type_find(const char *name, enum key_type *out)
{
	for (unsigned i = 0; i < KEY_TYPES; i++)
		if (!strcmp(types[i].name, name)) {
			*out = i;
			return 0;
		}
	return -ENOKEY;
}

uint32_t key_default_perm(enum key_type type)
{
	return KEY_POSSESSOR(types[type].perm) | KEY_OWNER(KEY_VIEW);
}

/* ------------------------------------------------------------------------------------------------ quotas */

int key_user_find(uint32_t uid, struct key_user **out)
{
	struct key_user *user;

	if (tables_make())
		return -ENOMEM;
	struct list *bucket = &tables->users[uid % USER_BUCKETS];
	list_for_each (user, bucket, node)
		if (user->uid == uid) {
			*out = user;
			return 0;
		}
	user = slab_new(&key_user_slab);
	if (!user)
		return -ENOMEM;
	user->uid = uid;
	list_push_back(bucket, &user->node);
	*out = user;
	return 0;
}

/* A user without keys needs no record; one with keyrings of their own has keys. */
static void user_release(struct key_user *user)
{
	if (user->keys || user->ring || user->session_ring || user->persistent_ring)
		return;
	assert(!user->quota_keys && !user->quota_bytes);
	list_remove(&user->node);
	slab_free(&key_user_slab, user);
}

static uint32_t most_keys(const struct key_user *user)
{
	return user->uid ? key_tuning.maxkeys : key_tuning.root_maxkeys;
}

static uint32_t most_bytes(const struct key_user *user)
{
	return user->uid ? key_tuning.maxbytes : key_tuning.root_maxbytes;
}

int key_charge(struct key *key, uint32_t bytes)
{
	struct key_user *user = key->user;

	if (bytes > key->charge_bytes) {
		uint32_t more = bytes - key->charge_bytes;
		if (tables->bytes + more > KEY_TOTAL_BYTES)
			return -EDQUOT;
		if (key->in_quota && user->quota_bytes + more > most_bytes(user))
			return -EDQUOT;
	}
	if (key->in_quota)
		user->quota_bytes = user->quota_bytes - key->charge_bytes + bytes;
	tables->bytes = tables->bytes - key->charge_bytes + bytes;
	key->charge_bytes = bytes;
	return 0;
}

int key_chown(struct key *key, uint32_t uid)
{
	struct key_user *from = key->user, *to;

	if (uid == key->uid)
		return 0;
	int error = key_user_find(uid, &to);
	if (error)
		return error;
	if (key->in_quota &&
	    (to->quota_keys + 1 > most_keys(to) || to->quota_bytes + key->charge_bytes > most_bytes(to))) {
		user_release(to);
		return -EDQUOT;
	}
	if (key->in_quota) {
		from->quota_keys--;
		from->quota_bytes -= key->charge_bytes;
		to->quota_keys++;
		to->quota_bytes += key->charge_bytes;
	}
	from->keys--;
	to->keys++;
	key->user = to;
	key->uid = uid;
	user_release(from);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ making, freeing */

uint32_t key_description_hash(const char *text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 16777619u;
	return hash;
}

static void take_serial(struct key *key)
{
	do {
		uint32_t number;
		host_random(&number, sizeof number);
		key->serial = (int32_t)(number >> 1);
	} while (key->serial < 3 || key_find(key->serial));
	list_push_back(&tables->keys[(uint32_t)key->serial % BUCKETS], &key->hash_node);
}

/* logon keys say whose they are: "service:name" (logon_vet_description in Linux). */
static int description_check(enum key_type type, const char *description)
{
	const char *colon = strchr(description, ':');

	return type == KEY_LOGON && (!colon || colon == description) ? -EINVAL : 0;
}

static int quota_check(const struct key_request *request, const struct key_user *user, uint32_t bytes)
{
	if (tables->count >= KEY_LIMIT || tables->bytes + bytes > KEY_TOTAL_BYTES)
		return -EDQUOT;
	if (request->no_quota || request->overrun)
		return 0;
	return user->quota_keys + 1 > most_keys(user) || user->quota_bytes + bytes > most_bytes(user) ? -EDQUOT : 0;
}

int key_new(const struct key_request *request, struct key **out)
{
	uint32_t bytes = (uint32_t)strlen(request->description) + 1;
	struct key_user *user;
	int error = description_check(request->type, request->description);

	assert(bytes <= KEY_DESCRIPTION_BYTES + 1);
	if (!error)
		error = key_user_find(request->uid, &user);
	if (error)
		return error;
	error = quota_check(request, user, bytes);
	struct key *key = error ? NULL : slab_new(&key_slab);
	char *description = key ? arena_string(request->description) : NULL;
	if (!description) {
		if (key)
			slab_free(&key_slab, key);
		user_release(user);
		return error ? error : -ENOMEM;
	}
	*key = (struct key){.type = request->type,
			    .hash = key_description_hash(description),
			    .description = description,
			    .uid = request->uid,
			    .gid = request->gid,
			    .perm = request->perm,
			    .in_quota = !request->no_quota,
			    .user = user,
			    .charge_bytes = bytes};
	ref_init(&key->ref);
	take_serial(key);
	tables->count++;
	tables->bytes += bytes;
	user->keys++;
	user->quota_keys += key->in_quota;
	user->quota_bytes += key->in_quota ? bytes : 0;
	*out = key;
	return 0;
}

struct key *key_get(struct key *key)
{
	if (key)
		ref_get(&key->ref);
	return key;
}

static void key_free(struct key *key)
{
	struct key_user *user = key->user;

	assert(!key->link_count && key->ref.count == 0);
	tables->bytes -= key->charge_bytes;
	tables->count--;
	user->keys--;
	if (key->in_quota) {
		user->quota_keys--;
		user->quota_bytes -= key->charge_bytes;
	}
	user_release(user);
	list_remove(&key->hash_node);
	arena_free(key->payload, key->payload_bytes);
	arena_free(key->links, key->link_capacity * sizeof *key->links);
	arena_string_free(key->description);
	slab_free(&key_slab, key);
}

void keys_free_chain(struct key *dead)
{
	while (dead) {
		struct key *key = dead;
		dead = key->dead_next;
		keyring_drop_links(key, &dead);
		key_free(key);
	}
}

void key_put(struct key *key)
{
	if (!key || !ref_put(&key->ref))
		return;
	key->dead_next = NULL;
	keys_free_chain(key);
}

struct key *key_find(int32_t serial)
{
	struct key *key;

	if (!tables)
		return NULL;
	list_for_each (key, &tables->keys[(uint32_t)serial % BUCKETS], hash_node)
		if (key->serial == serial)
			return key;
	return NULL;
}

void keys_visit(void (*visit)(struct key *key, void *data), void *data)
{
	struct key *key;

	for (unsigned i = 0; tables && i < BUCKETS; i++)
		list_for_each (key, &tables->keys[i], hash_node)
			visit(key, data);
}

/* ------------------------------------------------------------------------------------------------ rights and states */

int key_permission(const struct key *key, bool possessed, const struct cred *cred, uint32_t need)
{
	uint32_t bits = key->perm;

	if (key->uid == cred->fsuid)
		bits >>= 16;
	else if (key->gid != KEY_NO_GID && (key->perm & KEY_ALL << 8) && cred_in_group(cred, key->gid))
		bits >>= 8;
	if (possessed)
		bits |= key->perm >> 24;
	return (bits & need) == need ? 0 : -EACCES;
}

int key_validate(const struct key *key)
{
	if (key->invalidated)
		return -ENOKEY;
	if (key->revoked)
		return -EKEYREVOKED;
	return key->expiry_s && fs_time_now().s >= key->expiry_s ? -EKEYEXPIRED : 0;
}

int key_payload_check(enum key_type type, size_t bytes)
{
	if (type == KEY_KEYRING)
		return bytes ? -EINVAL : 0;
	return bytes && bytes <= KEY_PAYLOAD_BYTES ? 0 : -EINVAL;
}

int key_payload_set(struct key *key, const void *payload, size_t bytes)
{
	int error = key_payload_check(key->type, bytes);

	if (error || key->type == KEY_KEYRING)
		return error;
	void *copy = arena_alloc(bytes);
	if (!copy)
		return -ENOMEM;
	error = key_charge(key, key->charge_bytes - key->payload_bytes + (uint32_t)bytes);
	if (error) {
		arena_free(copy, bytes);
		return error;
	}
	memcpy(copy, payload, bytes);
	arena_free(key->payload, key->payload_bytes);
	key->payload = copy;
	key->payload_bytes = (uint32_t)bytes;
	key->negative = 0;
	key->expiry_s = 0;
	return 0;
}

static void collect_at(int64_t when_s)
{
	tables->collect_s = MIN(tables->collect_s, when_s);
}

void key_expire(struct key *key, uint32_t seconds)
{
	key->expiry_s = seconds ? fs_time_now().s + seconds : 0;
	if (seconds)
		collect_at(key->expiry_s + key_tuning.gc_delay_s);
}

void key_negate(struct key *key, int error, uint32_t seconds)
{
	assert(error < 0);
	key->negative = error;
	key_expire(key, seconds);
}

void key_revoke(struct key *key)
{
	if (key->revoked)
		return;
	key->revoked = true;
	key->expiry_s = fs_time_now().s;
	collect_at(key->expiry_s + key_tuning.gc_delay_s);
	if (key->type == KEY_KEYRING) {
		keyring_clear(key);
		return;
	}
	(void)!key_charge(key, key->charge_bytes - key->payload_bytes); /* less is never refused */
	arena_free(key->payload, key->payload_bytes);
	key->payload = NULL;
	key->payload_bytes = 0;
}

void key_invalidate(struct key *key)
{
	key->invalidated = true;
	collect_at(0);
}

/* ------------------------------------------------------------------------------------------------ collecting */

/* When a link to the key is to go. */
static int64_t garbage_s(const struct key *key)
{
	if (key->invalidated)
		return 0;
	return key->expiry_s ? key->expiry_s + key_tuning.gc_delay_s : NEVER_S;
}

static bool is_garbage(const struct key *key)
{
	return garbage_s(key) <= fs_time_now().s;
}

/* A user's persistent keyring lasts for as long as somebody has asked for it lately (persistent-keyring(7)). Chains
 * those that nobody else holds: to free one may release users. */
static void persistent_sweep(struct key **dead)
{
	struct key_user *user;

	for (unsigned i = 0; i < USER_BUCKETS; i++)
		list_for_each (user, &tables->users[i], node) {
			struct key *ring = user->persistent_ring;
			if (!ring || !is_garbage(ring))
				continue;
			user->persistent_ring = NULL;
			if (ref_put(&ring->ref)) {
				ring->dead_next = *dead;
				*dead = ring;
			}
		}
}

void keys_collect(void)
{
	struct key *key, *dead = NULL;
	int64_t now_s = fs_time_now().s;

	if (!tables || tables->collect_s > now_s)
		return;
	tables->collect_s = NEVER_S;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_for_each (key, &tables->keys[i], hash_node) {
			int64_t when = garbage_s(key);
			if (when > now_s) /* the others have no links after this */
				collect_at(when);
			keyring_sweep(key, is_garbage, &dead);
		}
	persistent_sweep(&dead);
	keys_free_chain(dead);
}

/* ------------------------------------------------------------------------------------------------ showing */

static int by_uid(const void *a, const void *b)
{
	const struct key_user *left = a, *right = b;

	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

void key_users_show(struct text *out)
{
	struct key_user *user;
	void **all = tables ? arena_alloc(KEY_LIMIT * sizeof(struct key_user *)) : NULL;
	unsigned count = 0;

	for (unsigned i = 0; all && i < USER_BUCKETS; i++)
		list_for_each (user, &tables->users[i], node)
			if (count < KEY_LIMIT) /* each has a key */
				all[count++] = user;
	if (!all)
		return;
	sort_pointers(all, count, by_uid);
	for (unsigned i = 0; i < count; i++) {
		user = all[i];
		text_printf(out, "%5u: %5u %u/%u %u/%u %lu/%u\n", user->uid, user->keys + !user->uid, user->keys,
			    user->keys, user->quota_keys, most_keys(user), user->quota_bytes, most_bytes(user));
	}
	arena_free(all, KEY_LIMIT * sizeof(struct key_user *));
}
