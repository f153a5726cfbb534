/* procfs_keys.c - /proc/keys, /proc/key-users and /proc/sys/kernel/keys (keyrings(7), proc(5)). */
#include "fs/proc.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/sort.h"
#include "sentry/keys.h"
#include "sentry/procfs_impl.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------ /proc/keys */

/* Linux gives the largest unit that is not zero. */
static void format_expiry(const struct key *key, char text[16])
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{7 * 86400, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int64_t left = key->expiry_s - fs_time_now().s;

	if (!key->expiry_s || left <= 0) {
		strcpy(text, key->expiry_s ? "expd" : "perm");
		return;
	}
	for (unsigned i = 0; i < COUNT(units); i++)
		if (left >= units[i].seconds) {
			snprintf(text, 16, "%u%c", (unsigned)(left / units[i].seconds), units[i].unit);
			return;
		}
}

static void show_key(const struct key *key, struct text *out)
{
	char expiry[16];

	format_expiry(key, expiry);
	text_printf(out, "%08x I%c-%c-%c%c %5u %4s %08x %5u %5u %-9.9s %s", (uint32_t)key->serial,
		    key->revoked ? 'R' : '-', key->in_quota ? 'Q' : '-', key->negative ? 'N' : '-',
		    key->invalidated ? 'i' : '-', key->ref.count, expiry, key->perm, key->uid,
		    key->gid == KEY_NO_GID ? KEY_GID_SHOWN : key->gid, key_type_name(key->type), key->description);
	if (!key->negative && key->type != KEY_KEYRING)
		text_printf(out, ": %u", key->payload_bytes);
	else if (!key->negative && key->link_count)
		text_printf(out, ": %u", key->link_count);
	else if (!key->negative)
		text_add_string(out, ": empty");
	text_add_char(out, '\n');
}

struct listing {
	void **keys;
	unsigned count;
	const struct task *task;
	uint64_t walk;
};

static void list_key(struct key *key, void *data)
{
	struct listing *listing = data;

	if (listing->count < KEY_LIMIT &&
	    !key_permission(key, key->mark == listing->walk, listing->task->cred, KEY_VIEW))
		listing->keys[listing->count++] = key;
}

static int by_serial(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return left->serial < right->serial ? -1 : 1;
}

/* Those that the reader may view. Nothing here parks, so the keys need not be held. */
static int show_keys(const struct node_ref *ref, struct text *out)
{
	struct task *task = task_current();
	struct listing listing = {.task = task, .walk = key_walk_begin()};

	(void)ref;
	if (!task)
		return 0;
	listing.keys = arena_alloc(KEY_LIMIT * sizeof(struct key *));
	if (!listing.keys)
		return -ENOMEM;
	task_keys_mark(task, listing.walk);
	keys_visit(list_key, &listing);
	sort_pointers(listing.keys, listing.count, by_serial);
	for (unsigned i = 0; i < listing.count; i++)
		show_key(listing.keys[i], out);
	arena_free(listing.keys, KEY_LIMIT * sizeof(struct key *));
	return 0;
}

static int show_key_users(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	key_users_show(out);
	return 0;
}

/* ------------------------------------------------------------------ /proc/sys/kernel/keys */

static ssize_t store_number(uint32_t *value, const char *bytes, size_t n)
{
	char *end;
	long number = strtol(bytes, &end, 10);

	if (end == bytes || end[strspn(end, " \t\n")] || number < 0 || number > INT32_MAX)
		return -EINVAL;
	*value = (uint32_t)number;
	return (ssize_t)n;
}

#define TUNING(name)                                                                                                   \
	static int show_##name(const struct node_ref *ref, struct text *out)                                           \
	{                                                                                                              \
		(void)ref;                                                                                             \
		text_printf(out, "%u\n", key_tuning.name);                                                             \
		return 0;                                                                                              \
	}                                                                                                              \
	static ssize_t store_##name(const struct node_ref *ref, const char *bytes, size_t n)                           \
	{                                                                                                              \
		(void)ref;                                                                                             \
		return store_number(&key_tuning.name, bytes, n);                                                       \
	}
TUNING(maxkeys)
TUNING(maxbytes)
TUNING(root_maxkeys)
TUNING(root_maxbytes)
TUNING(gc_delay_s)
TUNING(persistent_s)

#define TUNING_FILE(file_name, value)                                                                                  \
	{                                                                                                              \
		.name = file_name, .mode = S_IFREG | 0644, .show = show_##value, .store = store_##value                \
	}

static const struct node_desc tuning_files[] = {
	TUNING_FILE("maxkeys", maxkeys),           TUNING_FILE("maxbytes", maxbytes),
	TUNING_FILE("root_maxkeys", root_maxkeys), TUNING_FILE("root_maxbytes", root_maxbytes),
	TUNING_FILE("gc_delay", gc_delay_s),       TUNING_FILE("persistent_keyring_expiry", persistent_s),
};

static const struct node_desc keys_file = NODE_FILE("keys", show_keys);
static const struct node_desc key_users_file = NODE_FILE("key-users", show_key_users);
static const struct node_desc tuning_dir = NODE_DIR("keys", tuning_files);

void procfs_keys_init(void)
{
	uint32_t kernel = nodefs_find(proc_root(), "sys/kernel");

	assert(kernel != NODE_ROOT);
	nodefs_register(kernel, &tuning_dir);
	nodefs_register(proc_root(), &keys_file);
	nodefs_register(proc_root(), &key_users_file);
}
