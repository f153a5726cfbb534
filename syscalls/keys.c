/* keys.c - add_key(2), request_key(2), keyctl(2). Keys themselves are in sentry/keys.h.
 *
 * What the guest gives is copied before anything is looked up: a copy may park, and between the look-up and the answer
 * nothing does, except the last copy out, for which the key is held.
 *
 * Nobody is asked to make a key that request_key(2) does not find, as on a machine without /sbin/request-key: the key
 * is negative for NEGATIVE_S seconds, and nobody ever has the authority to instantiate one.
 *
 * Limits: no KEYCTL_DH_COMPUTE, KEYCTL_PKEY_*, KEYCTL_WATCH_KEY; KEYCTL_RESTRICT_KEYRING closes a keyring altogether.
 */
#include "sentry/keys.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>

#define TYPE_BYTES       32
#define NEGATIVE_S       60
#define REQUEST_BYTES    ((1u << 20) - 1) /* the most that add_key(2) looks at */
#define UPDATE_BYTES     4096
#define CALLOUT_BYTES    4096
#define ERROR_MOST       4095
#define DESCRIPTION_SIZE (KEY_DESCRIPTION_BYTES + 1)

/* ------------------------------------------------------------------------------------------------ copying */

/* A string of at most size - 1 bytes. -EFAULT, -EINVAL: longer. */
static int string_read(struct task *task, struct uaddr at, char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = MIN(size - done, PAGE_SIZE - (at.v + done) % PAGE_SIZE);
		if (user_read(task_user(task), text + done, (struct uaddr){at.v + done}, n))
			return -EFAULT;
		if (memchr(text + done, 0, n))
			return 0;
		done += n;
	}
	return -EINVAL;
}

static int type_read(struct task *task, struct uaddr at, char type[TYPE_BYTES])
{
	int error = string_read(task, at, type, TYPE_BYTES);

	if (error)
		return error;
	if (!type[0])
		return -EINVAL;
	return type[0] == '.' ? -EPERM : 0;
}

/* What is given for a key, in the arena; free with arena_free(payload, bytes). */
static int payload_read(struct task *task, struct uaddr at, size_t bytes, void **out)
{
	*out = NULL;
	if (!bytes)
		return 0;
	/* More than any type takes: only whether it is there is of interest. */
	size_t kept = MIN(bytes, (size_t)KEY_PAYLOAD_BYTES + 1);
	void *payload = arena_alloc(kept);
	if (!payload)
		return -ENOMEM;
	if (!at.v || user_read(task_user(task), payload, at, kept)) {
		arena_free(payload, kept);
		return -EFAULT;
	}
	*out = payload;
	return 0;
}

static void payload_free(void *payload, size_t bytes)
{
	arena_free(payload, MIN(bytes, (size_t)KEY_PAYLOAD_BYTES + 1));
}

/* ------------------------------------------------------------------------------------------------ making keys */

/* A new key of the caller's own. */
static int make(const struct task *task, enum key_type type, const char *description, struct key **out)
{
	const struct key_request request = {.type = type,
					    .description = description,
					    .uid = task->cred->fsuid,
					    .gid = task->cred->fsgid,
					    .perm = key_default_perm(type)};

	return key_new(&request, out);
}

static long update(struct task *task, struct key *key, bool possessed, const void *payload, size_t bytes)
{
	int error = key_permission(key, possessed, task->cred, KEY_WRITE);

	if (!error)
		error = key_payload_set(key, payload, bytes);
	return error ? error : key->serial;
}

struct new_key {
	enum key_type type;
	const char *description;
	const void *payload;
	size_t bytes;
};

/* key_create_or_update in Linux. */
static long create_or_update(struct task *task, const struct key_ref *ring, const struct new_key *wanted)
{
	struct key *key;

	if (ring->key->type != KEY_KEYRING)
		return -ENOTDIR;
	int error = key_payload_check(wanted->type, wanted->bytes);
	if (!error && !wanted->description[0])
		error = -EINVAL;
	if (!error && ring->key->restricted)
		error = -EPERM;
	if (error)
		return error;
	if (wanted->type != KEY_KEYRING) {
		key = keyring_find(ring->key, wanted->type, wanted->description);
		if (key && !key->revoked && !key->invalidated)
			return update(task, key, ring->possessed, wanted->payload, wanted->bytes);
	}
	error = make(task, wanted->type, wanted->description, &key);
	if (error)
		return error;
	error = key_payload_set(key, wanted->payload, wanted->bytes);
	if (!error)
		error = keyring_link(ring->key, key);
	long serial = key->serial;
	key_put(key);
	return error ? error : serial;
}

