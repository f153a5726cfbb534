/* patch_aot.h - call sites patched ahead of time: whole texts of read-only host files (design D2). */
#ifndef PLATFORM_SYSTRAP_PATCH_AOT_H
#define PLATFORM_SYSTRAP_PATCH_AOT_H

#include "platform/platform.h"

struct uthread;

#define AHEAD_RUNS 2

/* Sites of a text: where, and what their jumps will be (one of two displacements). */
struct ahead {
	unsigned sites;
	struct ahead_site {
		uint32_t offset;
		int32_t displacement;
	} * site;
	/* trampoline.c: the pages of its runs, once written. */
	bool placed;
	uint32_t page[AHEAD_RUNS];
};

/* Sites with the same displacement are at least this far apart: so are their trampolines then. */
#define AHEAD_DISTANCE 15

/* patch.c. PARKS. Places the trampolines of all these sites of a text at this address and enters them as patched; the
 * caller then maps a text in which they are. False: not all of them have room, none may be used. */
bool patch_ahead(struct aspace *as, struct uthread *caller, uint64_t text, struct ahead *ahead);

/* patch.c. PARKS. Patches one site as if it had trapped. */
void patch_one(struct aspace *as, uint64_t site);

/* patch.c. Such a site, or all of them, have not been patched after all. */
void patch_ahead_undo(struct aspace *as, uint64_t site);
void patch_ahead_undo_all(struct aspace *as, uint64_t text, const struct ahead *ahead);

/* PARKS. op is a MEM_MAP that is about to be made, after patch_before. Where it maps the text of a file of which there
 * is a patched copy, the trampolines are placed and op is changed to map the copy. Otherwise op stays; what is returned
 * then goes to patch_aot_after once op is made, unless it is -1. caller: as in aspace_mem, may be NULL. */
int patch_aot_before(struct aspace *as, struct uthread *caller, struct mem_op *op);
void patch_aot_after(struct aspace *as, struct uthread *caller, const struct mem_op *op, const struct mem_op *made,
		     int index);

/* PARKS. A call has trapped at this site: if it is the first one of its text, all its sites are patched. */
void patch_aot_trapped(struct uthread *thread, uint64_t site);

/* This site has been patched after it had trapped: further processes may have it patched when they map its text. */
void patch_aot_learn(struct aspace *as, uint64_t site);

/* Texts in this range are not what they were. */
void patch_aot_forget(struct aspace *as, uint64_t start, uint64_t end);
/* For fork: to has nothing yet. */
void patch_aot_copy(struct aspace *to, const struct aspace *from);

/* Where in n bytes of text a call site stands that may be patched unseen; from: the first offset to look at. Returns
 * its offset, or n when there is none. Exposed for tests. */
size_t patch_aot_find(const unsigned char *text, size_t n, size_t from);

#endif
