/* changes.c - see changes.h.
 *
 * An overlay knows what was touched: the index holds every changed inode that has a lower one (fs/overlay.c), and
 * entries in memory stand for every name that was made or removed. So nobody walks the tree below but where a whole
 * directory has come to another place:
 *
 *  - each inode of the index is looked for at the name that its lower one has; if it is still there, it is compared
 * with the lower one, and if it is a directory its entries in memory are looked at;
 *  - an entry with another inode than the lower one of that name is compared with it, a directory by all its names.
 *
 * Pairs that are still to be compared wait in a list, not on the stack: trees may be as deep as guests like. The same
 * name may be reached by both ways; the second finding is dropped after sorting.
 *
 * Limits: CHANGES_LIMIT_BYTES of paths. A lower file with several names is found by the name that was used last.
 */
#include "fs/changes.h"
#include "fs/bounce.h"
#include "fs/host.h"
#include "fs/mount.h"
#include "fs/overlay.h"
#include "fs/tmpfs.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define HALF_BOUNCE (BOUNCE_BYTES / 2)

/* A name that is still to be compared. */
struct pair {
	struct list node;
	struct inode *inode; /* counted; NULL: there is none any more */
	struct inode *lower; /* counted; NULL: there was none */
	size_t length;
	char path[];
};

struct collector {
	struct change_list *list;
	struct list pairs;
	size_t pair_bytes;
};

/* The overlays that the sandbox was started with, and where: guests may mount them elsewhere, and unmount them. */
struct overlay_place {
	struct superblock *sb; /* counted */
	char *prefix;          /* of what is in it: "" for the root */
};
static struct overlay_place *places;
static unsigned place_count;

static int add_place(const struct mount *mount, const struct path *root)
{
	const struct path place = {(struct mount *)mount, mount->root};
	struct mem_fs *fs = mem_fs(mount->sb);
	char name[PATH_LIMIT];
	ssize_t length = path_name(&place, root, name, sizeof name);

	if (length < 0)
		return (int)length;
	char *prefix = arena_string(length == 1 ? "" : name);
	if (!prefix)
		return -ENOMEM;
	fs->guest_ino = mount->sb->next_ino;
	fs->guest_time = fs_time_now();
	superblock_get(mount->sb);
	places[place_count++] = (struct overlay_place){mount->sb, prefix};
	return 0;
}

int changes_begin(const struct path *root)
{
	struct mount *mount;
	unsigned count = 0;
	int error = 0;

	list_for_each (mount, mount_all(), node)
		count += mount->sb->kind == INODE_OVERLAY;
	places = count ? arena_alloc(count * sizeof *places) : NULL;
	place_count = 0;
	if (count && !places)
		return -ENOMEM;
	list_for_each (mount, mount_all(), node)
		if (mount->sb->kind == INODE_OVERLAY && !error)
			error = add_place(mount, root);
	return error;
}

static bool time_is_after(const struct fs_time *a, const struct fs_time *b)
{
	return a->s > b->s || (a->s == b->s && a->ns > b->ns);
}

/* Made by the start of the sandbox, and as it was then. */
static bool is_from_start(const struct inode *inode)
{
	const struct mem_fs *fs = mem_fs(inode->sb);

	if (mem_node(inode)->lower || inode->ino > fs->guest_ino)
		return false;
	return S_ISDIR(inode->mode) || !time_is_after(&inode->ctime, &fs->guest_time);
}

/* ------------------------------------------------------------------------------------------------ content */

ssize_t change_read(struct inode *inode, uint64_t pos, void *dst, size_t size)
{
	struct uio uio;

	uio_init_kernel(&uio, dst, size);
	if (inode->kind == INODE_OVERLAY) {
		struct mem_node *node = mem_node(inode);
		if (!node->data_is_lower)
			return filedata_read(&node->data, &uio, pos, inode->size);
		inode = node->lower;
	}
	return host_read_inode(inode, &uio, (int64_t)pos);
}

uint64_t change_next(struct inode *inode, uint64_t pos, bool hole)
{
	if (inode->kind == INODE_OVERLAY && !mem_node(inode)->data_is_lower)
		return filedata_next(&mem_node(inode)->data, pos, inode->size, hole);
	return hole ? inode->size : MIN(pos, inode->size);
}

ssize_t change_target(struct inode *inode, char *target, size_t size)
{
	return inode_ops(inode)->readlink(inode, target, size);
}