static long add(struct task *task, const char *type, int32_t ring_id, struct new_key *wanted)
{
	struct key_ref ring;
	int error = key_lookup(task, ring_id, KEY_MAKE, KEY_WRITE, &ring);

	if (error)
		return error;
	long result = key_type_find(type, &wanted->type) ? -ENODEV : create_or_update(task, &ring, wanted);
	key_put(ring.key);
	return result;
}

long sys_add_key(struct task *task, struct uaddr type_at, struct uaddr description_at, struct uaddr payload_at,
		 uint64_t bytes, int ring_id)
{
	char type[TYPE_BYTES], description[DESCRIPTION_SIZE] = "";
	void *payload;

	keys_collect();
	if (bytes > REQUEST_BYTES)
		return -EINVAL;
	int error = type_read(task, type_at, type);
	if (!error && description_at.v)
		error = string_read(task, description_at, description, sizeof description);
	if (!error && description[0] == '.' && !strncmp(type, "keyring", strlen("keyring")))
		error = -EPERM;
	if (!error)
		error = payload_read(task, payload_at, bytes, &payload);
	if (error)
		return error;
	struct new_key wanted = {.description = description, .payload = payload, .bytes = bytes};
	long result = add(task, type, ring_id, &wanted);
	payload_free(payload, bytes);
	return result;
}

/* ------------------------------------------------------------------------------------------------ request_key */

/* Nobody makes the key: a negative one says so for a while. */
static long request_in_vain(struct task *task, enum key_type type, const char *description, struct key *wanted_ring)
{
	struct key *ring = key_get(wanted_ring), *key;

	if (type == KEY_KEYRING)
		return key_put(ring), -EPERM;
	int error = ring ? 0 : task_request_ring(task, &ring);
	if (error)
		return error;
	error = make(task, type, description, &key);
	if (!error) {
		key_negate(key, -ENOKEY, NEGATIVE_S);
		error = keyring_link(ring, key);
		key_put(key);
	}
	key_put(ring);
	return error ? error : -ENOENT;
}

static long request(struct task *task, const char *type_name, const char *description, bool callout, struct key *ring)
{
	struct key_query query = {.description = description, .cred = task->cred, .skip_expired = true};
	struct key *key;
	int error = key_type_find(type_name, &query.type);

	if (error)
		return error;
	error = task_keys_search(task, &query, &key);
	if (error == -EAGAIN)
		return callout ? request_in_vain(task, query.type, description, ring) : -ENOKEY;
	if (!error && ring) {
		error = key_permission(key, true, task->cred, KEY_LINK);
		if (!error)
			error = keyring_link(ring, key);
	}
	return error ? error : key->serial;
}

long sys_request_key(struct task *task, struct uaddr type_at, struct uaddr description_at, struct uaddr callout_at,
		     int ring_id)
{
	char type[TYPE_BYTES], description[DESCRIPTION_SIZE], callout[CALLOUT_BYTES];
	struct key_ref ring = {NULL, false};

	keys_collect();
	int error = type_read(task, type_at, type);
	if (!error)
		error = string_read(task, description_at, description, sizeof description);
	if (!error && callout_at.v)
		error = string_read(task, callout_at, callout, sizeof callout);
	if (!error && ring_id)
		error = key_lookup(task, ring_id, KEY_MAKE, KEY_WRITE, &ring);
	if (error)
		return error;
	long result = request(task, type, description, callout_at.v, ring.key);
	key_put(ring.key);
	return result;
}

/* ------------------------------------------------------------------------------------------------ keyctl: rings */

typedef long operation(struct task *task, const uint64_t arguments[4]);

static long do_get_id(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;
	int error = key_lookup(task, (int32_t)a[0], a[1] ? KEY_MAKE : 0, KEY_SEARCH, &ref);

	if (error)
		return error;
	long serial = ref.key->serial;
	key_put(ref.key);
	return serial;
}

static long do_join(struct task *task, const uint64_t a[4])
{
	char name[DESCRIPTION_SIZE];

	if (!a[0])
		return task_session_join(task, NULL);
	int error = string_read(task, (struct uaddr){a[0]}, name, sizeof name);
	if (error)
		return error;
	return name[0] == '.' ? -EPERM : task_session_join(task, name);
}

