/* inode.h - what a file is apart from its names: identity, owner, mode, times, and the file system's operations on it.
 *
 * An inode's kind indexes a table of operations. Paths to inodes are dentries (fs/dentry.h); permission checks are done
 * by fs/namei.c before an operation is called, so file systems do not repeat them.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include "fs/file.h"

enum inode_kind {
	INODE_NONE,
	INODE_TMPFS,
	INODE_OVERLAY,
	INODE_HOST,
	INODE_PROC,
	INODE_SYS,
	INODE_DEV,
	INODE_DEVPTS,
	INODE_ANON,
	INODE_STDIO,
	INODE_KINDS
};

struct fs_time {
	int64_t s;
	uint32_t ns;
};

/* Everything statx(2) tells. Kept by the file system in the inode, or filled by its getattr. */
struct attr {
	uint64_t ino, size, blocks; /* blocks of 512 bytes */
	uint32_t mode, nlink, uid, gid, block_size;
	uint64_t dev, rdev; /* in the kernel's new encoding: see fs/dev.h makedev */
	struct fs_time atime, mtime, ctime, btime;
	uint64_t mount_id;
};

struct inode {
	struct ref ref;
	enum inode_kind kind;
	struct superblock *sb;
	uint64_t ino, size, rdev;
	uint32_t mode, nlink, uid, gid;
	struct fs_time atime, mtime, ctime, btime;
	void *data;        /* the file system's own */
	struct list locks; /* POSIX, OFD and flock locks (fs/lock.c) */
	struct waitq lock_wait;
	void *pipe;             /* FIFO: the pipe object while somebody has it open (fs/pipe.c) */
	void *socket;           /* socket inode bound to a name (fs/unix_socket.c) */
	uint32_t writers;       /* open for writing (ETXTBSY) */
	uint32_t deny_writers;  /* running executables */
	uint32_t writable_maps; /* shared mappings that are or may become writable (F_SEAL_WRITE; sentry/mm counts) */
	uint32_t open_count;
	struct list watches; /* inotify */
	uint32_t leases;     /* fs/lease.c */
	bool linkable;       /* made by O_TMPFILE without O_EXCL: may get its first name by linkat(2) */
	uint64_t handle;     /* 0: nobody has asked for one (fs/handle.c) */
	struct inode *handle_next;
	struct inode *dying; /* next of those whose last reference is gone (fs/inode.c) */
};

#define ATTR_MODE  1u
#define ATTR_UID   2u
#define ATTR_GID   4u
#define ATTR_SIZE  8u
#define ATTR_ATIME 16u
#define ATTR_MTIME 32u
#define ATTR_NOW   64u /* atime and mtime are the present: whoever may write the file may say so (utimensat(2)) */

struct setattr {
	uint32_t valid, mode, uid, gid;
	uint64_t size;
	struct fs_time atime, mtime;
};

struct inode_ops {
	/* Directory operations get the parent's inode and a name of 1..255 bytes, zero-terminated, neither "." nor
	 * "..". */
	int (*lookup)(struct inode *dir, const char *name, struct inode **out); /* gives; -ENOENT */
	int (*create)(struct inode *dir, const char *name, uint32_t mode, uint64_t rdev, struct cred *cred,
		      struct inode **out);
	/* regular files, directories, FIFOs, sockets and device nodes, told apart by S_IFMT in mode; gives */
	int (*symlink)(struct inode *dir, const char *name, const char *target, struct cred *cred, struct inode **out);
	int (*link)(struct inode *dir, const char *name, struct inode *inode);
	int (*unlink)(struct inode *dir, const char *name, struct inode *inode);
	int (*rmdir)(struct inode *dir, const char *name, struct inode *inode); /* -ENOTEMPTY */
	int (*rename)(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
		      uint32_t flags);
	int (*tmpfile)(struct inode *dir, uint32_t mode, struct cred *cred, struct inode **out);
	ssize_t (*readlink)(struct inode *inode, char *target, size_t size); /* length, not zero-terminated */
	/* A magic link of /proc: gives the place it leads to. Missing: an ordinary symbolic link. */
	int (*follow)(struct inode *inode, struct path *out);
	int (*getattr)(struct inode *inode, struct attr *out);
	int (*setattr)(struct inode *inode, const struct setattr *change);
	/* Makes the open file; kind and data are the file system's choice. flags as open(2). */
	int (*open)(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out);
	ssize_t (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, int flags);
	ssize_t (*listxattr)(struct inode *inode, char *names, size_t size);
	int (*removexattr)(struct inode *inode, const char *name);
	/* May the cached name still be trusted? inode NULL: a name known not to exist. *checked_ns is when the name was
	 * last looked up or found right (clock_now_ns), to be moved on by a check that asked. Missing: revalidate below
	 * decides. */
	bool (*check)(struct inode *dir, const char *name, struct inode *inode, uint64_t *checked_ns);
	bool (*revalidate)(struct inode *inode);   /* false: the cached dentry must be looked up again (proc, host) */
	void (*release)(struct inode *inode);      /* last reference gone; must not park */
	void (*free_super)(struct superblock *sb); /* the superblock goes: its data, too */
};

