/* keys.h - keys and keyrings (keyrings(7)): objects with a serial number, a type, a description, and rights of their
 * own; a keyring is a key that holds links to others.
 *
 * Objects and quotas are in sentry/keys.c, links and searches in sentry/keyring.c, what tasks and users hold and how a
 * caller names a key in sentry/key_holders.c; the calls are in syscalls/keys.c. Nothing here parks.
 */
#ifndef SENTRY_KEYS_H
#define SENTRY_KEYS_H

#include "sentry/base/list.h"
#include "sentry/base/ref.h"
#include "sentry/base/text.h"

struct task;
struct cred;

enum key_type { KEY_KEYRING, KEY_USER, KEY_LOGON, KEY_TYPES };

/* One nibble for each of possessor, owner, group and others, from the top (keyctl_setperm(3)). */
enum {
	KEY_VIEW = 0x01,
	KEY_READ = 0x02,
	KEY_WRITE = 0x04,
	KEY_SEARCH = 0x08,
	KEY_LINK = 0x10,
	KEY_SETATTR = 0x20,
	KEY_ALL = 0x3f,
};
#define KEY_POSSESSOR(bits) ((uint32_t)(bits) << 24)
#define KEY_OWNER(bits)     ((uint32_t)(bits) << 16)
#define KEY_PERM_MASK       (KEY_POSSESSOR(KEY_ALL) | KEY_OWNER(KEY_ALL) | KEY_ALL << 8 | KEY_ALL)
#define KEY_NO_GID          UINT32_MAX
#define KEY_GID_SHOWN       65534u /* instead of it, as overflowgid */

/* Whose quota keys count in, and the keyrings that belong to a user rather than to a task. */
struct key_user {
	struct list node;
	uint32_t uid;
	uint32_t keys, quota_keys;
	uint64_t quota_bytes;
	struct key *ring, *session_ring, *persistent_ring; /* counted, or NULL: _uid.N, _uid_ses.N, _persistent.N */
};

struct key {
	struct ref ref;
	struct list hash_node;
	int32_t serial;
	enum key_type type;
	uint32_t hash; /* of the description */
	char *description;
	uint32_t uid, gid, perm;
	bool in_quota, revoked, invalidated;
	bool restricted;       /* a keyring that takes no new links */
	bool user_session;     /* is a user's _uid.N or _uid_ses.N: a caller that may makes a session keyring instead */
	int negative;          /* 0, or the negative errno that looking for it gives (request_key(2)) */
	int64_t expiry_s;      /* CLOCK_REALTIME; 0: never; when it was revoked */
	struct key_user *user; /* who pays */
	uint32_t charge_bytes; /* in the user's quota */
	void *payload;
	uint32_t payload_bytes;
	/* Keyrings: links sorted by type (keyrings first), hash and description, each pair once; counted. */
	struct key **links;
	uint32_t link_count, ring_count, link_capacity;
	/* Of walks (keyring.c): the last level it was in, the last keyring_mark that found it, the keyring after it in
	 * a level; and the next to be freed. */
	uint64_t visit, mark;
	struct key *level_next[2], *dead_next;
};

/* A key as somebody found it: possessed when one of the caller's own keyrings leads there. */
struct key_ref {
	struct key *key; /* counted */
	bool possessed;
};

/* What a guest may set in /proc/sys/kernel/keys. */
struct key_tuning {
	uint32_t maxkeys, maxbytes, root_maxkeys, root_maxbytes, gc_delay_s, persistent_s;
};
extern struct key_tuning key_tuning;

/* ---------------------------------------------------------------------------------------------- keys.c */

const char *key_type_name(enum key_type type);
/* -ENOKEY: no such type. */
must_check int key_type_find(const char *name, enum key_type *out);

struct key_request {
	enum key_type type;
	const char *description;
	uint32_t uid, gid, perm;
	bool no_quota, overrun; /* not counted; counted, but never refused */
};
/* A key without payload, with one reference. -EDQUOT, -ENOMEM, -EINVAL: the type has rules for descriptions. */
must_check int key_new(const struct key_request *request, struct key **out);
struct key *key_get(struct key *key);   /* NULL is allowed */
void key_put(struct key *key);          /* NULL is allowed */
void keys_free_chain(struct key *dead); /* keys without references, by dead_next: and what only they link */
uint32_t key_description_hash(const char *description);
/* By serial number, borrowed; NULL. */
struct key *key_find(int32_t serial);
/* What add_key and request_key give a new key of a type. */
uint32_t key_default_perm(enum key_type type);
/* 0, or why the key is of no use: -ENOKEY, -EKEYREVOKED, -EKEYEXPIRED. */
must_check int key_validate(const struct key *key);
/* need: KEY_ bits. 0 or -EACCES. */
must_check int key_permission(const struct key *key, bool possessed, const struct cred *cred, uint32_t need);
/* Gives a user or logon key this payload, and makes it positive and lasting. -EINVAL, -EDQUOT, -ENOMEM. */
must_check int key_payload_set(struct key *key, const void *payload, size_t bytes);
/* The lengths that the type allows: 0 or -EINVAL. */
must_check int key_payload_check(enum key_type type, size_t bytes);
/* Counts so many bytes in the quota instead of those before. -EDQUOT. */
must_check int key_charge(struct key *key, uint32_t bytes);
void key_negate(struct key *key, int error, uint32_t seconds);
void key_revoke(struct key *key);
void key_invalidate(struct key *key);
void key_expire(struct key *key, uint32_t seconds); /* 0: never */
/* The new owner pays from now on. -EDQUOT, -ENOMEM. */
must_check int key_chown(struct key *key, uint32_t uid);
/* Takes out of all keyrings what is invalidated, or has been dead for gc_delay. Each call begins with it. */
void keys_collect(void);
/* The user's record, made if need be. -ENOMEM. */
must_check int key_user_find(uint32_t uid, struct key_user **out);
/* Each key once, in no order; the body must not free keys. */
void keys_visit(void (*visit)(struct key *key, void *data), void *data);
void key_users_show(struct text *out); /* /proc/key-users */

