/* path_handle.c - name_to_handle_at(2) and open_by_handle_at(2): see fs/handle.h. */
#include "fs/fdtable.h"
#include "fs/handle.h"
#include "fs/mount.h"
#include "sentry/abi/fcntl.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>

#define HANDLE_LIMIT     128 /* MAX_HANDLE_SZ */
#define HANDLE_TYPE      1
#define AT_HANDLE_FID    0x200
#define AT_HANDLE_UNIQUE 1
#define HANDLE_FLAGS     (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID | AT_HANDLE_UNIQUE)

struct handle_header {
	uint32_t bytes;
	int32_t type;
};

/* As it lies in the guest's memory: the header, then our bytes. */
struct handle {
	struct handle_header header;
	uint64_t inode;
};

#define OUR_BYTES ((uint32_t)sizeof(uint64_t))

/* One that has no room is told how much it takes. */
static long write_handle(struct task *task, const struct path *place, struct uaddr handle_at, struct uaddr mount_at,
			 uint32_t flags)
{
	struct user user = task_user(task);
	struct handle handle;
	int64_t mount_id = place->mount->id;
	long error = user_read(user, &handle.header, handle_at, sizeof handle.header);

	if (error)
		return error;
	if (handle.header.bytes > HANDLE_LIMIT)
		return -EINVAL;
	bool room = handle.header.bytes >= OUR_BYTES;
	handle = (struct handle){.header = {OUR_BYTES, HANDLE_TYPE}, .inode = handle_of(place->dentry->inode)};
	error = user_write(user, mount_at, &mount_id, flags & AT_HANDLE_UNIQUE ? sizeof mount_id : sizeof(int32_t));
	if (!error)
		error = user_write(user, handle_at, &handle, room ? sizeof handle : sizeof handle.header);
	return error ? error : room ? 0 : -EOVERFLOW;
}

long sys_name_to_handle_at(struct task *task, int dirfd, const char *path, struct uaddr handle, struct uaddr mount_id,
			   uint32_t flags)
{
	struct path place;

	if (flags & ~(uint32_t)HANDLE_FLAGS)
		return -EINVAL;
	long error = at_walk(task, dirfd, path,
			     (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0),
			     &place);
	if (error)
		return error;
	error = write_handle(task, &place, handle, mount_id, flags);
	path_put(&place);
	return error;
}

/* A place for the inode: it has no name there, as the handle tells none. */
static int place_of_handle(const struct path *mount, const struct handle *handle, struct path *out)
{
	struct inode *inode = NULL;

	if (handle->header.type == HANDLE_TYPE && handle->header.bytes == OUR_BYTES)
		inode = handle_find(mount->mount->sb, handle->inode);
	if (!inode)
		return -ESTALE;
	*out = (struct path){mount->mount, dentry_new_root(inode)};
	inode_put(inode);
	if (!out->dentry)
		return -ENOMEM;
	ref_get(&out->mount->ref);
	return 0;
}

static int open_handle(struct task *task, const struct path *mount, const struct handle *handle, uint32_t flags,
		       struct file **out)
{
	struct path place;
	int error = place_of_handle(mount, handle, &place);

	if (error)
		return error;
	struct walker walker = {.context = task->fs, .cred = task->cred, .start = place};
	error = walk_open(&walker, "", flags & ~(uint32_t)(O_CREAT | O_EXCL), 0, WALK_EMPTY, out);
	path_put(&place);
	return error;
}

static int read_handle(struct task *task, struct uaddr at, struct handle *out)
{
	struct user user = task_user(task);
	int error = user_read(user, &out->header, at, sizeof out->header);

	if (error)
		return error;
	if (!out->header.bytes || out->header.bytes > HANDLE_LIMIT)
		return -EINVAL;
	out->inode = 0;
	/* One that is not ours is found nowhere. */
	return out->header.bytes == OUR_BYTES
		       ? user_read(user, &out->inode, UADDR(at.v + sizeof out->header), sizeof out->inode)
		       : 0;
}

long sys_open_by_handle_at(struct task *task, int mount_fd, struct uaddr handle_at, uint32_t flags)
{
	struct handle handle;
	struct file *file;
	struct at at;
	int error = read_handle(task, handle_at, &handle);

	if (error)
		return error;
	error = at_begin(task, mount_fd, "", &at);
	if (error == -ENOTDIR)
		return -ESTALE; /* a file without a place: no handle leads to where it is */
	if (error)
		return error;
	if (!cred_capable(task->cred, CAP_DAC_READ_SEARCH))
		error = -EPERM;
	if (!error)
		error = open_handle(task, &at.walker.start, &handle, flags, &file);
	at_end(&at);
	return error ? error : fd_give_opened(task, file, flags);
}
