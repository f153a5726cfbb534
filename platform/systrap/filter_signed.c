/* filter_signed.c - the program that checks signatures: HalfSipHash in classic BPF, the kernel's half of sign.c.
 *
 * Theory of operation. Calls other than the five, and calls not made at this address space's slot, pass (the agent's
 * and the guest's programs judge them). At the slot, each call has a section that checks every argument and leaves the
 * words of its encoding in M[], right-aligned, so that calls of three, four and five words enter one chain of hash
 * steps at three places. The key's four words are immediate operands of the entries. Refused: KILL_PROCESS, always.
 *
 * A trap of the kernel: check_load_and_stores() carries the set of initialised scratch words across a RET, not only
 * along jumps: a RET in the middle makes it refuse a later load with EINVAL. So sections refuse by a jump to the one
 * RET at the end; a conditional jump reaches only 255 instructions, so each section has a stepping stone (last_check).
 *
 * Limits: those of the encoding (sign.h).
 */
#include <linux/audit.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/syscall.h>

#include "platform/systrap/bpf.h"
#include "platform/systrap/sign_words.h"

/* Scratch words. */
enum { V0, V1, V2, V3, WORD0, TAG = WORD0 + SIGN_WORDS, TEMP };
#define WORD(n, i) (WORD0 + SIGN_WORDS - (n) + (i)) /* word i of a call of n words */

/* Where sections go: to the hash's entries, or to the end. */
struct exits {
	int words3, words4, words5, refuse;
};

static void get(int m)
{
	bpf_put(BPF_LD | BPF_MEM, m);
}

static void getx(int m)
{
	bpf_put(BPF_LDX | BPF_MEM, m);
}

static void set(int m)
{
	bpf_put(BPF_ST, m);
}

static void alu(uint16_t op, uint32_t k)
{
	bpf_put(BPF_ALU | op | BPF_K, k);
}

static void alux(uint16_t op)
{
	bpf_put(BPF_ALU | op | BPF_X, 0);
}

static void tax(void)
{
	bpf_put(BPF_MISC | BPF_TAX, 0);
}

static void txa(void)
{
	bpf_put(BPF_MISC | BPF_TXA, 0);
}

/* ------------------------------------------------------------------------------------------------ arguments to words
 */

/* As bpf_range, but at least one page, and from SIGN_MIN_PAGE on. */
static void range(int addr, int bytes, int page_word, int bad)
{
	bpf_range(addr, bytes, page_word, page_word + 1, bad);
	bpf_jump(BPF_JEQ, 0, bad, NEXT); /* A: the number of pages */
	get(page_word);
	bpf_jump(BPF_JGE, SIGN_MIN_PAGE, NEXT, bad);
}

/* A = argument n, which must be at most max. */
static void small(int n, uint32_t max, int bad)
{
	bpf_load(ARG_HIGH(n));
	bpf_jump(BPF_JEQ, 0, NEXT, bad);
	bpf_load(ARG_LOW(n));
	bpf_jump(BPF_JGT, max, bad, NEXT);
}

/* M[TAG] = argument n, whose upper half must be 0: there must be one way only to write a valid call. Ends a section. */
static void last_check(int n, int bad, int entry, int refuse)
{
	int good = bpf_label();

	bpf_load(ARG_LOW(n));
	set(TAG);
	bpf_load(ARG_HIGH(n));
	bpf_jump(BPF_JEQ, 0, good, bad);
	bpf_here(bad);
	bpf_go(refuse);
	bpf_here(good);
	bpf_go(entry);
}

static void unmap_section(const struct exits *to)
{
	int bad = bpf_label();

	range(0, 1, WORD(3, 1), bad);
	bpf_put(BPF_LD | BPF_IMM, SIGN_UNMAP);
	set(WORD(3, 0));
	last_check(2, bad, to->words3, to->refuse);
}

static void protect_section(const struct exits *to)
{
	int bad = bpf_label();

	range(0, 1, WORD(3, 1), bad);
	small(2, 7, bad);
	alu(BPF_LSH, SIGN_PROT_SHIFT);
	alu(BPF_OR, SIGN_PROTECT);
	set(WORD(3, 0));
	last_check(3, bad, to->words3, to->refuse);
}

static void advise_section(const struct exits *to)
{
	int bad = bpf_label();

	range(0, 1, WORD(3, 1), bad);
	bpf_need_advice(2, bad);
	bpf_load(ARG_LOW(2));
	alu(BPF_LSH, SIGN_FLAGS_SHIFT);
	alu(BPF_OR, SIGN_ADVISE);
	set(WORD(3, 0));
	last_check(3, bad, to->words3, to->refuse);
}

