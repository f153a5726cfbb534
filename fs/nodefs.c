/* nodefs.c - file systems whose files are answers.
 *
 * Descriptions are entered in a table at start, parents before children; an inode holds its number there. Inodes are
 * made by look-up and forgotten when nobody uses them: their numbers are computed from what they stand for, so that a
 * second look-up finds the same file. The dentry cache asks before it trusts a name (node_check): a process may have
 * gone.
 *
 * The text of a file is a snapshot: made when a reader is at position 0 (or has none yet), shared by the reads that
 * follow, given back at the end of the file. So one pass over a file sees one state, and rewinding sees the present
 * one, which is what programs that poll /proc rely on.
 *
 * Limits: NODE_LIMIT descriptions; NODE_TEXT_LIMIT bytes of a file; NODE_WRITE_BYTES of a write.
 */
#include "fs/nodefs.h"
#include "fs/dentry.h"
#include "fs/dir.h"
#include "fs/mount.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NODE_NONE     UINT32_MAX
#define FIRST_DYNAMIC 4096 /* directory positions from here on are keys of dynamic entries */

static struct entry {
	const struct node_desc *desc;
	uint32_t parent, first_child, next_sibling, dynamic;
} nodes[NODE_LIMIT];
static uint32_t node_count;

static struct {
	uint64_t magic, size;
} kinds[INODE_KINDS];

/* An open file's snapshot. */
struct node_text {
	struct ref ref; /* a read that parks keeps it from another that rewinds */
	struct text text;
};
static struct slab text_slab = SLAB(node_text);

/* ------------------------------------------------------------------ descriptions */

static uint32_t enter(uint32_t parent, const struct node_desc *desc)
{
	assert(node_count < NODE_LIMIT);
	nodes[node_count] = (struct entry){desc, parent, NODE_NONE, NODE_NONE, NODE_NONE};
	return node_count++;
}

static void add_child(uint32_t parent, uint32_t child)
{
	uint32_t *last = &nodes[parent].first_child;

	while (*last != NODE_NONE)
		last = &nodes[*last].next_sibling;
	*last = child;
}

/* Descriptions are few and not deep: written by us, not by a guest. */
static uint32_t enter_all(uint32_t parent, const struct node_desc *desc)
{
	uint32_t id = enter(parent, desc);

	for (unsigned i = 0; i < desc->child_count; i++)
		add_child(id, enter_all(id, &desc->children[i]));
	if (desc->entry)
		nodes[id].dynamic = enter_all(id, desc->entry);
	return id;
}

uint32_t nodefs_register(uint32_t parent, const struct node_desc *desc)
{
	uint32_t id = enter_all(parent, desc);

	if (parent != NODE_ROOT)
		add_child(parent, id);
	return id;
}

static uint32_t find_child(uint32_t parent, const char *name, size_t length)
{
	uint32_t id = nodes[parent].first_child;

	while (id != NODE_NONE && (strncmp(nodes[id].desc->name, name, length) || nodes[id].desc->name[length]))
		id = nodes[id].next_sibling;
	return id;
}

uint32_t nodefs_find(uint32_t root, const char *path)
{
	uint32_t id = root;

	while (*path && id != NODE_NONE) {
		size_t length = strcspn(path, "/");
		id = find_child(id, path, length);
		path += length + (path[length] == '/');
	}
	return id;
}

/* The function that says whether an instance lives is that of the nearest description above that has one. */
static bool refresh(const struct node_ref *ref, struct inode *inode)
{
	for (uint32_t id = ref->id; id != NODE_ROOT; id = nodes[id].parent)
		if (nodes[id].desc->refresh)
			return nodes[id].desc->refresh(ref, inode);
	return true;
}

bool node_number(const char *name, uint32_t *out)
{
	uint64_t number = 0;

	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]))
		return false;
	for (; *name; name++) {
		number = number * 10 + (uint64_t)(*name - '0');
		if (*name < '0' || *name > '9' || number > INT32_MAX)
			return false;
	}
	*out = (uint32_t)number;
	return true;
}

/* ------------------------------------------------------------------ inodes */

