/* mount.h - mounts, and how the tree of a sandbox is put together at start. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "fs/namei.h"

enum mount_type {
	MOUNT_TMPFS,
	MOUNT_HOST_RO,
	MOUNT_HOST_RW,
	MOUNT_OVERLAY,
	MOUNT_PROC,
	MOUNT_SYS,
	MOUNT_DEV,
	MOUNT_DEVPTS,
	MOUNT_MQUEUE
};

/* One mount of the start-up configuration. host_dir is a host file index of a directory or file handed over at start
 * (HOSTFILE_NONE for the others): HOST_RO shows it read-only, HOST_RW writes through, OVERLAY (cow) keeps writes in
 * memory. */
struct mount_spec {
	enum mount_type type;
	const char *target; /* absolute path in the sandbox; parents and the mount point are made where missing */
	uint32_t host_dir;
	uint32_t mode;       /* TMPFS: of the root directory, e.g. 01777 */
	uint64_t size_bytes; /* TMPFS; OVERLAY: of the changes. 0: a default */
	const char *symlink; /* not NULL: no mount but a symbolic link at target with this text (/bin -> usr/bin) */
	const char *text;    /* not NULL: no mount but a regular file at target with this content (/etc/hostname) */
	bool is_file;        /* host_dir is a single file, to appear at target */
};

struct mount {
	struct ref ref;
	int id;
	struct superblock *sb;     /* counted */
	struct dentry *root;       /* counted: what is seen at the mount point */
	struct mount *parent;      /* NULL: the sandbox's root */
	struct dentry *mountpoint; /* counted, in parent */
	bool read_only;
	bool internal;    /* in no tree: what is on it (memfds) is named from its root */
	struct list node; /* in mount_all, oldest first */
};

/* Every mount of the sandbox, for /proc/mounts (struct mount.node). */
struct list *mount_all(void);
/* The topmost mount at this place; NULL: none. Borrowed. */
struct mount *mount_at(const struct mount *parent, const struct dentry *dentry);
/* Mounts sb with this root at a place of the tree (NULL: as the root of everything). Takes nothing. */
must_check int mount_add(struct superblock *sb, struct dentry *root, const struct path *at, bool read_only,
			 struct mount **out);

/* How a file system of another author gets its superblock when MOUNT_PROC, SYS, DEV, DEVPTS or MQUEUE is wanted:
 * registered once by fs_init's callees. make gives a superblock with its root inode set. -ENODEV for types without one.
 */
void mount_type_register(enum mount_type type, int (*make)(const struct mount_spec *spec, struct superblock **out));

/* Builds the tree: an empty tmpfs root (or the first spec with target "/"), then each spec in order. Gives the root's
 * place. Errors: -errno of the first that failed, whose index is left in *failed. */
must_check int mounts_build(const struct mount_spec *specs, unsigned count, struct path *root, unsigned *failed);

/* Makes sure that path (a directory) exists in the tree, with parents; for --workdir. */
must_check int mounts_make_dir(const struct path *root, const char *path, uint32_t mode);

/* Opens one of the runtime's descriptors as a guest file for 0, 1, 2. The host file's type decides (FILE_STDIO). */
must_check int stdio_open(uint32_t host_file, uint32_t flags, struct cred *cred, struct file **out);

/* Called once before anything else of fs/: registers every kind of file and inode. */
void fs_init(void);

#endif
