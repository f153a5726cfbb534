/* memory.c - simulated address spaces (platform/platform.h).
 *
 * An address space is a sorted array of regions, as a host kernel keeps them, and a hash of the private pages that have
 * been written to. Pages are shared copy-on-write after fork. Shared file pages are never copied: they are read and
 * written in the simulated host's file, behind whose last page a touch is a SIGBUS.
 *
 * A change with a caller may be queued, as systrap does with what the guest's own thread executes: it is made when the
 * caller next runs, or when somebody else touches the range. Rarely the host refuses a queued mapping late; the address
 * space is then `tainted`: it no longer is what the books say, which the sentry has to bear.
 *
 * Limits: no huge address ranges at speed (the hash is walked); vvar and vDSO are files like others.
 */
#include "platform/hostfile.h"
#include "sentry/base/fiber.h"
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TRAP_PAGE_FAULT 14
#define FAULT_PRESENT   1u
#define FAULT_WRITE     2u
#define FAULT_USER      4u
#define FAULT_FETCH     16u

struct page {
	unsigned refs;
	uint8_t data[PAGE_SIZE];
};

struct page_slot {
	uint64_t vpn; /* 0: free; page 0 is never a guest's */
	struct page *page;
};

struct sim_pages {
	struct page_slot *slot;
	size_t count, room; /* room: a power of two */
};

struct list sim_aspaces = LIST_INIT(sim_aspaces);
static unsigned next_id = 1;