static const struct node_ref *ref_of(const struct inode *inode)
{
	return inode->data;
}

static const struct node_desc *desc_of(const struct inode *inode)
{
	assert(ref_of(inode)->id < node_count);
	return nodes[ref_of(inode)->id].desc;
}

const struct node_desc *nodefs_desc(const struct inode *inode, struct node_ref *ref)
{
	if (!inode->sb || !kinds[inode->kind].magic || !inode->data)
		return NULL;
	*ref = *ref_of(inode);
	return desc_of(inode);
}

/* The same for the same thing, different for different ones as long as their numbers are of usual size. */
static uint64_t ino_of(const struct node_ref *ref)
{
	uint64_t instance = ref->args[0] ? 1 : 0;

	return instance << 62 | (uint64_t)(ref->args[0] & 0x3fffff) << 40 | (uint64_t)(ref->args[1] & 0x3ffff) << 22 |
	       (ref->args[2] & 0xfff) << 10 | (ref->id + 1);
}

static uint32_t links_of(uint32_t id)
{
	uint32_t links = 2;

	for (uint32_t child = nodes[id].first_child; child != NODE_NONE; child = nodes[child].next_sibling)
		links += S_ISDIR(nodes[child].desc->mode);
	return links;
}

static int node_inode(struct superblock *sb, const struct node_ref *ref, struct inode **out)
{
	const struct node_desc *desc = nodes[ref->id].desc;
	struct inode *inode = inode_new(sb, sb->kind, desc->mode, NULL);
	struct node_ref *copy = inode ? arena_alloc(sizeof *copy) : NULL;

	if (inode && !copy)
		inode_put(inode);
	if (!copy)
		return -ENOMEM;
	*copy = *ref;
	inode->data = copy;
	inode->ino = ino_of(ref);
	if (S_ISDIR(desc->mode))
		inode->nlink = links_of(ref->id);
	else if (S_ISREG(desc->mode))
		inode->size = kinds[sb->kind].size;
	else if (S_ISLNK(desc->mode))
		inode->mode |= 0777;
	if (!refresh(ref, inode)) {
		inode_put(inode);
		return -ENOENT;
	}
	*out = inode;
	return 0;
}

static void node_release(struct inode *inode)
{
	arena_free(inode->data, inode->data ? sizeof(struct node_ref) : 0);
}

static int node_lookup(struct inode *dir, const char *name, struct inode **out)
{
	const struct node_ref *ref = ref_of(dir);
	const struct node_desc *desc = desc_of(dir);
	struct node_ref child = *ref;

	if (!S_ISDIR(desc->mode))
		return -ENOTDIR;
	if (!refresh(ref, dir))
		return -ESRCH; /* the directory of a process that is gone (proc_pid_permission in Linux) */
	child.id = find_child(ref->id, name, strlen(name));
	if (child.id == NODE_NONE) {
		int error = desc->lookup ? desc->lookup(ref, name, &child) : -ENOENT;
		if (error)
			return error;
		child.id = nodes[ref->id].dynamic;
	}
	return node_inode(dir->sb, &child, out);
}

static bool node_check(struct inode *dir, const char *name, struct inode *inode, uint64_t *checked_ns)
{
	(void)dir;
	(void)name;
	(void)checked_ns;
	return inode && refresh(ref_of(inode), inode);
}

static ssize_t node_readlink(struct inode *inode, char *target, size_t size)
{
	const struct node_desc *desc = desc_of(inode);

	if (desc->link)
		return desc->link(ref_of(inode), target, size);
	if (!desc->text)
		return -EINVAL;
	size_t length = MIN(strlen(desc->text), size);
	memcpy(target, desc->text, length);
	return (ssize_t)length;
}

/* -EINVAL: an ordinary symbolic link. */
static int node_follow(struct inode *inode, struct path *out)
{
	const struct node_desc *desc = desc_of(inode);

	return desc->follow ? desc->follow(ref_of(inode), out) : -EINVAL;
}

/* O_TRUNC succeeds and means nothing, owners and modes are not the guest's to change. */
static int node_setattr(struct inode *inode, const struct setattr *change)
{
	(void)inode;
	return change->valid & ~(uint32_t)ATTR_SIZE ? -EPERM : 0;
}

