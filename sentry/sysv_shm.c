/* sysv_shm.c - shared memory segments (shmget(2), shmop(2), shmctl(2)).
 *
 * A segment is an unnamed file in memory of which there is exactly one open file description: the segment holds it, and
 * each mapping holds it, so its count says how many mappings there are (as shm_nattch, which counts them so in Linux
 * too). The segment lives until it is removed and unmapped: the file's end is its end.
 *
 * Limits: SYSV_SHM_LIMIT segments; no huge pages; SHM_LOCK is kept and has no effect; attach and detach by fork, exec
 * and exit do not touch the times.
 */
#include "fs/memfd.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/sysv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define SHM_DEST_FLAG   01000u /* in the mode that IPC_STAT shows: removed, still attached */
#define SHM_LOCKED_FLAG 02000u

struct shm {
	struct sysv_object object;
	struct file *file; /* counted by the object until it is removed */
	uint64_t size;
	int32_t creator, last;
	int64_t atime, dtime;
};

static struct slab shm_slab = SLAB(shm);

/* A removed segment is still found by those who have its number, as long as it is mapped. */
static struct list *departing;
struct departed {
	struct list node;
	struct shm *shm;
};
static struct slab departed_slab = SLAB(departed);

static struct shm *shm_of(struct sysv_object *object)
{
	return container_of(object, struct shm, object);
}

/* The last reference of the table or of a call is gone: the file's own end frees the segment (shm_gone). */
static void shm_free(struct sysv_object *object)
{
	file_put(shm_of(object)->file);
}

/* The file's last reference is gone: no mapping, and no table. */
static void shm_gone(struct file *file)
{
	struct shm *shm = file->data;
	struct departed *departed, *after;

	if (!shm)
		return;
	if (departing)
		list_for_each_safe (departed, after, departing, node)
			if (departed->shm == shm) {
				list_remove(&departed->node);
				slab_free(&departed_slab, departed);
			}
	slab_free(&shm_slab, shm);
}

bool shm_is_removed(const struct file *file)
{
	struct departed *departed;

	if (departing)
		list_for_each (departed, departing, node)
			if (departed->shm->file == file)
				return true;
	return false;
}

/* ipc/shm.c, sysvipc_shm_proc_show. */
static void shm_show(const struct sysv_object *object, struct text *out)
{
	const struct shm *shm = shm_of((struct sysv_object *)object);

	text_printf(out, "%10d %10d  %4o %21lu %5d %5d  %5d %5u %5u %5u %5u %10ld %10ld %10ld %21lu %21lu\n",
		    object->key, object->id, object->mode, shm->size, shm->creator, shm->last,
		    (int)shm->file->ref.count - 1, object->uid, object->gid, object->cuid, object->cgid, shm->atime,
		    shm->dtime, object->ctime, (shm->size + PAGE_SIZE - 1) & PAGE_MASK, 0ul);
}

void shm_init(void)
{
	static const struct sysv_kind kind = {
		.limit = SYSV_SHM_LIMIT,
		.free = shm_free,
		.heading = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  "
			   "cgid      "
			   "atime      dtime      ctime                   rss                  swap\n",
		.show = shm_show};

	sysv_kind_register(SYSV_SHM, &kind);
	memfd_shm_register(shm_gone);
}

static long shm_make(struct task *task, int32_t key, uint64_t size, int flags)
{
	char name[16];

	if (!size)
		return -EINVAL;
	if (size > INT64_MAX - PAGE_SIZE)
		return -ENOSPC;
	struct shm *shm = slab_new(&shm_slab);
	if (!shm)
		return -ENOMEM;
	snprintf(name, sizeof name, "SYSV%08x", (unsigned)key);
	int error = memfd_new_shm(name, (int64_t)((size + PAGE_SIZE - 1) & PAGE_MASK), task->cred, &shm->file);
	if (error) {
		slab_free(&shm_slab, shm);
		return error;
	}
	shm->size = size;
	shm->creator = task->process->pid;
	int id = sysv_add(task, &shm->object, SYSV_SHM, key, flags);
	if (id < 0) {
		file_put(shm->file);
		slab_free(&shm_slab, shm);
		return id;
	}
	shm->file->data = shm;
	return id;
}

