/* host.h - the file system of a host directory (or a single host file) handed over at start, read-only or writable.
 *
 * Reached only beneath that directory, component by component where the sentry looks, without following a symbolic link
 * of the host's: links are read and walked by fs/namei.c. fs/overlay.c uses the same inodes as its lower side.
 */
#ifndef FS_HOST_H
#define FS_HOST_H

#include "fs/dir.h"
#include "fs/inode.h"
#include "platform/hostfile.h"

struct statx;

/* Called once by fs_init. */
void host_init(void);

/* Whom the sandbox's user is on the host: files of the sentry's own host user show as this user's and what guests make
 * under a writable mount becomes the host user's. Set once before the tree is built; without it ids show as they are.
 */
void host_identity_set(uint32_t guest_uid, uint32_t guest_gid);

/* host_dir: host file index of a directory or a file, O_PATH. Takes a reference to it. -errno of the host. */
must_check int host_new(uint32_t host_dir, bool writable, struct superblock **out);

/* A host inode's own: where it was last seen, and what is open. */
struct host_node {
	struct inode *inode;  /* whose data this is */
	struct list hash;     /* in the superblock's table, by (dev, ino) */
	struct list lru;      /* of nodes with an unused open file (see host_trim) */
	struct inode *parent; /* counted; NULL: the root */
	char *name;           /* in parent; arena_string */
	uint64_t host_dev, host_ino;
	uint64_t blocks;
	uint32_t block_size;
	uint32_t file;       /* host file index: a directory's O_PATH, a file's cached open one; HOSTFILE_NONE */
	uint64_t checked_ns; /* attributes are as of then */
	struct host_snapshot *snapshot; /* counted: the last listing of a directory */
	uint64_t listed_ns;
};

struct host_fs {
	bool writable, is_file;
	uint64_t trust_ns;    /* how long what we know stays good */
	uint32_t file;        /* counted */
	uint64_t dev;         /* of the root */
	struct list *buckets; /* a power of two of them */
	unsigned bucket_count, node_count;
	struct list dirs, files; /* host_node.lru: open directories, cached open files; oldest first */
	unsigned dir_count, file_count;
};

static inline struct host_node *host_node(const struct inode *inode)
{
	assert(inode->kind == INODE_HOST);
	return inode->data;
}

static inline struct host_fs *host_fs(const struct superblock *sb)
{
	return sb->data;
}

/* A directory's listing, as one reader sees it from beginning to end. */
struct host_entry {
	uint64_t ino;
	uint8_t type, length;
	char name[];
};
struct host_snapshot {
	struct ref ref;
	uint32_t count, room;
	size_t bytes, bytes_room;
	uint32_t *offsets; /* of entries in text */
	char *text;
};

/* Without "." and "..". Gives. -ENOMEM beyond DIR_SNAPSHOT_BYTES. */
must_check int host_list(struct inode *dir, struct host_snapshot **out);
void host_snapshot_put(struct host_snapshot *snapshot);
static inline const struct host_entry *host_entry(const struct host_snapshot *snapshot, uint32_t index)
{
	return (const struct host_entry *)(snapshot->text + snapshot->offsets[index]);
}

/* For the overlay. lookup gives. */
must_check int host_lookup(struct inode *dir, const char *name, struct inode **out);
bool host_check(struct inode *dir, const char *name, struct inode *inode, uint64_t *checked_ns);
must_check ssize_t host_readlink(struct inode *inode, char *target, size_t size);
/* PARKS. Reads a regular file; short only at its end. */
must_check ssize_t host_read_inode(struct inode *inode, struct uio *to, int64_t pos);
/* The file opened for reading: a reference to its host file index. */
must_check int host_open_inode(struct inode *inode, uint32_t *out);
int host_statfs(struct superblock *sb, struct statfs_info *out);

/* ---- between the host_*.c files */

extern const struct inode_ops host_inode_ops;
void host_file_init(void);
void host_attributes(struct inode *inode, const struct statx *from);
bool host_is_same(const struct inode *inode, const struct statx *from);
/* The directory's descriptor, opened if need be. Borrowed until the next PARKS point or look-up. */
must_check int host_dir_fd(struct inode *dir);
/* Opens the inode anew where it was last seen: a descriptor of the host that the caller closes or hands on. Its
 * attributes are refreshed. -ENOENT when something else is there now. */
must_check int host_open_node(struct inode *inode, int flags);
/* The same, kept as the node's own file; the host descriptor is borrowed. */
must_check int host_node_keep(struct inode *inode, int flags);
/* Refreshes the attributes from the host. */
must_check int host_refresh(struct inode *inode);
must_check int host_inode_for(struct superblock *sb, const struct statx *from, struct inode *parent, const char *name,
			      struct inode **out);
must_check int host_place_set(struct inode *inode, struct inode *parent, const char *name);
/* Asks for name in dir. */
must_check int host_stat_name(struct inode *dir, const char *name, struct statx *out);
/* pread of an open host file that PARKS where the host would block. Short only at the end of the file or at a bad
 * address. size_bytes: what is believed to be the file's size, so that a read up to there need not ask whether more is
 * there. */
must_check ssize_t host_read_file(uint32_t file, struct uio *to, int64_t pos, uint64_t size_bytes);

int host_create(struct inode *dir, const char *name, uint32_t mode, uint64_t rdev, struct cred *cred,
		struct inode **out);
int host_symlink(struct inode *dir, const char *name, const char *target, struct cred *cred, struct inode **out);
int host_link_inode(struct inode *dir, const char *name, struct inode *inode);
int host_unlink(struct inode *dir, const char *name, struct inode *inode);
int host_rmdir(struct inode *dir, const char *name, struct inode *inode);
int host_rename(struct inode *old_dir, const char *old_name, struct inode *new_dir, const char *new_name,
		uint32_t flags);
int host_setattr(struct inode *inode, const struct setattr *change);
int host_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out);

#endif
