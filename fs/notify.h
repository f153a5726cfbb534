/* notify.h - inotify(7): who watches a file or directory hears what is done to it.
 *
 * The calls that change or use files say so with the notify_* functions; they cost one comparison as long as nobody in
 * the sandbox watches anything.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "fs/dentry.h"

void notify_init(void);

/* inotify_init1(2): a file with no watches. flags: O_NONBLOCK. -ENOMEM. */
must_check int notify_new(uint32_t flags, struct cred *cred, struct file **out);
bool notify_is(const struct file *file);
/* How many watches look at places of this mount; and their end, when it is unmounted. */
struct mount;
unsigned notify_watches_on(const struct mount *mount);
void notify_unmount(struct mount *mount);
/* inotify_add_watch(2), on the place that the name led to: the watch descriptor, -EINVAL, -EEXIST, -ENOSPC, -ENOMEM.
 * Borrows the place. */
must_check int notify_watch(struct file *file, const struct path *place, uint32_t mask);
must_check int notify_unwatch(struct file *file, int wd); /* -EINVAL: no such watch */

/* fcntl(2), F_NOTIFY: signals to the file's owner when something happens in the directory. events: DN_*, 0: no more.
 * Ends when owner (a descriptor table) closes a descriptor of the file. -ENOTDIR, -ENOMEM. */
must_check int notify_directory(struct file *file, int fd, void *owner, uint32_t events);
void notify_directory_drop(struct file *file, const void *owner);

/* An event besides inotify(7)'s: something in the directory has another name in it. Notes only. */
#define RENAMED_HERE 0x08000000u

/* How many watches there are; only notify.c changes it. */
extern unsigned notify_watch_count;

/* The events' names and meanings are inotify(7)'s. None of these parks. */
void notify_inode_now(struct inode *inode, uint32_t event);
void notify_dentry_now(struct dentry *dentry, uint32_t event);
void notify_child_now(struct inode *dir, const char *name, const struct inode *child, uint32_t event, uint32_t cookie);
void notify_last_link_now(struct inode *inode);
uint32_t notify_cookie(void);

/* Something happened to the inode itself, under whatever name. */
static inline void notify_inode(struct inode *inode, uint32_t event)
{
	if (notify_watch_count)
		notify_inode_now(inode, event);
}

/* Something happened to what has this name: its watchers hear it, and those of its directory. */
static inline void notify_dentry(struct dentry *dentry, uint32_t event)
{
	if (notify_watch_count)
		notify_dentry_now(dentry, event);
}

static inline void notify_file(const struct file *file, uint32_t event)
{
	if (!notify_watch_count || file->kind == FILE_PATH)
		return;
	if (file->path.dentry)
		notify_dentry_now(file->path.dentry, event);
	else
		notify_inode_now(file->inode, event);
}

/* The names in a directory change; child tells whether it is a directory. Moves have a cookie. */
static inline void notify_child(struct inode *dir, const char *name, const struct inode *child, uint32_t event,
				uint32_t cookie)
{
	if (notify_watch_count)
		notify_child_now(dir, name, child, event, cookie);
}

/* A name of the inode is gone, or a descriptor of it: without any other, that was its end. */
static inline void notify_last_link(struct inode *inode)
{
	if (notify_watch_count)
		notify_last_link_now(inode);
}

#endif
