/* namei.c - path resolution (path_resolution(7), openat2(2)): from a text to a place in the tree.
 *
 * A walk goes component by component over the current text. A symbolic link pushes what is left of the current text and
 * makes its target the current one; at most SYMLINK_LIMIT links are followed in a walk. There is no recursion. The last
 * component is left to the caller (walk_parent), because open, mkdir, unlink and the like each want something else with
 * it.
 *
 * Each step asks the dentry cache first, then the file system, whose look-up may park: nothing that was looked up
 * before is used afterwards but counted references.
 *
 * Limits: no automounts; ".." below a directory that was moved out of a RESOLVE_BENEATH tree by the host is not
 * noticed.
 */
#include "fs/walk.h"
#include "sentry/base/arena.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct fs_protection fs_protection = {.symlinks = 1, .hardlinks = 1, .fifos = 1, .regular = 1};

static struct slab context_slab = SLAB(fs_context);

/* ------------------------------------------------------------------------------------------------ places, contexts */

void path_get(const struct path *path)
{
	ref_get(&path->mount->ref);
	dentry_get(path->dentry);
}

void path_put(const struct path *path)
{
	dentry_put(path->dentry);
	mount_put(path->mount);
}

struct fs_context *fs_context_new(const struct path *root, const struct path *cwd)
{
	struct fs_context *context = slab_new(&context_slab);

	if (!context)
		return NULL;
	ref_init(&context->ref);
	context->root = *root;
	context->cwd = *cwd;
	context->umask = 022;
	path_get(root);
	path_get(cwd);
	return context;
}

struct fs_context *fs_context_copy(const struct fs_context *context)
{
	struct fs_context *copy = fs_context_new(&context->root, &context->cwd);

	if (copy)
		copy->umask = context->umask;
	return copy;
}

void fs_context_get(struct fs_context *context)
{
	ref_get(&context->ref);
}

void fs_context_put(struct fs_context *context)
{
	if (!ref_put(&context->ref))
		return;
	path_put(&context->root);
	path_put(&context->cwd);
	slab_free(&context_slab, context);
}

static bool path_equal(const struct path *a, const struct path *b)
{
	return a->mount == b->mount && a->dentry == b->dentry;
}

/* ------------------------------------------------------------------------------------------------ one name */

int name_copy(const char *name, size_t length, char out[NAME_LIMIT + 1])
{
	if (length > NAME_LIMIT)
		return -ENAMETOOLONG;
	memcpy(out, name, length);
	out[length] = 0;
	return 0;
}

/* Is what the cache says still true? */
static bool dentry_is_right(struct dentry *parent, struct dentry *dentry)
{
	const struct inode_ops *ops = inode_ops(parent->inode);

	if (dentry->pinned)
		return true;
	if (ops->check)
		return ops->check(parent->inode, dentry->name, dentry->inode, &dentry->checked_ns);
	if (dentry->inode && inode_ops(dentry->inode)->revalidate)
		return inode_ops(dentry->inode)->revalidate(dentry->inode);
	return true;
}

/* Are names that do not exist worth remembering? Only where we would hear of it when they begin to. */
static bool remembers_absence(const struct inode *dir)
{
	return inode_ops(dir)->check || dir->kind == INODE_TMPFS;
}

static int lookup_in_fs(struct dentry *parent, const char *name, size_t length, struct dentry **out)
{
	char text[NAME_LIMIT + 1];
	struct inode *inode = NULL;
	int error = name_copy(name, length, text);

	if (error)
		return error;
	if (!inode_ops(parent->inode)->lookup)
		return -ENOENT;
	error = inode_ops(parent->inode)->lookup(parent->inode, text, &inode);
	if (error && error != -ENOENT)
		return error;
	/* Somebody else may have entered the name while the look-up was parked. */
	struct dentry *dentry = dentry_find(parent, text, length);
	if (dentry && dentry->inode != inode && !dentry->pinned) {
		dentry_drop(dentry);
		dentry_put(dentry);
		dentry = NULL;
	}
	if (!dentry)
		dentry = dentry_add(parent, text, length, inode);
	else
		dentry->checked_ns = clock_now_ns();
	if (inode)
		inode_put(inode); /* the dentry has its own */
	if (!dentry)
		return -ENOMEM;
	if (!dentry->inode && !remembers_absence(parent->inode))
		dentry_drop(dentry); /* ours alone, forgotten with the last holder */
	*out = dentry;
	return 0;
}

