/* mm_native.c - the books against Linux: the same random memory calls on two windows of this process's own memory. In
 * window A the kernel answers; in window B sentry/mm answers, and what it hands to the platform is carried out by a
 * platform of twenty lines. After each call results, protection, sharing and content of both windows must be equal. */
#include "fs/inode.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/mm_impl.h"
#include "sentry/task.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGES    96u
#define WINDOW_A 0x60000000ull /* below what sanitizers take */
#define WINDOW_B 0x68000000ull
#define STEPS    6000
#define FILES    4096
/* As cr_assert, which tells its runner of every success: too dear for millions. */
#define expect(condition, ...)                                                                                         \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			cr_assert(condition, ##__VA_ARGS__);                                                           \
	} while (0)

/* ---- the platform */

static int host_fds[FILES];
static unsigned host_refs[FILES], host_files;

struct task *task_current(void)
{
	return NULL;
}

int hostfile_memory(const char *name, uint64_t size, uint32_t *out)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	for (unsigned i = 0; i < FILES; i++) {
		if (host_refs[i])
			continue;
		cr_assert(fd >= 0 && !ftruncate(fd, (off_t)size));
		host_fds[i] = fd;
		host_refs[i] = 1;
		host_files++;
		*out = i;
		return 0;
	}
	return -EMFILE;
}

void hostfile_get(uint32_t file)
{
	host_refs[file]++;
}

void hostfile_put(uint32_t file)
{
	cr_assert(host_refs[file] > 0);
	if (--host_refs[file])
		return;
	close(host_fds[file]);
	host_files--;
}

int hostfile_add(int host_fd, uint32_t *out)
{
	(void)host_fd, (void)out;
	return -EMFILE;
}

int hostfile_fd(uint32_t file)
{
	return host_fds[file];
}

int aspace_new(struct aspace **out)
{
	*out = (struct aspace *)1;
	return 0;
}

void aspace_free(struct aspace *as)
{
	(void)as;
}

int aspace_fork(struct aspace *parent, struct uthread *caller, struct aspace **out, struct uthread **thread)
{
	(void)parent, (void)caller, (void)out, (void)thread;
	return -ENOMEM;
}

int aspace_read(struct aspace *as, struct uthread *thread, void *dst, struct uaddr src, size_t n)
{
	(void)as, (void)thread, (void)dst, (void)src, (void)n;
	return -EFAULT;
}

int aspace_write(struct aspace *as, struct uthread *thread, struct uaddr dst, const void *src, size_t n)
{
	(void)as, (void)thread, (void)dst, (void)src, (void)n;
	return -EFAULT;
}

int aspace_settle(struct aspace *as, struct uthread *caller)
{
	(void)as, (void)caller;
	return 0;
}

int aspace_resident(struct aspace *as, uint64_t addr, uint64_t pages, uint8_t *out)
{
	(void)as, (void)addr;
	memset(out, 1, pages);
	return 0;
}

void uthread_kill(struct uthread *thread)
{
	(void)thread;
}

void uthread_free(struct uthread *thread)
{
	(void)thread;
}

static long map_for_guest(const struct mem_op *op)
{
	int flags = MAP_FIXED | (op->flags & MEM_SHARED ? MAP_SHARED : MAP_PRIVATE);

	if (op->file == MEM_NO_FILE)
		flags |= MAP_ANONYMOUS;
	return (long)mmap((void *)op->addr, op->size, (int)op->prot, flags,
			  op->file == MEM_NO_FILE ? -1 : host_fds[op->file], (off_t)op->offset);
}

int aspace_mem(struct aspace *as, struct uthread *caller, const struct mem_op *op)
{
	long result = -1;

	(void)as, (void)caller;
	cr_assert(op->addr >= WINDOW_B && op->addr + op->size <= WINDOW_B + PAGES * PAGE_SIZE);
	switch (op->kind) {
	case MEM_MAP:
		result = map_for_guest(op);
		break;
	case MEM_UNMAP:
		result = munmap((void *)op->addr, op->size);
		break;
	case MEM_PROTECT:
		result = mprotect((void *)op->addr, op->size, (int)op->prot);
		break;
	case MEM_ADVISE:
		result = madvise((void *)op->addr, op->size, op->advice);
		break;
	case MEM_REMAP:
		result = (long)mremap((void *)op->addr, op->size, op->new_size,
				      op->addr == op->new_addr ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED,
				      (void *)op->new_addr);
		break;
	}
	return result == -1 ? -errno : 0;
}

