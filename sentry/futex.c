/* futex.c - futexes: a hash of wait queues by key.
 *
 * All futex calls of guests come to the sentry, and the sentry answers one at a time. A waiter is queued first and
 * looks at the word then: whoever changes the word afterwards also wakes afterwards, and finds it. Waiters live on
 * fiber stacks; a woken one is taken out of the queue by the waker, so that each wake counts a different sleeper.
 *
 * PI locks keep Linux's words (owner's tid, WAITERS, OWNER_DIED) but inherit no priority: there is one scheduler below
 * us that knows none of this. The lock is handed over by the one who unlocks, in the order of arrival. A waiter whose
 * owner is gone without robust list gets ESRCH, as in Linux.
 *
 *     waiting at word --wake--> out of the queue, woken
 *     waiting at word --requeue--> waiting at another word; with pi: waits for that lock
 *     waiting for a lock --unlock, death of the owner--> out of the queue, woken, owner
 *
 * Limits: waiters are tasks (TASK_LIMIT); ROBUST_LIMIT entries of a robust list; RETRY_LIMIT tries of an atomic change
 * against guest threads that change the word all the time (then -EAGAIN).
 */
#include "sentry/futex.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include <errno.h>

#define BUCKETS     256
#define RETRY_LIMIT 128

struct futex_waiter {
	struct list node;
	struct futex_key key;
	struct task *task;
	struct fiber *fiber;
	uint32_t bitset;
	bool woken;
	bool pi;                      /* waits for a lock; woken means that it is the owner */
	bool requeue_pi;              /* FUTEX_WAIT_REQUEUE_PI, not moved yet */
	struct futex_key requeue_key; /* where it wants to be moved */
	struct uaddr word;            /* PI: the lock's address in the waiter's own memory */
	unsigned busy; /* others that hold a pointer to us over a PARKS point: the owner's stack frame must stay */
	uint32_t scan; /* pi_exit: looked at in this pass */
};

static struct list *buckets; /* BUCKETS lists, in the arena */
static unsigned pi_waiters;  /* waiters with pi set: most exits need not look for any */

int futex_init(void)
{
	buckets = arena_alloc(BUCKETS * sizeof *buckets);
	if (!buckets)
		return -ENOMEM;
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&buckets[i]);
	return 0;
}

