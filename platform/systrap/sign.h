/* sign.h - the sentry's signature under a memory call that the guest's thread makes itself (design D3).
 *
 * A signature ("tag") is 32 bits in an argument word that the kernel ignores: the upper half of mmap's fd, munmap's
 * third, mprotect's and madvise's fourth, mremap's sixth argument. The program of filter_signed() checks it.
 *
 * A tag is a capability: whoever knows it can make this one call, any number of times, in every address space that has
 * the key. So: sign nothing that must not happen twice; map shared memory that the guest may only read through a
 * descriptor that is open for reading only (else a replayed mprotect makes it writable); never give a descriptor number
 * to another file (docs/decisions/0001-signed-calls.md).
 */
#ifndef PLATFORM_SYSTRAP_SIGN_H
#define PLATFORM_SYSTRAP_SIGN_H

#include "sentry/base/types.h"

/* Signed calls name pages [SIGN_MIN_PAGE, SIGN_LIMIT_PAGE): all that a guest may use, PLATFORM_MIN_ADDR and _MAX_ADDR.
 */
#define SIGN_MIN_PAGE   0x10u
#define SIGN_LIMIT_PAGE 0xffe00000u

/* Descriptor numbers that fit the encoding: [0, SIGN_FD_LIMIT). */
#define SIGN_FD_LIMIT (1 << 20)

/* The gate's slots for signed calls: syscall instructions, this many bytes apart. */
#define SIGN_SLOTS      8
#define SIGN_SLOT_BYTES 16

/* The secret of one address space: the state that HalfSipHash starts from. */
struct sign_key {
	uint32_t state[4];
};

/* A key from random bytes (getrandom, 16 of them). */
static inline struct sign_key sign_key_from(const uint8_t random[16])
{
	struct sign_key key;
	__builtin_memcpy(key.state, random, sizeof key.state);
	return key;
}

struct signed_call {
	uint64_t nr; /* as in rax: mmap, munmap, mprotect, madvise, mremap */
	uint64_t arg[6];
};

/* Puts the tag into call; other unused argument words are left alone.
 *   mmap      MAP_FIXED with MAP_PRIVATE|MAP_ANONYMOUS, MAP_SHARED or MAP_PRIVATE, and MAP_NORESERVE, MAP_POPULATE at
 * will; arg[4] must be the stub's descriptor (anonymous: anything), arg[5] the offset in bytes, < 16 TiB madvise   the
 * advices of SIGN_ADVICES mremap    MREMAP_MAYMOVE|MREMAP_FIXED, or 0 with arg[4] == 0 Returns 0; -E2BIG when it does
 * not fit the encoding and -EINVAL when it is no such call: the agent makes it then. */
must_check int sign_call(const struct sign_key *key, struct signed_call *call);

/* The advices, as a mask of 1 << MADV_*: NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED FREE DONTFORK DOFORK HUGEPAGE
 * NOHUGEPAGE DONTDUMP DODUMP WIPEONFORK KEEPONFORK POPULATE_READ POPULATE_WRITE. Not among them: REMOVE (changes the
 * file), MERGEABLE (tells of others' memory), HWPOISON, SOFT_OFFLINE, and what a page is worth to the host (COLD,
 * PAGEOUT, COLLAPSE). */
#define SIGN_ADVICES                                                                                                   \
	(1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 8 | 1u << 10 | 1u << 11 | 1u << 14 | 1u << 15 |       \
	 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19 | 1u << 22 | 1u << 23)

#endif
