/* lock.c - advisory locks: POSIX record locks and open file description locks (fcntl(2)), flock(2).
 *
 * An inode has one list of locks, sorted by nothing; the classes POSIX and OFD see each other, FLOCK is apart. A lock's
 * owner is the descriptor table (POSIX), or the open file. Setting a range first takes it out of what the owner holds
 * there (splitting), then adds it, joined with neighbours of the same type.
 *
 * A waiter sleeps on the inode's queue and tries again at every change. For deadlocks of POSIX locks each waiting owner
 * notes whom it waits for; who would close a circle gets EDEADLK. The chain of waits is bounded, as in Linux (10
 * there).
 *
 * Limits: LOCK_LIMIT locks in the sandbox; no mandatory locks.
 */
#include "fs/lock.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>

#define CHAIN_LIMIT 64

struct file_lock {
	struct list node, all;
	struct inode *inode; /* not counted: a lock's owner holds the inode open */
	struct lock_request lock;
};

/* An owner that waits, on its fiber's stack: a snapshot has none, kicks finish first (design D5). */
struct waiting {
	struct list node;
	const void *owner, *blocker;
};

static struct slab lock_slab = SLAB(file_lock);
static struct list all_locks = LIST_INIT(all_locks);
static struct list all_waiting = LIST_INIT(all_waiting);
static size_t lock_count;

static bool same_owner(const struct lock_request *a, const struct lock_request *b)
{
	return a->owner == b->owner && a->class == b->class;
}

