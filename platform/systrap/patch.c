/* patch.c - `syscall` (0f 05) becomes `jmp rel32` (e9 05 ...): one byte changes (design D2).
 *
 * Theory. The displacement's low byte stays the 05 that is there, so that the patch is a single-byte store: atomic
 * whatever the alignment, and another thread sees the old instruction or the new one, both right. The target is then
 * dictated: site + 5 + (b4 b3 b2 05). A site is patched when it first traps, because only then its bytes are known to
 * be an instruction.
 *
 * The byte is written through /proc/PID/mem, which breaks copy-on-write of a read-only private page. Only private,
 * executable, non-writable mappings are patched: text of files stays what it is for everybody else, and code that a
 * program writes itself is left alone.
 *
 * Trampolines lie in one memory file of the sandbox, a page for each guest page address, the same in every address
 * space (their bytes depend on addresses alone), mapped read-execute where an address space needs them: by its agent
 * with MAP_FIXED_NOREPLACE, so that nothing of the guest's is covered. In the books of the sentry's mm such a page is
 * free. When the guest maps something there, the sites that use it are patched back first.
 *
 * Limits: TRAMPOLINE_PAGES in a sandbox, SITE_LIMIT sites in an address space; what does not fit keeps trapping. A
 * thread that is between a patched site and the gate at the very moment when another maps over the trampoline runs into
 * what was mapped.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/host.h"
#include "platform/systrap/patch_aot.h"
#include "sentry/base/log.h"

#define TRAMPOLINE_PAGES 16384
#define TRAMPOLINE_BYTES 15
#define LEA_BYTES        7
#define SITE_LIMIT       16384
#define PAGE_HASH        32768
#define INSN_SYSCALL_0   0x0f
#define INSN_SYSCALL_1   0x05
#define INSN_JMP         0xe9

enum site_state { SITE_EMPTY, SITE_PATCHED, SITE_REFUSED, SITE_GONE };

struct site {
	uint64_t addr, target;
	enum site_state state;
};

static unsigned char *pages; /* the memory file, mapped */
static uint64_t page_addr[TRAMPOLINE_PAGES];
static uint64_t page_used[TRAMPOLINE_PAGES][PAGE_SIZE / 64]; /* a bit for each byte in use */
static uint16_t page_hash[PAGE_HASH];                        /* index + 1 */
static unsigned page_count;

int patch_start(int *trampoline_fd)
{
	const uint64_t bytes = TRAMPOLINE_PAGES * PAGE_SIZE;
	int error = 0, fd = host_memfd_create("trampolines", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return fd;
	error = host_ftruncate(fd, (int64_t)bytes);
	if (error)
		return error;
	pages = host_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0, &error);
	/* No mapping after ours can become writable: not by a replayed mprotect either (docs/decisions/0001). */
	if (!error)
		error = host_fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
	*trampoline_fd = fd;
	return error;
}

/* ------------------------------------------------------------------------------------------------ sites */

static unsigned hash_of(uint64_t value)
{
	return (unsigned)(value * 0x9e3779b97f4a7c15ull >> 40);
}

/* The site's entry, or the empty one where it would go; NULL: no room. */
static struct site *site_find(struct patches *patches, uint64_t addr)
{
	unsigned mask = patches->site_room - 1;

	if (!patches->site_room)
		return NULL;
	for (unsigned i = hash_of(addr) & mask;; i = (i + 1) & mask)
		if (patches->site[i].state == SITE_EMPTY || patches->site[i].addr == addr)
			return &patches->site[i];
}

static bool sites_grow(struct patches *patches)
{
	unsigned room = patches->site_room ? 2 * patches->site_room : 64, old_room = patches->site_room;
	struct site *old = patches->site;

	if (patches->sites * 2 < patches->site_room)
		return true;
	if (room > SITE_LIMIT * 2)
		return false;
	struct site *site = calloc(room, sizeof *site);
	if (!site)
		return false;
	patches->site = site;
	patches->site_room = room;
	patches->sites = 0;
	for (unsigned i = 0; i < old_room; i++)
		if (old[i].state == SITE_PATCHED || old[i].state == SITE_REFUSED) {
			*site_find(patches, old[i].addr) = old[i];
			patches->sites++;
		}
	free(old);
	return true;
}

