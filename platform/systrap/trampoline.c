/* trampoline.c - the pages of trampolines (trampoline.h).
 *
 * Theory. A trampoline is 15 bytes: `lea` of the return address into rcx, jump through gs into the gate. Its address
 * is dictated by the site's bytes, so it lies anywhere, in the guest's range, in a page that in the books of the
 * sentry's mm is free. Such pages come from one memory file, mapped read-execute and shared by the address space's
 * agent with MAP_FIXED_NOREPLACE, so that nothing of the guest's is covered. What a trampoline holds is relative to
 * itself.
 *
 * Two kinds of page. A *single* page stands for one guest address, the same in every address space that has a
 * trampoline there (a fork's child shares its parent's), and is counted by them; when the last one gives it up it
 * stands for another address. A *run* of pages belongs to a text patched ahead of time and holds all its trampolines of
 * one displacement; it is written once and mapped by every process at its own distance from wherever that process has
 * the text, since nothing in it depends on addresses.
 *
 * A page that one address space has given up may still be mapped by a guest that keeps its call from being made, or by
 * a replay: it reads trampolines of other processes of its sandbox then, and cannot write them.
 *
 * Limits: SINGLE_PAGES in use at a time, RUN_PAGES in a sandbox, TRAMPOLINE_RUNS texts' runs in an address space. What
 * does not fit keeps trapping.
 */
#include "platform/systrap/trampoline.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/host.h"

#define SINGLE_PAGES 8192
#define RUN_PAGES    8192
#define ALL_PAGES    (SINGLE_PAGES + RUN_PAGES)
#define PAGE_HASH    16384
#define LEA_BYTES    7

static_assert(AHEAD_DISTANCE >= TRAMPOLINE_BYTES, "trampolines of one text do not overlap");

static unsigned char *bytes;                     /* the memory file, mapped */
static uint64_t used[ALL_PAGES][PAGE_SIZE / 64]; /* a bit for each byte in use */
static unsigned run_pages_used;

/* Single pages. */
static uint64_t page_addr[SINGLE_PAGES];
static uint32_t page_refs[SINGLE_PAGES];
static uint16_t page_hash[PAGE_HASH]; /* index + 1; linear probing */
static uint16_t page_free[SINGLE_PAGES];
static unsigned pages_free, pages_made;

int trampoline_start(int *fd)
{
	const uint64_t size = ALL_PAGES * PAGE_SIZE;
	int error;

	*fd = host_memfd_create("trampolines", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return *fd;
	error = host_ftruncate(*fd, (int64_t)size);
	if (error)
		return error;
	bytes = host_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd, 0, &error);
	/* No mapping after ours can become writable: not by a replayed mprotect either (docs/decisions/0001). */
	return bytes ? host_fcntl(*fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) : error;
}

/* ------------------------------------------------------------------------------------------------ single pages */

static unsigned hash_of(uint64_t addr)
{
	return (unsigned)(addr * 0x9e3779b97f4a7c15ull >> 40) % PAGE_HASH;
}

static const struct trampoline_run *run_at(const struct aspace *as, uint64_t addr)
{
	for (unsigned i = 0; i < as->patches.runs; i++)
		if (addr >= as->patches.run[i].start && addr < as->patches.run[i].end)
			return &as->patches.run[i];
	return NULL;
}

/* The page that stands for this address of this address space; -1: none. */
static int page_find(const struct aspace *as, uint64_t addr)
{
	const struct trampoline_run *run = run_at(as, addr);

	if (run)
		return (int)(run->first + (addr - run->start) / PAGE_SIZE);
	for (unsigned i = hash_of(addr); page_hash[i]; i = (i + 1) % PAGE_HASH)
		if (page_addr[page_hash[i] - 1] == addr)
			return page_hash[i] - 1;
	return -1;
}

/* The same, with a reference; -1: none left. Pages of runs are not counted. */
static int page_get(const struct aspace *as, uint64_t addr)
{
	int page = page_find(as, addr);

	if (page < 0) {
		unsigned i = hash_of(addr);

		if (!pages_free && pages_made == SINGLE_PAGES)
			return -1;
		page = pages_free ? page_free[--pages_free] : (int)pages_made++;
		while (page_hash[i])
			i = (i + 1) % PAGE_HASH;
		page_hash[i] = (uint16_t)(page + 1);
		page_addr[page] = addr;
		page_refs[page] = 0;
	}
	if (page < SINGLE_PAGES)
		page_refs[page]++;
	return page;
}

