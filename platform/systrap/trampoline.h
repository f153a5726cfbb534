/* trampoline.h - the code that patched call sites jump to: pages of one memory file of the sandbox (patch.c,
 * patch_aot.c).
 */
#ifndef PLATFORM_SYSTRAP_TRAMPOLINE_H
#define PLATFORM_SYSTRAP_TRAMPOLINE_H

#include "platform/systrap/patch_aot.h"
#include "platform/systrap/systrap.h"

#define TRAMPOLINE_BYTES 15

/* Makes the memory file. Its descriptor: borrowed, and nobody can map it writable through it. */
must_check int trampoline_start(int *fd);

/* PARKS. Puts the trampoline of a site at target and maps its pages where they are not yet. -ENOSPC: no room there. */
must_check int trampoline_add(struct aspace *as, uint64_t site, uint64_t target);

/* PARKS. The same for all sites of a text at this address; all or nothing. caller may be NULL. */
must_check int trampoline_add_ahead(struct aspace *as, struct uthread *caller, uint64_t text, struct ahead *ahead);

/* Where the trampoline of such a site is. */
static inline uint64_t trampoline_ahead_target(uint64_t text, const struct ahead_site *site)
{
	return text + site->offset + 5 + (uint64_t)(int64_t)site->displacement;
}

/* The pages in a range are given up: something else is about to be mapped there. */
void trampoline_drop(struct aspace *as, uint64_t start, uint64_t end);

/* Of an address inside a trampoline, the site it belongs to; any other: itself. */
uint64_t trampoline_site(const struct aspace *as, uint64_t rip);

/* For fork: to has what from has. -ENOMEM. */
must_check int trampoline_copy(struct aspace *to, const struct aspace *from);

/* The address space is empty, or gone. */
void trampoline_forget(struct aspace *as);

#endif
