/* tmpfs.h - the file system in memory, and what overlay (fs/overlay.c) builds on it: nodes with their entries, data,
 * link targets and extended attributes.
 *
 * An overlay inode is such a node with a lower inode behind it: see fs/overlay.c for what is then still to be read from
 * below.
 */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

#include "fs/dentry.h"
#include "fs/filedata.h"
#include "fs/inode.h"
#include "fs/mutex.h"
#include <bsd/sys/tree.h>

/* A name in a directory. */
struct mem_entry {
	RB_ENTRY(mem_entry) by_name, by_place;
	uint64_t place; /* grows with every new entry: the position readdir goes by */
	uint32_t hash;
	uint8_t length;
	struct inode *inode; /* counted; NULL: a whiteout, which hides the name below (overlay) */
	char name[];
};

RB_HEAD(mem_names, mem_entry);
RB_HEAD(mem_places, mem_entry);

struct mem_xattr {
	struct list node;
	uint32_t name_bytes, size; /* the name's with its zero byte */
	char *name;                /* and behind it the value: one arena_alloc of name_bytes + size */
};

struct host_snapshot;

struct mem_node {
	struct inode *inode;    /* whose data this is */
	struct mem_names names; /* directories */
	struct mem_places places;
	uint64_t next_place;
	uint32_t seals; /* F_SEAL_*: files of tmpfs begin with F_SEAL_SEAL, memfds with what they were made with */
	char *target;   /* symbolic links: inode->size + 1 bytes */
	struct filedata data; /* regular files */
	struct list xattrs;
	uint32_t xattr_bytes;
	/* overlay only */
	struct inode *lower;  /* counted: the inode of the host file system below; NULL: there is none */
	bool data_is_lower;   /* regular file: not yet copied up */
	bool pinned;          /* changed: must be found again by lower's identity; the index holds a reference */
	bool orphan;          /* was changed and has lost its last name: lives on for who has it open */
	struct mutex writing; /* one write(2), truncation or copy-up at a time */
	struct list index;    /* in the overlay's table, by lower */
};

struct mem_fs {
	struct filedata_budget budget;
	uint64_t inodes, inode_limit;
	bool seals_allowed; /* a file system of memfds */
	struct list *index; /* overlay: OVERLAY_BUCKETS lists of nodes */
	/* overlay: the last inode that the start of the sandbox made, and when it was done (fs/changes.c) */
	uint64_t guest_ino;
	struct fs_time guest_time;
};

/* Called once by fs_init. */
void tmpfs_init(void);
/* An empty file system; its root has this mode and belongs to root. size_bytes 0: half of what the arena could hold. */
must_check int tmpfs_new(uint32_t root_mode, uint64_t size_bytes, struct superblock **out);
/* As mount(2) asks for one: "size=1m,mode=755" and so on (tmpfs(5)); changes of options that are there. -EINVAL. */
must_check int tmpfs_mount_new(const char *options, const struct cred *cred, struct superblock **out);
must_check int tmpfs_remount(struct superblock *sb, const char *options);

static inline struct mem_node *mem_node(const struct inode *inode)
{
	return inode->data;
}

static inline struct mem_fs *mem_fs(const struct superblock *sb)
{
	return sb->data;
}

must_check struct mem_fs *mem_fs_new(uint64_t size_bytes); /* NULL: no memory */
void mem_fs_free(struct superblock *sb);                   /* the inode_ops.free_super of tmpfs */
/* A new inode with a node; owner and mode as made by cred in dir (NULL: by root, anywhere). -ENOSPC, -ENOMEM. */
must_check int mem_inode_new(struct superblock *sb, enum inode_kind kind, const struct inode *dir, uint32_t mode,
			     uint64_t rdev, struct cred *cred, struct inode **out);
must_check int mem_set_target(struct inode *inode, const char *target);
void mem_inode_release(struct inode *inode); /* the inode_ops.release of both */

/* Entries. find gives whiteouts too. */
struct mem_entry *mem_find(const struct inode *dir, const char *name);
/* Enters name for inode (NULL: a whiteout), replacing what is there in place. -ENOMEM. */
must_check int mem_put(struct inode *dir, const char *name, struct inode *inode);
void mem_remove(struct inode *dir, const char *name); /* nothing happens when it is not there */
bool mem_is_empty(const struct inode *dir);           /* whiteouts do not count */
/* The first entry at this place or behind it, whiteouts included; NULL: none. */
struct mem_entry *mem_next(const struct inode *dir, uint64_t place);

/* The parts of inode_ops and file_ops that tmpfs and overlay share. data must be above already. */
must_check int mem_setattr(struct inode *inode, const struct setattr *change);
ssize_t mem_readlink(struct inode *inode, char *target, size_t size);
int mem_getattr(struct inode *inode, struct attr *out);
ssize_t mem_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int mem_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t mem_listxattr(struct inode *inode, char *names, size_t size);
int mem_removexattr(struct inode *inode, const char *name);
int mem_statfs(struct superblock *sb, struct statfs_info *out);
void mem_accessed(struct inode *inode);                  /* the access time after a read, as relatime has it */
void mem_file_accessed(const struct file *file);         /* ... as the file and its mount want it */
void mem_linked(struct inode *dir, struct inode *inode); /* times after a name was made or removed */

ssize_t mem_file_read(struct file *file, struct uio *to, int64_t *pos);
ssize_t mem_file_write(struct file *file, struct uio *from, int64_t *pos);
int64_t mem_file_seek(struct file *file, int64_t offset, int whence);
int mem_file_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		 struct file_map *out);
int mem_file_truncate(struct file *file, int64_t size);
int mem_file_fallocate(struct file *file, int mode, int64_t offset, int64_t size);
int mem_file_sync(struct file *file, bool data_only);

/* lseek(2)'s arithmetic: where size is the file's; SEEK_DATA and SEEK_HOLE as a file without holes. Moves file->pos. */
int64_t seek_plain(struct file *file, int64_t offset, int whence, uint64_t size);
/* FILE_DIR's part for this inode kind: entries "." and ".." come first, at positions 0 and 1. */
int tmpfs_readdir(struct file *file,
		  bool (*emit)(void *context, const char *name, size_t length, uint64_t ino, uint8_t type,
			       int64_t next_pos),
		  void *context);

#endif
