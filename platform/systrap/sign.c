/* sign.c - signing memory calls: the C twin of the program that filter_signed() writes.
 *
 * Theory of operation. A call is encoded as three to five 32-bit words, and HalfSipHash-1-3 with a secret 128-bit
 * starting state is run over them. The first word holds a class that fixes which call it is, which flags it has, how
 * many words follow and what they mean, so no encoding is the beginning of another and no length word is needed. (That
 * makes it not byte for byte the published HalfSipHash; the round function is, see tests/unit/filter_sign.c.)
 *
 *     word 0   class, protection << 3 or advice << 8, (NORESERVE, POPULATE) << 6, descriptor << 8 or mremap flags << 8
 *     word 1   page number
 *     word 2   number of pages, never 0
 *     word 3   files: page offset in the file; mremap: new page number
 *     word 4   mremap: new number of pages
 *
 * Everything the kernel looks at is either in the words or fixed by the class. What the kernel ignores (a tag's own
 * place, the words behind the last argument, the low half of fd of an anonymous mapping) is not covered and may be
 * anything.
 *
 * Why HalfSipHash: it is made of 32-bit add, xor and rotate, which is what classic BPF has; prototype figures for
 * others are in docs/decisions/0001-signed-calls.md. Limits: 16 TiB of addresses, sizes and offsets; 2^20 descriptors;
 * the tag's 32 bits are enough only because the first wrong tag ends the sandbox.
 */
#include "platform/systrap/sign.h"

#include <errno.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/syscall.h>

#include "platform/platform.h"
#include "platform/systrap/sign_words.h"

static_assert((uint64_t)SIGN_MIN_PAGE << PAGE_SHIFT == PLATFORM_MIN_ADDR, "signed calls reach what a guest may use");
static_assert((uint64_t)SIGN_LIMIT_PAGE << PAGE_SHIFT == PLATFORM_MAX_ADDR, "signed calls reach what a guest may use");
static_assert(SIGN_MAP_EXTRA == (MAP_NORESERVE | MAP_POPULATE), "as the kernel numbers them");

static uint32_t rotate_left(uint32_t x, int bits)
{
	return x << bits | x >> (32 - bits);
}

void sign_round(uint32_t v[4])
{
	v[0] += v[1];
	v[1] = rotate_left(v[1], 5) ^ v[0];
	v[0] = rotate_left(v[0], 16);
	v[2] += v[3];
	v[3] = rotate_left(v[3], 8) ^ v[2];
	v[0] += v[3];
	v[3] = rotate_left(v[3], 7) ^ v[0];
	v[2] += v[1];
	v[1] = rotate_left(v[1], 13) ^ v[2];
	v[2] = rotate_left(v[2], 16);
}

static uint32_t tag_of(const struct sign_key *key, const struct sign_words *words)
{
	uint32_t v[4];

	memcpy(v, key->state, sizeof v);
	for (int i = 0; i < words->n; i++) {
		v[3] ^= words->w[i];
		sign_round(v);
		v[0] ^= words->w[i];
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sign_round(v);
	return v[1] ^ v[3];
}

/* bytes as a number of pages, < 2^32. */
static int to_pages(uint64_t bytes, uint32_t *pages)
{
	if (bytes % PAGE_SIZE)
		return -EINVAL;
	if (bytes >> 44)
		return -E2BIG;
	*pages = bytes >> PAGE_SHIFT;
	return 0;
}

/* A range of at least one page that guests may use, as two words. */
static int range_words(uint64_t addr, uint64_t bytes, uint32_t words[2])
{
	uint32_t page, count;
	int err = to_pages(addr, &page);

	if (!err)
		err = to_pages(bytes, &count);
	if (err)
		return err;
	if (count == 0)
		return -EINVAL;
	if (page < SIGN_MIN_PAGE || page >= SIGN_LIMIT_PAGE || count > SIGN_LIMIT_PAGE - page)
		return -E2BIG;
	words[0] = page;
	words[1] = count;
	return 0;
}

static int map_words(const uint64_t arg[6], struct sign_words *out)
{
	uint64_t flags = arg[3] & ~(uint64_t)SIGN_MAP_EXTRA;
	uint32_t class = flags == (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) ? SIGN_ANONYMOUS
			 : flags == (MAP_SHARED | MAP_FIXED)                ? SIGN_FILE_SHARED
			 : flags == (MAP_PRIVATE | MAP_FIXED)               ? SIGN_FILE_PRIVATE
									    : 0;

	if (!class || arg[2] > 7)
		return -EINVAL;
	out->w[0] =
		class | arg[2] << SIGN_PROT_SHIFT | (arg[3] & SIGN_MAP_EXTRA) >> SIGN_MAP_EXTRA_BIT << SIGN_EXTRA_SHIFT;
	if (class == SIGN_ANONYMOUS) {
		out->n = 3;
		return arg[5] ? -EINVAL : 0;
	}
	if (arg[4] >= SIGN_FD_LIMIT)
		return -E2BIG;
	out->w[0] |= arg[4] << SIGN_FD_SHIFT;
	out->n = 4;
	return to_pages(arg[5], &out->w[3]);
}

static int remap_words(const uint64_t arg[6], struct sign_words *out)
{
	uint32_t range[2];
	int err;

	out->n = 5;
	out->w[0] = SIGN_REMAP | arg[3] << SIGN_FLAGS_SHIFT;
	if (arg[3] == 0 && arg[4] == 0) {
		err = range_words(arg[0], arg[2], range);
		out->w[3] = 0;
		out->w[4] = range[1];
		return err;
	}
	if (arg[3] != (MREMAP_MAYMOVE | MREMAP_FIXED))
		return -EINVAL;
	return range_words(arg[4], arg[2], &out->w[3]);
}

/* The words of a call that may be signed. */
static int call_words(const struct signed_call *call, struct sign_words *out)
{
	const uint64_t *arg = call->arg;
	int err = 0;

	out->n = 3;
	switch (call->nr) {
	case SYS_mmap:
		err = map_words(arg, out);
		break;
	case SYS_munmap:
		out->w[0] = SIGN_UNMAP;
		break;
	case SYS_mprotect:
		out->w[0] = SIGN_PROTECT | arg[2] << SIGN_PROT_SHIFT;
		err = arg[2] > 7 ? -EINVAL : 0;
		break;
	case SYS_madvise:
		out->w[0] = SIGN_ADVISE | arg[2] << SIGN_FLAGS_SHIFT;
		err = arg[2] > 31 || !(SIGN_ADVICES >> arg[2] & 1) ? -EINVAL : 0;
		break;
	case SYS_mremap:
		err = remap_words(arg, out);
		break;
	default:
		return -EINVAL;
	}
	return err ? err : range_words(arg[0], arg[1], &out->w[1]);
}

int sign_call(const struct sign_key *key, struct signed_call *call)
{
	struct sign_words words;
	uint64_t *arg = call->arg;
	int err = call_words(call, &words);
	uint32_t tag;

	if (err)
		return err;
	assert(words.n >= 3 && words.n <= SIGN_WORDS);
	tag = tag_of(key, &words);
	switch (call->nr) {
	case SYS_mmap: /* the kernel takes fd as an int: the upper half is free */
		arg[4] = (uint32_t)arg[4] | (uint64_t)tag << 32;
		break;
	case SYS_munmap:
		arg[2] = tag;
		break;
	case SYS_mprotect:
	case SYS_madvise:
		arg[3] = tag;
		break;
	default:
		arg[5] = tag;
	}
	return 0;
}