/* ---------------------------------------------------------------------------------------------- keyring.c */

/* What to look for, and as whom. */
struct key_query {
	enum key_type type;
	const char *description;
	const struct key *exactly; /* this very key, whatever state it is in; its type and description are the others */
	const struct cred *cred;   /* NULL: rights do not matter */
	bool possessed;            /* is the keyring where the search begins possessed? */
	bool skip_expired;         /* an expired key is as none */
};
/* From ring down, at most KEYRING_DEPTH_LIMIT deep. Borrowed. -EAGAIN: nothing; -EACCES, -EKEYREVOKED, -EKEYEXPIRED
 * or a negative key's error: found, but of no use. */
must_check int keyring_search(struct key *ring, const struct key_query *query, struct key **out);
/* In this keyring alone. Borrowed, or NULL. */
struct key *keyring_find(const struct key *ring, enum key_type type, const char *description);
/* Links key, instead of one of the same type and description. -ENOTDIR, -EPERM (restricted), -EDEADLK, -ELOOP,
 * -EDQUOT, -ENFILE, -ENOMEM. */
must_check int keyring_link(struct key *ring, struct key *key);
must_check int keyring_unlink(struct key *ring, struct key *key); /* -ENOENT, -ENOTDIR */
void keyring_clear(struct key *ring);
/* Takes out the links that are garbage; the keys whose last one that was are put before *dead, by dead_next. */
void keyring_sweep(struct key *ring, bool (*garbage)(const struct key *key), struct key **dead);
/* Gives back all links of a keyring that is being freed, in the same way. */
void keyring_drop_links(struct key *ring, struct key **dead);
/* A number that no visit has yet: for marks on keys. */
uint64_t key_walk_begin(void);
/* Marks, with the walk's number, what a search from ring finds for cred when it possesses ring. */
void keyring_mark(struct key *ring, const struct cred *cred, uint64_t walk);

/* ---------------------------------------------------------------------------------------------- key_holders.c */

/* A task's own keyrings; each counted, or NULL. */
struct task_keys {
	struct key *thread, *process, *session;
	int request_ring; /* KEY_REQKEY_DEFL_*: where request_key(2) puts keys */
};
/* fork and clone: -ENOMEM, -EDQUOT. */
must_check int task_keys_copy(struct task *child, const struct task *parent, bool same_process);
void task_keys_exec(struct task *task);
void task_keys_drop(struct task *task);
/* The caller's file system ids have changed: its thread keyring follows. */
void task_keys_chown(struct task *task);

enum key_lookup {
	KEY_MAKE = 1,          /* make the caller's keyring if it is not there */
	KEY_PARTIAL = 2,       /* negative keys too */
	KEY_ANY_STATE = 4,     /* the caller looks at state and rights itself */
	KEY_NO_PERMISSION = 8, /* the key itself is not used */
};
/* A key as guests name it: a serial number or a KEY_SPEC_ number. Gives. */
must_check int key_lookup(struct task *task, int32_t id, unsigned flags, uint32_t need, struct key_ref *out);
/* Searches the caller's own keyrings (key_query.possessed is set here). Borrowed. As keyring_search. */
must_check int task_keys_search(struct task *task, struct key_query *query, struct key **out);
bool task_possesses(struct task *task, struct key *key);
void task_keys_mark(struct task *task, uint64_t walk);
must_check int task_thread_ring(struct task *task);  /* makes it if there is none */
must_check int task_process_ring(struct task *task); /* the same */
/* keyctl(KEYCTL_JOIN_SESSION_KEYRING): name NULL: a new one. The serial number, or an error. */
must_check long task_session_join(struct task *task, const char *name);
/* keyctl(KEYCTL_SESSION_TO_PARENT). */
must_check int task_session_to_parent(struct task *task);
/* Where request_key(2) puts a key when nobody says. Gives. */
must_check int task_request_ring(struct task *task, struct key **out);
/* _persistent.N of a user, borrowed. */
must_check int key_persistent(uint32_t uid, struct key **out);

#endif
