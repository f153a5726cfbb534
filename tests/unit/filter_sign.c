/* filter_sign.c - the tag's C side, and the signed program against it: by interpretation and by the kernel itself. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>

#include "tests/unit/filter_gate.h"

#include "platform/platform.h"
#include "platform/systrap/sign_words.h"

static const struct sign_key key = {{0x12345678, 0x9abcdef0, 0x0fedcba9, 0x87654321}};

/* HalfSipHash-2-4 of "" and of 00 under 00 01 .. 07 (reference implementation, vectors.h: hsip32). */
Test(sign, round_function)
{
	uint32_t v[4] = {0x03020100, 0x07060504, 0x6c796765 ^ 0x03020100, 0x74656462 ^ 0x07060504};

	v[3] ^= 0;
	sign_round(v);
	sign_round(v);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sign_round(v);
	cr_assert_eq(v[1] ^ v[3], 0x5b9f35a9);
}

enum { KINDS = 8 };
static const char *const kind_name[KINDS] = {"munmap",    "mprotect", "madvise",  "mmap",
					     "mmap file", "mremap",   "mremap 0", "populate"};

/* A call that may be signed, with garbage where the kernel looks at nothing. page0: a range that is mapped. */
static struct signed_call random_call(int kind, uint64_t *seed)
{
	static const uint8_t advice[] = {0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19, 22, 23};
	static const uint64_t nr[KINDS] = {SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mmap,
					   SYS_mmap,   SYS_mremap,   SYS_mremap,  SYS_mmap};
	struct signed_call c = {.nr = nr[kind]};
	uint64_t room;

	for (int i = 0; i < 6; i++)
		c.arg[i] = test_random(seed);
	c.arg[0] = (SIGN_MIN_PAGE + test_random(seed) % (SIGN_LIMIT_PAGE - SIGN_MIN_PAGE - 1)) << 12;
	room = SIGN_LIMIT_PAGE - (c.arg[0] >> 12);
	c.arg[1] = (1 + test_random(seed) % MIN(room, 1ull << (1 + test_random(seed) % 32))) << 12;
	switch (kind) {
	case 1:
		c.arg[2] &= 7;
		break;
	case 2:
		c.arg[2] = advice[c.arg[2] % sizeof advice];
		break;
	case 3:
		c.arg[2] &= 7;
		c.arg[3] = 0x32 | (c.arg[3] & 1) << 14;
		c.arg[5] = 0;
		break;
	case 4:
	case 7:
		c.arg[2] &= 7;
		c.arg[3] = (c.arg[3] & 1 ? 0x11 : 0x12) | (c.arg[3] & 0x4000) | (kind == 7 ? 0x8000 : 0);
		c.arg[4] &= SIGN_FD_LIMIT - 1;
		c.arg[5] = (c.arg[5] & 0xffffffff) << 12;
		break;
	case 5:
		c.arg[2] = c.arg[1];
		c.arg[3] = 3;
		c.arg[4] = c.arg[0] ^ (room > 4 ? 0 : 0);
		break;
	case 6:
		c.arg[2] = (1 + c.arg[2] % room) << 12;
		c.arg[3] = 0;
		c.arg[4] = 0;
		break;
	}
	return c;
}

static const int tag_arg[KINDS] = {2, 3, 3, 4, 4, 5, 5, 4};

/* Whether neither the kernel nor the tag looks at this bit. */
static bool ignored(int kind, int bit)
{
	int arg = bit / 64, used[KINDS] = {3, 4, 4, 6, 6, 6, 6, 6};

	return arg >= used[kind] || (kind == 3 && arg == 4 && bit % 64 < 32);
}

static struct seccomp_data data_of(const struct signed_call *c, uint64_t ip)
{
	struct seccomp_data d = {.nr = c->nr, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = ip};

	memcpy(d.args, c->arg, sizeof d.args);
	return d;
}