static int node_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred, struct file **out)
{
	const struct node_desc *desc = desc_of(inode);
	bool directory = S_ISDIR(desc->mode), writes = (flags & O_ACCMODE) != O_RDONLY;

	if (!refresh(ref_of(inode), inode))
		return -ENOENT;
	if (!directory && writes && !desc->store && !desc->write && !(inode->mode & 0222))
		return -EACCES;
	if (desc->may_open) {
		int error = desc->may_open(ref_of(inode), cred, flags);
		if (error)
			return error;
	}
	*out = file_new(directory ? FILE_DIR : FILE_PROC, flags, inode, path, cred);
	return *out ? 0 : file_refusal();
}

static const struct inode_ops node_ops = {
	.lookup = node_lookup,
	.readlink = node_readlink,
	.follow = node_follow,
	.setattr = node_setattr,
	.open = node_open,
	.check = node_check,
	.release = node_release,
};

/* ------------------------------------------------------------------ directories */

static int list_dynamic(struct file *file, dir_emit *emit, void *context)
{
	const struct node_ref *ref = ref_of(file->inode);
	const struct node_desc *desc = desc_of(file->inode);

	for (;;) {
		char name[32];
		uint64_t key = (uint64_t)file->pos - FIRST_DYNAMIC;
		struct node_ref child = *ref;
		child.id = nodes[ref->id].dynamic;
		if (!desc->next(ref, &key, name, &child))
			return 0;
		int64_t next = (int64_t)(key + 1 + FIRST_DYNAMIC);
		if (!emit(context, name, strlen(name), ino_of(&child), dir_type(nodes[child.id].desc->mode), next))
			return 0;
		file->pos = next;
	}
}

static int node_readdir(struct file *file, dir_emit *emit, void *context)
{
	const struct node_ref *ref = ref_of(file->inode);
	int64_t position = 2;

	if (!refresh(ref, file->inode))
		return -ENOENT;
	if (!dir_emit_dots(file, emit, context))
		return 0;
	for (uint32_t id = nodes[ref->id].first_child; id != NODE_NONE; id = nodes[id].next_sibling, position++) {
		const struct node_desc *desc = nodes[id].desc;
		struct node_ref child = *ref;
		if (position < file->pos)
			continue;
		child.id = id;
		if (!emit(context, desc->name, strlen(desc->name), ino_of(&child), dir_type(desc->mode), position + 1))
			return 0;
		file->pos = position + 1;
	}
	if (!desc_of(file->inode)->next)
		return 0;
	file->pos = MAX(file->pos, FIRST_DYNAMIC);
	return list_dynamic(file, emit, context);
}

/* ------------------------------------------------------------------ open files */

static void text_put(struct node_text *text)
{
	if (!ref_put(&text->ref))
		return;
	text_free(&text->text);
	slab_free(&text_slab, text);
}

static void drop_text(struct file *file)
{
	struct node_text *text = file->data;

	file->data = NULL;
	if (text)
		text_put(text);
}

/* PARKS. A fresh snapshot in file->data. */
static int make_text(struct file *file)
{
	const struct node_desc *desc = desc_of(file->inode);
	struct node_text *fresh = slab_new(&text_slab);

	if (!fresh)
		return -ENOMEM;
	ref_init(&fresh->ref);
	text_init_growing(&fresh->text, NODE_TEXT_LIMIT);
	int error = desc->show ? desc->show(ref_of(file->inode), &fresh->text) : 0;
	if (desc->text)
		text_add_string(&fresh->text, desc->text);
	if (!error && fresh->text.truncated && fresh->text.capacity < NODE_TEXT_LIMIT)
		error = -ENOMEM;
	if (error) {
		text_put(fresh);
		return error;
	}
	drop_text(file);
	file->data = fresh;
	return 0;
}

