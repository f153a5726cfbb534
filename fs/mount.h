/* mount.h - mounts, and how the tree of a sandbox is put together at start. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "fs/namei.h"
#include <sys/mount.h>

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
	uint32_t mode;       /* TMPFS: of the root directory, e.g. 01777; of text */
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
	struct mount *parent;      /* counted; NULL: the sandbox's root, or taken away */
	struct dentry *mountpoint; /* counted, in parent */
	char *source;              /* what mount(2) was told, arena_alloc(source_bytes); NULL: the type's name */
	size_t source_bytes;
	uint32_t flags;     /* MS_* of mount(2), those in MOUNT_FLAGS */
	bool internal;      /* in no tree: what is on it (memfds) is named from its root */
	struct mount *copy; /* while a tree is copied (fs/mountops.c) */
	bool expired;       /* MNT_EXPIRE has been asked for, and nobody has been here since */
	struct list node;   /* in mount_all, oldest first; empty: taken away */
};

/* What one mount of a file system may have otherwise than another. */
#define MOUNT_FLAGS                                                                                                    \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NOATIME | MS_NODIRATIME | MS_RELATIME |    \
	 MS_UNBINDABLE)

/* Every mount of the sandbox, for /proc/mounts (struct mount.node). */
struct list *mount_all(void);
/* The topmost mount at this place; NULL: none. Borrowed. */
struct mount *mount_at(const struct mount *parent, const struct dentry *dentry);
/* Mounts sb with this root at a place of the tree (NULL: as the root of everything). Takes nothing; *out is borrowed
 * from the tree. -ENOSPC: MOUNT_LIMIT. */
must_check int mount_add(struct superblock *sb, struct dentry *root, const struct path *at, uint32_t flags,
			 struct mount **out);
/* Gives a reference back; the last one frees a mount that was taken away. */
void mount_put(struct mount *mount);
bool mount_is_read_only(const struct mount *mount);
/* Puts a mount that is nowhere at a place; takes references to it. */
void mount_hook(struct mount *mount, const struct path *at);
/* The file system of this type that the sandbox was started with; NULL: none. Borrowed. */
struct superblock *mount_made(enum mount_type type);

/* mount(2) and umount2(2) (fs/mountops.c). Whoever calls has CAP_SYS_ADMIN; flags are MS_* and MNT_*. */
struct mount_request {
	const char *type;   /* of a new file system */
	const char *source; /* as it is shown; NULL: "none" */
	const char *data;   /* options of the file system, zero-terminated; NULL: none */
	uint32_t flags;
};

extern const char *const mount_file_systems[]; /* the types there are, for /proc/filesystems; NULL-terminated */

must_check int mount_new(const struct mount_request *request, const struct path *at, struct cred *cred);
must_check int mount_bind(const struct path *from, const struct path *at, uint32_t flags);
must_check int mount_remount(const struct mount_request *request, const struct path *at);
must_check int mount_move(const struct path *from, const struct path *at);
must_check int mount_change_type(const struct path *at, uint32_t flags);
/* Takes the caller's reference to the place, as whoever unmounts must not be the one that keeps it busy. */
must_check int mount_take_away(struct path *place, uint32_t flags);

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