static void remap_section(const struct exits *to)
{
	int bad = bpf_label(), in_place = bpf_label(), done = bpf_label();

	range(0, 1, WORD(5, 1), bad);
	small(3, MREMAP_MAYMOVE | MREMAP_FIXED, bad);
	bpf_jump(BPF_JEQ, 0, in_place, NEXT);
	bpf_jump(BPF_JEQ, MREMAP_MAYMOVE | MREMAP_FIXED, NEXT, bad);
	range(4, 2, WORD(5, 3), bad);
	bpf_go(done);
	bpf_here(in_place);
	range(0, 2, WORD(5, 3), bad);
	bpf_need_arg(4, 0, bad);
	set(WORD(5, 3)); /* A is 0 */
	bpf_here(done);
	bpf_load(ARG_LOW(3));
	alu(BPF_LSH, SIGN_FLAGS_SHIFT);
	alu(BPF_OR, SIGN_REMAP);
	set(WORD(5, 0));
	last_check(5, bad, to->words5, to->refuse);
}

/* A |= protection and the extra flags at their places. M[TEMP] holds class. */
static void map_word0(int word, int bad)
{
	small(2, 7, bad);
	alu(BPF_LSH, SIGN_PROT_SHIFT);
	getx(TEMP);
	alux(BPF_OR);
	set(word);
	bpf_load(ARG_LOW(3));
	alu(BPF_AND, SIGN_MAP_EXTRA);
	alu(BPF_RSH, SIGN_MAP_EXTRA_BIT - SIGN_EXTRA_SHIFT);
	getx(word);
	alux(BPF_OR);
	set(word);
}

static void map_sections(const struct exits *to)
{
	int bad = bpf_label(), shared = bpf_label(), private = bpf_label(), anonymous = bpf_label(), file = bpf_label();
	int good = bpf_label();

	bpf_load(ARG_HIGH(4));
	set(TAG);
	bpf_load(ARG_HIGH(3));
	bpf_jump(BPF_JEQ, 0, NEXT, bad);
	bpf_load(ARG_LOW(3));
	alu(BPF_AND, ~SIGN_MAP_EXTRA);
	bpf_jump(BPF_JEQ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, anonymous, NEXT);
	bpf_jump(BPF_JEQ, MAP_PRIVATE | MAP_FIXED, private, NEXT);
	bpf_jump(BPF_JEQ, MAP_SHARED | MAP_FIXED, shared, bad);
	bpf_here(anonymous);
	bpf_put(BPF_LD | BPF_IMM, SIGN_ANONYMOUS);
	set(TEMP);
	range(0, 1, WORD(3, 1), bad);
	map_word0(WORD(3, 0), bad);
	bpf_need_arg(5, 0, bad);
	bpf_go(to->words3);
	bpf_here(private);
	bpf_put(BPF_LD | BPF_IMM, SIGN_FILE_PRIVATE);
	bpf_go(file);
	bpf_here(shared);
	bpf_put(BPF_LD | BPF_IMM, SIGN_FILE_SHARED);
	bpf_here(file);
	set(TEMP);
	range(0, 1, WORD(4, 1), bad);
	map_word0(WORD(4, 0), bad);
	bpf_pages(5, WORD(4, 3), bad);
	bpf_load(ARG_LOW(4)); /* the upper half is the tag, and fd an int to the kernel */
	bpf_jump(BPF_JGE, SIGN_FD_LIMIT, bad, NEXT);
	alu(BPF_LSH, SIGN_FD_SHIFT);
	getx(WORD(4, 0));
	alux(BPF_OR);
	set(WORD(4, 0));
	bpf_go(good);
	bpf_here(bad);
	bpf_go(to->refuse);
	bpf_here(good);
	bpf_go(to->words4);
}

/* ------------------------------------------------------------------------------------------------ the hash */

/* a += b; b = rotate_left(b, bits) ^ a. Leaves a in X. */
static void quarter(int a, int b, int bits)
{
	get(a);
	getx(b);
	alux(BPF_ADD);
	set(a);
	txa();
	alu(BPF_LSH, bits);
	tax();
	get(b);
	alu(BPF_RSH, 32 - bits);
	alux(BPF_OR);
	getx(a);
	alux(BPF_XOR);
	set(b);
}

/* a = rotate_left(a, 16), directly behind a quarter that left a in X. */
static void rotate16(int a)
{
	txa();
	alu(BPF_LSH, 16);
	tax();
	get(a);
	alu(BPF_RSH, 16);
	alux(BPF_OR);
	set(a);
}

/* The first quarter of a round does not depend on the word that is mixed in: an entry of the chain has done it already.
 */
