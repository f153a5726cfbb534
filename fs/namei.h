/* namei.h - from names to places: path_resolution(7), and the operations on names.
 *
 * Who walks is told by a struct walker. Symbolic links, "..", mounts, permissions and RESOLVE_* are handled here and
 * nowhere else. Paths are the sentry's copies, zero-terminated, at most PATH_LIMIT bytes.
 */
#ifndef FS_NAMEI_H
#define FS_NAMEI_H

#include "fs/inode.h"

/* Root, current directory and umask: struct fs_struct in Linux, shared by CLONE_FS. */
struct fs_context {
	struct ref ref;
	struct path root, cwd; /* counted */
	uint32_t umask;
};

must_check struct fs_context *fs_context_new(const struct path *root, const struct path *cwd);
must_check struct fs_context *fs_context_copy(const struct fs_context *context);
void fs_context_get(struct fs_context *context);
void fs_context_put(struct fs_context *context);

struct walker {
	struct fs_context *context;
	struct cred *cred;
	struct path start; /* where a relative path begins: cwd or the directory of a dirfd; borrowed */
};

/* What /proc/sys/fs/protected_* says (proc_sys_fs(5)); the defaults are those of a systemd machine. */
struct fs_protection {
	int symlinks, hardlinks, fifos, regular;
};
extern struct fs_protection fs_protection;

void path_get(const struct path *path);
void path_put(const struct path *path);

#define WALK_FOLLOW        1u /* follow a symbolic link in the last place */
#define WALK_EMPTY         2u /* an empty path is the start itself (AT_EMPTY_PATH) */
#define WALK_DIRECTORY     4u /* must be a directory */
#define WALK_NO_XDEV       8u /* RESOLVE_* of openat2(2) */
#define WALK_NO_MAGICLINKS 16u
#define WALK_NO_SYMLINKS   32u
#define WALK_BENEATH       64u
#define WALK_IN_ROOT       128u

/* Gives the place. Errors as path_resolution(7): -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -EXDEV ... */
must_check int walk(const struct walker *walker, const char *path, uint32_t flags, struct path *out);

/* open(2) and openat2(2): flags O_*, mode with the umask still to be applied; walk flags from openat2's resolve. */
must_check int walk_open(const struct walker *walker, const char *path, uint32_t flags, uint32_t mode,
			 uint32_t walk_flags, struct file **out);

must_check int walk_mknod(const struct walker *walker, const char *path, uint32_t mode,
			  uint64_t rdev); /* mkdir too (S_IFDIR) */
must_check int walk_symlink(const struct walker *walker, const char *target, const char *path);
must_check int walk_link(const struct walker *from, const char *old_path, const struct walker *to, const char *new_path,
			 uint32_t walk_flags);
must_check int walk_unlink(const struct walker *walker, const char *path, bool directory);
must_check int walk_rename(const struct walker *from, const char *old_path, const struct walker *to,
			   const char *new_path, uint32_t flags);
must_check int path_setattr(const struct path *path, const struct cred *cred, const struct setattr *change);

/* The same for an open file, also one without a place. */
must_check int file_setattr(struct file *file, const struct cred *cred, const struct setattr *change);
/* Has the name that led here been removed? */
bool path_is_unlinked(const struct path *path);

/* The name of a place as seen from root, into text of size bytes: "/a/b", "(unreachable)/a", "/a (deleted)". Returns
 * length or -ENAMETOOLONG. For getcwd(2) and /proc/PID/fd. */
must_check ssize_t path_name(const struct path *path, const struct path *root, char *text, size_t size);
/* The same for an open file, also "pipe:[12]", "socket:[7]", "anon_inode:[eventfd]". */
must_check ssize_t file_name(const struct file *file, const struct path *root, char *text, size_t size);

#endif
