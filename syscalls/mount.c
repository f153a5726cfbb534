/* mount.c - mount(2), umount2(2), pivot_root(2), and sysfs(2), which lists the types of file systems.
 *
 * The order of checks is Linux's: strings, the target, then the right to mount. What happens is fs/mountops.c's affair.
 */
#include "fs/mount.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/at.h"
#include "syscalls/handlers.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

#define MAGIC_MASK  0xffff0000u /* MS_MGC_MSK: very old programs mark the flags with MS_MGC_VAL */
#define MAGIC       0xc0ed0000u
#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static int from_source(struct task *task, const char *source, uint32_t flags, const struct path *at)
{
	struct path from;

	if (!source || !*source)
		return -EINVAL;
	int error = at_walk(task, AT_FDCWD, source, WALK_FOLLOW, &from);
	if (error)
		return error;
	error = flags & MS_BIND ? mount_bind(&from, at, flags) : mount_move(&from, at);
	path_put(&from);
	return error;
}

static int mount_at_place(struct task *task, const struct mount_request *request, const struct path *at)
{
	uint32_t flags = request->flags;

	if (!cred_capable(task->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & MS_REMOUNT)
		return mount_remount(request, at);
	if (flags & MS_BIND)
		return from_source(task, request->source, flags, at);
	if (flags & PROPAGATION)
		return mount_change_type(at, flags);
	if (flags & MS_MOVE)
		return from_source(task, request->source, flags, at);
	return request->type ? mount_new(request, at, task->cred) : -EINVAL;
}

/* Options are a page at most, and may end where the guest's memory does. */
static int copy_data(struct task *task, struct uaddr at, char **out)
{
	*out = NULL;
	if (!at.v)
		return 0;
	char *data = arena_alloc(PAGE_SIZE);
	if (!data)
		return -ENOMEM;
	struct user user = task_user(task);
	ssize_t error = aspace_read_string(user.as, user.thread, data, at, PAGE_SIZE);
	if (error < 0 && error != -ENAMETOOLONG) {
		arena_free(data, PAGE_SIZE);
		return (int)error;
	}
	data[PAGE_SIZE - 1] = 0;
	*out = data;
	return 0;
}

long sys_mount(struct task *task, const char *source, const char *target, const char *type, uint64_t flags,
	       struct uaddr data_at)
{
	struct mount_request request = {.type = type, .source = source, .flags = (uint32_t)flags};
	struct path at;
	char *data;
	int error = copy_data(task, data_at, &data);

	if (error)
		return error;
	if ((request.flags & MAGIC_MASK) == MAGIC)
		request.flags &= ~MAGIC_MASK;
	request.data = data;
	error = at_walk(task, AT_FDCWD, target, WALK_FOLLOW, &at);
	if (!error) {
		error = mount_at_place(task, &request, &at);
		path_put(&at);
	}
	arena_free(data, data ? PAGE_SIZE : 0);
	return error;
}

long sys_umount2(struct task *task, const char *target, uint32_t flags)
{
	struct path place;

	if (flags & ~(uint32_t)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	int error = at_walk(task, AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &place);
	if (error)
		return error;
	if (cred_capable(task->cred, CAP_SYS_ADMIN))
		return mount_take_away(&place, flags);
	path_put(&place);
	return -EPERM;
}

/* The root of the sandbox is the one it was started with. */
long sys_pivot_root(struct task *task, struct uaddr new_root, struct uaddr put_old)
{
	(void)task, (void)new_root, (void)put_old;
	return -EPERM;
}

static long find_type(struct task *task, struct uaddr at)
{
	char name[NAME_LIMIT + 1];
	struct user user = task_user(task);
	ssize_t error = aspace_read_string(user.as, user.thread, name, at, sizeof name);

	if (error < 0)
		return error == -ENAMETOOLONG ? -EINVAL : error;
	for (int i = 0; mount_file_systems[i]; i++)
		if (!strcmp(mount_file_systems[i], name))
			return i;
	return -EINVAL;
}

long sys_sysfs(struct task *task, int option, uint64_t argument, struct uaddr buffer)
{
	unsigned count = 0;

	while (mount_file_systems[count])
		count++;
	switch (option) {
	case 1:
		return find_type(task, UADDR(argument));
	case 2:
		if (argument >= count)
			return -EINVAL;
		return user_write(task_user(task), buffer, mount_file_systems[argument],
				  strlen(mount_file_systems[argument]) + 1);
	case 3:
		return count;
	default:
		return -EINVAL;
	}
}