static void round_start(void)
{
	quarter(V0, V1, 5);
	rotate16(V0);
}

static void round_rest(bool last)
{
	quarter(V2, V3, 8);
	quarter(V0, V3, 7);
	quarter(V2, V1, 13);
	if (!last) /* the result does not depend on v2 */
		rotate16(V2);
}

static void mix(int m, int word)
{
	get(m);
	getx(word);
	alux(BPF_XOR);
	set(m);
}

/* The key's state with the first quarter round done. */
static void entry(const struct sign_key *key)
{
	uint32_t v[4];

	memcpy(v, key->state, sizeof v);
	v[0] += v[1];
	v[1] = (v[1] << 5 | v[1] >> 27) ^ v[0];
	v[0] = v[0] << 16 | v[0] >> 16;
	for (int i = 0; i < 4; i++) {
		bpf_put(BPF_LD | BPF_IMM, v[i]);
		set(V0 + i);
	}
	explicit_bzero(v, sizeof v);
}

/* Leaves the tag that the call should have in A. */
static void hash(const struct exits *from, const struct sign_key *key)
{
	int join[SIGN_WORDS] = {bpf_label(), bpf_label(), bpf_label()};
	const int door[3] = {from->words5, from->words4, from->words3};

	for (int i = 0; i < 3; i++) {
		bpf_here(door[i]);
		entry(key);
		bpf_go(join[i]);
	}
	for (int i = 0; i < SIGN_WORDS; i++) {
		if (i > 0)
			round_start();
		if (i < 3)
			bpf_here(join[i]);
		mix(V3, WORD0 + i);
		round_rest(false);
		mix(V0, WORD0 + i);
	}
	get(V2);
	alu(BPF_XOR, 0xff);
	set(V2);
	for (int i = 0; i < 3; i++) {
		round_start();
		round_rest(i == 2);
	}
	getx(V3); /* A: v1 */
	alux(BPF_XOR);
}

uint64_t filter_slot_ip(const struct filter_layout *layout, unsigned slot)
{
	assert(slot < SIGN_SLOTS);
	return layout->slot_base + slot * SIGN_SLOT_BYTES + 2;
}

/* Not at this slot, or not by the 64-bit instruction: the other programs judge. */
static void pass_elsewhere(uint64_t ip)
{
	const struct {
		uint32_t offset, k;
	} want[] = {{OFF_IP, LOW(ip)}, {OFF_IP + 4, HIGH(ip)}, {OFF_ARCH, AUDIT_ARCH_X86_64}};

	for (unsigned i = 0; i < COUNT(want); i++) {
		int same = bpf_label();

		bpf_load(want[i].offset);
		bpf_jump(BPF_JEQ, want[i].k, same, NEXT);
		bpf_ret(SECCOMP_RET_ALLOW);
		bpf_here(same);
	}
}

void filter_signed(struct filter *out, const struct filter_layout *layout, const struct sign_key *key, unsigned slot)
{
	static const struct {
		uint32_t nr;
		void (*write)(const struct exits *to);
	} section[] = {
		{SYS_munmap, unmap_section},   {SYS_mmap, map_sections},    {SYS_mprotect, protect_section},
		{SYS_madvise, advise_section}, {SYS_mremap, remap_section},
	};
	uint64_t ip = filter_slot_ip(layout, slot);
	int place[COUNT(section)], ours;
	struct exits to;

	bpf_begin(out);
	to = (struct exits){bpf_label(), bpf_label(), bpf_label(), bpf_label()};
	ours = bpf_label();
	bpf_load(OFF_NR);
	for (unsigned i = 0; i < COUNT(section); i++)
		bpf_jump(BPF_JEQ, section[i].nr, ours, NEXT);
	bpf_ret(SECCOMP_RET_ALLOW);
	bpf_here(ours);
	pass_elsewhere(ip);
	bpf_load(OFF_NR);
	for (unsigned i = 0; i < COUNT(section); i++) {
		int skip = bpf_label();

		place[i] = bpf_label();
		bpf_jump(BPF_JEQ, section[i].nr, NEXT, skip);
		bpf_go(place[i]);
		bpf_here(skip);
	}
	bpf_go(to.refuse);
	for (unsigned i = 0; i < COUNT(section); i++) {
		bpf_here(place[i]);
		section[i].write(&to);
	}
	hash(&to, key);
	getx(TAG);
	bpf_jump(BPF_JEQ | BPF_X, 0, NEXT, to.refuse);
	bpf_ret(SECCOMP_RET_ALLOW);
	bpf_here(to.refuse);
	bpf_ret(SECCOMP_RET_KILL_PROCESS);
	bpf_end();
}