/* ---- a file that can be mapped */

static uint32_t file_host;

static int map_file(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		    struct file_map *out)
{
	(void)file, (void)size, (void)prot, (void)flags;
	hostfile_get(file_host);
	*out = (struct file_map){.host_file = file_host, .offset = offset};
	return 0;
}

static const struct file_ops mapped_ops = {.map = map_file};
static struct inode mapped_inode = {.ref = {1000}};
static struct file writable_file = {.ref = {1000}, .kind = FILE_MEMFD, .flags = O_RDWR, .inode = &mapped_inode};
static struct file readable_file = {.ref = {1000}, .kind = FILE_MEMFD, .flags = O_RDONLY, .inode = &mapped_inode};

/* ---- both windows */

static struct mm *mm;
static uint64_t state = 88172645463325252ull;
static int native_fd[2]; /* of window A's file: writable, readable */

static uint64_t draw(uint64_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % limit;
}

struct page {
	char text[96]; /* protection and sharing as /proc shows them, offset for files */
};

static void read_maps(uint64_t window, struct page pages[PAGES])
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	memset(pages, 0, PAGES * sizeof pages[0]);
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end, offset, ino;
		char prot[8], dev[16];
		expect(sscanf(line, "%lx-%lx %7s %lx %15s %lu", &start, &end, prot, &offset, dev, &ino) == 6);
		/* Clipped first: the arena alone is millions of pages. */
		for (uint64_t at = MAX(start, window); at < MIN(end, window + PAGES * PAGE_SIZE); at += PAGE_SIZE) {
			struct page *page = &pages[(at - window) / PAGE_SIZE];
			snprintf(page->text, sizeof page->text, "%s %lx", prot, ino ? offset + (at - start) : 0);
		}
	}
	fclose(maps);
}

static void show_books(struct page pages[PAGES])
{
	memset(pages, 0, PAGES * sizeof pages[0]);
	for (struct vma *vma = mm_first(mm); vma; vma = mm_next(vma))
		for (uint64_t at = vma->start; at < vma->end; at += PAGE_SIZE) {
			uint64_t offset = vma->host_file == MEM_NO_FILE ? 0 : vma->host_offset + (at - vma->start);
			snprintf(pages[(at - WINDOW_B) / PAGE_SIZE].text, sizeof pages[0].text, "%c%c%c%c %lx",
				 vma->prot & MEM_READ ? 'r' : '-', vma->prot & MEM_WRITE ? 'w' : '-',
				 vma->prot & MEM_EXEC ? 'x' : '-', vma->flags & MAP_SHARED ? 's' : 'p', offset);
		}
}

/* Everything that mm_vma.c promises. */
static void check_tree(void)
{
	uint64_t mapped = 0, data = 0, locked = 0, end = 0;
	uint32_t count = 0;

	for (struct vma *vma = mm_first(mm); vma; vma = mm_next(vma)) {
		expect(vma->start >= end && vma->end > vma->start);
		end = vma->end;
		count++;
		mapped += vma_pages(vma);
		data += mm_is_data(vma->prot, vma->flags) ? vma_pages(vma) : 0;
		locked += vma->flags & MAP_LOCKED ? vma_pages(vma) : 0;
		struct vma *prev = vma_prev(vma);
		uint64_t low = prev ? prev->end + prev->guard_pages * PAGE_SIZE : PLATFORM_MIN_ADDR;
		expect(vma->gap == (vma->start > low ? vma->start - low : 0));
		uint64_t most = vma->gap;
		if (RB_LEFT(vma, node))
			most = MAX(most, RB_LEFT(vma, node)->max_gap);
		if (RB_RIGHT(vma, node))
			most = MAX(most, RB_RIGHT(vma, node)->max_gap);
		expect(vma->max_gap == most);
	}
	expect(count == mm->vma_count);
	expect(mapped == mm->mapped_pages);
	expect(data == mm->data_pages);
	expect(locked == mm->locked_pages);
}

/* false: behind the end of what is mapped there. */
static bool peek(uint64_t addr, uint64_t *out)
{
	struct iovec to = {out, sizeof *out}, from = {(void *)addr, sizeof *out};

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == sizeof *out;
}