static void *must_have(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ------------------------------------------------------------------------------------------------ pages */

static size_t slot_home(const struct sim_pages *pages, uint64_t vpn)
{
	return (vpn * 0x9e3779b97f4a7c15ull >> 20) & (pages->room - 1);
}

static struct page_slot *slot_find(const struct sim_pages *pages, uint64_t vpn)
{
	for (size_t i = slot_home(pages, vpn); pages->room; i = (i + 1) & (pages->room - 1)) {
		if (pages->slot[i].vpn == vpn)
			return &pages->slot[i];
		if (!pages->slot[i].vpn)
			break;
	}
	return NULL;
}

static void pages_insert(struct sim_pages *pages, uint64_t vpn, struct page *page);

static void pages_rebuild(struct sim_pages *pages, size_t room)
{
	struct sim_pages old = *pages;

	*pages = (struct sim_pages){.slot = must_have(calloc(room, sizeof *pages->slot)), .room = room};
	for (size_t i = 0; i < old.room; i++)
		if (old.slot[i].vpn)
			pages_insert(pages, old.slot[i].vpn, old.slot[i].page);
	free(old.slot);
}

static void pages_insert(struct sim_pages *pages, uint64_t vpn, struct page *page)
{
	if (2 * (pages->count + 1) > pages->room)
		pages_rebuild(pages, pages->room ? 2 * pages->room : 64);
	size_t i = slot_home(pages, vpn);
	while (pages->slot[i].vpn)
		i = (i + 1) & (pages->room - 1);
	pages->slot[i] = (struct page_slot){vpn, page};
	pages->count++;
}

static void page_put(struct page *page)
{
	if (!--page->refs)
		free(page);
}

/* Takes the pages of [first, last] out; into gets those that it wants (moved by shift pages), or they are freed. */
static void pages_take(struct sim_pages *pages, uint64_t first, uint64_t last, struct sim_pages *into, int64_t shift)
{
	struct sim_pages old = *pages;

	if (!pages->count)
		return;
	*pages = (struct sim_pages){.slot = must_have(calloc(old.room, sizeof *old.slot)), .room = old.room};
	for (size_t i = 0; i < old.room; i++) {
		struct page_slot *slot = &old.slot[i];
		if (!slot->vpn)
			continue;
		if (slot->vpn < first || slot->vpn > last)
			pages_insert(pages, slot->vpn, slot->page);
		else if (into)
			pages_insert(into, slot->vpn + (uint64_t)shift, slot->page);
		else
			page_put(slot->page);
	}
	free(old.slot);
}

static void pages_drop(struct aspace *as, uint64_t start, uint64_t end)
{
	pages_take(as->pages, start >> PAGE_SHIFT, (end - 1) >> PAGE_SHIFT, NULL, 0);
}

/* ------------------------------------------------------------------------------------------------ regions */

/* The first region that ends behind addr. */
static unsigned region_index(const struct aspace *as, uint64_t addr)
{
	unsigned low = 0, high = as->regions;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (as->region[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct sim_region *region_find(const struct aspace *as, uint64_t addr)
{
	unsigned i = region_index(as, addr);

	return i < as->regions && as->region[i].start <= addr ? &as->region[i] : NULL;
}

static void region_insert(struct aspace *as, unsigned at, const struct sim_region *region)
{
	if (as->regions == as->room) {
		as->room = as->room ? 2 * as->room : 32;
		as->region = must_have(realloc(as->region, as->room * sizeof *as->region));
	}
	memmove(&as->region[at + 1], &as->region[at], (as->regions - at) * sizeof *as->region);
	as->region[at] = *region;
	as->regions++;
}

static void region_remove(struct aspace *as, unsigned at)
{
	if (as->region[at].inode >= 0)
		sim_host_put(as->region[at].inode);
	memmove(&as->region[at], &as->region[at + 1], (as->regions - at - 1) * sizeof *as->region);
	as->regions--;
}

/* Makes addr a border between regions. */
static void region_cut(struct aspace *as, uint64_t addr)
{
	unsigned i = region_index(as, addr);

	if (i >= as->regions || as->region[i].start >= addr)
		return;
	struct sim_region upper = as->region[i];
	upper.offset += addr - upper.start;
	upper.start = addr;
	if (upper.inode >= 0)
		sim_host_get(upper.inode);
	as->region[i].end = addr;
	region_insert(as, i + 1, &upper);
}

static void carve(struct aspace *as, uint64_t start, uint64_t end)
{
	region_cut(as, start);
	region_cut(as, end);
	unsigned i = region_index(as, start);
	while (i < as->regions && as->region[i].start < end)
		region_remove(as, i);
	pages_drop(as, start, end);
}

/* Takes the reference to the inode. */
static void add(struct aspace *as, const struct sim_region *region)
{
	carve(as, region->start, region->end);
	region_insert(as, region_index(as, region->start), region);
}

static void protect(struct aspace *as, const struct mem_op *op)
{
	region_cut(as, op->addr);
	region_cut(as, op->addr + op->size);
	for (unsigned i = region_index(as, op->addr); i < as->regions && as->region[i].start < op->addr + op->size; i++)
		as->region[i].prot = op->prot;
}

static void remap(struct aspace *as, const struct mem_op *op)
{
	struct sim_pages moved = {0};
	struct sim_region *old = region_find(as, op->addr);

	if (!old) {
		if (!as->tainted)
			sim_fail("mremap of %lx, where nothing is", op->addr);
		return;
	}
	struct sim_region new = *old;
	new.offset += op->addr - new.start;
	new.start = op->new_addr;
	new.end = op->new_addr + op->new_size;
	if (new.inode >= 0)
		sim_host_get(new.inode);
	uint64_t keep = MIN(op->size, op->new_size);
	if (keep)
		pages_take(as->pages, op->addr >> PAGE_SHIFT, (op->addr + keep - 1) >> PAGE_SHIFT, &moved,
			   (int64_t)(op->new_addr - op->addr) >> PAGE_SHIFT);
	if (op->size)
		carve(as, op->addr, op->addr + op->size);
	add(as, &new);
	for (size_t i = 0; i < moved.room; i++)
		if (moved.slot[i].vpn)
			pages_insert(as->pages, moved.slot[i].vpn, moved.slot[i].page);
	free(moved.slot);
}

/* inode: of a mapped file, a reference that goes to the region. */
static void apply(struct aspace *as, const struct mem_op *op, int inode)
{
	switch (op->kind) {
	case MEM_MAP:
		add(as, &(struct sim_region){.start = op->addr,
					     .end = op->addr + op->size,
					     .prot = op->prot,
					     .flags = op->flags & (MEM_SHARED | MEM_READ_ONLY),
					     .file = op->file,
					     .offset = op->file == MEM_NO_FILE ? 0 : op->offset,
					     .inode = inode});
		break;
	case MEM_UNMAP:
		carve(as, op->addr, op->addr + op->size);
		break;
	case MEM_PROTECT:
		protect(as, op);
		break;
	case MEM_ADVISE:
		if (op->advice != MADV_DONTNEED && op->advice != MADV_FREE)
			break; /* to have pages ahead of their use makes no difference here */
		pages_drop(as, op->addr, op->addr + op->size);
		break;
	case MEM_REMAP:
		remap(as, op);
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ changes */

static bool touches(const struct mem_op *op, uint64_t start, uint64_t end)
{
	if (op->addr < end && start < op->addr + op->size)
		return true;
	return op->kind == MEM_REMAP && op->new_addr < end && start < op->new_addr + op->new_size;
}

static int op_inode(const struct mem_op *op)
{
	if (op->kind != MEM_MAP || op->file == MEM_NO_FILE)
		return -1;
	int inode = sim_host_inode(hostfile_fd(op->file));
	sim_host_get(inode);
	return inode;
}

void sim_apply_queued(struct uthread *thread)
{
	struct mem_queued queued = thread->queued;

	if (!queued.used)
		return;
	thread->queued.used = false;
	if (queued.op.kind == MEM_MAP && sim_inject(sim.config.refuse / 20)) {
		carve(thread->as, queued.op.addr, queued.op.addr + queued.op.size);
		if (queued.inode >= 0)
			sim_host_put(queued.inode);
		thread->op_error = -ENOMEM;
		thread->was_tainted = thread->as->tainted;
		thread->as->tainted = true;
		return;
	}
	apply(thread->as, &queued.op, queued.inode);
}

/* PARKS. What others have queued for this range is made first. */
static void settle_range(struct aspace *as, uint64_t start, uint64_t end, const struct uthread *except)
{
	struct uthread *thread;

again:
	list_for_each (thread, &as->threads, node) {
		if (thread == except || !thread->queued.used || !touches(&thread->queued.op, start, end))
			continue;
		if (fiber_current() && sim_chance(sim.config.delay)) {
			sim_delay();
			goto again;
		}
		sim_apply_queued(thread);
	}
}

static void check_op(const struct mem_op *op)
{
	uint64_t end = op->addr + op->size;
	bool good = !(op->addr & ~PAGE_MASK) && !(op->size & ~PAGE_MASK) && op->addr >= PLATFORM_MIN_ADDR &&
		    end >= op->addr && end <= PLATFORM_MAX_ADDR && (op->size || op->kind == MEM_REMAP);

	if (op->kind == MEM_REMAP)
		good = good && op->new_size && !(op->new_addr & ~PAGE_MASK) && !(op->new_size & ~PAGE_MASK) &&
		       op->new_addr >= PLATFORM_MIN_ADDR && op->new_addr + op->new_size <= PLATFORM_MAX_ADDR;
	if (!good)
		sim_fail("a memory call %d of %lx+%lx to %lx+%lx", op->kind, op->addr, op->size, op->new_addr,
			 op->new_size);
}

int aspace_mem(struct aspace *as, struct uthread *caller, const struct mem_op *op)
{
	check_op(op);
	if (caller && (caller->as != as || caller->state == SIM_RUNNING))
		sim_fail("a memory call for a thread that is not at a stop of this address space");
	sim_delay();
	settle_range(as, op->addr, op->addr + op->size, caller);
	if (op->kind == MEM_REMAP)
		settle_range(as, op->new_addr, op->new_addr + op->new_size, caller);
	if (caller)
		sim_apply_queued(caller);
	if (op->kind != MEM_UNMAP && sim_inject(sim.config.refuse / 10))
		return -ENOMEM;
	if (caller && !caller->killed && sim_chance(sim.config.queue))
		caller->queued = (struct mem_queued){.used = true, .op = *op, .inode = op_inode(op)};
	else
		apply(as, op, op_inode(op));
	return 0;
}

int aspace_settle(struct aspace *as, struct uthread *caller)
{
	int error;

	sim_delay();
	sim_apply_queued(caller);
	error = caller->op_error;
	if (error) /* the sentry knows, and puts its books right */
		as->tainted = caller->was_tainted;
	caller->op_error = 0;
	return error;
}

uint64_t aspace_avoid(struct aspace *as, uint64_t addr, uint64_t size)
{
	(void)as;
	(void)addr;
	(void)size;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ life */

int aspace_new(struct aspace **out)
{
	sim_delay();
	if (sim_inject(sim.config.refuse))
		return sim_chance(500) ? -EAGAIN : -ENOMEM;
	struct aspace *as = must_have(calloc(1, sizeof *as));
	as->pages = must_have(calloc(1, sizeof *as->pages));
	as->id = next_id++;
	list_init(&as->threads);
	list_push_back(&sim_aspaces, &as->all_node);
	*out = as;
	return 0;
}

void aspace_free(struct aspace *as)
{
	if (!list_empty(&as->threads))
		sim_fail("address space %u freed under its threads", as->id);
	while (as->regions)
		region_remove(as, as->regions - 1);
	for (size_t i = 0; i < as->pages->room; i++)
		if (as->pages->slot[i].vpn)
			page_put(as->pages->slot[i].page);
	list_remove(&as->all_node);
	free(as->pages->slot);
	free(as->pages);
	free(as->region);
	free(as);
}

int aspace_fork(struct aspace *parent, struct uthread *caller, struct aspace **out, struct uthread **thread)
{
	struct aspace *as;
	struct uthread *other;
	int error = aspace_new(&as);

	if (error)
		return error;
	error = uthread_new(as, caller, &caller->regs, thread);
	if (error) {
		aspace_free(as);
		return error;
	}
	list_for_each (other, &parent->threads, node)
		sim_apply_queued(other);
	for (unsigned i = 0; i < parent->regions; i++) {
		if (parent->region[i].inode >= 0)
			sim_host_get(parent->region[i].inode);
		region_insert(as, i, &parent->region[i]);
	}
	for (size_t i = 0; i < parent->pages->room; i++)
		if (parent->pages->slot[i].vpn) {
			parent->pages->slot[i].page->refs++;
			pages_insert(as->pages, parent->pages->slot[i].vpn, parent->pages->slot[i].page);
		}
	as->tainted = parent->tainted;
	*out = as;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ access */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

static bool file_covers(const struct sim_region *region, uint64_t addr)
{
	return region->inode < 0 || page_down(region->offset + (addr - region->start)) < sim_host_size(region->inode);
}

static bool allowed(const struct sim_region *region, enum access access)
{
	if (access == ACCESS_WRITE)
		return region->prot & MEM_WRITE;
	if (access == ACCESS_FETCH)
		return region->prot & MEM_EXEC;
	return region->prot & (MEM_READ | MEM_WRITE | MEM_EXEC);
}

/* The private page for writing. */
static struct page *page_own(struct aspace *as, const struct sim_region *region, uint64_t addr)
{
	struct page_slot *slot = slot_find(as->pages, addr >> PAGE_SHIFT);
	struct page *page;

	if (slot && slot->page->refs == 1)
		return slot->page;
	page = must_have(calloc(1, sizeof *page));
	page->refs = 1;
	if (slot) {
		memcpy(page->data, slot->page->data, PAGE_SIZE);
		page_put(slot->page);
		slot->page = page;
		return page;
	}
	if (region->inode >= 0)
		sim_host_read(region->inode, page->data, PAGE_SIZE, page_down(region->offset + (addr - region->start)));
	pages_insert(as->pages, addr >> PAGE_SHIFT, page);
	return page;
}

/* n bytes inside one page that may be accessed. */
static void move(struct aspace *as, const struct sim_region *region, uint64_t addr, void *data, size_t n, bool write)
{
	uint64_t in_file = region->offset + (addr - region->start);
	struct page_slot *slot;

	if (region->flags & MEM_SHARED && region->inode >= 0) {
		if (write) {
			sim_host_write(region->inode, data, n, in_file);
			return;
		}
		memset(data, 0, n);
		sim_host_read(region->inode, data, n, in_file);
		return;
	}
	if (write) {
		memcpy(page_own(as, region, addr)->data + (addr & ~PAGE_MASK), data, n);
		return;
	}
	slot = slot_find(as->pages, addr >> PAGE_SHIFT);
	if (slot) {
		memcpy(data, slot->page->data + (addr & ~PAGE_MASK), n);
		return;
	}
	memset(data, 0, n);
	if (region->inode >= 0)
		sim_host_read(region->inode, data, n, in_file);
}

static bool fault(struct stop *stop, uint64_t addr, enum access access, const struct sim_region *region)
{
	bool bus = region && allowed(region, access);

	*stop = (struct stop){.kind = STOP_FAULT, .addr = UADDR(addr), .trapno = TRAP_PAGE_FAULT, .error = FAULT_USER};
	stop->sig = bus ? SIGBUS : SIGSEGV;
	stop->code = bus ? BUS_ADRERR : region ? SEGV_ACCERR : SEGV_MAPERR;
	stop->error |= (region && !bus ? FAULT_PRESENT : 0) | (access == ACCESS_WRITE ? FAULT_WRITE : 0) |
		       (access == ACCESS_FETCH ? FAULT_FETCH : 0);
	return false;
}

static bool access_range(struct aspace *as, uint64_t addr, void *data, size_t n, enum access access, struct stop *stop)
{
	while (n) {
		size_t step = MIN(n, PAGE_SIZE - (addr & ~PAGE_MASK));
		struct sim_region *region = addr < PLATFORM_MAX_ADDR ? region_find(as, addr) : NULL;
		if (!region || !allowed(region, access) || !file_covers(region, addr))
			return fault(stop, addr, access, region);
		if (data) {
			move(as, region, addr, data, step, access == ACCESS_WRITE);
			data = (char *)data + step;
		}
		addr += step;
		n -= step;
	}
	return true;
}

bool sim_access(struct uthread *thread, uint64_t addr, void *data, size_t n, bool write, struct stop *stop)
{
	settle_range(thread->as, page_down(addr), page_up(addr + n), NULL);
	return access_range(thread->as, addr, data, n, write ? ACCESS_WRITE : ACCESS_READ, stop);
}

void sim_peek_string(struct uthread *thread, uint64_t addr, char *out, size_t size)
{
	struct stop ignored;
	size_t i = 0;

	for (; i + 1 < size; i++)
		if (!access_range(thread->as, addr + i, &out[i], 1, ACCESS_READ, &ignored) || out[i] < ' ' ||
		    out[i] > '~')
			break;
	if (i + 1 == size || out[i])
		i = 0;
	out[i] = 0;
}

bool sim_may_fetch(struct uthread *thread, uint64_t addr, struct stop *stop)
{
	return access_range(thread->as, addr, NULL, 1, ACCESS_FETCH, stop);
}

static int copy(struct aspace *as, struct uaddr at, void *data, size_t n, bool write)
{
	struct stop ignored;

	if (at.v < PLATFORM_MIN_ADDR || at.v > PLATFORM_MAX_ADDR || n > PLATFORM_MAX_ADDR - at.v)
		return n ? -EFAULT : 0;
	settle_range(as, page_down(at.v), page_up(at.v + n), NULL);
	return access_range(as, at.v, data, n, write ? ACCESS_WRITE : ACCESS_READ, &ignored) ? 0 : -EFAULT;
}

int aspace_read(struct aspace *as, struct uthread *thread, void *dst, struct uaddr src, size_t n)
{
	(void)thread;
	return copy(as, src, dst, n, false);
}

int aspace_write(struct aspace *as, struct uthread *thread, struct uaddr dst, const void *src, size_t n)
{
	(void)thread;
	return copy(as, dst, (void *)src, n, true);
}

ssize_t aspace_read_string(struct aspace *as, struct uthread *thread, char *dst, struct uaddr src, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t step = MIN(size - done, PAGE_SIZE - ((src.v + done) & ~PAGE_MASK));
		if (aspace_read(as, thread, dst + done, uaddr_add(src, done), step))
			return -EFAULT;
		const char *end = memchr(dst + done, 0, step);
		if (end)
			return end - dst;
		done += step;
	}
	return -ENAMETOOLONG;
}

int aspace_cmpxchg32(struct aspace *as, struct uthread *thread, struct uaddr word, uint32_t expected, uint32_t desired,
		     uint32_t *found)
{
	sim_delay();
	if (aspace_read(as, thread, found, word, sizeof *found))
		return -EFAULT;
	return *found == expected ? aspace_write(as, thread, word, &desired, sizeof desired) : 0;
}

void aspace_usage(struct aspace *as, struct memory_usage *out)
{
	*out = (struct memory_usage){.anonymous = as->pages->count * PAGE_SIZE};
	out->peak = memory_usage_rss(out);
}

int aspace_resident(struct aspace *as, uint64_t addr, uint64_t pages, uint8_t *out)
{
	for (uint64_t i = 0; i < pages; i++)
		out[i] = slot_find(as->pages, (addr >> PAGE_SHIFT) + i) != NULL;
	return 0;
}
