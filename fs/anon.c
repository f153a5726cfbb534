/* anon.c - the file system of what has no name in any tree (pipefs, sockfs and anon_inodefs of Linux in one).
 *
 * Each such file has an inode of its own, so that fstat tells pipes apart. The superblock holds only the statistics
 * that statfs answers; the inode's data is the name that /proc/PID/fd shows.
 */
#include "fs/anon.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <sys/stat.h>

static struct superblock *anon_sb;

static void anon_release(struct inode *inode)
{
	arena_string_free(inode->data);
}

static int anon_getattr(struct inode *inode, struct attr *out)
{
	(void)inode;
	out->blocks = 0;
	return 0;
}

static int anon_setattr(struct inode *inode, const struct setattr *change)
{
	inode_attributes_set(inode, change);
	return change->valid & ATTR_SIZE ? -EINVAL : 0;
}

static int anon_statfs(struct superblock *sb, struct statfs_info *out)
{
	(void)sb;
	out->type = 0x50495045; /* PIPEFS_MAGIC; the table narrows it for the others */
	return 0;
}

static const struct inode_ops anon_ops = {.getattr = anon_getattr, .setattr = anon_setattr, .release = anon_release};

int anon_init(void)
{
	inode_kind_register(INODE_ANON, &anon_ops, anon_statfs);
	if (!anon_sb)
		anon_sb = superblock_new(INODE_ANON, "anon_inodefs");
	return anon_sb ? 0 : -ENOMEM;
}

const char *anon_name(const struct inode *inode)
{
	assert(inode->kind == INODE_ANON);
	return inode->data;
}

int file_new_anonymous(enum file_kind kind, uint32_t flags, uint32_t mode, const char *name, struct cred *cred,
		       struct file **out)
{
	struct inode *inode = inode_new(anon_sb, INODE_ANON, mode, cred);

	if (!inode)
		return -ENOMEM;
	inode->data = arena_string(name);
	if (!inode->data) {
		inode_put(inode);
		return -ENOMEM;
	}
	*out = file_new(kind, flags, inode, NULL, cred);
	inode_put(inode); /* the file holds its own */
	return *out ? 0 : file_refusal();
}