static void compare(int step, const char *what)
{
	static struct page a[PAGES], b[PAGES], books[PAGES];

	read_maps(WINDOW_A, a);
	read_maps(WINDOW_B, b);
	show_books(books);
	for (unsigned i = 0; i < PAGES; i++) {
		expect(!strcmp(a[i].text, b[i].text), "step %d %s, page %u: the host's", step, what, i);
		expect(!strcmp(a[i].text, books[i].text), "step %d %s, page %u: the books'", step, what, i);
		if (a[i].text[0] != 'r')
			continue;
		uint64_t left, right;
		bool there = peek(WINDOW_A + i * PAGE_SIZE, &left);
		expect(there == peek(WINDOW_B + i * PAGE_SIZE, &right), "step %d %s, page %u: not there", step, what,
		       i);
		if (!there)
			continue;
		expect(left == right, "step %d %s, page %u: content %lx and %lx", step, what, i, left, right);
		if (a[i].text[1] == 'w' && !draw(4))
			*(uint64_t *)(WINDOW_A + i * PAGE_SIZE) = *(uint64_t *)(WINDOW_B + i * PAGE_SIZE) = state;
	}
	check_tree();
}

static long native(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	long result = syscall(nr, a, b, c, d, e, f);

	return result == -1 ? -errno : result;
}

/* A result that is an address becomes an offset in its window. */
static long relative(long result, uint64_t window)
{
	return result < 0 && result > -4096 ? result : result - (long)window;
}

struct range {
	uint64_t offset, size;
};

static struct range draw_range(void)
{
	uint64_t start = draw(PAGES), pages = 1 + draw(MIN(PAGES - start, 16ul));

	return (struct range){start * PAGE_SIZE, pages * PAGE_SIZE};
}

static long both_map(struct range range, long *expected)
{
	static const uint32_t prots[] = {0, 1, 3, 3, 3, 5, 7, 2};
	uint32_t prot = prots[draw(COUNT(prots))], flags = draw(3) ? MAP_PRIVATE : MAP_SHARED;
	unsigned which = (unsigned)draw(4);
	struct mm_map_request request = {.addr = WINDOW_B + range.offset, .size = range.size, .prot = prot};

	flags |= draw(4) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (draw(8) == 0)
		range.size = request.size -= draw(PAGE_SIZE);
	if (draw(40) == 0)
		request.addr += 8, range.offset += 8;
	if (which > 1)
		flags |= MAP_ANONYMOUS;
	uint64_t offset = which > 1 ? 0 : draw(8) * PAGE_SIZE;
	request.flags = flags;
	request.offset = offset;
	request.file = which == 0 ? &writable_file : which == 1 ? &readable_file : NULL;
	*expected = native(SYS_mmap, WINDOW_A + range.offset, range.size, prot, flags,
			   which > 1 ? -1ul : (uint64_t)native_fd[which], offset);
	*expected = relative(*expected, WINDOW_A);
	return relative(mm_map(mm, NULL, &request), WINDOW_B);
}

static bool in_one_vma(uint64_t addr, uint64_t size)
{
	struct vma *vma = mm_find(mm, addr);

	return !vma || vma->start > addr || vma->end >= addr + size;
}

static long both_remap(struct range range, long *expected)
{
	struct range to = draw_range();
	uint64_t flags = 0, new_size = draw(3) ? range.size : to.size, old_size = draw(20) ? range.size : 0;

	switch (draw(4)) {
	case 0:
		break;
	case 1:
		flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
		break;
	default:
		flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	}
	if (to.offset + new_size > PAGES * PAGE_SIZE || range.offset + new_size > PAGES * PAGE_SIZE ||
	    !in_one_vma(WINDOW_B + range.offset, old_size)) {
		*expected = 0;
		return 0;
	}
	*expected = native(SYS_mremap, WINDOW_A + range.offset, old_size, new_size, flags, WINDOW_A + to.offset, 0);
	*expected = relative(*expected, WINDOW_A);
	long result =
		mm_remap(mm, NULL, WINDOW_B + range.offset, old_size, new_size, (uint32_t)flags, WINDOW_B + to.offset);
	return relative(result, WINDOW_B);
}

static long both_advise(struct range range, long *expected)
{
	static const int advice[] = {MADV_DONTNEED,   MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK,
				     MADV_KEEPONFORK, MADV_RANDOM,   MADV_NORMAL,   77,          MADV_DONTDUMP};
	int which = advice[draw(COUNT(advice))];

	*expected = native(SYS_madvise, WINDOW_A + range.offset, range.size, (uint64_t)which, 0, 0, 0);
	return mm_advise(mm, NULL, WINDOW_B + range.offset, range.size, which);
}