/* PARKS. What cannot be read is called different. */
static bool same_bytes(struct inode *inode, struct inode *lower)
{
	char *bounce = bounce_get();
	uint64_t pos = 0;
	bool same = bounce && inode->size == lower->size;

	while (same && pos < inode->size) {
		ssize_t a = change_read(inode, pos, bounce, HALF_BOUNCE);
		ssize_t b = change_read(lower, pos, bounce + HALF_BOUNCE, HALF_BOUNCE);
		same = a > 0 && a == b && !memcmp(bounce, bounce + HALF_BOUNCE, (size_t)a);
		pos += (uint64_t)MAX(a, (ssize_t)0);
	}
	if (bounce)
		bounce_put(bounce);
	return same;
}

static bool same_target(struct inode *inode, struct inode *lower)
{
	char a[PATH_LIMIT], b[PATH_LIMIT];
	ssize_t n = change_target(inode, a, sizeof a);

	return n >= 0 && n == change_target(lower, b, sizeof b) && !memcmp(a, b, (size_t)n);
}

/* PARKS. CHANGE_*, or 0. */
static uint8_t compare(struct inode *inode, struct inode *lower)
{
	struct mem_node *node = mem_node(inode);
	uint8_t what = 0;
	struct attr now;

	if (node->lower == lower && !node->pinned)
		return 0;
	if (inode_getattr(lower, &now)) /* brings a lower inode up to date */
		return CHANGE_CONTENT;
	if ((inode->mode ^ lower->mode) & S_IFMT)
		what |= CHANGE_TYPE;
	else if (S_ISREG(inode->mode) && !(node->lower == lower && node->data_is_lower) && !same_bytes(inode, lower))
		what |= CHANGE_CONTENT;
	else if (S_ISLNK(inode->mode) && node->lower != lower && !same_target(inode, lower))
		what |= CHANGE_TARGET;
	else if ((S_ISCHR(inode->mode) || S_ISBLK(inode->mode)) && inode->rdev != lower->rdev)
		what |= CHANGE_TARGET;
	if (!(what & CHANGE_TYPE) && (inode->mode ^ lower->mode) & 07777)
		what |= CHANGE_MODE;
	if (inode->uid != lower->uid || inode->gid != lower->gid)
		what |= CHANGE_OWNER;
	if (!list_empty(&node->xattrs))
		what |= CHANGE_XATTR;
	return what;
}

/* ------------------------------------------------------------------------------------------------ the list */

static int list_add(struct change_list *list, const struct pair *pair, char kind, uint8_t what)
{
	if (list->bytes + pair->length > CHANGES_LIMIT_BYTES) {
		list->cut = true;
		return 0;
	}
	if (list->count == list->room) {
		size_t room = MAX(list->room * 2, (size_t)64);
		struct change *items = arena_realloc(list->items, list->room * sizeof *items, room * sizeof *items);
		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	char *path = arena_alloc(pair->length + 1);
	if (!path)
		return -ENOMEM;
	memcpy(path, pair->path, pair->length);
	list->items[list->count++] = (struct change){.kind = kind,
						     .what = what,
						     .path = path,
						     .length = pair->length,
						     .inode = pair->inode,
						     .lower = pair->lower};
	if (pair->inode)
		inode_get(pair->inode);
	if (pair->lower)
		inode_get(pair->lower);
	list->bytes += pair->length + 1;
	return 0;
}

static void change_put(struct change *change)
{
	arena_free(change->path, change->length + 1);
	if (change->inode)
		inode_put(change->inode);
	if (change->lower)
		inode_put(change->lower);
}

void changes_free(struct change_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		change_put(&list->items[i]);
	arena_free(list->items, list->room * sizeof *list->items);
	*list = (struct change_list){0};
}

static int by_path(const struct change *a, const struct change *b)
{
	int order = memcmp(a->path, b->path, MIN(a->length, b->length));

	return order ? order : (a->length > b->length) - (a->length < b->length);
}

static void sift_down(struct change *items, size_t at, size_t count)
{
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && by_path(&items[child], &items[child + 1]) < 0)
			child++;
		if (by_path(&items[at], &items[child]) >= 0)
			return;
		struct change other = items[at];
		items[at] = items[child];
		items[child] = other;
	}
}