static struct site *site_new(struct patches *patches, uint64_t addr)
{
	struct site *site;

	if (!sites_grow(patches))
		return NULL;
	site = site_find(patches, addr);
	if (site->state == SITE_EMPTY) {
		site->addr = addr;
		patches->sites++;
	}
	return site;
}

/* ------------------------------------------------------------------------------------------------ trampolines */

/* Index of the page that stands for this guest address; -1: none (left). */
static int page_find(uint64_t addr, bool make)
{
	unsigned i = hash_of(addr) % PAGE_HASH;

	for (; page_hash[i]; i = (i + 1) % PAGE_HASH)
		if (page_addr[page_hash[i] - 1] == addr)
			return page_hash[i] - 1;
	if (!make || page_count == TRAMPOLINE_PAGES)
		return -1;
	page_addr[page_count] = addr;
	page_hash[i] = (uint16_t)++page_count;
	return (int)page_count - 1;
}

static bool byte_used(int page, unsigned off)
{
	return page_used[page][off / 64] >> off % 64 & 1;
}

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

/* Whether the code can lie at target; what is there already is fine when it is the same. */
static bool fits(uint64_t target, const unsigned char code[TRAMPOLINE_BYTES])
{
	for (unsigned i = 0; i < TRAMPOLINE_BYTES; i++) {
		uint64_t at = target + i;
		int page = page_find(page_down(at), true);
		unsigned off = at % PAGE_SIZE;

		if (page < 0 || (byte_used(page, off) && pages[page * PAGE_SIZE + off] != code[i]))
			return false;
	}
	return true;
}

static void place(uint64_t target, const unsigned char code[TRAMPOLINE_BYTES])
{
	for (unsigned i = 0; i < TRAMPOLINE_BYTES; i++) {
		uint64_t at = target + i;
		int page = page_find(page_down(at), false);
		unsigned off = at % PAGE_SIZE;

		pages[page * PAGE_SIZE + off] = code[i];
		page_used[page][off / 64] |= 1ull << off % 64;
	}
}

/* Maps the pages of a trampoline where they are not yet. */
static int map_pages(struct aspace *as, uint64_t target)
{
	uint64_t last = page_down(target + TRAMPOLINE_BYTES - 1);

	for (uint64_t page = page_down(target); page <= last; page += PAGE_SIZE) {
		struct agent_call map = {SYS_mmap,
					 {page, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE,
					  FD_TRAMPOLINE, (uint64_t)page_find(page, false) * PAGE_SIZE}};
		int error;

		if (ranges_cover(&as->patches.trampolines, page, page + PAGE_SIZE))
			continue;
		mem_settle_range(as, page, page + PAGE_SIZE, NULL);
		error = agent_run(as, &map, 1);
		if (!error)
			error = ranges_add(&as->patches.trampolines, page, page + PAGE_SIZE);
		if (error)
			return error;
	}
	return 0;
}

static enum site_state patch(struct aspace *as, uint64_t addr, uint64_t *target)
{
	unsigned char bytes[5], code[TRAMPOLINE_BYTES];
	const unsigned char jmp = INSN_JMP;
	int32_t displacement;

	if (aspace_read(as, NULL, bytes, UADDR(addr), sizeof bytes) || bytes[0] != INSN_SYSCALL_0 ||
	    bytes[1] != INSN_SYSCALL_1)
		return SITE_REFUSED;
	memcpy(&displacement, bytes + 1, 4);
	*target = addr + 5 + (uint64_t)(int64_t)displacement;
	if (*target < PLATFORM_MIN_ADDR || *target >= PLATFORM_MAX_ADDR - PAGE_SIZE)
		return SITE_REFUSED;
	if (!code_for(addr, *target, code) || !fits(*target, code))
		return SITE_REFUSED;
	place(*target, code);
	if (map_pages(as, *target) || !ranges_cover(&as->patches.patchable, addr, addr + sizeof bytes))
		return SITE_REFUSED;
	return host_pwrite(as->mem_fd, &jmp, 1, (int64_t)addr) == 1 ? SITE_PATCHED : SITE_REFUSED;
}