/* Linear probing: what follows moves up into the hole. */
static void hash_remove(uint64_t addr)
{
	unsigned hole = hash_of(addr), i;

	while (page_addr[page_hash[hole] - 1] != addr)
		hole = (hole + 1) % PAGE_HASH;
	page_hash[hole] = 0;
	for (i = (hole + 1) % PAGE_HASH; page_hash[i]; i = (i + 1) % PAGE_HASH) {
		unsigned home = hash_of(page_addr[page_hash[i] - 1]);

		if ((i - home) % PAGE_HASH < (i - hole) % PAGE_HASH)
			continue; /* it would move before its home */
		page_hash[hole] = page_hash[i];
		page_hash[i] = 0;
		hole = i;
	}
}

static void page_put(int page)
{
	if (page < 0 || page >= SINGLE_PAGES)
		return;
	assert(page_refs[page]);
	if (--page_refs[page])
		return;
	hash_remove(page_addr[page]);
	memset(used[page], 0, sizeof used[page]);
	page_free[pages_free++] = (uint16_t)page;
}

/* ------------------------------------------------------------------------------------------------ bytes */

static bool code_for(uint64_t site, uint64_t target, unsigned char code[TRAMPOLINE_BYTES])
{
	/* lea back(%rip), %rcx; jmp *%gs:CH_ENTRY */
	static const unsigned char pattern[TRAMPOLINE_BYTES] = {0x48, 0x8d, 0x0d, 0,    0,    0,
								0,    0x65, 0xff, 0x24, 0x25, CH_ENTRY};
	int64_t back = (int64_t)(site + 2 - (target + LEA_BYTES));

	if (back != (int32_t)back)
		return false;
	memcpy(code, pattern, TRAMPOLINE_BYTES);
	memcpy(code + 3, &(int32_t){(int32_t)back}, 4);
	return true;
}

/* Puts the code at an offset of page[0], or over its end into page[1]. What is there already is fine when it is the
 * same. */
static bool place(const int page[2], unsigned off, const unsigned char code[TRAMPOLINE_BYTES])
{
	for (unsigned i = 0; i < TRAMPOLINE_BYTES; i++) {
		int in = page[(off + i) / PAGE_SIZE];
		unsigned at = (off + i) % PAGE_SIZE;

		if (in < 0 || (used[in][at / 64] >> at % 64 & 1 && bytes[in * PAGE_SIZE + at] != code[i]))
			return false;
	}
	for (unsigned i = 0; i < TRAMPOLINE_BYTES; i++) {
		int in = page[(off + i) / PAGE_SIZE];
		unsigned at = (off + i) % PAGE_SIZE;

		bytes[in * PAGE_SIZE + at] = code[i];
		used[in][at / 64] |= 1ull << at % 64;
	}
	return true;
}

/* ------------------------------------------------------------------------------------------------ one site */

static struct agent_call map_call(uint64_t start, uint64_t size, uint64_t page)
{
	return (struct agent_call){SYS_mmap,
				   {start, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, FD_TRAMPOLINE,
				    page * PAGE_SIZE}};
}

/* PARKS. Maps the page at addr if it is not there; the address space then holds a reference. It is in the books before
 * it is mapped, so that what other threads map meanwhile goes elsewhere, or takes it out again. */
static int page_map(struct aspace *as, uint64_t addr, int page)
{
	struct agent_call map = map_call(addr, PAGE_SIZE, (uint64_t)page);
	int error;

	if (ranges_cover(&as->patches.trampolines, addr, addr + PAGE_SIZE))
		return 0;
	mem_settle_range(as, addr, addr + PAGE_SIZE, NULL);
	error = ranges_add(&as->patches.trampolines, addr, addr + PAGE_SIZE);
	if (error)
		return error;
	if (page < SINGLE_PAGES)
		page_refs[page]++;
	error = agent_run(as, &map, 1);
	if (error && ranges_cover(&as->patches.trampolines, addr, addr + PAGE_SIZE))
		trampoline_drop(as, addr, addr + PAGE_SIZE);
	return error;
}