static long do_session_to_parent(struct task *task, const uint64_t a[4])
{
	(void)a;
	return task_session_to_parent(task);
}

static long do_clear(struct task *task, const uint64_t a[4])
{
	struct key_ref ring;
	int error = key_lookup(task, (int32_t)a[0], KEY_MAKE, KEY_WRITE, &ring);

	if (error)
		return error;
	if (ring.key->type == KEY_KEYRING)
		keyring_clear(ring.key);
	else
		error = -ENOTDIR;
	key_put(ring.key);
	return error;
}

static long do_link(struct task *task, const uint64_t a[4])
{
	struct key_ref ring, ref;
	int error = key_lookup(task, (int32_t)a[1], KEY_MAKE, KEY_WRITE, &ring);

	if (error)
		return error;
	error = key_lookup(task, (int32_t)a[0], KEY_MAKE, KEY_LINK, &ref);
	if (!error) {
		error = keyring_link(ring.key, ref.key);
		key_put(ref.key);
	}
	key_put(ring.key);
	return error;
}

static long do_unlink(struct task *task, const uint64_t a[4])
{
	struct key_ref ring, ref;
	int error = key_lookup(task, (int32_t)a[1], 0, KEY_WRITE, &ring);

	if (error)
		return error;
	error = key_lookup(task, (int32_t)a[0], KEY_PARTIAL | KEY_NO_PERMISSION, 0, &ref);
	if (!error) {
		error = keyring_unlink(ring.key, ref.key);
		key_put(ref.key);
	}
	key_put(ring.key);
	return error;
}

static int move(struct key *from, struct key *to, struct key *key, bool exclusive)
{
	if (from == to)
		return 0;
	if (from->type != KEY_KEYRING || to->type != KEY_KEYRING)
		return -ENOTDIR;
	if (keyring_find(from, key->type, key->description) != key)
		return -ENOENT;
	if (exclusive && keyring_find(to, key->type, key->description))
		return -EEXIST;
	int error = keyring_link(to, key);
	return error ? error : keyring_unlink(from, key);
}

static long do_move(struct task *task, const uint64_t a[4])
{
	struct key_ref ref, from, to;

	if ((uint32_t)a[3] & ~(uint32_t)KEYCTL_MOVE_EXCL)
		return -EINVAL;
	int error = key_lookup(task, (int32_t)a[0], KEY_MAKE, KEY_LINK, &ref);
	if (error)
		return error;
	error = key_lookup(task, (int32_t)a[1], 0, KEY_WRITE, &from);
	if (!error) {
		error = key_lookup(task, (int32_t)a[2], KEY_MAKE, KEY_WRITE, &to);
		if (!error) {
			error = move(from.key, to.key, ref.key, a[3] & KEYCTL_MOVE_EXCL);
			key_put(to.key);
		}
		key_put(from.key);
	}
	key_put(ref.key);
	return error;
}

static long search(struct task *task, const struct key_ref *ring, struct key_query *query, struct key *target)
{
	struct key *key;

	if (ring->key->type != KEY_KEYRING)
		return -ENOTDIR;
	query->possessed = ring->possessed;
	int error = keyring_search(ring->key, query, &key);
	if (error)
		return error == -EAGAIN ? -ENOKEY : error;
	if (target) {
		error = key_permission(key, ring->possessed, task->cred, KEY_LINK);
		if (!error)
			error = keyring_link(target, key);
	}
	return error ? error : key->serial;
}

static long do_search(struct task *task, const uint64_t a[4])
{
	char type[TYPE_BYTES], description[DESCRIPTION_SIZE];
	struct key_query query = {.description = description, .cred = task->cred};
	struct key_ref ring, target = {NULL, false};
	int error = type_read(task, (struct uaddr){a[1]}, type);

	if (!error)
		error = string_read(task, (struct uaddr){a[2]}, description, sizeof description);
	if (!error)
		error = key_lookup(task, (int32_t)a[0], 0, KEY_SEARCH, &ring);
	if (error)
		return error;
	if ((int32_t)a[3])
		error = key_lookup(task, (int32_t)a[3], KEY_MAKE, KEY_WRITE, &target);
	if (!error)
		error = key_type_find(type, &query.type);
	long result = error ? error : search(task, &ring, &query, target.key);
	key_put(target.key);
	key_put(ring.key);
	return result;
}