static struct list *bucket_of(const struct futex_key *key)
{
	uint64_t hash = (key->object ^ key->offset * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;

	return &buckets[hash >> 56];
}

static bool key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

static int key_of(struct task *task, struct uaddr word, bool shared, struct futex_key *out)
{
	if (word.v % sizeof(uint32_t))
		return -EINVAL;
	return mm_futex_key(task->mm, word, shared, out);
}

static int word_read(struct task *task, struct uaddr word, uint32_t *out)
{
	return user_read(task_user(task), out, word, sizeof *out);
}

static int word_swap(struct task *task, struct uaddr word, uint32_t expected, uint32_t desired, uint32_t *found)
{
	/* A thread that is about to go has no user thread any more: best effort then. */
	return aspace_cmpxchg32(task->mm->as, task->uthread, word, expected, desired, found);
}

/* ------------------------------------------------------------------------------------------------ waiting */

static void enqueue(struct futex_waiter *waiter)
{
	list_push_back(bucket_of(&waiter->key), &waiter->node);
}

static void waiter_setup(struct futex_waiter *waiter, struct task *task, const struct futex_key *key, uint32_t bitset)
{
	*waiter = (struct futex_waiter){.key = *key, .task = task, .fiber = task->fiber, .bitset = bitset};
	list_init(&waiter->node);
}

static void wake(struct futex_waiter *waiter)
{
	list_remove(&waiter->node);
	waiter->woken = true;
	fiber_wake(waiter->fiber);
}

/* The index of the last waiter that was woken; -1: none. */
static int last_woken(const struct futex_waiter *waiters, unsigned count)
{
	while (count && !waiters[count - 1].woken)
		count--;
	return (int)count - 1;
}

/* PARKS until one is woken (its index), -ETIMEDOUT or -ERESTARTSYS; none is in a queue afterwards. */
static int sleep_any(struct futex_waiter *waiters, unsigned count, uint64_t deadline_ns)
{
	struct task *task = waiters[0].task;
	int result = 0;

	task->state = TASK_SLEEPING;
	while (last_woken(waiters, count) < 0 && !result) {
		if (fiber_interrupted())
			result = -ERESTARTSYS;
		else if (!fiber_park_until(deadline_ns))
			result = -ETIMEDOUT;
	}
	task->state = TASK_RUNNING;
	for (unsigned i = 0; i < count; i++)
		list_remove(&waiters[i].node);
	int woken = last_woken(waiters, count);
	return woken < 0 ? result : woken;
}

static int sleep_until(struct futex_waiter *waiter, uint64_t deadline_ns)
{
	return sleep_any(waiter, 1, deadline_ns);
}

static void hold(struct futex_waiter *waiter)
{
	waiter->busy++;
}

static void release(struct futex_waiter *waiter)
{
	if (!--waiter->busy)
		fiber_wake(waiter->fiber);
}

/* PARKS until nobody holds it any more. */
static void settle(const struct futex_waiter *waiter)
{
	while (waiter->busy)
		fiber_park();
}

static long wait_result(struct task *task, int error, const uint64_t args[4], uint64_t deadline_ns)
{
	if (error != -ERESTARTSYS || !args)
		return error;
	task->restart.kind = RESTART_FUTEX;
	task->restart.deadline_ns = deadline_ns;
	for (unsigned i = 0; i < 4; i++)
		task->restart.args[i] = args[i];
	return -ERESTART_RESTARTBLOCK;
}

long futex_wait(struct task *task, struct uaddr word, bool shared, uint32_t expected, uint32_t bitset,
		uint64_t deadline_ns, bool restartable)
{
	struct futex_waiter waiter;
	struct futex_key key;
	uint32_t now;

	if (!bitset)
		return -EINVAL;
	int error = key_of(task, word, shared, &key);
	if (error)
		return error;
	waiter_setup(&waiter, task, &key, bitset);
	enqueue(&waiter);
	error = word_read(task, word, &now);
	if (error || now != expected) {
		list_remove(&waiter.node);
		return waiter.woken ? 0 : error ? error : -EAGAIN;
	}
	uint64_t args[4] = {word.v, shared, expected, bitset};
	return wait_result(task, sleep_until(&waiter, deadline_ns), restartable ? args : NULL, deadline_ns);
}

/* As in Linux every address is looked at before the first value. */
static int multiple_setup(struct task *task, const struct futex_wanted *wanted, struct futex_waiter *waiters,
			  unsigned count)
{
	struct futex_key key;

	for (unsigned i = 0; i < count; i++) {
		int error = key_of(task, wanted[i].word.at, wanted[i].word.shared, &key);
		if (error)
			return error;
		waiter_setup(&waiters[i], task, &key, ABI_FUTEX_BITSET_ANY);
	}
	return 0;
}

/* The index of one that was woken meanwhile, or -EAGAIN, -EFAULT. */
static int multiple_undo(struct futex_waiter *waiters, unsigned count, int error)
{
	for (unsigned i = 0; i < count; i++)
		list_remove(&waiters[i].node);
	int woken = last_woken(waiters, count);
	return woken < 0 ? error : woken;
}

static int multiple_wait(struct task *task, const struct futex_wanted *wanted, struct futex_waiter *waiters,
			 unsigned count, uint64_t deadline_ns)
{
	uint32_t now;
	int error = multiple_setup(task, wanted, waiters, count);

	if (error)
		return error;
	for (unsigned i = 0; i < count; i++) {
		enqueue(&waiters[i]);
		error = word_read(task, wanted[i].word.at, &now);
		if (error || now != wanted[i].expected)
			return multiple_undo(waiters, i + 1, error ? error : -EAGAIN);
	}
	return sleep_any(waiters, count, deadline_ns);
}

long futex_wait_multiple(struct task *task, const struct futex_wanted *wanted, unsigned count, uint64_t deadline_ns)
{
	assert(count && count <= FUTEX_WAITV_LIMIT);
	/* Too many for a fiber's stack. */
	struct futex_waiter *waiters = arena_alloc(count * sizeof *waiters);
	if (!waiters)
		return -ENOMEM;
	int result = multiple_wait(task, wanted, waiters, count, deadline_ns);
	arena_free(waiters, count * sizeof *waiters);
	return result;
}

long futex_restart(struct task *task)
{
	const uint64_t *args = task->restart.args;

	return futex_wait(task, UADDR(args[0]), args[1], (uint32_t)args[2], (uint32_t)args[3],
			  task->restart.deadline_ns, true);
}

/* ------------------------------------------------------------------------------------------------ waking, moving */

/* Wakes one even for a count of zero, as Linux does. -EINVAL when a waiter for a lock is there: it is not for
 * FUTEX_WAKE. */
static long wake_key(const struct futex_key *key, int count, uint32_t bitset)
{
	struct list *bucket = bucket_of(key);
	struct futex_waiter *waiter, *after;
	int woken = 0;

	list_for_each_safe (waiter, after, bucket, node) {
		if (!key_equal(&waiter->key, key))
			continue;
		if (waiter->pi || waiter->requeue_pi)
			return -EINVAL;
		if (!(waiter->bitset & bitset))
			continue;
		wake(waiter);
		if (++woken >= count)
			break;
	}
	return woken;
}

long futex_wake(struct task *task, struct uaddr word, bool shared, int count, uint32_t bitset)
{
	struct futex_key key;

	if (!bitset)
		return -EINVAL;
	int error = key_of(task, word, shared, &key);
	if (error)
		return error;
	return count ? wake_key(&key, count, bitset) : 0;
}

static void move(struct futex_waiter *waiter, const struct futex_key *to)
{
	list_remove(&waiter->node);
	waiter->key = *to;
	enqueue(waiter);
}

static long requeue_plain(const struct futex_key *from, const struct futex_key *to, int wake_count, int move_count)
{
	struct list *bucket = bucket_of(from);
	struct futex_waiter *waiter, *after;
	int done = 0;

	list_for_each_safe (waiter, after, bucket, node) {
		if (!key_equal(&waiter->key, from))
			continue;
		if (waiter->pi || waiter->requeue_pi)
			return -EINVAL;
		if (done - wake_count >= move_count)
			break;
		if (++done <= wake_count)
			wake(waiter);
		else if (!key_equal(from, to))
			move(waiter, to);
	}
	return done;
}

static long requeue_pi(struct task *task, const struct futex_key *from, const struct futex_key *to, struct uaddr lock,
		       int move_count);

long futex_requeue(struct task *task, const struct futex_word *from, const struct futex_word *to, int wake_count,
		   int move_count, const uint32_t *expected, bool pi)
{
	struct futex_key from_key, to_key;
	uint32_t now;

	if (wake_count < 0 || move_count < 0 || (pi && wake_count != 1))
		return -EINVAL;
	int error = key_of(task, from->at, from->shared, &from_key);
	if (!error)
		error = key_of(task, to->at, to->shared, &to_key);
	if (!error && expected)
		error = word_read(task, from->at, &now);
	if (error)
		return error;
	if (expected && now != *expected)
		return -EAGAIN;
	if (!pi)
		return requeue_plain(&from_key, &to_key, wake_count, move_count);
	return key_equal(&from_key, &to_key)
		       ? -EINVAL
		       : requeue_pi(task, &from_key, &to_key, to->at, MIN(move_count, INT32_MAX - 1) + 1);
}

/* The operation of FUTEX_WAKE_OP: op:4 cmp:4 oparg:12 cmparg:12 (linux/futex.h). */
static int32_t sign_12(uint32_t value)
{
	return (int32_t)(value << 20) >> 20;
}

static bool wake_op_apply(uint32_t operation, uint32_t old, uint32_t *new)
{
	uint32_t argument = (uint32_t)sign_12(operation >> 12 & 0xfff);

	if (operation >> 28 & 8)
		argument = 1u << (argument & 31);
	switch (operation >> 28 & 7) {
	case 0:
		*new = argument;
		return true;
	case 1:
		*new = old + argument;
		return true;
	case 2:
		*new = old | argument;
		return true;
	case 3:
		*new = old & ~argument;
		return true;
	case 4:
		*new = old ^ argument;
		return true;
	}
	return false;
}

/* 1, 0, or -ENOSYS for a comparison that does not exist. */
static int wake_op_compare(uint32_t operation, uint32_t old_bits)
{
	int32_t old = (int32_t)old_bits, argument = sign_12(operation & 0xfff);

	switch (operation >> 24 & 15) {
	case 0:
		return old == argument;
	case 1:
		return old != argument;
	case 2:
		return old < argument;
	case 3:
		return old <= argument;
	case 4:
		return old > argument;
	case 5:
		return old >= argument;
	}
	return -ENOSYS;
}

static int wake_op_change(struct task *task, struct uaddr word, uint32_t operation, uint32_t *old)
{
	uint32_t new, found;
	int error = word_read(task, word, old);

	for (unsigned tries = 0; !error && tries < RETRY_LIMIT; tries++) {
		if (!wake_op_apply(operation, *old, &new))
			return -ENOSYS;
		error = word_swap(task, word, *old, new, &found);
		if (!error && found == *old)
			return 0;
		*old = found;
	}
	return error ? error : -EAGAIN;
}

long futex_wake_op(struct task *task, struct uaddr first, struct uaddr second, bool shared, int wake_count,
		   int wake_second, uint32_t operation)
{
	struct futex_key first_key, second_key;
	uint32_t old = 0;
	int error = key_of(task, first, shared, &first_key);

	if (!error)
		error = key_of(task, second, shared, &second_key);
	if (!error)
		error = wake_op_change(task, second, operation, &old);
	if (error)
		return error;
	/* As in Linux the word has changed already when the comparison turns out not to exist. */
	int holds = wake_op_compare(operation, old);
	if (holds < 0)
		return holds;
	long woken = wake_key(&first_key, wake_count, ABI_FUTEX_BITSET_ANY);
	if (woken < 0 || !holds)
		return woken;
	long more = wake_key(&second_key, wake_second, ABI_FUTEX_BITSET_ANY);
	return more < 0 ? more : woken + more;
}

/* ------------------------------------------------------------------------------------------------ PI locks */

static struct futex_waiter *first_pi(const struct futex_key *key, const struct futex_waiter *except)
{
	struct futex_waiter *waiter;