/* A heap sort: the C library's qsort makes system calls that the jail does not know. */
static void sort(struct change_list *list)
{
	struct change *items = list->items;
	size_t kept = 0;

	for (size_t i = list->count / 2; i-- > 0;)
		sift_down(items, i, list->count);
	for (size_t end = list->count; end-- > 1;) {
		struct change first = items[0];
		items[0] = items[end];
		items[end] = first;
		sift_down(items, 0, end);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (kept && !by_path(&items[kept - 1], &items[i]))
			change_put(&items[i]);
		else
			items[kept++] = items[i];
	}
	list->count = kept;
}

/* ------------------------------------------------------------------------------------------------ walking */

/* Takes inode and lower. name NULL: dir_path is the whole path. */
static int pair_add(struct collector *all, const char *dir_path, size_t dir_length, const char *name,
		    struct inode *inode, struct inode *lower)
{
	size_t name_length = name ? strlen(name) + 1 : 0, length = dir_length + name_length;
	struct pair *pair = NULL;

	if (all->pair_bytes + length > CHANGES_LIMIT_BYTES)
		all->list->cut = true;
	else
		pair = arena_alloc(sizeof *pair + length + 1);
	if (!pair) {
		if (inode)
			inode_put(inode);
		if (lower)
			inode_put(lower);
		return all->list->cut ? 0 : -ENOMEM;
	}
	memcpy(pair->path, dir_path, dir_length);
	if (name) {
		pair->path[dir_length] = '/';
		memcpy(pair->path + dir_length + 1, name, name_length - 1);
	}
	pair->inode = inode;
	pair->lower = lower;
	pair->length = length;
	all->pair_bytes += length;
	list_push_back(&all->pairs, &pair->node);
	return 0;
}

static void pair_free(struct collector *all, struct pair *pair)
{
	all->pair_bytes -= pair->length;
	list_remove(&pair->node);
	if (pair->inode)
		inode_put(pair->inode);
	if (pair->lower)
		inode_put(pair->lower);
	arena_free(pair, sizeof *pair + pair->length + 1);
}

/* The inode of a name in a directory of the overlay (or below it); NULL: none. */
static int child_of(struct inode *dir, const char *name, struct inode **out)
{
	*out = NULL;
	if (!dir || !S_ISDIR(dir->mode))
		return 0;
	int error = dir->kind == INODE_HOST ? host_lookup(dir, name, out) : inode_ops(dir)->lookup(dir, name, out);
	if (error)
		*out = NULL;
	return error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG ? 0 : error;
}

/* One name of a directory: what is there now against what was there in `before`, a directory below or NULL. */
static int compare_name(struct collector *all, const struct pair *at, struct inode *before, const char *name)
{
	struct inode *inode, *lower;
	int error = child_of(at->inode, name, &inode);

	if (error)
		return error;
	error = child_of(before, name, &lower);
	if (error || (!inode && !lower)) {
		if (inode)
			inode_put(inode);
		return error;
	}
	return pair_add(all, at->path, at->length, name, inode, lower);
}

/* The names that are entries in memory, whiteouts included. */
static int compare_entries(struct collector *all, const struct pair *at, struct inode *before)
{
	struct mem_entry *entry;
	uint64_t place = 0;
	int error = 0;

	while (!error && (entry = mem_next(at->inode, place))) {
		char name[NAME_LIMIT + 1];
		place = entry->place + 1;
		memcpy(name, entry->name, (size_t)entry->length + 1); /* looking up may park */
		error = compare_name(all, at, before, name);
	}
	return error;
}

/* The names of a directory below. */
static int compare_listing(struct collector *all, const struct pair *at, struct inode *listed, struct inode *before)
{
	struct host_snapshot *snapshot;
	int error = host_list(listed, &snapshot);

	if (error)
		return error == -ENOENT ? 0 : error;
	for (uint32_t i = 0; i < snapshot->count && !error; i++)
		error = compare_name(all, at, before, host_entry(snapshot, i)->name);
	host_snapshot_put(snapshot);
	return error;
}

/* Every name of a directory that is new here, or is in another's place. */
static int compare_directory(struct collector *all, const struct pair *at)
{
	struct inode *own = mem_node(at->inode)->lower;
	struct inode *before = at->lower && S_ISDIR(at->lower->mode) ? at->lower : NULL;
	int error = compare_entries(all, at, before);

	if (own == before)
		return error; /* the others are as they were, or in the index */
	if (!error && own)
		error = compare_listing(all, at, own, before);
	if (!error && before)
		error = compare_listing(all, at, before, before);
	return error;
}