Test(sign, interpreted)
{
	static struct filter f;
	struct filter_layout layout = test_layout();
	uint64_t seed = 4711;

	filter_signed(&f, &layout, &key, 3);
	for (int n = 0; n < 40000; n++) {
		int kind = n % KINDS;
		struct signed_call c = random_call(kind, &seed);
		struct seccomp_data d;

		cr_assert_eq(sign_call(&key, &c), 0, "%s", kind_name[kind]);
		d = data_of(&c, SLOT(3) + 2);
		cr_assert_eq(filter_verdict(&f, &d, NULL), SECCOMP_RET_ALLOW, "%s", kind_name[kind]);
		d.args[tag_arg[kind]] ^= 1ull << (kind == 3 || kind == 4 || kind == 7 ? 32 : 0) << n % 32;
		cr_assert_eq(filter_verdict(&f, &d, NULL), SECCOMP_RET_KILL_PROCESS);
		d.instruction_pointer += SIGN_SLOT_BYTES; /* another slot: not this program's business */
		cr_assert_eq(filter_verdict(&f, &d, NULL), SECCOMP_RET_ALLOW);
	}
}

/* Every bit of every argument, and of the number. */
Test(sign, interpreted_flips)
{
	static struct filter f;
	struct filter_layout layout = test_layout();
	uint64_t seed = 99;

	filter_signed(&f, &layout, &key, 0);
	for (int n = 0; n < 80 * KINDS; n++) {
		int kind = n % KINDS;
		struct signed_call c = random_call(kind, &seed);

		cr_assert_eq(sign_call(&key, &c), 0);
		for (int bit = 0; bit < 384; bit++) {
			struct seccomp_data d = data_of(&c, SLOT(0) + 2);
			bool allowed;

			d.args[bit / 64] ^= 1ull << bit % 64;
			allowed = filter_verdict(&f, &d, NULL) == SECCOMP_RET_ALLOW;
			cr_assert_eq(allowed, ignored(kind, bit), "%s argument %d bit %d", kind_name[kind], bit / 64,
				     bit % 64);
		}
	}
}

/* The same words under another number, or another key, are another call. */
Test(sign, number_and_key_matter)
{
	static struct filter f;
	struct filter_layout layout = test_layout();
	struct signed_call c = {SYS_mprotect, {0x100000, 4096, 3}};
	struct seccomp_data d;

	for (int word = 0; word < 4; word++)
		for (int bit = 0; bit < 32; bit++) {
			struct sign_key other = key;

			other.state[word] ^= 1u << bit;
			filter_signed(&f, &layout, &other, 0);
			cr_assert_eq(sign_call(&key, &c), 0);
			d = data_of(&c, SLOT(0) + 2);
			cr_assert_eq(filter_verdict(&f, &d, NULL), SECCOMP_RET_KILL_PROCESS);
		}
	filter_signed(&f, &layout, &key, 0);
	d.nr = SYS_madvise;
	cr_assert_eq(filter_verdict(&f, &d, NULL), SECCOMP_RET_KILL_PROCESS);
	d.nr = SYS_mprotect;
	cr_assert_eq(filter_verdict(&f, &d, NULL), SECCOMP_RET_ALLOW);
}

static int try(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct signed_call call = {nr, {a, b, c, d, e, f}};

	return sign_call(&key, &call);
}