void patch_site(struct uthread *thread, uint64_t addr)
{
	struct aspace *as = thread->as;
	struct site *site;
	enum site_state state;
	uint64_t target = 0;

	if (systrap.config.no_patch || as->mem_fd < 0 || as->broken ||
	    !ranges_cover(&as->patches.patchable, addr, addr + 5))
		return;
	site = site_find(&as->patches, addr);
	if (site && (site->state == SITE_PATCHED || site->state == SITE_REFUSED))
		return;                   /* raced, or tried before */
	state = patch(as, addr, &target); /* parks: the table may have changed */
	site = site_new(&as->patches, addr);
	if (!site)
		return;
	site->state = state;
	site->target = target;
	if (state == SITE_PATCHED)
		systrap.stats.sites_patched++;
	else
		systrap.stats.sites_refused++;
}

/* ------------------------------------------------------------------------------------------------ ahead of time */

/* Trampolines of one displacement are an image of the text: one run of pages. */
struct run {
	int32_t displacement;
	uint64_t start, end;
};
#define AHEAD_RUNS 2
static_assert(AHEAD_DISTANCE >= TRAMPOLINE_BYTES, "trampolines of one text do not overlap");

static uint64_t ahead_target(uint64_t text, const struct ahead_site *site)
{
	return text + site->offset + 5 + (uint64_t)(int64_t)site->displacement;
}

/* The runs that these sites need. */
static bool runs_find(uint64_t text, const struct ahead *ahead, struct run run[AHEAD_RUNS])
{
	memset(run, 0, AHEAD_RUNS * sizeof *run);
	for (unsigned i = 0; i < ahead->sites; i++) {
		int32_t displacement = ahead->site[i].displacement;
		uint64_t target = ahead_target(text, &ahead->site[i]), end = page_up(target + TRAMPOLINE_BYTES);
		struct run *r = run;

		if (target < PLATFORM_MIN_ADDR || target >= PLATFORM_MAX_ADDR - PAGE_SIZE)
			return false;
		while (r < run + AHEAD_RUNS && r->end && r->displacement != displacement)
			r++;
		if (r == run + AHEAD_RUNS)
			return false;
		if (!r->end)
			*r = (struct run){displacement, page_down(target), end};
		r->start = MIN(r->start, page_down(target));
		r->end = MAX(r->end, end);
	}
	return true;
}

/* Pages of the memory file that follow each other, for a run: those it has already, or new ones. */
static bool run_pages(const struct run *run)
{
	unsigned count = (unsigned)((run->end - run->start) / PAGE_SIZE);
	int first = page_find(run->start, false);

	if (first < 0 && page_count + count > TRAMPOLINE_PAGES)
		return false;
	for (unsigned i = 0; i < count; i++) {
		int page = page_find(run->start + i * PAGE_SIZE, false);
		if (first < 0 ? page >= 0 : page != first + (int)i)
			return false;
	}
	for (unsigned i = 0; first < 0 && i < count; i++)
		(void)!page_find(run->start + i * PAGE_SIZE, true);
	return true;
}

/* Writes the trampolines' bytes. What is written once stays: bytes are never taken back. */
static bool runs_place(uint64_t text, struct ahead *ahead, const struct run run[AHEAD_RUNS])
{
	unsigned char code[TRAMPOLINE_BYTES];

	if (ahead->placed == text)
		return true;
	for (int i = 0; i < AHEAD_RUNS; i++)
		if (run[i].end && !run_pages(&run[i]))
			return false;
	for (unsigned i = 0; i < ahead->sites; i++) {
		uint64_t target = ahead_target(text, &ahead->site[i]);
		if (!code_for(text + ahead->site[i].offset, target, code) || !fits(target, code))
			return false;
		place(target, code);
	}
	ahead->placed = text;
	return true;
}

/* Maps the runs that are not there yet. */
static int runs_map(struct aspace *as, struct uthread *caller, const struct run run[AHEAD_RUNS])
{
	struct ranges *there = &as->patches.trampolines;
	struct agent_call map[AHEAD_RUNS];
	struct range range[AHEAD_RUNS];
	unsigned n = 0;
	int error;

	for (const struct run *r = run; r < run + AHEAD_RUNS; r++) {
		if (!r->end || ranges_cover(there, r->start, r->end))
			continue;
		if (ranges_touch(there, r->start, r->end))
			return -EEXIST;
		mem_flush_own(caller, r->start, r->end);
		mem_settle_range(as, r->start, r->end, caller);
		range[n] = (struct range){r->start, r->end};
		map[n++] = (struct agent_call){SYS_mmap,
					       {r->start, r->end - r->start, PROT_READ | PROT_EXEC,
						MAP_SHARED | MAP_FIXED_NOREPLACE, FD_TRAMPOLINE,
						(uint64_t)page_find(r->start, false) * PAGE_SIZE}};
	}
	error = n ? agent_run(as, map, n) : 0;
	for (unsigned i = 0; i < n && !error; i++)
		error = ranges_add(there, range[i].start, range[i].end);
	return error;
}