static bool overlaps(const struct lock_range *a, const struct lock_range *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/* The first lock that keeps request from being set. */
static struct file_lock *find_conflict(struct inode *inode, const struct lock_request *request)
{
	struct file_lock *held;

	list_for_each (held, &inode->locks, node) {
		if ((held->lock.class == LOCK_FLOCK) != (request->class == LOCK_FLOCK))
			continue;
		if (same_owner(&held->lock, request) || !overlaps(&held->lock.range, &request->range))
			continue;
		if (held->lock.range.type == LOCK_TYPE_WRITE || request->range.type == LOCK_TYPE_WRITE)
			return held;
	}
	return NULL;
}

static struct file_lock *lock_new(struct inode *inode, const struct lock_request *request)
{
	struct file_lock *lock = lock_count < LOCK_LIMIT ? slab_new(&lock_slab) : NULL;

	if (!lock)
		return NULL;
	lock_count++;
	lock->inode = inode;
	lock->lock = *request;
	list_push_back(&inode->locks, &lock->node);
	list_push_back(&all_locks, &lock->all);
	return lock;
}

static void lock_free(struct file_lock *lock)
{
	list_remove(&lock->node);
	list_remove(&lock->all);
	slab_free(&lock_slab, lock);
	lock_count--;
}

/* Takes the range out of one lock of the owner; spare becomes the second half of one that is split. */
static void cut(struct file_lock *held, const struct lock_range *range, struct file_lock **spare)
{
	struct lock_range *have = &held->lock.range;

	if (have->start >= range->start && have->end <= range->end) {
		lock_free(held);
	} else if (have->start < range->start && have->end > range->end) {
		struct file_lock *tail = *spare;
		assert(tail);
		*spare = NULL;
		tail->lock = held->lock;
		tail->lock.range.start = range->end + 1;
		have->end = range->start - 1;
	} else if (have->start < range->start) {
		have->end = range->start - 1;
	} else {
		have->start = range->end + 1;
	}
}

/* Grows the new lock over neighbours of the same owner and type, which go away. */
static void join(struct inode *inode, struct file_lock *lock)
{
	struct file_lock *held, *after;
	struct lock_range *range = &lock->lock.range;

	list_for_each_safe (held, after, &inode->locks, node) {
		const struct lock_range *have = &held->lock.range;
		if (held == lock || !same_owner(&held->lock, &lock->lock) || have->type != range->type)
			continue;
		bool touches = have->end != INT64_MAX ? have->end + 1 >= range->start : true;
		if (!touches || (range->end != INT64_MAX && have->start > range->end + 1))
			continue;
		range->start = MIN(range->start, have->start);
		range->end = MAX(range->end, have->end);
		lock_free(held);
	}
}

/* Nobody is in the way: changes the owner's locks. Both new ones are made first, so that failing changes nothing. */
static int apply(struct inode *inode, const struct lock_request *request)
{
	struct file_lock *held, *after, *lock = NULL, *spare = lock_new(inode, request);
	bool set = request->range.type != LOCK_TYPE_NONE;

	if (spare)
		spare->lock.owner = NULL; /* matches nobody until it is used */
	if (set)
		lock = lock_new(inode, request);
	if (!spare || (set && !lock)) {
		if (spare)
			lock_free(spare);
		return -ENOLCK;
	}
	list_for_each_safe (held, after, &inode->locks, node) {
		if (held != lock && held != spare && same_owner(&held->lock, request) &&
		    overlaps(&held->lock.range, &request->range))
			cut(held, &request->range, &spare);
	}
	if (spare)
		lock_free(spare);
	if (lock)
		join(inode, lock);
	waitq_wake(&inode->lock_wait, 0);
	return 0;
}

/* Would owner, waiting for blocker, close a circle of waits? */
static bool would_deadlock(const void *owner, const void *blocker)
{
	for (unsigned step = 0; step < CHAIN_LIMIT; step++) {
		struct waiting *waiting, *next = NULL;
		if (blocker == owner)
			return true;
		list_for_each (waiting, &all_waiting, node)
			if (waiting->owner == blocker)
				next = waiting;
		if (!next)
			return false;
		blocker = next->blocker;
	}
	return false;
}

static int wait_free(struct inode *inode, const struct lock_request *request)
{
	struct file_lock *conflict;
	struct waiter waiter;
	struct waiting waiting = {.owner = request->owner};
	int error = 0;

	waiter_init(&waiter);
	waitq_add(&inode->lock_wait, &waiter);
	list_push_back(&all_waiting, &waiting.node);
	while (!error && (conflict = find_conflict(inode, request))) {
		waiting.blocker = NULL;
		if (request->class == LOCK_POSIX && conflict->lock.class == LOCK_POSIX) {
			if (would_deadlock(request->owner, conflict->lock.owner)) {
				error = -EDEADLK;
				break;
			}
			waiting.blocker = conflict->lock.owner;
		}
		error = waiter_wait(&waiter, DEADLINE_NONE);
	}
	list_remove(&waiting.node);
	waitq_remove(&waiter);
	return error;
}

int lock_set(struct inode *inode, const struct lock_request *request)
{
	assert(request->range.start >= 0 && request->range.end >= request->range.start);
	if (request->range.type != LOCK_TYPE_NONE && find_conflict(inode, request)) {
		/* flock gives up what it holds before it waits for a conversion, or does not wait: flock(2). */
		if (request->class == LOCK_FLOCK)
			lock_drop(inode, LOCK_FLOCK, request->owner);
		if (!request->wait)
			return -EAGAIN;
		int error = wait_free(inode, request);
		if (error)
			return error;
	}
	return apply(inode, request);
}

/* Of the first owner that is in the way, the lock with the lowest start: Linux keeps each owner's in this order. */
void lock_test(struct inode *inode, const struct lock_request *request, struct lock_request *found)
{
	const struct file_lock *conflict = find_conflict(inode, request), *held;

	list_for_each (held, &inode->locks, node) {
		if (conflict && same_owner(&held->lock, &conflict->lock) &&
		    overlaps(&held->lock.range, &request->range) &&
		    (held->lock.range.type == LOCK_TYPE_WRITE || request->range.type == LOCK_TYPE_WRITE) &&
		    held->lock.range.start < conflict->lock.range.start)
			conflict = held;
	}
	*found = *request;
	if (conflict)
		*found = conflict->lock;
	else
		found->range.type = LOCK_TYPE_NONE;
}

void lock_drop(struct inode *inode, enum lock_class class, const void *owner)
{
	struct file_lock *held, *after;
	bool any = false;

	list_for_each_safe (held, after, &inode->locks, node) {
		if (held->lock.class == class && held->lock.owner == owner) {
			lock_free(held);
			any = true;
		}
	}
	if (any)
		waitq_wake(&inode->lock_wait, 0);
}

void lock_list(void (*show)(void *context, const struct inode *inode, const struct lock_request *lock), void *context)
{
	struct file_lock *lock;

	list_for_each (lock, &all_locks, all)
		show(context, lock->inode, &lock->lock);
}
