/* lease.c - leases on files (fcntl(2), F_SETLEASE): who holds one hears of an open(2) that gets in the way of it before
 * that goes on.
 *
 * A read lease is in the way of opening for writing and of truncation, a write lease of every opening. The holder gets
 * a signal and either gives the lease up, or turns a write lease into a read lease where that will do; else it is taken
 * away LEASE_BREAK_S seconds later. Whoever opens waits for that.
 *
 * Limits: LEASE_LIMIT leases in the sandbox; no delegations; the time is fixed.
 */
#include "fs/lease.h"
#include "fs/async.h"
#include "fs/cred.h"
#include "fs/hooks.h"
#include "fs/inode.h"
#include "platform/host.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#define LEASE_BREAK_S 45 /* /proc/sys/fs/lease-break-time */

struct lease {
	struct list node;
	struct file *file; /* not counted: gives its lease up before it goes */
	int fd;
	int type;             /* F_RDLCK, F_WRLCK */
	int wanted;           /* while breaking: what it is to become, F_RDLCK or F_UNLCK; else as type */
	uint64_t deadline_ns; /* while breaking: when it is taken away */
};

static struct slab lease_slab = SLAB(lease);
static struct list all_leases = LIST_INIT(all_leases);
static struct waitq changed; /* a lease was given up or turned into a weaker one */
static unsigned lease_count;

static struct lease *lease_of(const struct file *file)
{
	struct lease *lease;

	list_for_each (lease, &all_leases, node)
		if (lease->file == file)
			return lease;
	return NULL;
}

static void lease_end(struct lease *lease)
{
	list_remove(&lease->node);
	lease->file->inode->leases--;
	lease_count--;
	slab_free(&lease_slab, lease);
	waitq_wake(&changed, 0);
}

int lease_get(const struct file *file)
{
	const struct lease *lease = file->inode->leases ? lease_of(file) : NULL;

	return lease ? lease->wanted : F_UNLCK;
}

static int may_lease(const struct file *file, int type)
{
	const struct inode *inode = file->inode;
	struct cred *cred = NULL;
	struct lease *lease;
	int32_t pid;

	if (hook_caller(&pid, &cred) && cred->fsuid != inode->uid && !cred_capable(cred, CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(inode->mode) || (type != F_RDLCK && type != F_WRLCK))
		return -EINVAL;
	if (type == F_RDLCK ? inode->writers != 0 : inode->open_count != 1)
		return -EAGAIN;
	list_for_each (lease, &all_leases, node)
		if (lease->file->inode == inode && lease->file != file && (type == F_WRLCK || lease->wanted != F_RDLCK))
			return -EAGAIN;
	return 0;
}

int lease_set(struct file *file, int fd, int type)
{
	struct lease *lease = lease_of(file);

	if (type == F_UNLCK) {
		if (lease)
			lease_end(lease);
		return lease ? 0 : -EAGAIN;
	}
	int error = may_lease(file, type);
	if (error)
		return error;
	if (!lease) {
		lease = lease_count < LEASE_LIMIT ? slab_new(&lease_slab) : NULL;
		if (!lease)
			return -ENOLCK;
		lease->file = file;
		list_push_back(&all_leases, &lease->node);
		file->inode->leases++;
		lease_count++;
	} else {
		waitq_wake(&changed, 0);
	}
	lease->fd = fd;
	lease->type = lease->wanted = type;
	async_owner_default(file);
	return 0;
}

/* The first lease that is in the way; who has not heard yet is told. */
static struct lease *find_conflict(const struct inode *inode, bool writes)
{
	struct lease *lease, *first = NULL;
	int wanted = writes ? F_UNLCK : F_RDLCK;

	list_for_each (lease, &all_leases, node) {
		if (lease->file->inode != inode || (!writes && lease->type == F_RDLCK))
			continue;
		if (lease->wanted == lease->type)
			lease->deadline_ns = clock_now_ns() + LEASE_BREAK_S * 1000000000ull;
		if (lease->wanted != wanted && lease->wanted != F_UNLCK) {
			lease->wanted = wanted;
			async_message(lease->file, lease->fd);
		}
		if (!first)
			first = lease;
	}
	return first;
}

static void take_away(struct lease *lease)
{
	if (lease->wanted == F_UNLCK)
		lease_end(lease);
	else
		lease->type = lease->wanted;
}

int lease_break(struct inode *inode, bool writes, bool nonblock)
{
	struct lease *lease;

	while (inode->leases && (lease = find_conflict(inode, writes))) {
		if (nonblock)
			return -EWOULDBLOCK;
		if (clock_now_ns() >= lease->deadline_ns) {
			take_away(lease);
			continue;
		}
		struct waiter waiter;
		waiter_init(&waiter);
		waitq_add(&changed, &waiter);
		int error = waiter_wait(&waiter, lease->deadline_ns);
		waitq_remove(&waiter);
		if (error && error != -ETIMEDOUT)
			return error;
	}
	return 0;
}

void lease_init(void)
{
	waitq_init(&changed);
}
