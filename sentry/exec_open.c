/* exec_open.c - what execve(2) needs before anything is loaded: the file by the rules for executing, the room for
 * strings, the registered loader. As do_open_execat and bprm_stack_limits of Linux.
 *
 * Executing asks for the right to execute, not to read: so the file is opened past the usual checks of open(2).
 */
#include "sentry/exec.h"

#include "fs/dentry.h"
#include "fs/mount.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>

#define STACK_DEFAULT (8ull << 20) /* _STK_LIM of Linux */
#define MAY_EXECUTE   1

static exec_loader *registered;

void exec_set_loader(exec_loader *loader)
{
	registered = loader;
}

int exec_load(const struct exec_request *request, struct exec_image *image)
{
	*image = (struct exec_image){0};
	return registered ? registered(request, image) : -ENOEXEC;
}

void exec_image_free(struct exec_image *image)
{
	if (image->mm)
		mm_put(image->mm);
	if (image->identity.cred)
		cred_put(image->identity.cred);
	image->mm = NULL;
	image->identity.cred = NULL;
}

static int check_inode(struct inode *inode, const struct cred *cred)
{
	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (!S_ISREG(inode->mode))
		return -EACCES;
	int error = inode_permission(inode, cred, MAY_EXECUTE);
	if (error)
		return error;
	return inode->writers ? -ETXTBSY : 0;
}

static int open_place(const struct path *path, struct cred *cred, struct file **out)
{
	struct inode *inode = path->dentry->inode;
	int error = path->mount->flags & MS_NOEXEC && S_ISREG(inode->mode) ? -EACCES : check_inode(inode, cred);

	if (error)
		return error;
	if (!inode_ops(inode)->open)
		return -EACCES;
	return inode_ops(inode)->open(inode, path, O_RDONLY, cred, out);
}

int exec_open(const struct walker *walker, const char *path, uint32_t walk_flags, struct file **out)
{
	struct path place;
	int error = walk(walker, path, walk_flags, &place);

	if (error)
		return error;
	error = open_place(&place, walker->cred, out);
	path_put(&place);
	return error;
}

int exec_open_file(struct cred *cred, struct file *file, struct file **out)
{
	if (file->path.dentry)
		return open_place(&file->path, cred, out);
	int error = check_inode(file->inode, cred);
	if (error)
		return error;
	file_get(file);
	*out = file;
	return 0;
}

int64_t exec_args_limit(uint64_t argc, uint64_t envc, uint64_t stack_limit)
{
	uint64_t limit = MIN(STACK_DEFAULT / 4 * 3, stack_limit / 4);
	uint64_t pointers = (MAX(argc, 1ull) + envc) * sizeof(uint64_t);

	limit = MAX(limit, (uint64_t)ARG_MAX);
	return limit <= pointers ? -E2BIG : (int64_t)(limit - pointers);
}
