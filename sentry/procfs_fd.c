/* procfs_fd.c - the places a process has: its open files, its program, directory and root, and the mounts it sees.
 *
 * The links are magic: they lead to the file itself, also where it has no name any more or never had one. Their texts
 * are names as the asking process sees them.
 */
#include "fs/dentry.h"
#include "fs/mount.h"
#include "sentry/base/limits.h"
#include "sentry/procfs_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const struct path *procfs_root(const struct task *about)
{
	const struct task *asking = task_current();

	if (asking && asking->fs)
		return &asking->fs->root;
	return about->fs ? &about->fs->root : NULL;
}

/* ------------------------------------------------------------------ fd, fdinfo */

/* The open file of a node, given. */
static int file_of(const struct node_ref *ref, struct file **out)
{
	struct task *task = procfs_task(ref);

	if (!task || !task->files)
		return -ENOENT;
	return fd_get(task->files, (int)ref->args[PROC_NUMBER], out) ? -ENOENT : 0;
}

int procfs_lookup_fd(const struct node_ref *ref, const char *name, struct node_ref *child)
{
	struct file *file;

	(void)ref;
	if (!node_number(name, &child->args[PROC_NUMBER]))
		return -ENOENT;
	int error = file_of(child, &file);
	if (!error)
		file_put(file);
	return error;
}

bool procfs_next_fd(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child)
{
	struct task *task = procfs_task(ref);
	int fd = task && task->files && *key <= INT32_MAX ? fd_next(task->files, (int)*key) : -1;

	if (fd < 0)
		return false;
	*key = (uint64_t)fd;
	child->args[PROC_NUMBER] = (uint32_t)fd;
	snprintf(name, 32, "%d", fd);
	return true;
}

/* The link's permissions say how the file was opened. */
static bool refresh_fd(const struct node_ref *ref, struct inode *inode)
{
	static const uint32_t modes[] = {0500, 0300, 0700, 0700};
	struct file *file;

	if (!procfs_refresh(ref, inode) || file_of(ref, &file))
		return false;
	if (S_ISLNK(inode->mode))
		inode->mode = S_IFLNK | (file->flags & O_PATH ? 0 : modes[file->flags & O_ACCMODE]);
	file_put(file);
	return true;
}

/* A file that was opened anew by way of its link has a place that is in no tree: it goes by its own name. */
static ssize_t name_of_file(const struct file *file, const struct path *root, char *target, size_t size)
{
	struct file nameless = *file;

	if (file->path.mount && !file->path.mount->root)
		nameless.path = (struct path){NULL, NULL};
	return file_name(&nameless, root, target, size);
}

static ssize_t copy_name(ssize_t length, const char *name, char *target, size_t size)
{
	if (length < 0)
		return length;
	memcpy(target, name, MIN((size_t)length, size));
	return (ssize_t)MIN((size_t)length, size);
}

static ssize_t link_fd(const struct node_ref *ref, char *target, size_t size)
{
	char name[PATH_LIMIT];
	struct file *file;
	int error = procfs_may_access(ref);

	if (!error)
		error = file_of(ref, &file);
	if (error)
		return error;
	const struct path *root = procfs_root(procfs_task(ref));
	ssize_t length = root ? name_of_file(file, root, name, sizeof name) : -ENOENT;
	file_put(file);
	return copy_name(length, name, target, size);
}

static int follow_fd(const struct node_ref *ref, struct path *out)
{
	struct file *file;
	int error = procfs_may_access(ref);

	if (!error)
		error = file_of(ref, &file);
	if (error)
		return error;
	error = nodefs_place_of(file, out);
	file_put(file);
	return error;
}

const struct node_desc procfs_fd_entry = {
	.name = "", .mode = S_IFLNK | 0700, .link = link_fd, .follow = follow_fd, .refresh = refresh_fd};

static int show_fdinfo(const struct node_ref *ref, struct text *out)
{
	struct file *file;
	char extra[1024] = "";
	int error = file_of(ref, &file);

	if (error)
		return error;
	struct task *task = procfs_task(ref);
	uint32_t flags = file->flags;
	if (fd_cloexec_get(task->files, (int)ref->args[PROC_NUMBER]) == 1)
		flags |= O_CLOEXEC;
	text_printf(out, "pos:\t%" PRId64 "\nflags:\t0%o\nmnt_id:\t%d\nino:\t%" PRIu64 "\n", file_position(file), flags,
		    file->path.mount ? file->path.mount->id : 0, file->inode->ino);
	if (file_ops(file)->fdinfo && file_ops(file)->fdinfo(file, extra, sizeof extra) >= 0)
		text_add_string(out, extra);
	file_put(file);
	return 0;
}

const struct node_desc procfs_fdinfo_entry = {
	.name = "", .mode = S_IFREG | 0444, .show = show_fdinfo, .may_open = procfs_may_open, .refresh = refresh_fd};

/* ------------------------------------------------------------------ exe, cwd, root */

enum link { LINK_EXE, LINK_CWD, LINK_ROOT };