int dentry_lookup(struct dentry *parent, const char *name, size_t length, struct dentry **out)
{
	struct dentry *dentry = length <= NAME_LIMIT ? dentry_find(parent, name, length) : NULL;

	if (dentry) {
		if (dentry_is_right(parent, dentry)) {
			*out = dentry;
			return 0;
		}
		dentry_drop(dentry);
		dentry_put(dentry);
	}
	return lookup_in_fs(parent, name, length, out);
}

/* ------------------------------------------------------------------------------------------------ steps */

int walk_begin(struct nd *nd, const struct walker *walker, const char *path, uint32_t flags)
{
	bool scoped = flags & (WALK_BENEATH | WALK_IN_ROOT);

	nd->walker = walker;
	nd->flags = flags;
	nd->rest = path;
	nd->must_be_directory = nd->slash = false;
	nd->links = nd->depth = 0;
	nd->root = scoped ? walker->start : walker->context->root;
	nd->at = walker->start;
	if (!*path && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (*path == '/') {
		if (flags & WALK_BENEATH)
			return -EXDEV;
		nd->at = nd->root;
	}
	if (*path && !S_ISDIR(nd->at.dentry->inode->mode))
		return -ENOTDIR;
	path_get(&nd->at);
	return 0;
}

void walk_end(struct nd *nd)
{
	path_put(&nd->at);
	while (nd->links)
		arena_free(nd->texts[--nd->links], PATH_LIMIT);
}

static void move_to(struct nd *nd, struct mount *mount, struct dentry *dentry)
{
	struct path before = nd->at;

	nd->at = (struct path){mount, dentry};
	path_get(&nd->at);
	path_put(&before);
}

/* From a mount point onto what is mounted there. */
static int cross_mounts(struct nd *nd)
{
	while (nd->at.dentry->mounts) {
		struct mount *mount = mount_at(nd->at.mount, nd->at.dentry);
		if (!mount)
			return 0; /* the dentry is a mount point of another mount of the same file system */
		if (nd->flags & WALK_NO_XDEV)
			return -EXDEV;
		move_to(nd, mount, mount->root);
	}
	return 0;
}

int walk_step(struct nd *nd, struct dentry *child)
{
	assert(child->inode);
	move_to(nd, nd->at.mount, child);
	dentry_put(child);
	return nd->at.dentry->mounts ? cross_mounts(nd) : 0;
}

static int step_up(struct nd *nd)
{
	for (;;) {
		if (path_equal(&nd->at, &nd->root))
			return nd->flags & WALK_BENEATH ? -EXDEV : 0;
		if (nd->at.dentry != nd->at.mount->root)
			break;
		struct mount *mount = nd->at.mount;
		if (!mount->parent)
			return 0;
		if (nd->flags & WALK_NO_XDEV)
			return -EXDEV;
		move_to(nd, mount->parent, mount->mountpoint);
	}
	if (nd->at.dentry->parent)
		move_to(nd, nd->at.mount, nd->at.dentry->parent);
	return cross_mounts(nd);
}

int walk_dots(struct nd *nd)
{
	assert(nd->type != LAST_NORMAL);
	return nd->type == LAST_DOTDOT ? step_up(nd) : 0;
}

/* protected_symlinks: in a sticky directory that everybody may write, only links of one's own or of its owner lead on.
 */
static int may_follow(const struct nd *nd, const struct inode *link)
{
	const struct inode *dir = nd->at.dentry->inode;

	if (!fs_protection.symlinks || link->uid == nd->walker->cred->fsuid)
		return 0;
	if ((dir->mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) || dir->uid == link->uid)
		return 0;
	return -EACCES;
}

static int follow_magic(struct nd *nd, struct inode *link, bool *arrived)
{
	struct path place;

	if (nd->flags & WALK_NO_MAGICLINKS)
		return -ELOOP;
	int error = inode_ops(link)->follow(link, &place);
	if (error)
		return error;
	bool other_mount = place.mount != nd->at.mount;
	path_put(&nd->at);
	nd->at = place;
	*arrived = true;
	if (nd->flags & (WALK_BENEATH | WALK_IN_ROOT) || (other_mount && nd->flags & WALK_NO_XDEV))
		return -EXDEV;
	return 0;
}

int walk_follow(struct nd *nd, struct dentry *child, bool last, bool *arrived)
{
	struct inode *link = child->inode;
	int error = last ? may_follow(nd, link) : 0;

	*arrived = false;
	if (nd->links >= SYMLINK_LIMIT || nd->flags & WALK_NO_SYMLINKS || nd->at.mount->flags & MS_NOSYMFOLLOW)
		return -ELOOP;
	if (error)
		return error;
	if (inode_ops(link)->follow) {
		nd->texts[nd->links++] = NULL;
		error = follow_magic(nd, link, arrived);
		if (!error || error != -EINVAL || *arrived)
			return error;
		nd->links--; /* the file system has magic links, but this is not one */
	}
	char *text = arena_alloc(PATH_LIMIT);
	if (!text)
		return -ENOMEM;
	ssize_t length = inode_ops(link)->readlink ? inode_ops(link)->readlink(link, text, PATH_LIMIT - 1) : -EINVAL;
	if (length <= 0) {
		arena_free(text, PATH_LIMIT);
		return length ? (int)length : -ENOENT;
	}
	text[length] = 0;
	nd->texts[nd->links++] = text;
	if (*nd->rest)
		nd->pending[nd->depth++] = nd->rest;
	nd->rest = text;
	if (*text != '/')
		return 0;
	if (nd->flags & WALK_BENEATH)
		return -EXDEV;
	if (nd->flags & WALK_NO_XDEV && nd->root.mount != nd->at.mount)
		return -EXDEV;
	move_to(nd, nd->root.mount, nd->root.dentry);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ the walk */

/* Takes the next component off the text; false: there is none. */
static bool next_component(struct nd *nd)
{
	const char *at = nd->rest;

	for (;;) {
		while (*at == '/')
			at++;
		if (*at || !nd->depth)
			break;
		at = nd->pending[--nd->depth];
	}
	const char *end = at;
	while (*end && *end != '/')
		end++;
	nd->name = at;
	nd->length = (size_t)(end - at);
	nd->slash = *end == '/';
	while (*end == '/')
		end++;
	nd->rest = end;
	nd->type = LAST_NORMAL;
	if (nd->length == 1 && at[0] == '.')
		nd->type = LAST_DOT;
	else if (nd->length == 2 && at[0] == '.' && at[1] == '.')
		nd->type = LAST_DOTDOT;
	return nd->length;
}

int walk_child(struct nd *nd, struct dentry **out)
{
	assert(nd->type == LAST_NORMAL);
	return dentry_lookup(nd->at.dentry, nd->name, nd->length, out);
}

/* A component in the middle of the path: it must lead to a directory. */
static int walk_middle(struct nd *nd)
{
	struct dentry *child;
	bool arrived;

	if (nd->type != LAST_NORMAL)
		return walk_dots(nd);
	int error = walk_child(nd, &child);
	if (error)
		return error;
	if (!child->inode) {
		dentry_put(child);
		return -ENOENT;
	}
	if (S_ISLNK(child->inode->mode)) {
		error = walk_follow(nd, child, false, &arrived);
		dentry_put(child);
		if (error || !arrived)
			return error;
	} else {
		error = walk_step(nd, child);
		if (error)
			return error;
	}
	return S_ISDIR(nd->at.dentry->inode->mode) ? 0 : -ENOTDIR;
}

int walk_parent(struct nd *nd)
{
	for (;;) {
		if (!next_component(nd)) {
			nd->type = LAST_ROOT;
			return 0;
		}
		int error = inode_permission(nd->at.dentry->inode, nd->walker->cred, 1);
		if (error)
			return error;
		if (!*nd->rest && !nd->depth) {
			nd->must_be_directory |= nd->slash;
			return 0;
		}
		error = walk_middle(nd);
		if (error)
			return error;
	}
}

/* The last component: arrives there, or finds that there is more to walk (*more). */
static int walk_last(struct nd *nd, bool *more)
{
	struct dentry *child;
	bool arrived;

	*more = false;
	if (nd->type != LAST_NORMAL)
		return walk_dots(nd);
	int error = walk_child(nd, &child);
	if (error)
		return error;
	if (!child->inode) {
		dentry_put(child);
		return -ENOENT;
	}
	if (!S_ISLNK(child->inode->mode) || !(nd->flags & WALK_FOLLOW || nd->slash || nd->must_be_directory))
		return walk_step(nd, child);
	error = walk_follow(nd, child, true, &arrived);
	dentry_put(child);
	*more = !error && !arrived;
	return error;
}

int walk(const struct walker *walker, const char *path, uint32_t flags, struct path *out)
{
	struct nd nd;
	bool more = *path;
	int error = walk_begin(&nd, walker, path, flags);

	if (error)
		return error;
	while (!error && more) {
		error = walk_parent(&nd);
		if (!error)
			error = walk_last(&nd, &more);
	}
	if (!error && (flags & WALK_DIRECTORY || nd.must_be_directory) && !S_ISDIR(nd.at.dentry->inode->mode))
		error = -ENOTDIR;
	if (!error) {
		*out = nd.at;
		path_get(out);
	}
	walk_end(&nd);
	return error;
}

/* ------------------------------------------------------------------------------------------------ back to names */

/* Puts text in front of what is already at *start. */
static bool prepend(char *buffer, size_t *start, const char *text, size_t length)
{
	if (*start < length)
		return false;
	*start -= length;
	memcpy(buffer + *start, text, length);
	return true;
}

/* Climbs from the place to root (or as far up as it goes, which makes it unreachable), writing from the buffer's end.
 */
static bool climb(const struct path *path, const struct path *root, char *buffer, size_t *start, bool *reachable)
{
	const struct mount *mount = path->mount;
	const struct dentry *dentry = path->dentry;

	for (;;) {
		*reachable = mount == root->mount && dentry == root->dentry;
		if (*reachable)
			return true;
		if (dentry == mount->root) {
			*reachable = mount->internal;
			if (!mount->parent)
				return true;
			dentry = mount->mountpoint;
			mount = mount->parent;
			continue;
		}
		if (!dentry->parent)
			return true;
		if (!prepend(buffer, start, dentry->name, dentry->name_length) || !prepend(buffer, start, "/", 1))
			return false;
		dentry = dentry->parent;
	}
}

bool path_is_unlinked(const struct path *path)
{
	return path->dentry->parent && !path->dentry->hashed;
}

ssize_t path_name(const struct path *path, const struct path *root, char *text, size_t size)
{
	static const char gone[] = " (deleted)", outside[] = "(unreachable)";
	size_t start = size;
	bool reachable, unlinked = path_is_unlinked(path);

	if (!size || !prepend(text, &start, "", 1))
		return -ENAMETOOLONG;
	if (unlinked && !prepend(text, &start, gone, strlen(gone)))
		return -ENAMETOOLONG;
	size_t end = start;
	if (!climb(path, root, text, &start, &reachable))
		return -ENAMETOOLONG;
	if (start == end && !prepend(text, &start, "/", 1))
		return -ENAMETOOLONG;
	if (!reachable && !prepend(text, &start, outside, strlen(outside)))
		return -ENAMETOOLONG;
	memmove(text, text + start, size - start);
	return (ssize_t)(size - start - 1);
}
