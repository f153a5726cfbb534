/* notify.c - inotify(7): instances, watches, events.
 *
 *     instance (an open file) --watches--> watch --> inode and its place
 *                                            \-- in inode->watches, where an event finds it
 *
 * A watch holds the inode and the name it was found by, so that both stay the ones that other walks meet. An event is
 * put into the queues at once, by whoever causes it, with the name as it was then; nothing here parks but a read.
 *
 * Limits: INOTIFY_INSTANCE_LIMIT instances, INOTIFY_WATCH_LIMIT watches in a sandbox (-EMFILE, -ENOSPC),
 * INOTIFY_QUEUE_LIMIT events in a queue, behind which one says that the rest is lost. Changes that others make on the
 * host in a directory shown with --rw are not seen. No IN_UNMOUNT: the tree of a sandbox is fixed.
 */
#include "fs/notify.h"
#include "fs/async.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define WD_BUCKETS 256
#define MASK_FLAGS (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD | IN_MASK_CREATE | IN_ONESHOT)

struct instance {
	struct list watches[WD_BUCKETS]; /* watch.own, by descriptor */
	struct list events;              /* event.node */
	struct waitq wait;
	uint32_t event_count;
	uint32_t event_bytes; /* as a read gives them */
	int last_wd;
};

/* With an instance, a watch of inotify. Without, a note: F_NOTIFY's, which sends signals. It has a file instead. */
struct watch {
	struct list own, on_inode, on_super;
	struct instance *instance;
	struct path place;   /* counted */
	struct inode *inode; /* counted */
	struct file *file;   /* notes: not counted, its last close drops them */
	void *owner;         /* notes: the descriptor table */
	int wd;              /* of a note: the descriptor that signals tell */
	uint32_t mask;       /* IN_ALL_EVENTS, IN_EXCL_UNLINK, IN_ONESHOT */
};

struct event {
	struct list node;
	struct inotify_event head; /* len: padded, as read */
	size_t bytes;              /* of this allocation */
	char name[];               /* zero-terminated; empty without one */
};

unsigned notify_watch_count;
static unsigned instances;
static uint32_t last_cookie;
static struct slab instance_slab = SLAB(instance), watch_slab = SLAB(watch);

/* ------------------------------------------------------------------------------------------------ queues */

static bool same_as_last(const struct instance *instance, int wd, uint32_t mask, uint32_t cookie, const char *name)
{
	if (list_empty(&instance->events))
		return false;
	const struct event *last = list_entry(instance->events.prev, struct event, node);
	return last->head.wd == wd && last->head.mask == mask && last->head.cookie == cookie &&
	       !strcmp(last->name, name);
}

static void enqueue(struct instance *instance, int wd, uint32_t mask, uint32_t cookie, const char *name)
{
	size_t length = strlen(name), bytes = sizeof(struct event) + length + 1;

	if (same_as_last(instance, wd, mask, cookie, name))
		return;
	if (instance->event_count > INOTIFY_QUEUE_LIMIT)
		return;
	if (instance->event_count == INOTIFY_QUEUE_LIMIT) {
		wd = -1;
		mask = IN_Q_OVERFLOW;
		cookie = 0;
		length = 0;
	}
	struct event *event = arena_alloc(bytes);
	if (!event)
		return; /* as an overflow that not even the overflow event can tell */
	event->bytes = bytes;
	event->head = (struct inotify_event){.wd = wd, .mask = mask, .cookie = cookie};
	if (length) {
		event->head.len = (uint32_t)((length + sizeof event->head) / sizeof event->head * sizeof event->head);
		memcpy(event->name, name, length + 1);
	}
	list_push_back(&instance->events, &event->node);
	instance->event_count++;
	instance->event_bytes += sizeof event->head + event->head.len;
	waitq_wake(&instance->wait, POLLIN | POLLRDNORM);
}

static void event_free(struct instance *instance, struct event *event)
{
	list_remove(&event->node);
	instance->event_count--;
	instance->event_bytes -= sizeof event->head + event->head.len;
	arena_free(event, event->bytes);
}

