/* key_holders.c - which keyrings tasks and users have, and how a caller's number becomes a key (keyrings(7),
 * security/keys/process_keys.c in Linux).
 *
 * A task has a thread, a process and a session keyring. As in Linux they go with its credentials: a new thread shares
 * the process keyring that its maker has at that moment, and joins no session by another thread's doing. fork keeps the
 * session keyring only, exec too. A task without session keyring uses _uid_ses.N. Users' keyrings are made when
 * somebody asks and stay.
 *
 * A key is possessed when a search of the caller's three keyrings leads to it.
 */
#include "fs/cred.h"
#include "sentry/base/limits.h"
#include "sentry/keys.h"
#include "sentry/task.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>

#define RING_PERM    (KEY_POSSESSOR(KEY_ALL) | KEY_OWNER(KEY_VIEW))
#define SESSION_PERM (KEY_POSSESSOR(KEY_ALL) | KEY_OWNER(KEY_VIEW | KEY_READ))
#define NAMED_PERM   (SESSION_PERM | KEY_OWNER(KEY_LINK))
#define USER_PERM    (KEY_POSSESSOR(KEY_ALL & ~KEY_SETATTR) | KEY_OWNER(KEY_ALL))
#define LASTING_PERM (KEY_POSSESSOR(KEY_ALL & ~KEY_SETATTR) | KEY_OWNER(KEY_VIEW | KEY_READ))

static int ring_new(const struct cred *cred, const char *name, uint32_t perm, bool overrun, struct key **out)
{
	const struct key_request request = {.type = KEY_KEYRING,
					    .description = name,
					    .uid = cred->uid,
					    .gid = cred->gid,
					    .perm = perm,
					    .overrun = overrun};

	return key_new(&request, out);
}

/* ------------------------------------------------------------------------------------------------ a task's own */

int task_thread_ring(struct task *task)
{
	return task->keys.thread ? 0 : ring_new(task->cred, "_tid", RING_PERM, true, &task->keys.thread);
}

int task_process_ring(struct task *task)
{
	return task->keys.process ? 0 : ring_new(task->cred, "_pid", RING_PERM, true, &task->keys.process);
}

int task_keys_copy(struct task *child, const struct task *parent, bool same_process)
{
	child->keys.request_ring = parent->keys.request_ring;
	child->keys.session = key_get(parent->keys.session);
	if (!same_process)
		return 0;
	child->keys.process = key_get(parent->keys.process);
	return parent->keys.thread ? task_thread_ring(child) : 0;
}

static void drop(struct key **ring)
{
	key_put(*ring);
	*ring = NULL;
}

void task_keys_exec(struct task *task)
{
	drop(&task->keys.thread);
	drop(&task->keys.process);
}

void task_keys_drop(struct task *task)
{
	task_keys_exec(task);
	drop(&task->keys.session);
}

void task_keys_chown(struct task *task)
{
	if (!task->keys.thread)
		return;
	task->keys.thread->uid = task->cred->fsuid; /* who pays stays the same */
	task->keys.thread->gid = task->cred->fsgid;
}

/* ------------------------------------------------------------------------------------------------ a user's */

static int user_ring_new(uint32_t uid, const char *format, uint32_t perm, bool no_quota, struct key **out)
{
	char name[32];
	const struct key_request request = {.type = KEY_KEYRING,
					    .description = name,
					    .uid = uid,
					    .gid = KEY_NO_GID,
					    .perm = perm,
					    .no_quota = no_quota};

	snprintf(name, sizeof name, format, uid);
	return key_new(&request, out);
}

/* _uid.N and _uid_ses.N, which links the other: both or none. */
static int user_rings(uint32_t uid, struct key_user **out)
{
	struct key *ring, *session;
	int error = key_user_find(uid, out);

	if (error || (*out)->session_ring)
		return error;
	error = user_ring_new(uid, "_uid.%u", USER_PERM, false, &ring);
	if (error)
		return error;
	error = user_ring_new(uid, "_uid_ses.%u", USER_PERM, false, &session);
	if (!error) {
		error = keyring_link(session, ring);
		if (error)
			key_put(session);
	}
	if (error) {
		key_put(ring);
		return error;
	}
	/* Found anew: a record without keys does not last. */
	error = key_user_find(uid, out);
	assert(!error);
	ring->user_session = session->user_session = true;
	(*out)->ring = ring;
	(*out)->session_ring = session;
	return 0;
}

