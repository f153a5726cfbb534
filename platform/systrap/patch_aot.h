/* patch_aot.h - call sites patched ahead of time: whole texts of read-only host files, once a sandbox (design D2). */
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

/* PARKS. op is a MEM_MAP that is about to be made, after patch_before. Where it maps the text of a file whose sites can
 * be patched ahead of time, the trampolines are placed and op is changed to map the patched copy. Otherwise op stays,
 * and its sites are patched when they trap. caller: as in aspace_mem, may be NULL. */
void patch_aot(struct aspace *as, struct uthread *caller, struct mem_op *op);

/* Where in n bytes of text a call site stands that may be patched unseen; from: the first offset to look at. Returns
 * its offset, or n when there is none. Exposed for tests. */
size_t patch_aot_find(const unsigned char *text, size_t n, size_t from);

#endif
