/* mem.c - the calls on one's own memory: arguments from the table, answers from sentry/mm.h.
 *
 * Limits: no protection keys (as on a CPU without them); process_vm_readv and process_vm_writev move at most IOV_LIMIT
 * pieces and need the same rights as ptrace(2) in its simplest form: the same user, or CAP_SYS_PTRACE.
 */
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/handlers.h"
#include "syscalls/io_transfer.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>

static struct uthread *caller(const struct task *task)
{
	return task->uthread;
}

long sys_mmap(struct task *task, uint64_t addr, uint64_t length, uint32_t prot, uint32_t flags, int fd, int64_t offset)
{
	struct mm_map_request request = {.addr = addr, .size = length, .prot = prot, .flags = flags};

	if (offset & (int64_t)~PAGE_MASK)
		return -EINVAL;
	if (task->personality & READ_IMPLIES_EXEC && prot & PROT_READ)
		request.prot |= PROT_EXEC;
	if (!(flags & MAP_ANONYMOUS)) {
		int error = fd_get(task->files, fd, &request.file);
		if (error)
			return error;
		request.offset = (uint64_t)offset;
	}
	long result = -EBADF;
	if (!request.file || request.file->kind != FILE_PATH)
		result = mm_map(task->mm, caller(task), &request);
	if (request.file)
		file_put(request.file);
	return result;
}

long sys_munmap(struct task *task, uint64_t addr, uint64_t length)
{
	return mm_unmap(task->mm, caller(task), addr, length);
}

long sys_mprotect(struct task *task, uint64_t addr, uint64_t length, uint32_t prot)
{
	if (task->personality & READ_IMPLIES_EXEC && prot & PROT_READ)
		prot |= PROT_EXEC;
	return mm_protect(task->mm, caller(task), addr, length, prot);
}

long sys_pkey_mprotect(struct task *task, uint64_t addr, uint64_t length, uint32_t prot, int pkey)
{
	return pkey == -1 ? sys_mprotect(task, addr, length, prot) : -EINVAL;
}

long sys_pkey_alloc(struct task *task, uint64_t flags, uint64_t access)
{
	(void)task;
	return flags || access & ~(uint64_t)(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE) ? -EINVAL : -ENOSPC;
}

long sys_pkey_free(struct task *task, int pkey)
{
	(void)task;
	(void)pkey;
	return -EINVAL;
}

long sys_brk(struct task *task, uint64_t brk)
{
	return mm_brk(task->mm, caller(task), brk);
}

long sys_mremap(struct task *task, uint64_t addr, uint64_t old_length, uint64_t new_length, uint32_t flags,
		uint64_t new_addr)
{
	return mm_remap(task->mm, caller(task), addr, old_length, new_length, flags, new_addr);
}

long sys_remap_file_pages(struct task *task, uint64_t addr, uint64_t length, uint32_t prot, uint64_t page_offset,
			  uint32_t flags)
{
	return mm_remap_file_pages(task->mm, caller(task), addr, length, prot, page_offset, flags);
}

long sys_mseal(struct task *task, uint64_t addr, uint64_t length, uint64_t flags)
{
	return flags ? -EINVAL : mm_seal(task->mm, addr, length);
}

long sys_madvise(struct task *task, uint64_t addr, uint64_t length, int advice)
{
	return mm_advise(task->mm, caller(task), addr, length, advice);
}

long sys_msync(struct task *task, uint64_t addr, uint64_t length, int flags)
{
	return mm_sync(task->mm, addr, length, flags);
}

/* A piece at a time, so that no guest makes us hold an answer as large as it likes. */
long sys_mincore(struct task *task, uint64_t addr, uint64_t length, struct uaddr vec)
{
	uint8_t present[512];
	uint64_t pages = (length >> PAGE_SHIFT) + !!(length & ~PAGE_MASK);

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr > PLATFORM_MAX_ADDR || pages > (PLATFORM_MAX_ADDR - addr) >> PAGE_SHIFT)
		return -ENOMEM;
	if (vec.v > PLATFORM_MAX_ADDR - pages)
		return -EFAULT;
	while (pages) {
		uint64_t n = MIN(pages, sizeof present);
		int error = mm_resident(task->mm, addr, n, present);
		if (!error)
			error = user_write(task_user(task), vec, present, n);
		if (error)
			return error;
		addr += n * PAGE_SIZE;
		vec = uaddr_add(vec, n);
		pages -= n;
	}
	return 0;
}

long sys_mlock(struct task *task, uint64_t addr, uint64_t length)
{
	return mm_lock_pages(task->mm, caller(task), addr, length, MM_LOCK);
}

long sys_mlock2(struct task *task, uint64_t addr, uint64_t length, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mm_lock_pages(task->mm, caller(task), addr, length, flags ? MM_LOCK_ON_FAULT : MM_LOCK);
}

long sys_munlock(struct task *task, uint64_t addr, uint64_t length)
{
	return mm_lock_pages(task->mm, caller(task), addr, length, MM_UNLOCK);
}

long sys_mlockall(struct task *task, int flags)
{
	return flags ? mm_lock_all(task->mm, caller(task), flags) : -EINVAL;
}

long sys_munlockall(struct task *task)
{
	return mm_lock_all(task->mm, caller(task), 0);
}

/* ---------------------------------------------------------------------------------------------------- memory barriers
 */

#define GET_REGISTRATIONS (1 << 9) /* MEMBARRIER_CMD_GET_REGISTRATIONS: Linux 6.3 */

#define REGISTERS (MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
#define BARRIERS                                                                                                       \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED | REGISTERS |      \
	 GET_REGISTRATIONS)