/* Room for that many more sites at once. */
static bool sites_reserve(struct patches *patches, unsigned sites)
{
	unsigned room = 64;

	if (patches->site_room)
		return true;
	while (room < 4 * sites)
		room *= 2;
	if (room > SITE_LIMIT * 2)
		return false;
	patches->site = calloc(room, sizeof *patches->site);
	patches->site_room = patches->site ? room : 0;
	return patches->site;
}

bool patch_ahead(struct aspace *as, struct uthread *caller, uint64_t text, struct ahead *ahead)
{
	struct run run[AHEAD_RUNS];

	if (!runs_find(text, ahead, run) || !runs_place(text, ahead, run) || runs_map(as, caller, run) ||
	    !sites_reserve(&as->patches, ahead->sites))
		return false;
	for (unsigned i = 0; i < ahead->sites; i++) {
		struct site *site = site_new(&as->patches, text + ahead->site[i].offset);
		if (!site)
			return false;
		site->state = SITE_PATCHED;
		site->target = ahead_target(text, &ahead->site[i]);
	}
	return true;
}

/* ------------------------------------------------------------------------------------------------ memory operations */

static bool near(uint64_t addr, unsigned bytes, uint64_t start, uint64_t end)
{
	return addr < end && addr + bytes > start;
}

/* Sites whose own bytes go: restore (the code lives on elsewhere) or forget. */
static void drop_sites(struct aspace *as, uint64_t start, uint64_t end, bool restore)
{
	const unsigned char first = INSN_SYSCALL_0;
	struct patches *patches = &as->patches;

	for (unsigned i = 0; i < patches->site_room; i++) {
		struct site *site = &patches->site[i];
		if (site->state != SITE_PATCHED && site->state != SITE_REFUSED)
			continue;
		if (!near(site->addr, 5, start, end))
			continue;
		/* A site that reaches into the range from outside lives on: its trampoline's address depends on the
		 * range. */
		if (site->state == SITE_PATCHED && (restore || site->addr < start) &&
		    host_pwrite(as->mem_fd, &first, 1, (int64_t)site->addr) != 1)
			log_debug("systrap: cannot take back a patch");
		site->state = SITE_GONE;
	}
}

/* Pages of trampolines that something is about to cover. */
static void drop_trampolines(struct aspace *as, uint64_t start, uint64_t end)
{
	const unsigned char first = INSN_SYSCALL_0;
	struct patches *patches = &as->patches;

	if (!ranges_touch(&patches->trampolines, start, end))
		return;
	for (unsigned i = 0; i < patches->site_room; i++) {
		struct site *site = &patches->site[i];
		if (site->state != SITE_PATCHED || !near(site->target, TRAMPOLINE_BYTES, start, end))
			continue;
		if (host_pwrite(as->mem_fd, &first, 1, (int64_t)site->addr) != 1)
			log_debug("systrap: cannot take back a patch");
		site->state = SITE_REFUSED; /* would be in the guest's way again */
	}
	(void)!ranges_remove(&patches->trampolines, start, end);
}

void patch_before(struct aspace *as, struct uthread *caller, const struct mem_op *op)
{
	uint64_t end = op->addr + op->size;

	(void)caller;
	if (op->kind == MEM_ADVISE)
		return;
	if (as->patches.site_room && (op->kind != MEM_PROTECT || op->prot & MEM_WRITE) &&
	    ranges_touch(&as->patches.patchable, op->addr, end))
		drop_sites(as, op->addr, end, op->kind == MEM_REMAP || op->kind == MEM_PROTECT);
	if (op->kind == MEM_MAP)
		drop_trampolines(as, op->addr, end);
	if (op->kind == MEM_REMAP) {
		drop_trampolines(as, op->addr, end);
		drop_sites(as, op->new_addr, op->new_addr + op->new_size, op->new_addr == op->addr);
		drop_trampolines(as, op->new_addr, op->new_addr + op->new_size);
	}
}