	list_for_each (waiter, bucket_of(key), node)
		if (waiter != except && waiter->pi && key_equal(&waiter->key, key))
			return waiter;
	return NULL;
}

static void pi_enqueue(struct futex_waiter *waiter)
{
	waiter->pi = true;
	pi_waiters++;
	enqueue(waiter);
}

static void pi_forget(struct futex_waiter *waiter)
{
	list_remove(&waiter->node);
	if (waiter->pi)
		pi_waiters--;
	waiter->pi = false;
}

/* Tries to take the lock for waiter, or to mark it as waited for. 1: it has it. 0: somebody else has it, who now knows
 * of waiters. Errors: -EDEADLK, -ESRCH (no such owner), -EFAULT, -EAGAIN. */
static int pi_try(struct task *task, struct uaddr word, const struct futex_key *key, struct task *who,
		  const struct futex_waiter *self, bool mark)
{
	uint32_t now, found, want;
	int error = word_read(task, word, &now);

	for (unsigned tries = 0; !error && tries < RETRY_LIMIT; tries++) {
		uint32_t owner = now & ABI_FUTEX_TID_MASK;
		if (owner == (uint32_t)who->tid)
			return -EDEADLK;
		if (!owner) {
			bool others = first_pi(key, self);
			want = (uint32_t)who->tid | (now & ABI_FUTEX_OWNER_DIED) | (others ? ABI_FUTEX_WAITERS : 0);
		} else {
			if (!mark)
				return 0;
			if (!task_find((int32_t)owner))
				return -ESRCH;
			want = now | ABI_FUTEX_WAITERS;
		}
		if (want == now)
			return !owner;
		error = word_swap(task, word, now, want, &found);
		if (!error && found == now)
			return !owner;
		now = found;
	}
	return error ? error : -EAGAIN;
}

/* Gives a lock whose word held `now` to the first waiter, or to nobody. died: OWNER_DIED. 0, -EAGAIN when the word
 * changed. */
static int pi_hand_over(struct aspace *as, struct uthread *thread, struct uaddr word, const struct futex_key *key,
			uint32_t now, bool died)
{
	struct futex_waiter *next = first_pi(key, NULL);
	uint32_t found, want = died ? ABI_FUTEX_OWNER_DIED : 0;

	if (next)
		want |= (uint32_t)next->task->tid | (first_pi(key, next) ? ABI_FUTEX_WAITERS : 0);
	/* Out of the queue before the exchange, which may park: a waiter that gives up meanwhile is not chosen. */
	if (next) {
		list_remove(&next->node);
		hold(next);
	}
	int error = aspace_cmpxchg32(as, thread, word, now, want, &found);
	if (!error && found != now)
		error = -EAGAIN;
	if (!next)
		return error;
	if (error)
		list_push_front(bucket_of(key), &next->node);
	else
		wake(next);
	release(next);
	return error;
}

long futex_lock_pi(struct task *task, struct uaddr word, bool shared, uint64_t deadline_ns, bool try)
{
	struct futex_waiter waiter;
	struct futex_key key;
	int error = key_of(task, word, shared, &key);

	if (error)
		return error;
	waiter_setup(&waiter, task, &key, ABI_FUTEX_BITSET_ANY);
	waiter.word = word;
	if (try) {
		error = pi_try(task, word, &key, task, NULL, false);
		return error > 0 ? 0 : error ? error : -EAGAIN;
	}
	pi_enqueue(&waiter);
	error = pi_try(task, word, &key, task, &waiter, true);
	if (!error && !waiter.woken)
		error = sleep_until(&waiter, deadline_ns);
	settle(&waiter);
	bool owner = error > 0 || waiter.woken;
	pi_forget(&waiter);
	if (owner)
		return 0;
	return error == -ERESTARTSYS ? -ERESTARTNOINTR : error;
}

long futex_unlock_pi(struct task *task, struct uaddr word, bool shared)
{
	struct futex_key key;
	uint32_t now;
	int error = key_of(task, word, shared, &key);

	for (unsigned tries = 0; !error && tries < RETRY_LIMIT; tries++) {
		error = word_read(task, word, &now);
		if (error)
			break;
		if ((now & ABI_FUTEX_TID_MASK) != (uint32_t)task->tid)
			return -EPERM;
		error = pi_hand_over(task->mm->as, task->uthread, word, &key, now, false);
		if (error != -EAGAIN)
			return error;
		error = 0;
	}
	return error ? error : -EAGAIN;
}

/* Moves waiters of FUTEX_WAIT_REQUEUE_PI to the lock; the first takes it at once when it is free. */
static long requeue_pi(struct task *task, const struct futex_key *from, const struct futex_key *to, struct uaddr lock,
		       int move_count)
{
	struct futex_waiter *waiter, *after;
	long done = 0;

	list_for_each_safe (waiter, after, bucket_of(from), node) {
		if (!key_equal(&waiter->key, from))
			continue;
		if (!waiter->requeue_pi || !key_equal(&waiter->requeue_key, to))
			return -EINVAL;
		if (done >= move_count)
			break;
		waiter->requeue_pi = false;
		list_remove(&waiter->node);
		waiter->key = *to;
		pi_enqueue(waiter);
		hold(waiter);
		int taken = pi_try(task, lock, to, waiter->task, waiter, true);
		if (taken > 0) {
			wake(waiter);
		} else if (taken < 0) { /* back to where it was: the caller learns why */
			pi_forget(waiter);
			waiter->key = *from;
			waiter->requeue_pi = true;
			list_push_front(bucket_of(from), &waiter->node);
		}
		release(waiter);
		if (taken < 0)
			return done ? done : taken;
		done++;
		/* pi_try may have parked: begin anew, those moved are gone from this queue. */
		after = list_first(bucket_of(from), struct futex_waiter, node);
	}
	return done;
}

long futex_wait_requeue_pi(struct task *task, struct uaddr word, struct uaddr target, bool shared, uint32_t expected,
			   uint64_t deadline_ns)
{
	struct futex_waiter waiter;
	struct futex_key key, target_key;
	uint32_t now;
	int error = word.v == target.v ? -EINVAL : key_of(task, word, shared, &key);

	if (!error)
		error = key_of(task, target, shared, &target_key);
	if (error)
		return error;
	waiter_setup(&waiter, task, &key, ABI_FUTEX_BITSET_ANY);
	waiter.requeue_pi = true;
	waiter.requeue_key = target_key;
	waiter.word = target;
	enqueue(&waiter);
	error = word_read(task, word, &now);
	if (!error && now != expected && !waiter.pi)
		error = -EAGAIN;
	if (!error)
		error = sleep_until(&waiter, deadline_ns);
	settle(&waiter);
	bool owner = waiter.woken, moved = waiter.pi;
	pi_forget(&waiter);
	if (owner)
		return 0;
	/* The user-space lock was not taken: the C library looks at the word again. */
	return error == -ERESTARTSYS ? moved ? -EAGAIN : -ERESTARTNOINTR : error;
}

/* ------------------------------------------------------------------------------------------------ the end of a thread
 */

static struct futex_waiter *pi_unseen(const struct list *bucket, uint32_t scan)
{
	struct futex_waiter *waiter;