static ssize_t node_read(struct file *file, struct uio *to, int64_t *pos)
{
	const struct node_desc *desc = desc_of(file->inode);

	if (desc->read)
		return desc->read(ref_of(file->inode), to, pos);
	if (!desc->show && !desc->text)
		return -EINVAL;
	if (!*pos || !file->data) {
		int error = make_text(file);
		if (error)
			return error;
	}
	struct node_text *text = file->data;
	if (*pos < 0 || (uint64_t)*pos >= text->text.length) {
		drop_text(file);
		return 0;
	}
	ref_get(&text->ref);
	ssize_t n = uio_put(to, text->text.data + *pos, MIN(to->left, text->text.length - (size_t)*pos));
	text_put(text);
	if (n > 0)
		*pos += n;
	return n;
}

static ssize_t node_write(struct file *file, struct uio *from, int64_t *pos)
{
	const struct node_desc *desc = desc_of(file->inode);
	char bytes[NODE_WRITE_BYTES + 1];

	if (desc->write)
		return desc->write(ref_of(file->inode), from, pos);
	if (!desc->store)
		return -EIO;
	if (from->left > NODE_WRITE_BYTES)
		return -EINVAL;
	ssize_t n = uio_take(from, bytes, from->left);
	if (n < 0)
		return n;
	bytes[n] = '\0';
	n = desc->store(ref_of(file->inode), bytes, (size_t)n);
	if (n > 0)
		*pos += n;
	return n;
}

static int64_t node_seek(struct file *file, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += file->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0 && !desc_of(file->inode)->read)
		return -EINVAL;
	return file->pos = offset;
}

static long node_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	const struct node_desc *desc = desc_of(file->inode);

	return desc->ioctl ? desc->ioctl(ref_of(file->inode), user, command, argument) : -ENOTTY;
}

static const struct file_ops file_operations = {
	.read = node_read, .write = node_write, .seek = node_seek, .ioctl = node_ioctl, .release = drop_text};

/* ------------------------------------------------------------------ file systems */

static int node_statfs(struct superblock *sb, struct statfs_info *out)
{
	out->type = kinds[sb->kind].magic;
	out->block_size = PAGE_SIZE;
	out->name_max = NAME_LIMIT;
	return 0;
}

void nodefs_kind_register(enum inode_kind kind, uint64_t magic, uint64_t size_bytes)
{
	assert(kind < INODE_KINDS);
	kinds[kind].magic = magic;
	kinds[kind].size = size_bytes;
	inode_kind_register(kind, &node_ops, node_statfs);
	dir_kind_register(kind, node_readdir, NULL);
	file_kind_register(FILE_PROC, &file_operations);
}

int nodefs_new(enum inode_kind kind, const char *type, uint32_t root, struct superblock **out)
{
	struct superblock *sb = superblock_new(kind, type);
	struct node_ref ref = {.id = root};

	if (!sb)
		return -ENOMEM;
	int error = node_inode(sb, &ref, &sb->root);
	if (error)
		superblock_put(sb);
	else
		*out = sb;
	return error;
}

/* ------------------------------------------------------------------ files without a place */

/* The mount that nameless files are on: it is in no tree and in no list. */
static int hidden_mount(struct superblock *sb, struct mount **out)
{
	static struct mount *mounts[8]; /* anonymous files, memfds: one for each file system that has such files */

	for (unsigned i = 0; i < COUNT(mounts); i++) {
		if (!mounts[i]) {
			mounts[i] = arena_alloc(sizeof(struct mount));
			if (!mounts[i])
				return -ENOMEM;
			ref_init(&mounts[i]->ref);
			mounts[i]->sb = sb;
			superblock_get(sb);
			list_init(&mounts[i]->node);
		}
		if (mounts[i]->sb == sb) {
			*out = mounts[i];
			return 0;
		}
	}
	return -ENXIO;
}

int nodefs_place_of(const struct file *file, struct path *out)
{
	if (file->path.dentry) {
		*out = file->path;
		path_get(out);
		return 0;
	}
	struct mount *mount;
	int error = hidden_mount(file->inode->sb, &mount);
	if (error)
		return error;
	out->dentry = dentry_new_root(file->inode);
	if (!out->dentry)
		return -ENOMEM;
	out->mount = mount;
	ref_get(&mount->ref);
	return 0;
}