static long step_both(long *expected, const char **what)
{
	static const char *const names[] = {"mmap",   "mmap",    "mmap",  "munmap", "mprotect",
					    "mremap", "madvise", "mlock", "munlock"};
	struct range range = draw_range();
	unsigned which = (unsigned)draw(COUNT(names));
	uint64_t a = WINDOW_A + range.offset, b = WINDOW_B + range.offset;
	uint32_t prot = (uint32_t)draw(8);

	*what = names[which];
	switch (which) {
	case 3:
		*expected = native(SYS_munmap, a, range.size, 0, 0, 0, 0);
		return mm_unmap(mm, NULL, b, range.size);
	case 4:
		*expected = native(SYS_mprotect, a, range.size, prot, 0, 0, 0);
		return mm_protect(mm, NULL, b, range.size, prot);
	case 5:
		return both_remap(range, expected);
	case 6:
		return both_advise(range, expected);
	case 7:
		*expected = native(SYS_mlock2, a, range.size, prot & 1 ? MLOCK_ONFAULT : 0, 0, 0, 0);
		return mm_lock_pages(mm, NULL, b, range.size, prot & 1 ? MM_LOCK_ON_FAULT : MM_LOCK);
	case 8:
		*expected = native(SYS_munlock, a, range.size, 0, 0, 0, 0);
		return mm_lock_pages(mm, NULL, b, range.size, MM_UNLOCK);
	default:
		return both_map(range, expected);
	}
}

static void set_up(void)
{
	uint32_t other;

	cr_assert_eq(arena_init(), 0);
	file_kind_register(FILE_MEMFD, &mapped_ops);
	cr_assert_eq(hostfile_memory("b", 2 * PAGES * PAGE_SIZE, &file_host), 0);
	cr_assert_eq(hostfile_memory("a", 2 * PAGES * PAGE_SIZE, &other), 0);
	char path[64];
	native_fd[0] = host_fds[other];
	snprintf(path, sizeof path, "/proc/self/fd/%d", native_fd[0]);
	native_fd[1] = open(path, O_RDONLY);
	cr_assert_eq(mm_new(&mm), 0);
}

Test(mm, does_what_linux_does)
{
	set_up();
	uint32_t merged = 0;
	for (int step = 0; step < STEPS; step++) {
		const char *what;
		long expected, result = step_both(&expected, &what);
		expect(result == expected, "step %d: %s gave %ld instead of %ld", step, what, result, expected);
		compare(step, what);
		merged = MAX(merged, mm->vma_count);
	}
	cr_assert_gt(merged, 10);
	mm_put(mm);
	cr_assert_eq(host_files, 2);
}

/* ---- what the window cannot show */

static long map_anywhere(uint64_t size, uint32_t flags, struct file *file)
{
	struct mm_map_request request = {.size = size, .prot = MEM_READ, .flags = flags, .file = file};
	struct vma_spares spares;
	(void)spares;
	return mm_map(mm, NULL, &request);
}

Test(mm, wrong_arguments)
{
	set_up();
	cr_assert_eq(map_anywhere(0, MAP_PRIVATE | MAP_ANONYMOUS, NULL), -EINVAL);
	cr_assert_eq(map_anywhere(-1ul, MAP_PRIVATE | MAP_ANONYMOUS, NULL), -ENOMEM);
	cr_assert_eq(map_anywhere(1ul << 60, MAP_PRIVATE | MAP_ANONYMOUS, NULL), -ENOMEM);
	cr_assert_eq(map_anywhere(PAGE_SIZE, MAP_ANONYMOUS, NULL), -EINVAL);
	cr_assert_eq(map_anywhere(PAGE_SIZE, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, NULL), -EINVAL);
	cr_assert_eq(mm_unmap(mm, NULL, 0, 0), -EINVAL);
	cr_assert_eq(mm_unmap(mm, NULL, -PAGE_SIZE, PAGE_SIZE), -EINVAL);
	cr_assert_eq(mm_unmap(mm, NULL, 1ul << 46, PAGE_SIZE), 0);
	cr_assert_eq(mm_protect(mm, NULL, WINDOW_B, -1ul, 0), -ENOMEM);
	mm_put(mm);
}
