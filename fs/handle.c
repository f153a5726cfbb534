/* handle.c - handles of files: a number for each inode that was asked for one, and a table to find it again.
 *
 * The table does not keep an inode: a handle is stale once the inode goes. What is in memory lives as long as it has a
 * name.
 *
 * Limits: inodes of host directories and of /proc go when nobody uses them, and their handles with them, earlier than
 * on Linux.
 */
#include "fs/handle.h"

#define BUCKETS 256

static struct inode *buckets[BUCKETS];
static uint64_t last_handle;

uint64_t handle_of(struct inode *inode)
{
	if (!inode->handle) {
		struct inode **bucket = &buckets[++last_handle % BUCKETS];
		inode->handle = last_handle;
		inode->handle_next = *bucket;
		*bucket = inode;
	}
	return inode->handle;
}

struct inode *handle_find(const struct superblock *sb, uint64_t handle)
{
	struct inode *inode = buckets[handle % BUCKETS];

	while (inode && (inode->handle != handle || inode->sb != sb))
		inode = inode->handle_next;
	if (inode)
		inode_get(inode);
	return inode;
}

void handle_forget(struct inode *inode)
{
	struct inode **link = &buckets[inode->handle % BUCKETS];

	while (*link != inode)
		link = &(*link)->handle_next;
	*link = inode->handle_next;
	inode->handle = 0;
}