static int compare_pair(struct collector *all, const struct pair *pair)
{
	uint8_t what;
	int error = 0;

	if (!pair->inode)
		return list_add(all->list, pair, 'D', 0);
	if (!pair->lower && !is_from_start(pair->inode))
		error = list_add(all->list, pair, 'A', 0);
	else if (pair->lower && (what = compare(pair->inode, pair->lower)))
		error = list_add(all->list, pair, 'M', what);
	if (!error && S_ISDIR(pair->inode->mode))
		error = compare_directory(all, pair);
	return error;
}

/* ------------------------------------------------------------------------------------------------ an overlay */

/* The path of a lower inode below its file system's root, built from its end; NULL: too long. */
static char *lower_path(const struct inode *lower, char *end, const char *start)
{
	for (; lower; lower = host_node(lower)->parent) {
		const char *name = host_node(lower)->parent ? host_node(lower)->name : "";
		size_t length = strlen(name);
		if (!length)
			break;
		if ((size_t)(end - start) < length + 1)
			return NULL;
		end -= length;
		memcpy(end, name, length);
		*--end = '/';
	}
	return end;
}

/* The inode that a path leads to from an overlay's root; NULL: none. */
static int resolve(struct superblock *sb, const char *path, struct inode **out)
{
	struct inode *at = sb->root, *next;
	int error = 0;

	inode_get(at);
	while (*path && at && !error) {
		char name[NAME_LIMIT + 1];
		size_t length = strcspn(++path, "/");
		memcpy(name, path, MIN(length, (size_t)NAME_LIMIT));
		name[MIN(length, (size_t)NAME_LIMIT)] = '\0';
		path += length;
		error = child_of(at, name, &next);
		inode_put(at);
		at = next;
	}
	*out = at;
	return error;
}

/* A changed inode of the index: when it is still where it was, it is compared with what is below. */
static int add_indexed(struct collector *all, struct superblock *sb, const char *prefix, struct inode *inode)
{
	struct inode *lower = mem_node(inode)->lower, *found = NULL;
	char *room = arena_alloc(CHANGE_PATH_BYTES), *path;
	int error = 0;

	if (!room)
		return -ENOMEM;
	size_t prefix_length = strlen(prefix);
	path = lower_path(lower, room + CHANGE_PATH_BYTES - 1, room + prefix_length);
	if (!path)
		all->list->cut = true;
	else
		error = resolve(sb, path, &found);
	if (path && !error && found) {
		if (found == inode) {
			inode_get(lower);
			path -= prefix_length;
			memcpy(path, prefix, prefix_length);
			error = pair_add(all, path, strlen(path), NULL, inode, lower);
		} else {
			inode_put(found);
		}
	}
	arena_free(room, CHANGE_PATH_BYTES);
	return error;
}

/* Looking up adds clean nodes to the index's lists, at their fronts: those that we want are fetched first. */
static int add_index(struct collector *all, struct superblock *sb, const char *prefix)
{
	struct inode **found;
	struct mem_node *node;
	size_t count = 0, at = 0;
	int error = 0;

	for (unsigned i = 0; i < OVERLAY_BUCKETS; i++)
		list_for_each (node, &mem_fs(sb)->index[i], index)
			count += node->pinned;
	found = arena_alloc(count * sizeof *found + 1);
	if (!found)
		return -ENOMEM;
	for (unsigned i = 0; i < OVERLAY_BUCKETS; i++)
		list_for_each (node, &mem_fs(sb)->index[i], index)
			if (node->pinned && at < count) {
				inode_get(node->inode);
				found[at++] = node->inode;
			}
	for (size_t i = 0; i < at; i++) {
		if (!error)
			error = add_indexed(all, sb, prefix, found[i]);
		inode_put(found[i]);
	}
	arena_free(found, count * sizeof *found + 1);
	return error;
}

int changes_collect(struct change_list *out)
{
	struct collector all = {.list = out};
	int error = 0;

	*out = (struct change_list){0};
	list_init(&all.pairs);
	for (unsigned i = 0; i < place_count && !error; i++)
		error = add_index(&all, places[i].sb, places[i].prefix);
	while (!list_empty(&all.pairs)) {
		struct pair *pair = list_first(&all.pairs, struct pair, node);
		if (!error)
			error = compare_pair(&all, pair);
		pair_free(&all, pair);
	}
	sort(out);
	return error;
}