/* Opens FIFOs (S_IFIFO) and devices (S_IFCHR) wherever their names are, but in the device file system itself, whose own
 * open is asked. Registered once at start by fs/pipe.c and fs/dev.c. Missing: -ENXIO. */
void special_open_register(uint32_t type, int (*open)(struct inode *inode, const struct path *path, uint32_t flags,
						      struct cred *cred, struct file **out));

struct statfs_info {
	uint64_t type, block_size, blocks, blocks_free, blocks_available, files, files_free;
	uint32_t name_max, flags;
	uint64_t fsid;
};

struct dentry;

struct superblock {
	struct ref ref;
	enum inode_kind kind;
	uint64_t dev;
	const char *type;   /* as /proc/mounts shows it; static text */
	struct inode *root; /* counted; NULL: shut, its last mount is gone */
	struct dentry *top; /* counted: the root's; superblock_top makes it */
	uint32_t mounts;    /* how many show it */
	uint32_t writers;   /* files open for writing: no remounting read-only */
	bool read_only;
	bool fixed;          /* of the start-up configuration: it stays, with what that said of it */
	struct list watches; /* inotify's on its inodes (fs/notify.c) */
	void *data;
	uint64_t next_ino; /* inode_new numbers from here; 0 starts at 1 */
};

/* A superblock with one reference, its own device number (as Linux numbers file systems without a device) and no root
 * yet. type must be static text. NULL: no memory. */
must_check struct superblock *superblock_new(enum inode_kind kind, const char *type);
void superblock_get(struct superblock *sb);
void superblock_put(struct superblock *sb);
/* The dentry that all mounts of it begin at, made when first asked for. Borrowed; NULL: no memory. */
must_check struct dentry *superblock_top(struct superblock *sb);
/* Nobody can reach it any more: its names go, and it itself with its last inode. Each inode holds its superblock. */
void superblock_shut(struct superblock *sb);

/* Every superblock's file system answers statfs(2) through this; -ENOSYS when its kind has none. */
must_check int superblock_statfs(struct superblock *sb, struct statfs_info *out);

void inode_kind_register(enum inode_kind kind, const struct inode_ops *ops,
			 int (*statfs)(struct superblock *, struct statfs_info *));
const struct inode_ops *inode_ops(const struct inode *inode);

must_check struct inode *inode_new(struct superblock *sb, enum inode_kind kind, uint32_t mode,
				   struct cred *cred); /* NULL: no memory */
/* Owner and mode of something new in dir: a set-group-ID directory hands its group on (inode_init_owner in Linux). */
void inode_init_owner(struct inode *inode, const struct inode *dir, const struct cred *cred, uint32_t mode);
void inode_get(struct inode *inode);
void inode_put(struct inode *inode);
must_check int inode_getattr(struct inode *inode, struct attr *out);
/* MAY_READ 4, MAY_WRITE 2, MAY_EXEC 1, as access(2): mode bits, capabilities. 0 or -EACCES. */
must_check int inode_permission(struct inode *inode, const struct cred *cred, int may);
/* A write or a truncation by somebody without CAP_FSETID takes away set-user-ID and set-group-ID. */
void inode_drop_setid(struct inode *inode, const struct cred *cred);
/* What chmod and chown change, for file systems that keep it in the inode alone. The caller has checked. */
void inode_owner_set(struct inode *inode, const struct setattr *change);
/* The same with the times; the change time is now. The size is the caller's affair. */
void inode_attributes_set(struct inode *inode, const struct setattr *change);
void inode_touch(struct inode *inode, uint32_t times); /* ATTR_ATIME, ATTR_MTIME: now; the change time always */
struct fs_time fs_time_now(void);                      /* the sandbox's CLOCK_REALTIME */

#endif