/* The books of what may be patched. A failure for lack of memory leaves a range out: never one in that must be out. */
void patch_after(struct aspace *as, const struct mem_op *op)
{
	struct patches *patches = &as->patches;
	uint64_t end = op->addr + op->size;
	int error = 0;

	if (op->kind == MEM_ADVISE)
		return;
	error |= ranges_remove(&patches->patchable, op->addr, end);
	if (op->kind == MEM_REMAP)
		error |= ranges_remove(&patches->patchable, op->new_addr, op->new_addr + op->new_size);
	if (op->kind == MEM_REMAP && ranges_touch(&patches->shared, op->addr, end))
		error |= ranges_add(&patches->shared, op->new_addr, op->new_addr + op->new_size);
	if (op->kind == MEM_UNMAP || op->kind == MEM_MAP)
		error |= ranges_remove(&patches->shared, op->addr, end);
	if (op->kind == MEM_MAP && op->flags & MEM_SHARED)
		error |= ranges_add(&patches->shared, op->addr, end);
	if (error) {
		ranges_clear(&patches->patchable);
		as->patches.shared_unknown = true;
		return;
	}
	if ((op->kind == MEM_MAP || op->kind == MEM_PROTECT) && (op->prot & (MEM_WRITE | MEM_EXEC)) == MEM_EXEC &&
	    !patches->shared_unknown && !ranges_touch(&patches->shared, op->addr, end))
		(void)!ranges_add(&patches->patchable, op->addr, end);
}

bool patch_next_trampoline(const struct aspace *as, uint64_t start, uint64_t end, struct range *out)
{
	return ranges_next(&as->patches.trampolines, start, end, out);
}

uint64_t patch_guest_rip(const struct aspace *as, uint64_t rip)
{
	if (likely(!ranges_touch(&as->patches.trampolines, rip, rip + 1)))
		return rip;
	for (uint64_t start = rip; start + LEA_BYTES >= rip; start -= LEA_BYTES) {
		unsigned char code[TRAMPOLINE_BYTES], want[TRAMPOLINE_BYTES];
		int32_t back;
		unsigned i;

		for (i = 0; i < TRAMPOLINE_BYTES; i++) {
			int page = page_find(page_down(start + i), false);
			if (page < 0)
				break;
			code[i] = pages[page * PAGE_SIZE + (start + i) % PAGE_SIZE];
		}
		memcpy(&back, code + 3, 4);
		uint64_t site = start + LEA_BYTES + (uint64_t)(int64_t)back - 2;
		if (i == TRAMPOLINE_BYTES && code_for(site, start, want) && !memcmp(code, want, TRAMPOLINE_BYTES))
			return site;
	}
	return rip;
}

uint64_t aspace_avoid(struct aspace *as, uint64_t addr, uint64_t size)
{
	struct range first;

	return ranges_next(&as->patches.trampolines, addr, addr + size, &first) ? first.start : 0;
}

int patch_copy(struct aspace *to, const struct aspace *from)
{
	const struct patches *source = &from->patches;
	struct patches *patches = &to->patches;
	int error;

	patches->shared_unknown = source->shared_unknown;
	error = ranges_copy(&patches->patchable, &source->patchable);
	if (!error)
		error = ranges_copy(&patches->shared, &source->shared);
	if (!error)
		error = ranges_copy(&patches->trampolines, &source->trampolines);
	if (error || !source->site_room)
		return error;
	patches->site = malloc(source->site_room * sizeof *patches->site);
	if (!patches->site)
		return -ENOMEM;
	memcpy(patches->site, source->site, source->site_room * sizeof *patches->site);
	patches->site_room = source->site_room;
	patches->sites = source->sites;
	return 0;
}

void patch_forget(struct aspace *as)
{
	ranges_clear(&as->patches.patchable);
	ranges_clear(&as->patches.shared);
	ranges_clear(&as->patches.trampolines);
	free(as->patches.site);
	memset(&as->patches, 0, sizeof as->patches);
}