int trampoline_add(struct aspace *as, uint64_t site, uint64_t target)
{
	uint64_t first = page_down(target), last = page_down(target + TRAMPOLINE_BYTES - 1);
	unsigned char code[TRAMPOLINE_BYTES];
	/* Held while we park. */
	int page[2] = {page_get(as, first), last != first ? page_get(as, last) : -1};
	int error = -ENOSPC;

	if (code_for(site, target, code) && place(page, (unsigned)(target - first), code)) {
		error = page_map(as, first, page[0]);
		if (!error && last != first)
			error = page_map(as, last, page[1]);
		if (!error && !ranges_cover(&as->patches.trampolines, target, target + TRAMPOLINE_BYTES))
			error = -ENOSPC; /* something was mapped over it while we parked */
	}
	page_put(page[0]);
	page_put(page[1]);
	return error;
}

/* ------------------------------------------------------------------------------------------------ a whole text */

/* Where the runs of a text lie when it is at this address: one for each displacement. */
static bool runs_find(uint64_t text, const struct ahead *ahead, struct trampoline_run run[AHEAD_RUNS])
{
	memset(run, 0, AHEAD_RUNS * sizeof *run);
	for (unsigned i = 0; i < ahead->sites; i++) {
		int32_t displacement = ahead->site[i].displacement;
		uint64_t target = trampoline_ahead_target(text, &ahead->site[i]);
		uint64_t end = page_up(target + TRAMPOLINE_BYTES);
		struct trampoline_run *r = run;

		if (target < PLATFORM_MIN_ADDR || target >= PLATFORM_MAX_ADDR - PAGE_SIZE)
			return false;
		while (r < run + AHEAD_RUNS && r->end && r->displacement != displacement)
			r++;
		if (r == run + AHEAD_RUNS)
			return false;
		if (!r->end)
			*r = (struct trampoline_run){page_down(target), end, 0, displacement};
		r->start = MIN(r->start, page_down(target));
		r->end = MAX(r->end, end);
	}
	return true;
}

/* Gives each run its pages; writes them the first time. */
static bool runs_place(uint64_t text, struct ahead *ahead, struct trampoline_run run[AHEAD_RUNS])
{
	unsigned char code[TRAMPOLINE_BYTES];
	uint64_t need = 0;

	for (int i = 0; i < AHEAD_RUNS; i++) {
		run[i].first = ahead->placed ? ahead->page[i] : SINGLE_PAGES + run_pages_used + (uint32_t)need;
		ahead->page[i] = run[i].first;
		need += (run[i].end - run[i].start) / PAGE_SIZE;
	}
	if (ahead->placed)
		return true;
	if (run_pages_used + need > RUN_PAGES)
		return false;
	run_pages_used += (unsigned)need;
	ahead->placed = true;
	for (unsigned i = 0; i < ahead->sites; i++) {
		uint64_t target = trampoline_ahead_target(text, &ahead->site[i]);
		const struct trampoline_run *r = run[0].displacement == ahead->site[i].displacement ? &run[0] : &run[1];
		int page = (int)(r->first + (target - r->start) / PAGE_SIZE);
		bool good = code_for(text + ahead->site[i].offset, target, code) &&
			    place((const int[2]){page, page + 1}, target % PAGE_SIZE, code);

		assert(good); /* the pages were empty, and the sites are AHEAD_DISTANCE apart */
	}
	return true;
}

/* Whether the run is there already; -EEXIST: something else is. */
static int run_there(const struct patches *patches, const struct trampoline_run *run, bool *there)
{
	*there = false;
	for (unsigned i = 0; i < patches->runs; i++) {
		const struct trampoline_run *old = &patches->run[i];

		if (old->start >= run->end || old->end <= run->start)
			continue;
		if (old->start != run->start || old->first != run->first ||
		    !ranges_cover(&patches->trampolines, run->start, run->end))
			return -EEXIST;
		*there = true;
		return 0;
	}
	return ranges_touch(&patches->trampolines, run->start, run->end) ? -EEXIST : 0;
}

/* It is not mapped, or not as a whole. Pages of it that are there stay, and are used by nobody. */
static void run_give_up(struct aspace *as, const struct trampoline_run *run)
{
	struct patches *patches = &as->patches;

	for (unsigned i = 0; i < patches->runs; i++)
		if (patches->run[i].start == run->start && patches->run[i].first == run->first) {
			patches->run[i] = patches->run[--patches->runs];
			trampoline_drop(as, run->start, run->end);
			return;
		}
}