Test(sign, bounds)
{
	const uint64_t max = PLATFORM_MAX_ADDR, min = PLATFORM_MIN_ADDR;

	cr_expect_eq(try(SYS_munmap, min, max - min, 0, 0, 0, 0), 0, "all of it");
	cr_expect_eq(try(SYS_munmap, max - 4096, 4096, 0, 0, 0, 0), 0, "last page");
	cr_expect_eq(try(SYS_munmap, max - 4096, 8192, 0, 0, 0, 0), -E2BIG);
	cr_expect_eq(try(SYS_munmap, max, 4096, 0, 0, 0, 0), -E2BIG);
	cr_expect_eq(try(SYS_munmap, min - 4096, 4096, 0, 0, 0, 0), -E2BIG);
	cr_expect_eq(try(SYS_munmap, 1ull << 44, 4096, 0, 0, 0, 0), -E2BIG);
	cr_expect_eq(try(SYS_munmap, min, 1ull << 44, 0, 0, 0, 0), -E2BIG);
	cr_expect_eq(try(SYS_munmap, min, 0, 0, 0, 0, 0), -EINVAL);
	cr_expect_eq(try(SYS_munmap, min + 1, 4096, 0, 0, 0, 0), -EINVAL);
	cr_expect_eq(try(SYS_munmap, min, 4097, 0, 0, 0, 0), -EINVAL);
	cr_expect_eq(try(SYS_mprotect, min, 4096, 8, 0, 0, 0), -EINVAL, "PROT_SEM");
	cr_expect_eq(try(SYS_mprotect, min, 4096, 0x1000000, 0, 0, 0), -EINVAL, "PROT_GROWSDOWN");
	for (int advice = 0; advice < 128; advice++)
		cr_expect_eq(try(SYS_madvise, min, 4096, advice, 0, 0, 0),
			     advice < 32 && SIGN_ADVICES >> advice & 1 ? 0 : -EINVAL, "advice %d", advice);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x22, 0, 0), -EINVAL, "not fixed");
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x32 | 0x40000, 0, 0), -EINVAL, "huge pages");
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x32 | 0x2000, 0, 0), -EINVAL, "locked");
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x31, 0, 0), -EINVAL, "anonymous and shared");
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x32, 0, 4096), -EINVAL);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x12, SIGN_FD_LIMIT - 1, 0), 0);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x12, SIGN_FD_LIMIT, 0), -E2BIG);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x12, -1ull, 0), -E2BIG);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x12, 5, 1ull << 44), -E2BIG);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x12, 5, (1ull << 44) - 4096), 0);
	cr_expect_eq(try(SYS_mmap, min, 4096, 3, 0x12, 5, 1), -EINVAL);
	cr_expect_eq(try(SYS_mremap, min, 0, 4096, 3, min + 8192, 0), -EINVAL, "would make a second mapping");
	cr_expect_eq(try(SYS_mremap, min, 4096, 0, 0, 0, 0), -EINVAL);
	cr_expect_eq(try(SYS_mremap, min, 4096, 8192, 1, 0, 0), -EINVAL, "the kernel would choose");
	cr_expect_eq(try(SYS_mremap, min, 4096, 8192, 7, max / 2, 0), -EINVAL, "MREMAP_DONTUNMAP");
	cr_expect_eq(try(SYS_mremap, min, 4096, 8192, 3, max - 4096, 0), -E2BIG);
	cr_expect_eq(try(SYS_mremap, max - 4096, 4096, 8192, 0, 0, 0), -E2BIG);
	cr_expect_eq(try(SYS_mremap, min, 4096, 8192, 0, 4096, 0), -EINVAL);
	cr_expect_eq(try(SYS_brk, min, 4096, 0, 0, 0, 0), -EINVAL);
	cr_expect_eq(try(SYS_mmap | 0x40000000, min, 4096, 3, 0x32, 0, 0), -EINVAL, "x32");
}

/* ------------------------------------------------------------------------------------------------ the kernel's filter
 */

struct tally {
	unsigned allowed, refused, ignored, wrong;
	char first[160];
};

static void complain(struct tally *t, const char *what, int kind, int bit, long ret)
{
	if (!t->wrong++)
		snprintf(t->first, sizeof t->first, "%s: %s, bit %d, returned %ld", what, kind_name[kind], bit, ret);
}

/* Calls that do happen change only a part of the address space that holds nothing: everything below 4 TiB here is free.
 */
static void flip_child(void *arg)
{
	static struct filter f;
	struct tally *t = arg;
	struct filter_layout layout = test_layout();
	uint64_t seed = 31337;

	test_gate_map();
	filter_signed(&f, &layout, &key, 5);
	test_soften(&f);
	test_install(&f);
	for (int n = 0; n < 50 * KINDS; n++) {
		int kind = n % KINDS;
		struct signed_call c = random_call(kind, &seed), b;
		long ret;

		if (sign_call(&key, &c)) {
			complain(t, "not signable", kind, -1, 0);
			continue;
		}
		for (int bit = -1; bit < 384; bit++) {
			bool good = bit < 0 || ignored(kind, bit);

			b = c;
			if (bit >= 0)
				b.arg[bit / 64] ^= 1ull << bit % 64;
			if (good && bit >= 0 && bit % 16)
				continue;
			ret = call_at(SLOT(5), b.nr, b.arg);
			if ((ret == -TEST_ERRNO) == good)
				complain(t, good ? "refused" : "accepted", kind, bit, ret);
			*(bit < 0 ? &t->allowed : good ? &t->ignored : &t->refused) += 1;
			if (ret > 0) /* mapped: away with it, by way of the agent's instruction */
				CALL_AT(TEST_AGENT, SYS_munmap, b.arg[0], b.arg[1]);
		}
	}
}

