/* procfs_mapquery.c - PROCMAP_QUERY: an ioctl(2) of /proc/PID/maps that answers for one mapping (Linux 6.11,
 * include/uapi/linux/fs.h).
 *
 * Limits: the program's build ID is not looked for, as if the file had none.
 */
#include "sentry/procfs_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct query {
	uint64_t size;
	uint64_t flags;
	uint64_t addr;
	uint64_t start, end;
	uint64_t rights;
	uint64_t page_size;
	uint64_t offset;
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t name_size;
	uint32_t build_id_size;
	uint64_t name_at;
	uint64_t build_id_at;
};

static_assert(sizeof(struct query) == 104, "struct procmap_query");

#define PROCMAP_QUERY   0xc0686611u /* _IOWR('f', 17, struct procmap_query) */
#define QUERY_LEAST     24u         /* everything that is asked: up to addr */
#define QUERY_READABLE  1u
#define QUERY_WRITABLE  2u
#define QUERY_RUNNABLE  4u
#define QUERY_SHARED    8u
#define QUERY_RIGHTS    15u
#define QUERY_NEXT      16u /* COVERING_OR_NEXT_VMA */
#define QUERY_OF_FILE   32u
#define QUERY_ALL_FLAGS 63u

static uint64_t rights_of(const struct vma *vma)
{
	return (vma->prot & MEM_READ ? QUERY_READABLE : 0) | (vma->prot & MEM_WRITE ? QUERY_WRITABLE : 0) |
	       (vma->prot & MEM_EXEC ? QUERY_RUNNABLE : 0) | (vma->flags & MAP_SHARED ? QUERY_SHARED : 0);
}

/* Shared anonymous memory is of a file, too, to Linux. */
static bool is_of_file(const struct vma *vma)
{
	return vma->file || vma->shared_id;
}

static struct vma *find(struct mm *mm, const struct query *query)
{
	uint64_t wanted = query->flags & QUERY_RIGHTS;

	for (struct vma *vma = mm_find(mm, query->addr); vma; vma = mm_next(vma)) {
		bool covers = vma_shown_start(mm, vma) <= query->addr;
		if (!covers && !(query->flags & QUERY_NEXT))
			return NULL;
		if ((!(query->flags & QUERY_OF_FILE) || is_of_file(vma)) && (rights_of(vma) & wanted) == wanted)
			return vma;
	}
	return NULL;
}

/* As copy_struct_from_user: what a later version of the structure has beyond ours must be zero. */
static int query_read(struct user user, struct uaddr at, struct query *query)
{
	char beyond[PAGE_SIZE - sizeof *query];
	uint64_t size;
	int error = user_read(user, &size, at, sizeof size);

	if (error)
		return error;
	if (size > PAGE_SIZE || size < QUERY_LEAST)
		return size > PAGE_SIZE ? -E2BIG : -EINVAL;
	memset(query, 0, sizeof *query);
	error = user_read(user, query, at, MIN(size, sizeof *query));
	query->size = size;
	if (error || size <= sizeof *query)
		return error;
	error = user_read(user, beyond, uaddr_add(at, sizeof *query), size - sizeof *query);
	for (uint64_t i = 0; !error && i < size - sizeof *query; i++)
		error = beyond[i] ? -E2BIG : 0;
	return error;
}

static void describe(const struct mm *mm, const struct vma *vma, struct query *query)
{
	uint64_t ino, dev = procfs_mapping_file(vma, &ino);

	query->start = vma_shown_start(mm, vma);
	query->end = vma->end;
	query->rights = rights_of(vma);
	query->page_size = PAGE_SIZE;
	query->offset = vma->file ? vma->offset : 0;
	query->inode = ino;
	query->dev_major = dev >> 8 & 0xfff;
	query->dev_minor = dev & 0xff;
	query->build_id_size = 0;
}

/* Everything that looks at the books comes before anything that may park. */
static long answer(struct task *task, struct user user, struct query *query, struct uaddr at)
{
	char buffer[PATH_LIMIT];
	struct vma *vma = find(task->mm, query);

	if (!vma)
		return -ENOENT;
	describe(task->mm, vma, query);
	if (query->name_size) {
		const char *label = procfs_mapping_label(task->mm, vma, procfs_root(task), buffer);
		size_t size = label ? strlen(label) + 1 : 0;
		if (size > query->name_size)
			return -ENAMETOOLONG;
		query->name_size = (uint32_t)size;
		if (size && user_write(user, UADDR(query->name_at), label, size))
			return -EFAULT;
	}
	return user_write(user, at, query, MIN(query->size, sizeof *query));
}

long procfs_maps_ioctl(const struct node_ref *ref, struct user user, uint32_t command, uint64_t argument)
{
	struct query query;

	if (command != PROCMAP_QUERY)
		return -ENOTTY;
	int error = query_read(user, UADDR(argument), &query);
	if (error)
		return error;
	if (query.flags & ~(uint64_t)QUERY_ALL_FLAGS || !query.name_size != !query.name_at ||
	    !query.build_id_size != !query.build_id_at)
		return -EINVAL;
	struct task *task = procfs_task(ref);
	return task && task->mm ? answer(task, user, &query, UADDR(argument)) : -ESRCH;
}