static int restriction_check(struct task *task, const uint64_t a[4])
{
	char type_name[TYPE_BYTES];
	enum key_type type;

	if (!a[1])
		return a[2] ? -EINVAL : 0;
	int error = type_read(task, (struct uaddr){a[1]}, type_name);
	if (!error && !a[2])
		error = -EINVAL;
	if (!error)
		error = key_type_find(type_name, &type);
	return error ? error : -ENOENT; /* no type has rules of its own */
}

static long do_restrict(struct task *task, const uint64_t a[4])
{
	struct key_ref ring;
	int error = key_lookup(task, (int32_t)a[0], 0, KEY_SETATTR, &ring);

	if (error)
		return error;
	error = restriction_check(task, a);
	if (!error && ring.key->type != KEY_KEYRING)
		error = -ENOTDIR;
	if (!error && ring.key->restricted)
		error = -EEXIST;
	if (!error)
		ring.key->restricted = true;
	key_put(ring.key);
	return error;
}

static long do_persistent(struct task *task, const uint64_t a[4])
{
	uint32_t uid = (uint32_t)a[0];
	const struct cred *cred = task->cred;
	struct key_ref target;
	struct key *ring;

	if (uid == UINT32_MAX)
		uid = cred->uid;
	else if (uid != cred->uid && uid != cred->euid && !cred_capable(cred, CAP_SETUID))
		return -EPERM;
	int error = key_lookup(task, (int32_t)a[1], KEY_MAKE, KEY_WRITE, &target);
	if (error)
		return error;
	error = target.key->type == KEY_KEYRING ? key_persistent(uid, &ring) : -ENOTDIR;
	if (!error)
		error = keyring_link(target.key, ring);
	key_put(target.key);
	return error ? error : ring->serial;
}

/* ------------------------------------------------------------------------------------------------ keyctl: keys */

static long do_update(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;
	void *payload;

	if (a[2] > UPDATE_BYTES)
		return -EINVAL;
	int error = payload_read(task, (struct uaddr){a[1]}, a[2], &payload);
	if (error)
		return error;
	long result = key_lookup(task, (int32_t)a[0], 0, KEY_WRITE, &ref);
	if (!result) {
		result = ref.key->type == KEY_KEYRING ? -EOPNOTSUPP
						      : update(task, ref.key, ref.possessed, payload, a[2]);
		key_put(ref.key);
	}
	payload_free(payload, a[2]);
	return MIN(result, 0);
}

static long do_revoke(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;
	int error = key_lookup(task, (int32_t)a[0], 0, KEY_WRITE, &ref);

	if (error == -EACCES)
		error = key_lookup(task, (int32_t)a[0], 0, KEY_SETATTR, &ref);
	if (error)
		return error;
	key_revoke(ref.key);
	key_put(ref.key);
	return 0;
}

static long do_invalidate(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;
	int error = key_lookup(task, (int32_t)a[0], 0, KEY_SEARCH, &ref);

	if (error)
		return error;
	key_invalidate(ref.key);
	key_put(ref.key);
	return 0;
}

static int chown_check(const struct task *task, const struct key *key, uint32_t uid, uint32_t gid)
{
	const struct cred *cred = task->cred;

	if (cred_capable(cred, CAP_SYS_ADMIN))
		return 0;
	if (uid != UINT32_MAX && uid != key->uid)
		return -EACCES;
	return gid != UINT32_MAX && gid != key->gid && !cred_in_group(cred, gid) ? -EACCES : 0;
}

static long do_chown(struct task *task, const uint64_t a[4])
{
	uint32_t uid = (uint32_t)a[1], gid = (uint32_t)a[2];
	struct key_ref ref;

	if (uid == UINT32_MAX && gid == UINT32_MAX)
		return 0;
	int error = key_lookup(task, (int32_t)a[0], KEY_MAKE | KEY_PARTIAL, KEY_SETATTR, &ref);
	if (error)
		return error;
	error = chown_check(task, ref.key, uid, gid);
	if (!error && uid != UINT32_MAX)
		error = key_chown(ref.key, uid);
	if (!error && gid != UINT32_MAX)
		ref.key->gid = gid;
	key_put(ref.key);
	return error;
}