Test(sign, kernel_flips, .timeout = 120)
{
	struct tally *t = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_eq(test_child(flip_child, t), 0);
	cr_assert_eq(t->wrong, 0, "%u wrong; first: %s", t->wrong, t->first);
	cr_assert_geq(t->allowed, 50 * KINDS);
	cr_assert_geq(t->refused, 90000);
}

static void real_work_child(void *arg)
{
	static struct filter f;
	struct filter_layout layout = test_layout();
	const uint64_t low = 0x100000000, high = 0x80000000000;
	int fd = memfd_create("t", 0);
	volatile char *p = (char *)low, *q = (char *)high;

	if (dup2(fd, 70000) < 0 && dup2(fd, 700) < 0)
		_exit(2);
	fd = fcntl(70000, F_GETFD) >= 0 ? 70000 : 700;
	if (ftruncate(fd, 1 << 20) || pwrite(fd, "x", 1, 8192) != 1)
		_exit(2);
	test_gate_map();
	filter_signed(&f, &layout, &key, 0);
	test_soften(&f);
	test_install(&f);
#define DO(n, ...)                                                                                                     \
	({                                                                                                             \
		struct signed_call c_ = {n, {__VA_ARGS__}};                                                            \
		if (sign_call(&key, &c_))                                                                              \
			_exit(10);                                                                                     \
		call_at(SLOT(0), c_.nr, c_.arg);                                                                       \
	})
#define OK(condition)                                                                                                  \
	if (!(condition))                                                                                              \
		_exit(100 + (__LINE__ - first_line));
	enum { first_line = __LINE__ };
	OK(DO(SYS_mmap, low, 8192, 3, 0x32, -1u, 0) == (long)low);
	p[0] = 7;
	OK(DO(SYS_mprotect, low, 4096, 1) == 0);
	OK(DO(SYS_mprotect, low, 4096, 3) == 0);
	OK(DO(SYS_madvise, low, 4096, MADV_DONTNEED) == 0 && p[0] == 0);
	p[0] = 9;
	OK(DO(SYS_mremap, low, 8192, 16384, 3, high) == (long)high && q[0] == 9);
	OK(DO(SYS_mremap, high, 16384, 4096, 0, 0) == (long)high && q[0] == 9);
	OK(DO(SYS_mmap, low, 4096, 3, 0x11, fd, 8192) == (long)low && p[0] == 'x');
	OK(DO(SYS_mmap, low, 4096, 3, 0x8012, fd, 8192) == (long)low && p[0] == 'x');
	OK(DO(SYS_munmap, low, 8192) == 0);
	OK(DO(SYS_mmap, low, 1ull << 42, 0, 0x4032, -1u, 0) == (long)low); /* 4 TiB reserved in one call */
	OK(DO(SYS_munmap, SIGN_MIN_PAGE << 12, (1ull << 43) - 0x10000) == 0);
	OK(CALL_AT(SLOT(0), SYS_munmap, low, 4096, 0) == -TEST_ERRNO);
	OK(CALL_AT(SLOT(1), SYS_munmap, low, 4096, 0) == 0);
	(void)arg;
}

Test(sign, kernel_real_work, .timeout = 60)
{
	int status = test_child(real_work_child, NULL);

	cr_assert_eq(status, 0, "status %#x: line %d", status, WEXITSTATUS(status) - 100);
}

static void forge_child(void *arg)
{
	static struct filter f;
	struct filter_layout layout = test_layout();

	(void)arg;
	test_gate_map();
	filter_signed(&f, &layout, &key, 0);
	test_install(&f);
	CALL_AT(SLOT(0), SYS_munmap, 0x100000000, 4096, 1);
}

Test(sign, kernel_kills_forgery)
{
	int status = test_child(forge_child, NULL);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %#x", status);
}