int key_persistent(uint32_t uid, struct key **out)
{
	struct key_user *user;
	struct key *ring;
	int error = key_user_find(uid, &user);

	if (error)
		return error;
	if (!user->persistent_ring || key_validate(user->persistent_ring)) {
		error = user_ring_new(uid, "_persistent.%u", LASTING_PERM, true, &ring);
		if (!error)
			error = key_user_find(uid, &user);
		if (error)
			return error;
		struct key *old = user->persistent_ring;
		user->persistent_ring = ring;
		key_put(old);
	}
	key_expire(user->persistent_ring, key_tuning.persistent_s);
	*out = user->persistent_ring;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ sessions */

static void session_set(struct task *task, struct key *ring)
{
	struct key *old = task->keys.session;

	task->keys.session = ring;
	key_put(old);
}

struct named {
	const char *name;
	const struct cred *cred;
	struct key *found;
};

static void match_name(struct key *key, void *data)
{
	struct named *named = data;

	if (key->type == KEY_KEYRING && !key->revoked && !strcmp(key->description, named->name) &&
	    !key_permission(key, false, named->cred, KEY_SEARCH) &&
	    (!named->found || key->serial < named->found->serial))
		named->found = key;
}

long task_session_join(struct task *task, const char *name)
{
	struct named named = {name, task->cred, NULL};
	struct key *ring;

	if (name)
		keys_visit(match_name, &named);
	if (named.found && named.found == task->keys.session)
		return 0;
	int error = 0;
	if (named.found)
		ring = key_get(named.found);
	else
		error = ring_new(task->cred, name ? name : "_ses", name ? NAMED_PERM : SESSION_PERM,
				 !name && !task->keys.session, &ring);
	if (error)
		return error;
	session_set(task, ring);
	return ring->serial;
}

int task_session_to_parent(struct task *task)
{
	struct process *process = task->process->parent;
	const struct cred *mine = task->cred;
	struct key_ref session;

	int error = key_lookup(task, KEY_SPEC_SESSION_KEYRING, 0, KEY_LINK, &session);
	if (error)
		return error;
	error = -EPERM;
	if (process && !process->is_init && process->thread_count == 1 && process->leader) {
		struct task *parent = process->leader;
		const struct cred *its = parent->cred;
		if (parent->keys.session == session.key)
			error = 0;
		else if (its->uid == mine->euid && its->euid == mine->euid && its->suid == mine->euid &&
			 its->gid == mine->egid && its->egid == mine->egid && its->sgid == mine->egid &&
			 session.key->uid == mine->euid &&
			 (!parent->keys.session || parent->keys.session->uid == mine->euid)) {
			session_set(parent, key_get(session.key));
			error = 0;
		}
	}
	key_put(session.key);
	return error;
}

/* ------------------------------------------------------------------------------------------------ searching */

/* The keyring that stands for the session. Borrowed, or NULL. */
static struct key *session_of(struct task *task)
{
	struct key_user *user;

	if (task->keys.session)
		return task->keys.session;
	return user_rings(task->cred->uid, &user) ? NULL : user->session_ring;
}

/* What Linux tells of several keyrings: a negative key or nothing rather than other errors. */
int task_keys_search(struct task *task, struct key_query *query, struct key **out)
{
	struct key *rings[] = {task->keys.thread, task->keys.process, session_of(task)};
	int told = 0, other = -EAGAIN;

	query->possessed = true;
	for (unsigned i = 0; i < COUNT(rings); i++) {
		if (!rings[i])
			continue;
		int error = keyring_search(rings[i], query, out);
		if (!error)
			return 0;
		if (error == -ENOKEY || (error == -EAGAIN && !told))
			told = error;
		else if (error != -EAGAIN)
			other = error;
	}
	return told ? told : other;
}

bool task_possesses(struct task *task, struct key *key)
{
	struct key *found;
	struct key_query query = {
		.type = key->type, .description = key->description, .exactly = key, .cred = task->cred};

	return !task_keys_search(task, &query, &found);
}

void task_keys_mark(struct task *task, uint64_t walk)
{
	struct key *rings[] = {task->keys.thread, task->keys.process, session_of(task)};

	for (unsigned i = 0; i < COUNT(rings); i++)
		if (rings[i])
			keyring_mark(rings[i], task->cred, walk);
}

/* ------------------------------------------------------------------------------------------------ by number */

static int own_session(struct task *task, bool make, struct key **out)
{
	struct key_user *user;
	bool none = !task->keys.session;

	if (make && (none || task->keys.session->user_session)) {
		long serial = task_session_join(task, NULL);
		if (serial < 0)
			return (int)serial;
	} else if (none) {
		int error = user_rings(task->cred->uid, &user);
		if (error)
			return error;
		task->keys.session = key_get(user->session_ring);
	}
	*out = task->keys.session;
	return 0;
}

/* The keyring behind a KEY_SPEC_ number. Borrowed. */
static int special(struct task *task, int32_t id, bool make, struct key **out)
{
	struct key_user *user;
	int error = 0;

	switch (id) {
	case KEY_SPEC_THREAD_KEYRING:
		error = make ? task_thread_ring(task) : 0;
		*out = task->keys.thread;
		break;
	case KEY_SPEC_PROCESS_KEYRING:
		error = make ? task_process_ring(task) : 0;
		*out = task->keys.process;
		break;
	case KEY_SPEC_SESSION_KEYRING:
		return own_session(task, make, out);
	case KEY_SPEC_USER_KEYRING:
	case KEY_SPEC_USER_SESSION_KEYRING:
		error = user_rings(task->cred->uid, &user);
		if (!error)
			*out = id == KEY_SPEC_USER_KEYRING ? user->ring : user->session_ring;
		return error;
	case KEY_SPEC_REQKEY_AUTH_KEY:
	case KEY_SPEC_REQUESTOR_KEYRING:
		return -ENOKEY; /* nobody is asked to make keys */
	default:
		return -EINVAL;
	}
	return error ? error : *out ? 0 : -ENOKEY;
}

static int state_check(const struct key *key, unsigned flags)
{
	if (flags & (KEY_NO_PERMISSION | KEY_ANY_STATE))
		return 0;
	if (!(flags & KEY_PARTIAL) && key->negative)
		return key->negative;
	return key_validate(key);
}

int key_lookup(struct task *task, int32_t id, unsigned flags, uint32_t need, struct key_ref *out)
{
	struct key *key = NULL;
	bool possessed = true;

	if (id > 0) {
		key = key_find(id);
		if (!key)
			return -ENOKEY;
		possessed = task_possesses(task, key);
	} else {
		int error = special(task, id, flags & KEY_MAKE, &key);
		if (error)
			return error;
	}
	int error = state_check(key, flags);
	if (!error && !(flags & (KEY_NO_PERMISSION | KEY_ANY_STATE)))
		error = key_permission(key, possessed, task->cred, need);
	if (error)
		return error;
	*out = (struct key_ref){key_get(key), possessed};
	return 0;
}

int task_request_ring(struct task *task, struct key **out)
{
	struct key_user *user;
	struct key *ring = NULL;
	int error = 0;

	switch (task->keys.request_ring) {
	case KEY_REQKEY_DEFL_DEFAULT:
	case KEY_REQKEY_DEFL_REQUESTOR_KEYRING:
	case KEY_REQKEY_DEFL_THREAD_KEYRING:
		ring = task->keys.thread;
		if (ring)
			break;
		/* fallthrough */
	case KEY_REQKEY_DEFL_PROCESS_KEYRING:
		ring = task->keys.process;
		if (ring)
			break;
		/* fallthrough */
	case KEY_REQKEY_DEFL_SESSION_KEYRING:
		ring = task->keys.session;
		if (ring)
			break;
		/* fallthrough */
	default:
		error = user_rings(task->cred->uid, &user);
		if (!error)
			ring = task->keys.request_ring == KEY_REQKEY_DEFL_USER_KEYRING ? user->ring
										       : user->session_ring;
	}
	if (!error)
		error = key_permission(ring, true, task->cred, KEY_WRITE);
	if (!error)
		*out = key_get(ring);
	return error;
}
