/* walk.h - the inside of path resolution, shared by fs/namei.c, fs/open.c and fs/nameops.c only. */
#ifndef FS_WALK_H
#define FS_WALK_H

#include "fs/dentry.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "sentry/base/limits.h"

enum last_type { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* A walk under way. `at` is where it has got; after walk_parent the last component is still to be looked up there. */
struct nd {
	const struct walker *walker;
	struct path root; /* borrowed: ".." stops here */
	struct path at;   /* counted */
	uint32_t flags;   /* WALK_* */
	const char *rest; /* what is still to be walked of the current text */
	const char *name; /* the last component, inside a text */
	size_t length;
	enum last_type type;
	bool slash;             /* slashes follow: it must be a directory */
	bool must_be_directory; /* sticky: some last component had slashes behind it */
	unsigned links, depth;
	const char *pending[SYMLINK_LIMIT]; /* the rests of outer texts */
	char *texts[SYMLINK_LIMIT];         /* of followed links, PATH_LIMIT bytes each */
};

/* Starts; on success walk_end must follow. -ENOENT for an empty path. */
must_check int walk_begin(struct nd *nd, const struct walker *walker, const char *path, uint32_t flags);
void walk_end(struct nd *nd);

/* PARKS. Up to the last component, which it names; nd->at is then a directory that the walker may search. */
must_check int walk_parent(struct nd *nd);

/* PARKS. The dentry of the last component (LAST_NORMAL) in nd->at, perhaps negative; not a mount on it. Gives. */
must_check int walk_child(struct nd *nd, struct dentry **out);

/* PARKS. Goes on at a symbolic link: its text becomes what is to be walked, or the place of a magic link becomes nd->at
 * and *arrived is set (nd->at is then the result). child is the link, in nd->at. */
must_check int walk_follow(struct nd *nd, struct dentry *child, bool last, bool *arrived);

/* nd->at becomes child, or what is mounted on it. Takes the reference to child, also when it fails. */
must_check int walk_step(struct nd *nd, struct dentry *child);

/* nd->at becomes what ".", ".." or "/" as the last component means. */
must_check int walk_dots(struct nd *nd);

/* PARKS. A look-up of one name in a directory, through the cache. Permission is the caller's business. Gives, perhaps
 * negative. */
must_check int dentry_lookup(struct dentry *parent, const char *name, size_t length, struct dentry **out);

/* May cred remove or rename the name victim in dir? */
must_check int may_delete(struct dentry *dir, struct dentry *victim, const struct cred *cred, bool want_directory);
must_check int may_create(struct dentry *dir, const struct cred *cred);
/* -EROFS when the mount or its file system is read-only. */
must_check int mount_want_write(const struct mount *mount);
/* The name as the file systems want it: zero-terminated. -ENAMETOOLONG. */
must_check int name_copy(const char *name, size_t length, char out[NAME_LIMIT + 1]);

#endif
