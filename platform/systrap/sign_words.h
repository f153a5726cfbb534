/* sign_words.h - how a memory call is put into words for its signature: what sign.c and the program of filter.c must
 * agree on. The layout is explained in sign.c.
 */
#ifndef PLATFORM_SYSTRAP_SIGN_WORDS_H
#define PLATFORM_SYSTRAP_SIGN_WORDS_H

#include "sentry/base/types.h"

enum sign_class {
	SIGN_ANONYMOUS = 1,
	SIGN_FILE_SHARED,
	SIGN_FILE_PRIVATE,
	SIGN_UNMAP,
	SIGN_PROTECT,
	SIGN_ADVISE,
	SIGN_REMAP,
};

#define SIGN_WORDS       5 /* at most */
#define SIGN_PROT_SHIFT  3
#define SIGN_EXTRA_SHIFT 6
#define SIGN_FD_SHIFT    8
#define SIGN_FLAGS_SHIFT 8

/* MAP_NORESERVE and MAP_POPULATE, two neighbouring bits of mmap's flags. */
#define SIGN_MAP_EXTRA     0xc000u
#define SIGN_MAP_EXTRA_BIT 14

struct sign_words {
	int n;
	uint32_t w[SIGN_WORDS];
};

/* One round of HalfSipHash. */
void sign_round(uint32_t v[4]);

#endif