/* ------------------------------------------------------------------------------------------------ watches */

static void watch_free(struct watch *watch)
{
	list_remove(&watch->own);
	list_remove(&watch->on_inode);
	list_remove(&watch->on_super);
	assert(notify_watch_count > 0);
	notify_watch_count--;
	if (watch->instance)
		path_put(&watch->place);
	else
		watch->file->directory_notes--;
	inode_put(watch->inode);
	slab_free(&watch_slab, watch);
}

static void watch_end(struct watch *watch)
{
	if (watch->instance)
		enqueue(watch->instance, watch->wd, IN_IGNORED, 0, "");
	watch_free(watch);
}

static struct watch *watch_find(struct instance *instance, int wd)
{
	struct watch *watch;

	list_for_each (watch, &instance->watches[(uint32_t)wd % WD_BUCKETS], own)
		if (watch->wd == wd)
			return watch;
	return NULL;
}

static struct watch *watch_on(struct instance *instance, struct inode *inode)
{
	struct watch *watch;

	list_for_each (watch, &inode->watches, on_inode)
		if (watch->instance == instance)
			return watch;
	return NULL;
}

static int wd_new(struct instance *instance)
{
	do
		instance->last_wd = instance->last_wd == INT32_MAX ? 1 : instance->last_wd + 1;
	while (watch_find(instance, instance->last_wd));
	return instance->last_wd;
}

bool notify_is(const struct file *file)
{
	return file->kind == FILE_INOTIFY;
}

int notify_watch(struct file *file, const struct path *place, uint32_t mask)
{
	struct instance *instance = file->data;
	struct inode *inode = place->dentry->inode;
	struct watch *watch = watch_on(instance, inode);
	uint32_t kept = mask & (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT);

	if (watch) {
		if (mask & IN_MASK_CREATE)
			return -EEXIST;
		watch->mask = mask & IN_MASK_ADD ? watch->mask | kept : kept;
		return watch->wd;
	}
	if (notify_watch_count >= INOTIFY_WATCH_LIMIT)
		return -ENOSPC;
	watch = slab_new(&watch_slab);
	if (!watch)
		return -ENOMEM;
	watch->instance = instance;
	watch->mask = kept;
	watch->wd = wd_new(instance);
	watch->place = *place;
	path_get(&watch->place);
	inode_get(watch->inode = inode);
	list_push_back(&instance->watches[(uint32_t)watch->wd % WD_BUCKETS], &watch->own);
	list_push_back(&inode->watches, &watch->on_inode);
	list_push_back(&inode->sb->watches, &watch->on_super);
	notify_watch_count++;
	return watch->wd;
}