static long do_setperm(struct task *task, const uint64_t a[4])
{
	uint32_t perm = (uint32_t)a[1];
	struct key_ref ref;

	if (perm & ~KEY_PERM_MASK)
		return -EINVAL;
	int error = key_lookup(task, (int32_t)a[0], KEY_MAKE | KEY_PARTIAL, KEY_SETATTR, &ref);
	if (error)
		return error;
	if (ref.key->uid == task->cred->fsuid || cred_capable(task->cred, CAP_SYS_ADMIN))
		ref.key->perm = perm;
	else
		error = -EACCES;
	key_put(ref.key);
	return error;
}

static long do_timeout(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;
	int error = key_lookup(task, (int32_t)a[0], KEY_MAKE | KEY_PARTIAL, KEY_SETATTR, &ref);

	if (error)
		return error;
	key_expire(ref.key, (uint32_t)a[1]);
	key_put(ref.key);
	return 0;
}

/* All or nothing: the size, and the bytes if they fit. */
static long give(struct task *task, uint64_t buffer, uint64_t size, const void *bytes, size_t count)
{
	if (!buffer || size < count || !count)
		return (long)count;
	return user_write(task_user(task), (struct uaddr){buffer}, bytes, count) ? -EFAULT : (long)count;
}

static long do_describe(struct task *task, const uint64_t a[4])
{
	char text[DESCRIPTION_SIZE + 64];
	struct key_ref ref;
	int error = key_lookup(task, (int32_t)a[0], KEY_PARTIAL, KEY_VIEW, &ref);

	if (error)
		return error;
	const struct key *key = ref.key;
	int n = snprintf(text, sizeof text, "%s;%u;%u;%08x;%s", key_type_name(key->type), key->uid,
			 key->gid == KEY_NO_GID ? KEY_GID_SHOWN : key->gid, key->perm, key->description);
	key_put(ref.key);
	return give(task, a[1], a[2], text, (size_t)n + 1);
}

static long read_ring(struct task *task, const struct key *ring, uint64_t buffer, uint64_t size)
{
	size_t bytes = ring->link_count * sizeof(int32_t);

	if (buffer && size % sizeof(int32_t))
		return -EINVAL;
	if (!buffer || size < bytes || !bytes)
		return (long)bytes;
	int32_t *serials = arena_alloc(bytes);
	if (!serials)
		return -ENOMEM;
	for (uint32_t i = 0; i < ring->link_count; i++)
		serials[i] = ring->links[i]->serial;
	long result = give(task, buffer, size, serials, bytes);
	arena_free(serials, bytes);
	return result;
}

/* The payload may be replaced while the copy parks: a copy of it is given. */
static long read_payload(struct task *task, const struct key *key, uint64_t buffer, uint64_t size)
{
	size_t bytes = key->payload_bytes;

	if (!buffer || size < bytes || !bytes)
		return (long)bytes;
	void *copy = arena_alloc(bytes);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, key->payload, bytes);
	long result = give(task, buffer, size, copy, bytes);
	arena_free(copy, bytes);
	return result;
}

static long read_key(struct task *task, const struct key_ref *ref, uint64_t buffer, uint64_t size)
{
	const struct key *key = ref->key;

	if (key->negative)
		return key->negative;
	if (key_permission(key, ref->possessed, task->cred, KEY_READ) && !ref->possessed)
		return -EACCES;
	if (key->type == KEY_LOGON)
		return -EOPNOTSUPP;
	int error = key_validate(key);
	if (error)
		return error;
	return key->type == KEY_KEYRING ? read_ring(task, key, buffer, size) : read_payload(task, key, buffer, size);
}

static long do_read(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;

	if (key_lookup(task, (int32_t)a[0], KEY_ANY_STATE, 0, &ref))
		return -ENOKEY;
	long result = read_key(task, &ref, a[1], a[2]);
	key_put(ref.key);
	return result;
}

static long do_security(struct task *task, const uint64_t a[4])
{
	struct key_ref ref;
	int error = key_lookup(task, (int32_t)a[0], KEY_PARTIAL, KEY_VIEW, &ref);

	if (error)
		return error;
	key_put(ref.key);
	return give(task, a[1], a[2], "", 1);
}

/* ------------------------------------------------------------------------------------------------ keyctl: requests */

static long do_instantiate(struct task *task, const uint64_t a[4])
{
	(void)task;
	return a[2] > REQUEST_BYTES ? -EINVAL : -EPERM;
}

static long do_instantiate_iov(struct task *task, const uint64_t a[4])
{
	(void)task;
	return a[1] && a[2] > IOV_LIMIT ? -EINVAL : -EPERM;
}