	list_for_each (waiter, bucket, node)
		if (waiter->pi && waiter->scan != scan)
			return waiter;
	return NULL;
}

/* The locks that waiters wait for and whose word names the dying thread. Reading may park, so each round begins anew.
 */
static void pi_exit(struct task *task)
{
	static uint32_t last_scan;
	uint32_t scan = ++last_scan, now;
	struct futex_waiter *waiter;

	for (unsigned i = 0; pi_waiters && i < BUCKETS; i++) {
		while ((waiter = pi_unseen(&buckets[i], scan))) {
			struct futex_key key = waiter->key;
			struct uaddr word = waiter->word;
			struct mm *mm = waiter->task->mm;
			waiter->scan = scan;
			mm_get(mm);
			if (!aspace_read(mm->as, NULL, &now, word, sizeof now) &&
			    (now & ABI_FUTEX_TID_MASK) == (uint32_t)task->tid)
				(void)!pi_hand_over(mm->as, NULL, word, &key, now, true);
			mm_put(mm);
		}
	}
}

/* handle_futex_death of the kernel: a word that still names the dead thread says so, and one waiter looks. pending: the
 * operation that the thread was in; its word may name nobody yet. */
static void robust_death(struct task *task, uint64_t at, bool pi, bool pending)
{
	struct uaddr word = UADDR(at);
	struct futex_key key;
	uint32_t now, found;

	if (at % sizeof(uint32_t) || word_read(task, word, &now))
		return;
	for (unsigned tries = 0; tries < RETRY_LIMIT; tries++) {
		uint32_t owner = now & ABI_FUTEX_TID_MASK;
		if (pending && !pi && !owner) {
			if (!mm_futex_key(task->mm, word, true, &key))
				(void)!wake_key(&key, 1, ABI_FUTEX_BITSET_ANY);
			return;
		}
		if (owner != (uint32_t)task->tid)
			return;
		uint32_t want = (now & ABI_FUTEX_WAITERS) | ABI_FUTEX_OWNER_DIED;
		if (word_swap(task, word, now, want, &found))
			return;
		if (found == now)
			break;
		now = found;
	}
	if (!pi && (now & ABI_FUTEX_WAITERS) && !mm_futex_key(task->mm, word, true, &key))
		(void)!wake_key(&key, 1, ABI_FUTEX_BITSET_ANY);
}

static void robust_exit(struct task *task)
{
	struct abi_robust_list_head head;
	uint64_t at = task->robust_list.v;

	task->robust_list = UADDR_NULL;
	if (!at || user_read(task_user(task), &head, UADDR(at), sizeof head))
		return;
	uint64_t entry = head.list, pending = head.list_op_pending & ~1ull;
	for (unsigned i = 0; i < ROBUST_LIMIT && (entry & ~1ull) != at; i++) {
		uint64_t next, here = entry & ~1ull;
		bool last = user_read(task_user(task), &next, UADDR(here), sizeof next);
		if (here != pending)
			robust_death(task, here + (uint64_t)head.futex_offset, entry & 1, false);
		if (last)
			break;
		entry = next;
	}
	if (pending)
		robust_death(task, pending + (uint64_t)head.futex_offset, head.list_op_pending & 1, true);
}

void futex_exit(struct task *task)
{
	robust_exit(task);
	if (pi_waiters)
		pi_exit(task);
}