int notify_unwatch(struct file *file, int wd)
{
	struct watch *watch = watch_find(file->data, wd);

	if (!watch)
		return -EINVAL;
	watch_end(watch);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ events */

/* name: of the child that it happened to; empty: it happened to the inode itself. */
static void tell(struct inode *inode, uint32_t event, uint32_t cookie, const char *name, bool unlinked)
{
	struct watch *watch, *after;

	list_for_each_safe (watch, after, &inode->watches, on_inode) {
		if (!(watch->mask & event & (IN_ALL_EVENTS | RENAMED_HERE)) ||
		    (unlinked && watch->mask & IN_EXCL_UNLINK))
			continue;
		if (watch->instance)
			enqueue(watch->instance, watch->wd, event, cookie, name);
		else
			async_message(watch->file, watch->wd);
		if (watch->mask & IN_ONESHOT)
			watch_end(watch);
	}
}

static uint32_t dir_flag(const struct inode *inode)
{
	return S_ISDIR(inode->mode) ? IN_ISDIR : 0;
}

void notify_inode_now(struct inode *inode, uint32_t event)
{
	if (!(event & (IN_DELETE_SELF | IN_MOVE_SELF)))
		event |= dir_flag(inode);
	tell(inode, event, 0, "", false);
}

void notify_dentry_now(struct dentry *dentry, uint32_t event)
{
	struct inode *inode = dentry->inode;

	if (!inode)
		return;
	if (dentry->parent && dentry->parent->inode)
		tell(dentry->parent->inode, event | dir_flag(inode), 0, dentry->name, !dentry->hashed);
	tell(inode, event | dir_flag(inode), 0, "", false);
}

void notify_child_now(struct inode *dir, const char *name, const struct inode *child, uint32_t event, uint32_t cookie)
{
	tell(dir, event | (child ? dir_flag(child) : 0), cookie, name, false);
}

void notify_last_link_now(struct inode *inode)
{
	struct watch *watch, *after;

	if (list_empty(&inode->watches) || inode->open_count || inode->nlink)
		return;
	notify_inode_now(inode, IN_DELETE_SELF);
	inode_get(inode); /* the watches' own references go */
	list_for_each_safe (watch, after, &inode->watches, on_inode)
		watch_end(watch);
	inode_put(inode);
}

unsigned notify_watches_on(const struct mount *mount)
{
	struct watch *watch;
	unsigned count = 0;

	list_for_each (watch, &mount->sb->watches, on_super)
		count += watch->place.mount == mount;
	return count;
}

void notify_unmount(struct mount *mount)
{
	struct watch *watch, *after;

	list_for_each_safe (watch, after, &mount->sb->watches, on_super) {
		if (watch->place.mount != mount)
			continue;
		enqueue(watch->instance, watch->wd, IN_UNMOUNT | dir_flag(watch->inode), 0, "");
		watch_end(watch);
	}
}

/* ------------------------------------------------------------------------------------------------ notes */

/* DN_* as events of inotify. */
static uint32_t note_mask(uint32_t events)
{
	static const struct {
		uint32_t note, events;
	} kinds[] = {{DN_ACCESS, IN_ACCESS},
		     {DN_MODIFY, IN_MODIFY},
		     {DN_CREATE, IN_CREATE | IN_MOVED_TO},
		     {DN_DELETE, IN_DELETE | IN_MOVED_FROM},
		     {DN_RENAME, RENAMED_HERE},
		     {DN_ATTRIB, IN_ATTRIB}};
	uint32_t mask = 0;

	for (unsigned i = 0; i < COUNT(kinds); i++)
		if (events & kinds[i].note)
			mask |= kinds[i].events;
	return mask;
}

void notify_directory_drop(struct file *file, const void *owner)
{
	struct watch *watch, *after;

	list_for_each_safe (watch, after, &file->inode->watches, on_inode)
		if (!watch->instance && watch->file == file && watch->owner == owner)
			watch_free(watch);
}

int notify_directory(struct file *file, int fd, void *owner, uint32_t events)
{
	uint32_t mask = note_mask(events), once = events & DN_MULTISHOT ? 0 : IN_ONESHOT;
	struct watch *watch;

	if (!(events & ~DN_MULTISHOT)) {
		notify_directory_drop(file, owner);
		return 0;
	}
	if (!S_ISDIR(file->inode->mode))
		return -ENOTDIR;
	async_owner_default(file);
	list_for_each (watch, &file->inode->watches, on_inode)
		if (!watch->instance && watch->file == file && watch->owner == owner) {
			watch->mask = ((watch->mask | mask) & ~(uint32_t)IN_ONESHOT) | (watch->mask & once);
			watch->wd = fd;
			return 0;
		}
	watch = notify_watch_count < INOTIFY_WATCH_LIMIT ? slab_new(&watch_slab) : NULL;
	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){.inode = file->inode, .file = file, .owner = owner, .wd = fd, .mask = mask | once};
	inode_get(watch->inode);
	list_init(&watch->own);
	list_init(&watch->on_super);
	list_push_back(&watch->inode->watches, &watch->on_inode);
	file->directory_notes++;
	notify_watch_count++;
	return 0;
}

uint32_t notify_cookie(void)
{
	return ++last_cookie;
}

