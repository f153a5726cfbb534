/* procfs_mem.c - what /proc/PID shows of a process's memory: its arguments and environment, its mappings, its bytes.
 *
 * Reading another process's memory may park, and its owner may end meanwhile: the mm is held, never the task.
 *
 * Limits: nobody knows which pages are shared with whom: smaps and smaps_rollup count every resident page as the
 * mapping's own; smaps looks at SMAPS_PAGES pages.
 */
#include "fs/inode.h"
#include "platform/platform.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/procfs_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_BYTES  2048
#define SHMEM_DEV    1             /* 00:01 */
#define SMAPS_PAGES  (16ull << 20) /* looked at for one smaps; what lies behind counts as not resident */
#define COPY_BYTES   4096
#define NAME_COLUMN  73 /* where a mapping's name begins (show_map_vma in Linux) */
#define ADDRESS_MASK 0x7fffffffffffffffull

/* The mm of what a node is about, counted; NULL: none left (a zombie), with *error set when the process itself is gone.
 */
static struct mm *mm_of(const struct node_ref *ref, int *error)
{
	struct task *task = procfs_task(ref);

	*error = task ? 0 : -ESRCH;
	if (task && task->mm)
		mm_get(task->mm);
	return task ? task->mm : NULL;
}

/* Appends guest memory as it is; stops at what cannot be read. */
static void add_memory(struct text *out, struct mm *mm, uint64_t start, uint64_t end)
{
	char bytes[CHUNK_BYTES];

	while (start < end && !out->truncated) {
		size_t n = MIN(end - start, (uint64_t)sizeof bytes - start % sizeof bytes);
		if (aspace_read(mm->as, NULL, bytes, UADDR(start), n))
			return;
		text_add(out, bytes, n);
		start += n;
	}
}

/* A program may write over its arguments to change its title; without a final zero byte the title goes on to the first
 * one in the environment, which belongs to it (get_mm_cmdline in Linux). */
int procfs_show_cmdline(const struct node_ref *ref, struct text *out)
{
	int error;
	struct mm *mm = mm_of(ref, &error);

	if (!mm)
		return error;
	uint64_t end = MIN(mm->arg_end, mm->arg_start + ARGS_LIMIT_BYTES);
	if (mm->arg_end > mm->arg_start) {
		add_memory(out, mm, mm->arg_start, end);
		if (out->length && out->data[out->length - 1] && end == mm->arg_end && mm->env_start == mm->arg_end) {
			add_memory(out, mm, mm->env_start, MIN(mm->env_end, mm->env_start + PAGE_SIZE));
			size_t title = strnlen(out->data, out->length);
			out->length = MIN(title + 1, out->length);
		}
	}
	mm_put(mm);
	return 0;
}

int procfs_show_environ(const struct node_ref *ref, struct text *out)
{
	int error;
	struct mm *mm = mm_of(ref, &error);

	if (!mm)
		return error;
	if (mm->env_end > mm->env_start)
		add_memory(out, mm, mm->env_start, MIN(mm->env_end, mm->env_start + ARGS_LIMIT_BYTES));
	mm_put(mm);
	return 0;
}

int procfs_show_auxv(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	if (task->mm)
		text_add(out, (const char *)task->mm->auxv, task->mm->auxv_words * sizeof task->mm->auxv[0]);
	return 0;
}

/* ------------------------------------------------------------------ maps */

uint64_t procfs_mapping_file(const struct vma *vma, uint64_t *ino)
{
	/* Shared anonymous memory is a file that nobody can name (shmem_zero_setup in Linux). */
	*ino = vma->file ? vma->file->inode->ino : vma->shared_id;
	return vma->file ? vma->file->inode->sb->dev : vma->shared_id ? SHMEM_DEV : 0;
}

const char *procfs_mapping_label(const struct mm *mm, const struct vma *vma, const struct path *root,
				 char name[PATH_LIMIT])
{
	const char *label = vma_name(mm, vma);

	if (label || !vma->file || !root)
		return label;
	return file_name(vma->file, root, name, PATH_LIMIT) > 0 ? name : NULL;
}

static void add_mapping(struct text *out, const struct mm *mm, const struct vma *vma, const struct path *root)
{
	char name[PATH_LIMIT];
	const char *label = procfs_mapping_label(mm, vma, root, name);
	uint64_t ino, dev = procfs_mapping_file(vma, &ino);
	size_t line = out->length;

	text_printf(out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %02x:%02x %" PRIu64 " ",
		    vma_shown_start(mm, vma), vma->end, vma->prot & MEM_READ ? 'r' : '-',
		    vma->prot & MEM_WRITE ? 'w' : '-', vma->prot & MEM_EXEC ? 'x' : '-',
		    vma->flags & MAP_SHARED ? 's' : 'p', vma->file ? vma->offset : 0, (unsigned)(dev >> 8 & 0xfff),
		    (unsigned)(dev & 0xff), ino);
	while (label && out->length - line < NAME_COLUMN && !out->truncated)
		text_add_char(out, ' ');
	for (; label && *label; label++) /* seq_path escapes newlines, so that lines stay lines */
		if (*label == '\n')
			text_add_string(out, "\\012");
		else
			text_add_char(out, *label);
	text_add_char(out, '\n');
}