/* Every sort is the strongest one, a barrier on every CPU that runs a guest: so registering is for the books. */
long sys_membarrier(struct task *task, uint32_t command, uint32_t flags, int cpu)
{
	uint32_t *done = &task->mm->barriers;

	(void)cpu;
	if (flags || command & ~(uint32_t)BARRIERS || command & (command - 1))
		return -EINVAL;
	if (command == GET_REGISTRATIONS)
		return *done;
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED && !(*done & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		return -EPERM;
	if (aspace_barrier(task->mm->as))
		return -ENOSYS;
	*done |= command & REGISTERS;
	return command == MEMBARRIER_CMD_QUERY ? BARRIERS : 0;
}

/* ----------------------------------------------------------------------------------- another process's memory by copy
 */

#define PVM_CHUNK 4096ul

static bool may_look_into(const struct task *task, const struct task *target)
{
	const struct cred *a = task->cred, *b = target->cred;

	if (task->process == target->process || cred_capable(a, CAP_SYS_PTRACE))
		return true;
	return a->uid == b->uid && a->uid == b->euid && a->uid == b->suid && a->gid == b->gid && a->gid == b->egid &&
	       a->gid == b->sgid && target->mm->dumpable;
}

/* A list of pieces, and where we are in it. */
struct pieces {
	struct uio_part *parts; /* from arena_alloc */
	uint64_t count, at;
};

/* The other process's list. Only its sizes are looked at here: what its addresses are worth shows when we get there. */
static int remote_read(struct task *task, struct uaddr list, struct pieces *pieces)
{
	if (pieces->count > IOV_LIMIT)
		return -EINVAL;
	if (!pieces->count)
		return 0;
	struct uio_part *parts = arena_alloc(pieces->count * sizeof *parts);
	if (!parts)
		return -ENOMEM;
	int error = user_read(task_user(task), parts, list, pieces->count * sizeof *parts);
	for (uint64_t i = 0; !error && i < pieces->count; i++)
		error = parts[i].size > INT64_MAX ? -EINVAL : 0;
	if (error)
		arena_free(parts, pieces->count * sizeof *parts);
	else
		pieces->parts = parts;
	return error;
}

static void pieces_put(struct pieces *pieces)
{
	if (pieces->parts)
		arena_free(pieces->parts, pieces->count * sizeof *pieces->parts);
}

/* The current piece, or NULL at the end. */
static struct uio_part *piece(struct pieces *pieces)
{
	while (pieces->at < pieces->count && !pieces->parts[pieces->at].size)
		pieces->at++;
	return pieces->at < pieces->count ? &pieces->parts[pieces->at] : NULL;
}

static int move_piece(struct task *task, struct aspace *other, struct uio_part *local, struct uio_part *remote,
		      size_t n, bool write)
{
	char bytes[PVM_CHUNK];
	struct uaddr here = UADDR(local->base), there = UADDR(remote->base);
	int error;

	if (write) {
		error = user_read(task_user(task), bytes, here, n);
		if (!error)
			error = aspace_write(other, NULL, there, bytes, n);
	} else {
		error = aspace_read(other, NULL, bytes, there, n);
		if (!error)
			error = user_write(task_user(task), here, bytes, n);
	}
	if (error)
		return error;
	local->base += n;
	remote->base += n;
	local->size -= n;
	remote->size -= n;
	return 0;
}

static long move_all(struct task *task, struct aspace *other, struct pieces *local, struct pieces *remote, bool write)
{
	struct uio_part *here, *there;
	long done = 0;

	while ((here = piece(local)) && (there = piece(remote))) {
		size_t n = MIN(MIN(here->size, there->size), PVM_CHUNK - (there->base & ~PAGE_MASK));
		int error = move_piece(task, other, here, there, n, write);
		if (error)
			return done ? done : error;
		done += (long)n;
	}
	return done;
}

static long move_between(struct task *task, int32_t pid, struct pieces *local, struct pieces *remote, bool write)
{
	/* As in Linux nobody asks whose memory it is when there is nothing to move. */
	if (!piece(local) || !piece(remote))
		return 0;
	struct task *target = task_find(pid);
	if (!target || !target->mm)
		return -ESRCH;
	if (!may_look_into(task, target))
		return -EPERM;
	struct mm *mm = target->mm;
	mm_get(mm);
	long result = move_all(task, mm->as, local, remote, write);
	mm_put(mm);
	return result;
}

static long process_vm(struct task *task, int32_t pid, struct uaddr local, uint64_t local_count, struct uaddr remote,
		       uint64_t remote_count, uint64_t flags, bool write)
{
	struct pieces here = {.count = local_count}, there = {.count = remote_count};

	if (flags)
		return -EINVAL;
	long result = io_parts_read(task, local, local_count, &here.parts);
	if (!result && piece(&here))
		result = remote_read(task, remote, &there);
	if (!result)
		result = move_between(task, pid, &here, &there, write);
	pieces_put(&there);
	pieces_put(&here);
	return result;
}

long sys_process_vm_readv(struct task *task, int32_t pid, struct uaddr local, uint64_t local_count, struct uaddr remote,
			  uint64_t remote_count, uint64_t flags)
{
	return process_vm(task, pid, local, local_count, remote, remote_count, flags, false);
}

long sys_process_vm_writev(struct task *task, int32_t pid, struct uaddr local, uint64_t local_count,
			   struct uaddr remote, uint64_t remote_count, uint64_t flags)
{
	return process_vm(task, pid, local, local_count, remote, remote_count, flags, true);
}
