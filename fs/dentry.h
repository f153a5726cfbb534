/* dentry.h - the cache of names: which inode a name in a directory led to, or that there is no such name.
 *
 * A dentry is a name's place in the tree of one file system. In use (count > 0) it is unique for (parent, name) until
 * it is dropped; unused ones stay in the cache, the oldest making room for new ones. A child holds its parent.
 */
#ifndef FS_DENTRY_H
#define FS_DENTRY_H

#include "fs/inode.h"

#define DENTRY_SHORT_NAME 40

struct dentry {
	uint32_t count;        /* references; 0: only cached */
	uint32_t hash;         /* of parent and name */
	uint8_t name_length;   /* 0: the root of a file system */
	bool hashed;           /* the cache finds it; false: removed from its directory */
	bool pinned;           /* a mount point is here or beneath: never given up to a check */
	uint16_t mounts;       /* how many mounts have their mount point here */
	struct dentry *parent; /* counted; NULL at a root */
	struct inode *inode;   /* counted; NULL: there is no such name (negative) */
	struct dentry *chain;  /* next in the hash bucket */
	struct list lru;       /* unused ones */
	struct list children;  /* cached children, in use or not */
	struct list sibling;
	uint64_t checked_ns; /* for inode_ops.check */
	char *name;          /* zero-terminated: short_name or arena_alloc(name_length + 1) */
	char short_name[DENTRY_SHORT_NAME];
};

must_check int dentry_init(void); /* once, by fs_init. -ENOMEM */

must_check struct dentry *dentry_new_root(struct inode *inode); /* NULL: no memory */
void dentry_get(struct dentry *dentry);
void dentry_put(struct dentry *dentry);

/* The cached child, gives; NULL: not in the cache. */
must_check struct dentry *dentry_find(struct dentry *parent, const char *name, size_t length);
/* Enters a child that is not in the cache, gives it. inode NULL: negative. NULL: no memory. */
must_check struct dentry *dentry_add(struct dentry *parent, const char *name, size_t length, struct inode *inode);
/* A negative one became a file. */
void dentry_become(struct dentry *dentry, struct inode *inode);
/* The name is gone or no longer to be trusted: the cache forgets it, holders keep it. */
void dentry_drop(struct dentry *dentry);
/* Forgets what is cached directly below and unused; what is in use is dropped. */
void dentry_drop_children(struct dentry *dentry);
/* rename(2) has happened: dentry takes the name and place of target, whose cache entry is dropped. target must be below
 * the same superblock. -ENOMEM: nothing changed in the cache but both names were dropped from it. */
void dentry_move(struct dentry *dentry, struct dentry *target);
void dentry_exchange(struct dentry *a, struct dentry *b);
/* Is below the same as above, or somewhere beneath it? */
bool dentry_is_beneath(const struct dentry *below, const struct dentry *above);
/* Frees what is unused of one file system, which nobody will walk again. */
void dentry_forget(const struct superblock *sb);
/* Frees everything unused: tests that look for leaks. */
void dentry_shrink_all(void);

#endif