long shm_get(struct task *task, int32_t key, uint64_t size, int flags)
{
	struct sysv_object *object;
	int error = flags & SHM_HUGETLB ? -EINVAL : sysv_find_key(task, SYSV_SHM, key, flags, &object);

	if (error)
		return error;
	if (!object)
		return shm_make(task, key, size, flags);
	return size > shm_of(object)->size ? -EINVAL : object->id;
}

/* ------------------------------------------------------------------------------------------------ attach, detach */

static int shm_find(int32_t id, struct shm **out)
{
	struct sysv_object *object;
	struct departed *departed;
	int error = sysv_find(SYSV_SHM, id, &object);

	if (!error)
		*out = shm_of(object);
	if (!error || !departing)
		return error;
	list_for_each (departed, departing, node)
		if (departed->shm->object.id == id) {
			*out = departed->shm;
			return 0;
		}
	return error;
}

static bool is_free(struct mm *mm, uint64_t addr, uint64_t size)
{
	const struct vma *vma = mm_find(mm, addr);

	return !vma || vma->start >= addr + size;
}

/* Where: 0 for anywhere. -EINVAL. */
static int attach_place(struct mm *mm, uint64_t *addr, uint64_t size, int flags)
{
	if (!*addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (*addr & ~PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*addr &= PAGE_MASK;
		if (!*addr && flags & SHM_REMAP)
			return -EINVAL;
	}
	if (flags & SHM_REMAP || !*addr)
		return 0;
	return *addr + size < *addr || !is_free(mm, *addr, size) ? -EINVAL : 0;
}

long shm_attach(struct task *task, int32_t id, uint64_t addr, int flags)
{
	struct mm_map_request request = {.prot = PROT_READ, .flags = MAP_SHARED};
	uint32_t wanted = 0400;
	struct shm *shm;
	int error = shm_find(id, &shm);

	if (error)
		return error;
	request.size = (shm->size + PAGE_SIZE - 1) & PAGE_MASK;
	error = attach_place(task->mm, &addr, request.size, flags);
	if (error)
		return error;
	if (!(flags & SHM_RDONLY)) {
		request.prot |= PROT_WRITE;
		wanted |= 0200;
	}
	if (flags & SHM_EXEC) {
		request.prot |= PROT_EXEC;
		wanted |= 0100;
	}
	error = sysv_permission(task, &shm->object, wanted);
	if (error)
		return error;
	request.addr = addr;
	request.flags |= addr ? MAP_FIXED : 0;
	request.file = shm->file;
	file_get(request.file); /* mapping parks: the segment stays */
	long result = mm_map(task->mm, task->uthread, &request);
	if (result >= 0) {
		struct vma *vma = mm_find(task->mm, (uint64_t)result);
		if (flags & SHM_RDONLY && vma && vma->file == request.file)
			vma->max_prot &= ~MEM_WRITE;
		shm->last = task->process->pid;
		shm->atime = fs_time_now().s;
	}
	file_put(request.file);
	return result;
}

/* ksys_shmdt in Linux: all pieces that are left of what was attached at addr. */
long shm_detach(struct task *task, uint64_t addr)
{
	struct file *file = NULL;
	uint64_t end = 0, next = addr;
	struct vma *vma;
	int error = 0;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	while (!error && (vma = mm_find(task->mm, next)) && (!file || vma->start < end)) {
		next = vma->end;
		bool ours = vma->file && vma->file->kind == FILE_SHM && vma->start >= addr &&
			    vma->start - addr == vma->offset;
		if (!ours || (file && vma->file != file))
			continue;
		if (!file) {
			file = vma->file;
			file_get(file);
			end = addr + (((struct shm *)file->data)->size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
		}
		error = mm_unmap(task->mm, task->uthread, vma->start, vma->end - vma->start);
	}
	if (!file)
		return -EINVAL;
	struct shm *shm = file->data;
	shm->last = task->process->pid;
	shm->dtime = fs_time_now().s;
	file_put(file);
	return error;
}

/* ------------------------------------------------------------------------------------------------ shmctl */

static void shm_stat(const struct shm *shm, struct shmid_ds *out)
{
	*out = (struct shmid_ds){.shm_segsz = shm->size,
				 .shm_atime = shm->atime,
				 .shm_dtime = shm->dtime,
				 .shm_ctime = shm->object.ctime,
				 .shm_cpid = shm->creator,
				 .shm_lpid = shm->last,
				 .shm_nattch = shm->file->ref.count - !shm->object.removed};
	sysv_perm_get(&shm->object, &out->shm_perm);
	if (shm->object.removed)
		out->shm_perm.mode |= SHM_DEST_FLAG;
}

static long shm_info(struct task *task, int command, struct uaddr buffer)
{
	int highest;
	unsigned count = sysv_count(SYSV_SHM, &highest);
	struct sysv_object *object;
	struct shm_info info = {.used_ids = (int)count};
	const struct shminfo limits = {.shmmax = UINT64_MAX - (1 << 24),
				       .shmmin = 1,
				       .shmmni = SYSV_SHM_LIMIT,
				       .shmseg = SYSV_SHM_LIMIT,
				       .shmall = UINT64_MAX - (1 << 24)};

	for (int slot = 0; slot <= highest; slot++)
		if (!sysv_find_slot(SYSV_SHM, slot, &object))
			info.shm_tot += (shm_of(object)->size + PAGE_SIZE - 1) / PAGE_SIZE;
	info.shm_rss = info.shm_tot;
	int error = command == IPC_INFO ? user_write(task_user(task), buffer, &limits, sizeof limits)
					: user_write(task_user(task), buffer, &info, sizeof info);
	return error ? error : highest;
}

static long shm_change(struct task *task, struct shm *shm, int command, struct uaddr buffer)
{
	struct shmid_ds wanted;
	int error = command == IPC_SET ? user_read(task_user(task), &wanted, buffer, sizeof wanted) : 0;

	if (!error)
		error = sysv_may_change(task, &shm->object);
	if (error)
		return error;
	if (command == IPC_SET) {
		sysv_perm_set(&shm->object, &wanted.shm_perm);
	} else if (command == IPC_RMID && !shm->object.removed) {
		struct departed *departed = slab_new(&departed_slab);
		if (!departing && (departing = arena_alloc(sizeof *departing)))
			list_init(departing);
		if (!departed || !departing) {
			if (departed)
				slab_free(&departed_slab, departed);
			return -ENOMEM;
		}
		departed->shm = shm;
		list_push_back(departing, &departed->node);
		shm->object.key = IPC_PRIVATE;
		sysv_remove(&shm->object);
	} else if (command == SHM_LOCK) {
		shm->object.mode |= SHM_LOCKED_FLAG;
	} else if (command == SHM_UNLOCK) {
		shm->object.mode &= ~SHM_LOCKED_FLAG;
	}
	return 0;
}

long shm_control(struct task *task, int32_t id, int command, struct uaddr buffer)
{
	bool by_slot = command == SHM_STAT || command == SHM_STAT_ANY;
	struct sysv_object *object;
	struct shmid_ds status;
	struct shm *shm;
	int error;

	if (command < 0 || id < 0)
		return -EINVAL;
	if (command == IPC_INFO || command == SHM_INFO)
		return shm_info(task, command, buffer);
	if (by_slot) {
		error = sysv_find_slot(SYSV_SHM, id, &object);
		shm = error ? NULL : shm_of(object);
	} else {
		error = shm_find(id, &shm);
	}
	if (error)
		return error;
	switch (command) {
	case SHM_STAT:
	case SHM_STAT_ANY:
	case IPC_STAT:
		error = command == SHM_STAT_ANY ? 0 : sysv_permission(task, &shm->object, 0400);
		if (error)
			return error;
		shm_stat(shm, &status);
		id = by_slot ? shm->object.id : 0;
		error = user_write(task_user(task), buffer, &status, sizeof status);
		return error ? error : id;
	case IPC_SET:
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_change(task, shm, command, buffer);
	}
	return -EINVAL;
}