int procfs_show_maps(const struct node_ref *ref, struct text *out)
{
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	if (!task->mm)
		return 0;
	const struct path *root = procfs_root(task);
	for (struct vma *vma = mm_first(task->mm); vma && !out->truncated; vma = mm_next(vma))
		add_mapping(out, task->mm, vma, root);
	return 0;
}

/* ------------------------------------------------------------------ smaps */

/* PARKS between pieces, so that others have their turn. The mapping may change meanwhile: it was so when we looked. */
static uint64_t resident_pages(struct mm *mm, uint64_t start, uint64_t end, uint64_t *budget)
{
	uint8_t *present = arena_alloc(MM_MINCORE_PAGES);
	uint64_t count = 0;

	while (present && start < end && *budget) {
		uint64_t n = MIN((end - start) / PAGE_SIZE, (uint64_t)MM_MINCORE_PAGES);
		if (aspace_resident(mm->as, start, n, present))
			break;
		for (uint64_t i = 0; i < n; i++)
			count += present[i];
		start += n * PAGE_SIZE;
		*budget -= MIN(*budget, n);
		fiber_yield();
	}
	arena_free(present, MM_MINCORE_PAGES);
	return count;
}

static void add_flags(struct text *out, const struct vma *vma)
{
	static const struct {
		uint32_t flag, advice;
		const char *name;
	} kinds[] = {{MAP_GROWSDOWN, 0, "gd"}, {MAP_LOCKED, 0, "lo"},     {0, VMA_SEQUENTIAL, "sr"},
		     {0, VMA_RANDOM, "rr"},    {0, VMA_DONTFORK, "dc"},   {0, VMA_ON_FAULT, "lf"},
		     {MAP_NORESERVE, 0, "nr"}, {0, VMA_WIPEONFORK, "wf"}, {0, VMA_DONTDUMP, "dd"},
		     {0, VMA_HUGEPAGE, "hg"},  {0, VMA_NOHUGEPAGE, "nh"}, {0, VMA_MERGEABLE, "mg"},
		     {0, VMA_SEALED, "sl"}};

	text_printf(out, "%s%s%s%s mr mw me", vma->prot & MEM_READ ? " rd" : "", vma->prot & MEM_WRITE ? " wr" : "",
		    vma->prot & MEM_EXEC ? " ex" : "", vma->flags & MAP_SHARED ? " sh" : "");
	for (unsigned i = 0; i < COUNT(kinds); i++)
		if (vma->flags & kinds[i].flag || vma->madvise & kinds[i].advice)
			text_printf(out, " %s", kinds[i].name);
	text_add_string(out, " \n");
}

/* What smaps says of one mapping. Every page is shown as the mapping's own. */
static void add_residence(struct text *out, const struct vma *vma, uint64_t resident_kb)
{
	static const char *const zeros[] = {"LazyFree",       "AnonHugePages",   "ShmemPmdMapped", "FilePmdMapped",
					    "Shared_Hugetlb", "Private_Hugetlb", "Swap",           "SwapPss"};
	bool shared = vma->flags & MAP_SHARED, dirty = !vma->file || vma->prot & MEM_WRITE;
	const struct {
		const char *name;
		bool counts;
	} kinds[] = {{"Rss", true},
		     {"Pss", true},
		     {"Pss_Dirty", dirty},
		     {"Shared_Clean", shared && !dirty},
		     {"Shared_Dirty", shared && dirty},
		     {"Private_Clean", !shared && !dirty},
		     {"Private_Dirty", !shared && dirty},
		     {"Referenced", true},
		     {"Anonymous", !vma->file},
		     {"KSM", false}};

	text_printf(out, "Size:           %8" PRIu64 " kB\nKernelPageSize: %8d kB\nMMUPageSize:    %8d kB\n",
		    (vma->end - vma->start) / 1024, (int)(PAGE_SIZE / 1024), (int)(PAGE_SIZE / 1024));
	for (unsigned i = 0; i < COUNT(kinds); i++)
		text_printf(out, "%s:%*s%8" PRIu64 " kB\n", kinds[i].name, (int)(15 - strlen(kinds[i].name)), "",
			    kinds[i].counts ? resident_kb : 0);
	for (unsigned i = 0; i < COUNT(zeros); i++)
		text_printf(out, "%s:%*s%8d kB\n", zeros[i], (int)(15 - strlen(zeros[i])), "", 0);
	text_printf(out, "Locked:         %8" PRIu64 " kB\nTHPeligible:           0\nVmFlags:",
		    vma->flags & MAP_LOCKED ? resident_kb : 0);
	add_flags(out, vma);
}