static long do_negate(struct task *task, const uint64_t a[4])
{
	(void)task;
	(void)a;
	return -EPERM;
}

static long do_reject(struct task *task, const uint64_t a[4])
{
	uint32_t error = (uint32_t)a[2];

	(void)task;
	/* The numbers of restarts are the kernel's own. */
	return !error || error >= ERROR_MOST || (error >= 512 && error <= 514) || error == 516 ? -EINVAL : -EPERM;
}

static long do_assume(struct task *task, const uint64_t a[4])
{
	int32_t id = (int32_t)a[0];

	(void)task;
	return id < 0 ? -EINVAL : id ? -ENOKEY : 0;
}

static long do_request_ring(struct task *task, const uint64_t a[4])
{
	int old = task->keys.request_ring, wanted = (int)a[0], error = 0;

	if (wanted == KEY_REQKEY_DEFL_NO_CHANGE)
		return old;
	if (wanted < 0 || wanted > KEY_REQKEY_DEFL_REQUESTOR_KEYRING || wanted == KEY_REQKEY_DEFL_GROUP_KEYRING)
		return -EINVAL;
	if (wanted == KEY_REQKEY_DEFL_THREAD_KEYRING)
		error = task_thread_ring(task);
	if (wanted == KEY_REQKEY_DEFL_PROCESS_KEYRING)
		error = task_process_ring(task);
	if (error)
		return error;
	task->keys.request_ring = wanted;
	return old;
}

static long do_capabilities(struct task *task, const uint64_t a[4])
{
	static const uint8_t known[] = {KEYCTL_CAPS0_CAPABILITIES | KEYCTL_CAPS0_PERSISTENT_KEYRINGS |
						KEYCTL_CAPS0_INVALIDATE | KEYCTL_CAPS0_RESTRICT_KEYRING |
						KEYCTL_CAPS0_MOVE,
					KEYCTL_CAPS1_NS_KEYRING_NAME | KEYCTL_CAPS1_NS_KEY_TAG};
	struct uio to;

	if (!a[1])
		return sizeof known;
	uio_init_user(&to, task_user(task), (struct uaddr){a[0]}, a[1]);
	ssize_t done = uio_put(&to, known, MIN(sizeof known, a[1]));
	/* What is beyond is cleared: a page is more than any caller has. */
	if (done == sizeof known && to.left)
		done = uio_put_zeros(&to, MIN(to.left, (size_t)PAGE_SIZE));
	return done < 0 ? done : (long)sizeof known;
}

static operation *const operations[] = {
	[KEYCTL_GET_KEYRING_ID] = do_get_id,
	[KEYCTL_JOIN_SESSION_KEYRING] = do_join,
	[KEYCTL_UPDATE] = do_update,
	[KEYCTL_REVOKE] = do_revoke,
	[KEYCTL_CHOWN] = do_chown,
	[KEYCTL_SETPERM] = do_setperm,
	[KEYCTL_DESCRIBE] = do_describe,
	[KEYCTL_CLEAR] = do_clear,
	[KEYCTL_LINK] = do_link,
	[KEYCTL_UNLINK] = do_unlink,
	[KEYCTL_SEARCH] = do_search,
	[KEYCTL_READ] = do_read,
	[KEYCTL_INSTANTIATE] = do_instantiate,
	[KEYCTL_NEGATE] = do_negate,
	[KEYCTL_SET_REQKEY_KEYRING] = do_request_ring,
	[KEYCTL_SET_TIMEOUT] = do_timeout,
	[KEYCTL_ASSUME_AUTHORITY] = do_assume,
	[KEYCTL_GET_SECURITY] = do_security,
	[KEYCTL_SESSION_TO_PARENT] = do_session_to_parent,
	[KEYCTL_REJECT] = do_reject,
	[KEYCTL_INSTANTIATE_IOV] = do_instantiate_iov,
	[KEYCTL_INVALIDATE] = do_invalidate,
	[KEYCTL_GET_PERSISTENT] = do_persistent,
	[KEYCTL_RESTRICT_KEYRING] = do_restrict,
	[KEYCTL_MOVE] = do_move,
	[KEYCTL_CAPABILITIES] = do_capabilities,
};

long sys_keyctl(struct task *task, int command, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t arguments[4] = {a, b, c, d};

	keys_collect();
	if (command < 0 || (size_t)command >= COUNT(operations) || !operations[command])
		return -EOPNOTSUPP;
	return operations[command](task, arguments);
}