static int follow_place(const struct node_ref *ref, enum link which, struct path *out)
{
	struct task *task = procfs_task(ref);
	int error = procfs_may_access(ref);

	if (error)
		return error;
	if (which == LINK_EXE) {
		if (!task->mm || !task->mm->exe)
			return -ENOENT;
		return nodefs_place_of(task->mm->exe, out);
	}
	if (!task->fs)
		return -ENOENT;
	*out = which == LINK_CWD ? task->fs->cwd : task->fs->root;
	path_get(out);
	return 0;
}

static ssize_t link_place(const struct node_ref *ref, enum link which, char *target, size_t size)
{
	char name[PATH_LIMIT];
	struct path place;
	int error = follow_place(ref, which, &place);

	if (error)
		return error;
	struct task *task = procfs_task(ref);
	const struct path *root = procfs_root(task);
	ssize_t length = -ENOENT;
	if (root && which == LINK_EXE)
		length = name_of_file(task->mm->exe, root, name, sizeof name);
	else if (root)
		length = path_name(&place, root, name, sizeof name);
	path_put(&place);
	return copy_name(length, name, target, size);
}

#define PLACE_LINK(name, which)                                                                                        \
	ssize_t procfs_link_##name(const struct node_ref *ref, char *target, size_t size)                              \
	{                                                                                                              \
		return link_place(ref, which, target, size);                                                           \
	}                                                                                                              \
	int procfs_follow_##name(const struct node_ref *ref, struct path *out)                                         \
	{                                                                                                              \
		return follow_place(ref, which, out);                                                                  \
	}
PLACE_LINK(exe, LINK_EXE)
PLACE_LINK(cwd, LINK_CWD)
PLACE_LINK(root, LINK_ROOT)

/* ------------------------------------------------------------------ mounts, mountinfo */

/* Spaces and the like would break the fields (mangle in Linux). */
static void add_mangled(struct text *out, const char *name)
{
	for (; *name; name++)
		if (strchr(" \t\n\\#", *name))
			text_printf(out, "\\%03o", (unsigned char)*name);
		else
			text_add_char(out, *name);
}

/* The mount point as the task sees it; false: it does not. */
static bool mount_point(const struct mount *mount, const struct path *root, char name[PATH_LIMIT])
{
	const struct path place = {(struct mount *)mount, mount->root};

	return path_name(&place, root, name, PATH_LIMIT) > 0 && name[0] == '/';
}

static void add_options(struct text *out, const struct mount *mount, bool read_only)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{MS_NOSUID, "nosuid"},          {MS_NODEV, "nodev"},           {MS_NOEXEC, "noexec"},
		     {MS_NOATIME, "noatime"},        {MS_NODIRATIME, "nodiratime"}, {MS_RELATIME, "relatime"},
		     {MS_NOSYMFOLLOW, "nosymfollow"}};

	text_printf(out, read_only ? "ro" : "rw");
	for (unsigned i = 0; i < COUNT(names); i++)
		if (mount->flags & names[i].flag)
			text_printf(out, ",%s", names[i].name);
}

/* Which part of its file system a mount shows: "/" but for bind mounts. */
static void add_root(struct text *out, const struct mount *mount)
{
	struct mount whole = {.root = mount->root, .internal = true};
	const struct path place = {&whole, mount->root}, nowhere = {NULL, NULL};
	char name[PATH_LIMIT];

	while (whole.root->parent)
		whole.root = whole.root->parent;
	ssize_t length = path_name(&place, &nowhere, name, sizeof name);
	add_mangled(out, length > 0 ? name : "/");
}

static const char *source_of(const struct mount *mount)
{
	return mount->source ? mount->source : mount->sb->type;
}

int procfs_show_mounts(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);
	struct list *all = mount_all();
	struct mount *mount;
	char name[PATH_LIMIT];

	if (!task)
		return -ESRCH;
	if (!task->fs)
		return -EINVAL;
	list_for_each (mount, all, node) {
		if (!mount_point(mount, &task->fs->root, name))
			continue;
		add_mangled(out, source_of(mount));
		text_add_char(out, ' ');
		add_mangled(out, name);
		text_printf(out, " %s ", mount->sb->type);
		add_options(out, mount, mount_is_read_only(mount));
		text_printf(out, " 0 0\n");
	}
	return 0;
}

int procfs_show_mountinfo(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);
	struct list *all = mount_all();
	struct mount *mount;
	char name[PATH_LIMIT];

	if (!task)
		return -ESRCH;
	if (!task->fs)
		return -EINVAL;
	list_for_each (mount, all, node) {
		uint64_t dev = mount->sb->dev;
		if (!mount_point(mount, &task->fs->root, name))
			continue;
		text_printf(out, "%d %d %u:%u ", mount->id, mount->parent ? mount->parent->id : mount->id,
			    (unsigned)(dev >> 8 & 0xfff), (unsigned)(dev & 0xff));
		add_root(out, mount);
		text_add_char(out, ' ');
		add_mangled(out, name);
		text_add_char(out, ' ');
		add_options(out, mount, mount->flags & MS_RDONLY);
		text_printf(out, " - %s ", mount->sb->type);
		add_mangled(out, source_of(mount));
		text_printf(out, mount->sb->read_only ? " ro\n" : " rw\n");
	}
	return 0;
}