/* PARKS. */
int procfs_show_smaps(const struct node_ref *ref, struct text *out)
{
	uint64_t budget = SMAPS_PAGES;
	int error;
	struct mm *mm = mm_of(ref, &error);
	struct vma *vma;

	if (!mm)
		return error;
	for (uint64_t at = 0; !out->truncated;) {
		vma = mm_find(mm, at);
		if (!vma)
			break;
		uint64_t start = vma_shown_start(mm, vma), end = at = vma->end;
		uint64_t pages = vma->prot ? resident_pages(mm, start, end, &budget) : 0;
		struct task *task = procfs_task(ref);
		vma = mm_find(mm, start);
		if (!task || !vma || vma->end != end)
			continue; /* gone while we counted */
		add_mapping(out, mm, vma, procfs_root(task));
		add_residence(out, vma, pages * (PAGE_SIZE / 1024));
	}
	mm_put(mm);
	return 0;
}

int procfs_show_smaps_rollup(const struct node_ref *ref, struct text *out)
{
	static const char *const zeros[] = {"Shared_Clean",    "Shared_Dirty",   "Referenced",    "LazyFree",
					    "AnonHugePages",   "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb",
					    "Private_Hugetlb", "Swap",           "SwapPss"};
	struct task *task = procfs_task(ref);

	if (!task)
		return -ESRCH;
	if (!task->mm || !mm_first(task->mm))
		return -ESRCH;
	struct memory_usage usage;
	aspace_usage(task->mm->as, &usage);
	uint64_t resident_kb = memory_usage_rss(&usage) / 1024, anon_kb = usage.anonymous / 1024;
	text_printf(out, "%08" PRIx64 "-%08" PRIx64 " ---p 00000000 00:00 0                          [rollup]\n",
		    mm_first(task->mm)->start, task->mm->stack_top);
	text_printf(out,
		    "Rss:            %8" PRIu64 " kB\nPss:            %8" PRIu64 " kB\nPss_Anon:       %8" PRIu64
		    " kB\n",
		    resident_kb, resident_kb, anon_kb);
	text_printf(out, "Private_Dirty:  %8" PRIu64 " kB\nAnonymous:      %8" PRIu64 " kB\n", anon_kb, anon_kb);
	text_printf(out, "Private_Clean:  %8" PRIu64 " kB\n", resident_kb - anon_kb);
	for (unsigned i = 0; i < COUNT(zeros); i++)
		text_printf(out, "%s:%*s%8d kB\n", zeros[i], (int)(15 - strlen(zeros[i])), "", 0);
	text_printf(out, "Locked:         %8" PRIu64 " kB\n", task->mm->locked_pages * (PAGE_SIZE / 1024));
	return 0;
}

/* ------------------------------------------------------------------ mem: the position is the address */

/* PARKS. Moves up to what is left, in pieces that end at page ends; returns what was moved, or -EIO when the first byte
 * is not there. */
static ssize_t move_mem(struct mm *mm, struct uio *uio, int64_t *pos, bool write)
{
	char bytes[COPY_BYTES];
	ssize_t done = 0;

	while (uio->left) {
		struct uaddr addr = UADDR(*pos);
		size_t n = MIN(uio->left, (size_t)(COPY_BYTES - addr.v % COPY_BYTES));
		ssize_t moved = (ssize_t)n;
		if (addr.v > ADDRESS_MASK)
			return done ? done : -EIO;
		if (write) {
			moved = uio_take(uio, bytes, n);
			if (moved > 0 && aspace_write(mm->as, NULL, addr, bytes, (size_t)moved))
				moved = -EIO;
		} else {
			moved = aspace_read(mm->as, NULL, bytes, addr, n) ? -EIO : uio_put(uio, bytes, n);
		}
		if (moved <= 0)
			return done ? done : moved;
		done += moved;
		*pos += moved;
		if ((size_t)moved < n)
			break;
	}
	return done;
}

static ssize_t access_mem(const struct node_ref *ref, struct uio *uio, int64_t *pos, bool write)
{
	int error = procfs_may_access(ref);

	if (error)
		return error == -ENOENT ? 0 : error; /* mem_rw in Linux: nothing of what is gone */
	struct mm *mm = mm_of(ref, &error);
	if (!mm)
		return error;
	ssize_t n = move_mem(mm, uio, pos, write);
	mm_put(mm);
	return n;
}

ssize_t procfs_read_mem(const struct node_ref *ref, struct uio *to, int64_t *pos)
{
	return access_mem(ref, to, pos, false);
}

ssize_t procfs_write_mem(const struct node_ref *ref, struct uio *from, int64_t *pos)
{
	return access_mem(ref, from, pos, true);
}