/* ------------------------------------------------------------------------------------------------ the file */

static ssize_t notify_read(struct file *file, struct uio *to, int64_t *pos)
{
	struct instance *instance = file->data;
	ssize_t done = 0;

	(void)pos;
	if (list_empty(&instance->events) && file->flags & O_NONBLOCK)
		return -EAGAIN;
	int error = WAIT_EVENT(&instance->wait, !list_empty(&instance->events), DEADLINE_NONE);
	if (error)
		return error;
	while (!list_empty(&instance->events)) {
		struct event *event = list_first(&instance->events, struct event, node);
		char bytes[sizeof(struct inotify_event) + NAME_LIMIT + 1 + sizeof(struct inotify_event)] = {0};
		size_t size = sizeof event->head + event->head.len;
		assert(size <= sizeof bytes);
		if (to->left < size)
			return done ? done : -EINVAL;
		memcpy(bytes, &event->head, sizeof event->head);
		memcpy(bytes + sizeof event->head, event->name, strlen(event->name));
		event_free(instance, event);
		if (uio_put(to, bytes, size) != (ssize_t)size) /* may park: the event is no longer in the queue */
			return done ? done : -EFAULT;
		done += (ssize_t)size;
	}
	return done;
}

static uint32_t notify_poll(struct file *file, struct poll_wait *wait)
{
	struct instance *instance = file->data;

	poll_listen(wait, &instance->wait);
	return list_empty(&instance->events) ? 0 : POLLIN | POLLRDNORM;
}

static long notify_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct instance *instance = file->data;
	int bytes = (int)instance->event_bytes;

	return command == FIONREAD ? user_write(user, UADDR(argument), &bytes, sizeof bytes) : -ENOTTY;
}

static void notify_release(struct file *file)
{
	struct instance *instance = file->data;
	struct watch *watch, *after;
	struct event *event, *next;

	if (!instance)
		return;
	for (unsigned i = 0; i < WD_BUCKETS; i++)
		list_for_each_safe (watch, after, &instance->watches[i], own)
			watch_free(watch);
	list_for_each_safe (event, next, &instance->events, node)
		event_free(instance, event);
	instances--;
	slab_free(&instance_slab, instance);
}

static int notify_fdinfo(struct file *file, char *text, size_t size)
{
	struct instance *instance = file->data;
	struct watch *watch;
	int used = 0;

	for (unsigned i = 0; i < WD_BUCKETS; i++)
		list_for_each (watch, &instance->watches[i], own) {
			int n = snprintf(text + used, size - (size_t)used,
					 "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:0 \n", watch->wd,
					 watch->inode->ino, watch->inode->sb->dev, watch->mask);
			if (n < 0 || (size_t)n >= size - (size_t)used) {
				text[used] = 0;
				return used;
			}
			used += n;
		}
	return used;
}

static const struct file_ops notify_ops = {
	.async = true,
	.read = notify_read,
	.seek = file_seek_nowhere,
	.poll = notify_poll,
	.ioctl = notify_ioctl,
	.release = notify_release,
	.fdinfo = notify_fdinfo,
};

void notify_init(void)
{
	file_kind_register(FILE_INOTIFY, &notify_ops);
}

int notify_new(uint32_t flags, struct cred *cred, struct file **out)
{
	struct file *file;

	if (instances >= INOTIFY_INSTANCE_LIMIT)
		return -EMFILE;
	struct instance *instance = slab_new(&instance_slab);
	if (!instance)
		return -ENOMEM;
	for (unsigned i = 0; i < WD_BUCKETS; i++)
		list_init(&instance->watches[i]);
	list_init(&instance->events);
	waitq_init(&instance->wait);
	int error = file_new_anonymous(FILE_INOTIFY, O_RDONLY | (flags & O_NONBLOCK), 0600, "inotify", cred, &file);
	if (error) {
		slab_free(&instance_slab, instance);
		return error;
	}
	instances++;
	file->data = instance;
	*out = file;
	return 0;
}