int trampoline_add_ahead(struct aspace *as, struct uthread *caller, uint64_t text, struct ahead *ahead)
{
	struct patches *patches = &as->patches;
	struct trampoline_run run[AHEAD_RUNS], *new[AHEAD_RUNS];
	struct agent_call map[AHEAD_RUNS];
	unsigned n = 0;
	int error = 0;

	if (!runs_find(text, ahead, run) || !runs_place(text, ahead, run))
		return -ENOSPC;
	for (int i = 0; i < AHEAD_RUNS && run[i].end && !error; i++) {
		bool there;

		mem_flush_own(caller, run[i].start, run[i].end);
		mem_settle_range(as, run[i].start, run[i].end, caller);
		error = run_there(patches, &run[i], &there);
		if (there || error)
			continue;
		map[n] = map_call(run[i].start, run[i].end - run[i].start, run[i].first);
		new[n++] = &run[i];
	}
	if (error || patches->runs + n > TRAMPOLINE_RUNS)
		return error ? error : -ENOSPC;
	/* In the books first, as in page_map. */
	for (unsigned i = 0; i < n && !error; i++) {
		error = ranges_add(&patches->trampolines, new[i]->start, new[i]->end);
		if (!error)
			patches->run[patches->runs++] = *new[i];
	}
	if (!error && n)
		error = agent_run(as, map, n);
	for (unsigned i = 0; i < n && !error; i++)
		if (!ranges_cover(&patches->trampolines, new[i]->start, new[i]->end))
			error = -ENOSPC;
	for (unsigned i = 0; i < n && error; i++)
		run_give_up(as, new[i]);
	return error;
}

/* ------------------------------------------------------------------------------------------------ giving up */

static void put_range(struct aspace *as, uint64_t start, uint64_t end)
{
	struct range range;

	for (uint64_t at = start; ranges_next(&as->patches.trampolines, at, end, &range); at = range.end)
		for (uint64_t page = MAX(range.start, start); page < MIN(range.end, end); page += PAGE_SIZE)
			page_put(page_find(as, page));
}

void trampoline_drop(struct aspace *as, uint64_t start, uint64_t end)
{
	struct patches *patches = &as->patches;

	put_range(as, start, end);
	if (ranges_remove(&patches->trampolines, start, end)) {
		/* No memory for the hole. What is left of the books must not name pages that we do not hold. */
		put_range(as, 0, start);
		put_range(as, end, UINT64_MAX);
		ranges_clear(&patches->trampolines);
	}
}

void trampoline_forget(struct aspace *as)
{
	put_range(as, 0, UINT64_MAX);
	ranges_clear(&as->patches.trampolines);
	as->patches.runs = 0;
}

int trampoline_copy(struct aspace *to, const struct aspace *from)
{
	struct range range;
	int error = ranges_copy(&to->patches.trampolines, &from->patches.trampolines);

	if (error) {
		ranges_clear(&to->patches.trampolines);
		return error;
	}
	memcpy(to->patches.run, from->patches.run, sizeof to->patches.run);
	to->patches.runs = from->patches.runs;
	for (uint64_t at = 0; ranges_next(&to->patches.trampolines, at, UINT64_MAX, &range); at = range.end)
		for (uint64_t page = range.start; page < range.end; page += PAGE_SIZE)
			(void)!page_get(to, page); /* it exists: from holds it */
	return 0;
}

/* ------------------------------------------------------------------------------------------------ reading back */

uint64_t trampoline_site(const struct aspace *as, uint64_t rip)
{
	if (likely(!ranges_touch(&as->patches.trampolines, rip, rip + 1)))
		return rip;
	for (uint64_t start = rip; start + LEA_BYTES >= rip; start -= LEA_BYTES) {
		unsigned char code[TRAMPOLINE_BYTES], want[TRAMPOLINE_BYTES];
		int32_t back;
		unsigned i;

		for (i = 0; i < TRAMPOLINE_BYTES; i++) {
			int page = page_find(as, page_down(start + i));
			if (page < 0)
				break;
			code[i] = bytes[page * PAGE_SIZE + (start + i) % PAGE_SIZE];
		}
		if (i < TRAMPOLINE_BYTES)
			continue;
		memcpy(&back, code + 3, 4);
		uint64_t site = start + LEA_BYTES + (uint64_t)(int64_t)back - 2;
		if (code_for(site, start, want) && !memcmp(code, want, TRAMPOLINE_BYTES))
			return site;
	}
	return rip;
}
