/* vmcopy.c - process_vm_readv(2) and process_vm_writev(2): between the memories of two guest processes, by ptrace's
 * rules.
 *
 * Bytes go through a bounce buffer. Like Linux a call may stop in the middle, at the end of a piece that was reached.
 */
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include <errno.h>

#define BOUNCE_BYTES (64 * 1024)

struct abi_iovec {
	uint64_t base, bytes;
};

struct pieces {
	struct abi_iovec *list;   /* arena */
	uint64_t count, at, done; /* done: bytes of list[at] */
};

static int pieces_read(struct task *task, struct uaddr from, uint64_t count, struct pieces *out)
{
	*out = (struct pieces){.count = count};
	if (count > IOV_LIMIT)
		return -EINVAL;
	if (!count)
		return 0;
	out->list = arena_alloc(count * sizeof *out->list);
	if (!out->list)
		return -ENOMEM;
	if (user_read(task_user(task), out->list, from, count * sizeof *out->list))
		return -EFAULT;
	for (uint64_t i = 0; i < count; i++)
		if (out->list[i].bytes > INT64_MAX)
			return -EINVAL;
	return 0;
}

static void pieces_free(struct pieces *pieces)
{
	arena_free(pieces->list, pieces->count * sizeof *pieces->list);
}

/* What is left of the present piece; goes on to the next when it is done. 0 at the end. */
static uint64_t pieces_left(struct pieces *pieces)
{
	while (pieces->at < pieces->count && pieces->done == pieces->list[pieces->at].bytes) {
		pieces->at++;
		pieces->done = 0;
	}
	return pieces->at < pieces->count ? pieces->list[pieces->at].bytes - pieces->done : 0;
}

static struct uaddr pieces_addr(const struct pieces *pieces)
{
	return UADDR(pieces->list[pieces->at].base + pieces->done);
}

static long copy(struct task *task, struct mm *mm, struct pieces *local, struct pieces *remote, bool write,
		 void *bounce)
{
	long total = 0;

	for (;;) {
		uint64_t n = MIN(MIN(pieces_left(local), pieces_left(remote)), (uint64_t)BOUNCE_BYTES);
		if (!n || total + (long)n > (long)IO_LIMIT_BYTES)
			return total;
		/* To the end of the remote page, so that all before a bad one arrives. */
		n = MIN(n, PAGE_SIZE - pieces_addr(remote).v % PAGE_SIZE);
		struct uaddr here = pieces_addr(local), there = pieces_addr(remote);
		int error = write ? user_read(task_user(task), bounce, here, n)
				  : aspace_read(mm->as, NULL, bounce, there, n);
		if (!error)
			error = write ? aspace_write(mm->as, NULL, there, bounce, n)
				      : user_write(task_user(task), here, bounce, n);
		if (error)
			return total ? total : error;
		local->done += n;
		remote->done += n;
		total += (long)n;
	}
}

static int target_of(struct task *task, int32_t pid, struct mm **out)
{
	struct task *target = task_find(pid);

	if (!target || !target->mm)
		return -ESRCH;
	if (task_may_access(task, target))
		return -EPERM;
	mm_get(*out = target->mm);
	return 0;
}

static long vm_copy(struct task *task, int32_t pid, struct uaddr local_at, uint64_t local_count, struct uaddr remote_at,
		    uint64_t remote_count, uint64_t flags, bool write)
{
	struct pieces local = {0}, remote = {0};
	struct mm *mm = NULL;
	void *bounce = NULL;

	if (flags)
		return -EINVAL;
	long result = pieces_read(task, local_at, local_count, &local);
	if (!result)
		result = pieces_read(task, remote_at, remote_count, &remote);
	if (!result)
		result = target_of(task, pid, &mm);
	if (!result) {
		bounce = arena_alloc(BOUNCE_BYTES);
		result = bounce ? copy(task, mm, &local, &remote, write, bounce) : -ENOMEM;
	}
	arena_free(bounce, BOUNCE_BYTES);
	pieces_free(&local);
	pieces_free(&remote);
	if (mm)
		mm_put(mm);
	return result;
}

long sys_process_vm_readv(struct task *task, int32_t pid, struct uaddr local, uint64_t local_count, struct uaddr remote,
			  uint64_t remote_count, uint64_t flags)
{
	return vm_copy(task, pid, local, local_count, remote, remote_count, flags, false);
}

long sys_process_vm_writev(struct task *task, int32_t pid, struct uaddr local, uint64_t local_count,
			   struct uaddr remote, uint64_t remote_count, uint64_t flags)
{
	return vm_copy(task, pid, local, local_count, remote, remote_count, flags, true);
}
