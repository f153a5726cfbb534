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
 * In the books of the sentry's mm a page of trampolines (trampoline.c) is free. When the guest maps something there,
 * the sites that use it are patched back first.
 *
 * Limits: SITE_LIMIT sites in an address space; what does not fit keeps trapping. A
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
#include "platform/systrap/trampoline.h"
#include "sentry/base/log.h"

#define SITE_LIMIT 16384

enum site_state { SITE_EMPTY, SITE_PATCHED, SITE_REFUSED, SITE_GONE };

struct site {
	uint64_t addr, target;
	enum site_state state;
};

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

/* ------------------------------------------------------------------------------------------------ patching */

static enum site_state patch(struct aspace *as, uint64_t addr, uint64_t *target)
{
	unsigned char bytes[5];
	const unsigned char jmp = INSN_JMP;
	int32_t displacement;

	if (aspace_read(as, NULL, bytes, UADDR(addr), sizeof bytes) || bytes[0] != INSN_SYSCALL_0 ||
	    bytes[1] != INSN_SYSCALL_1)
		return SITE_REFUSED;
	memcpy(&displacement, bytes + 1, 4);
	*target = addr + 5 + (uint64_t)(int64_t)displacement;
	if (*target < PLATFORM_MIN_ADDR || *target >= PLATFORM_MAX_ADDR - PAGE_SIZE)
		return SITE_REFUSED;
	if (trampoline_add(as, addr, *target) || !ranges_cover(&as->patches.patchable, addr, addr + sizeof bytes))
		return SITE_REFUSED;
	return host_pwrite(as->mem_fd, &jmp, 1, (int64_t)addr) == 1 ? SITE_PATCHED : SITE_REFUSED;
}

/* One at a time: whoever finds a trampoline in the books can rely on its being mapped. Another site traps again. */
static bool may_patch(const struct aspace *as, uint64_t addr)
{
	return !as->broken && !as->patches.frozen && !as->patches.active &&
	       ranges_cover(&as->patches.patchable, addr, addr + 5);
}

void patch_one(struct aspace *as, uint64_t addr)
{
	struct site *site = site_find(&as->patches, addr);
	enum site_state state;
	uint64_t target = 0;

	if (!may_patch(as, addr) || (site && (site->state == SITE_PATCHED || site->state == SITE_REFUSED)))
		return; /* raced, or tried before */
	as->patches.active++;
	state = patch(as, addr, &target); /* parks: the table may have changed */
	as->patches.active--;
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

void patch_site(struct uthread *thread, uint64_t addr)
{
	struct aspace *as = thread->as;
	struct site *site = site_find(&as->patches, addr);

	if (systrap.config.no_patch || as->mem_fd < 0 || !may_patch(as, addr))
		return;
	if (site && (site->state == SITE_PATCHED || site->state == SITE_REFUSED))
		return;
	patch_aot_trapped(thread, addr);
	patch_one(as, addr);
	site = site_find(&as->patches, addr);
	if (site && site->state == SITE_PATCHED)
		patch_aot_learn(as, addr);
}

/* ------------------------------------------------------------------------------------------------ ahead of time */

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
	int error;

	if (as->patches.frozen || as->patches.active)
		return false;
	as->patches.active++;
	error = trampoline_add_ahead(as, caller, text, ahead);
	as->patches.active--;
	if (error || !sites_reserve(&as->patches, ahead->sites))
		return false;
	for (unsigned i = 0; i < ahead->sites; i++) {
		struct site *site = site_new(&as->patches, text + ahead->site[i].offset);
		if (!site)
			return false;
		site->state = SITE_PATCHED;
		site->target = trampoline_ahead_target(text, &ahead->site[i]);
	}
	return true;
}

void patch_ahead_undo(struct aspace *as, uint64_t addr)
{
	struct site *site = site_find(&as->patches, addr);

	if (site && site->state == SITE_PATCHED)
		site->state = SITE_REFUSED;
}

void patch_ahead_undo_all(struct aspace *as, uint64_t text, const struct ahead *ahead)
{
	for (unsigned i = 0; i < ahead->sites; i++)
		patch_ahead_undo(as, text + ahead->site[i].offset);
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
	trampoline_drop(as, start, end);
}

void patch_before(struct aspace *as, struct uthread *caller, const struct mem_op *op)
{
	uint64_t end = op->addr + op->size;

	(void)caller;
	if (op->kind == MEM_ADVISE)
		return;
	if (op->kind != MEM_PROTECT || op->prot & MEM_WRITE)
		patch_aot_forget(as, op->addr, end);
	if (op->kind == MEM_REMAP)
		patch_aot_forget(as, op->new_addr, op->new_addr + op->new_size);
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
	return trampoline_site(as, rip);
}

uint64_t aspace_avoid(struct aspace *as, uint64_t addr, uint64_t size)
{
	struct range first;

	return ranges_next(&as->patches.trampolines, addr, addr + size, &first) ? first.start : 0;
}

void patch_freeze(struct aspace *as)
{
	as->patches.frozen++;
	while (as->patches.active && !as->broken) {
		struct waitq never;
		struct waiter waiter;

		waitq_init(&never);
		waiter_init(&waiter);
		waitq_add(&never, &waiter);
		(void)!waiter_wait_deaf(&waiter, host_monotonic_ns() + 50 * NS_PER_US);
		waitq_remove(&waiter);
	}
}

void patch_thaw(struct aspace *as)
{
	assert(as->patches.frozen);
	as->patches.frozen--;
}

int patch_copy(struct aspace *to, const struct aspace *from)
{
	const struct patches *source = &from->patches;
	struct patches *patches = &to->patches;
	int error;

	patches->shared_unknown = source->shared_unknown;
	patch_aot_copy(to, from);
	error = ranges_copy(&patches->patchable, &source->patchable);
	if (!error)
		error = ranges_copy(&patches->shared, &source->shared);
	if (!error)
		error = trampoline_copy(to, from);
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
	patch_aot_forget(as, 0, UINT64_MAX);
	ranges_clear(&as->patches.patchable);
	ranges_clear(&as->patches.shared);
	trampoline_forget(as);
	free(as->patches.site);
	as->patches.site = NULL;
	as->patches.sites = as->patches.site_room = 0;
	as->patches.shared_unknown = false;
}
