/* socket_filter.c - see socket_filter.h. An interpreter: jumps go forwards only, so that a program of n instructions
 * ends after n steps.
 *
 * What Linux checks before it takes a program (bpf_check_classic) is checked here in the same way: known instructions,
 * jumps that stay inside, a return at the end, no division by a constant zero, no shift by 32, and no cell of the
 * scratch memory that is read before it is written on every way to it. A load from outside the packet ends the program
 * with 0, as does a division by zero.
 *
 * Limits: BPF_MAXINSNS instructions a program; SOCKET_FILTER_LIMIT in all, so that a packet that everybody gets cannot
 * keep the sentry busy for long. Of the ancillary data those without an answer here (netlink attributes, VLAN) are 0.
 */
#include "fs/socket_filter.h"

#include "platform/host.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/ref.h"
#include <errno.h>
#include <string.h>

struct socket_filter {
	struct ref ref;
	uint32_t count;
	struct sock_filter code[];
};

static uint32_t instructions; /* of all programs */

/* ------------------------------------------------------------------------------------------------ checks */

static bool is_load(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
		return true;
	default:
		return false;
	}
}

static bool is_arithmetic(uint16_t code)
{
	uint16_t operation = BPF_OP(code);

	if (BPF_CLASS(code) != BPF_ALU || code & ~(uint16_t)(0xf0 | BPF_X | 7))
		return false;
	return operation == BPF_NEG ? BPF_SRC(code) == BPF_K : operation <= BPF_XOR;
}

static bool is_jump(uint16_t code)
{
	uint16_t operation = BPF_OP(code);

	if (BPF_CLASS(code) != BPF_JMP || code & ~(uint16_t)(0xf0 | BPF_X | 7))
		return false;
	return operation == BPF_JA ? BPF_SRC(code) == BPF_K : operation <= BPF_JSET;
}

/* Is the instruction known, and is its constant in range? left: instructions behind it. */
static bool acceptable(const struct sock_filter *at, uint32_t left)
{
	uint16_t operation = BPF_OP(at->code);

	switch (at->code) {
	case BPF_ST:
	case BPF_STX:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
		return at->k < BPF_MEMWORDS;
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	}
	if (is_jump(at->code))
		return operation == BPF_JA ? at->k < left : at->jt < left && at->jf < left;
	if (is_arithmetic(at->code)) {
		if (BPF_SRC(at->code) == BPF_X)
			return true;
		if (operation == BPF_DIV || operation == BPF_MOD)
			return at->k;
		return (operation != BPF_LSH && operation != BPF_RSH) || at->k < 32;
	}
	return is_load(at->code);
}

/* Is each cell written before it is read, whichever way the program goes? ways[i]: cells that every jump to i knows. */
static bool cells_known(const struct sock_filter *code, uint32_t count, uint16_t *ways)
{
	uint16_t known = 0;

	memset(ways, 0xff, count * sizeof *ways);
	for (uint32_t i = 0; i < count; i++) {
		known &= ways[i];
		uint16_t class = BPF_CLASS(code[i].code);
		if (class == BPF_ST || class == BPF_STX) {
			known |= (uint16_t)(1u << code[i].k);
		} else if (code[i].code == (BPF_LD | BPF_MEM) || code[i].code == (BPF_LDX | BPF_MEM)) {
			if (!(known & 1u << code[i].k))
				return false;
		} else if (code[i].code == (BPF_JMP | BPF_JA)) {
			ways[i + 1 + code[i].k] &= known;
			known = 0xffff;
		} else if (class == BPF_JMP) {
			ways[i + 1 + code[i].jt] &= known;
			ways[i + 1 + code[i].jf] &= known;
			known = 0xffff;
		}
	}
	return true;
}

int socket_filter_new(const struct sock_filter *code, uint32_t count, struct socket_filter **out)
{
	uint16_t ways[BPF_MAXINSNS];

	if (!count || count > BPF_MAXINSNS)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (!acceptable(&code[i], count - i - 1))
			return -EINVAL;
	if (BPF_CLASS(code[count - 1].code) != BPF_RET || !cells_known(code, count, ways))
		return -EINVAL;
	struct socket_filter *new = instructions + count > SOCKET_FILTER_LIMIT
					    ? NULL
					    : arena_alloc_dirty(sizeof *new + count * sizeof *code);
	if (!new)
		return -ENOMEM;
	instructions += count;
	ref_init(&new->ref);
	new->count = count;
	memcpy(new->code, code, count * sizeof *code);
	*out = new;
	return 0;
}

void socket_filter_get(struct socket_filter *program)
{
	ref_get(&program->ref);
}

void socket_filter_put(struct socket_filter *program)
{
	if (!program || !ref_put(&program->ref))
		return;
	instructions -= program->count;
	arena_free(program, sizeof *program + program->count * sizeof program->code[0]);
}

/* ------------------------------------------------------------------------------------------------ running */

static bool packet_byte(const struct filter_input *input, uint64_t at, uint32_t *value)
{
	if (at < input->head_bytes)
		*value = *value << 8 | input->head[at];
	else if (at - input->head_bytes < input->rest_bytes)
		*value = *value << 8 | input->rest[at - input->head_bytes];
	else
		return false;
	return true;
}

static uint32_t ancillary(const struct filter_input *input, uint32_t which)
{
	uint32_t random;

	switch (which) {
	case SKF_AD_PROTOCOL:
		return input->protocol;
	case SKF_AD_PKTTYPE:
		return input->packet_type;
	case SKF_AD_IFINDEX:
		return input->link;
	case SKF_AD_MARK:
		return input->mark;
	case SKF_AD_HATYPE:
		return input->hardware_type;
	case SKF_AD_RANDOM:
		host_random(&random, sizeof random);
		return random;
	default:
		return 0;
	}
}

/* A big-endian number of so many bytes; false: it is not in the packet. */
static bool load(const struct filter_input *input, uint32_t at, uint32_t bytes, uint32_t *out)
{
	int32_t offset = (int32_t)at;
	uint64_t from = at;

	if (offset < 0 && offset >= SKF_AD_OFF) {
		*out = ancillary(input, (uint32_t)(offset - SKF_AD_OFF));
		return true;
	}
	if (offset < 0 && offset >= SKF_NET_OFF)
		from = (uint64_t)(offset - SKF_NET_OFF) + input->network_at;
	else if (offset < 0 && offset >= SKF_LL_OFF)
		from = (uint64_t)(offset - SKF_LL_OFF);
	else if (offset < 0)
		return false;
	*out = 0;
	for (uint32_t i = 0; i < bytes; i++)
		if (!packet_byte(input, from + i, out))
			return false;
	return true;
}

/* false: a division by zero. */
static bool calculate(uint16_t operation, uint32_t *a, uint32_t value)
{
	switch (operation) {
	case BPF_ADD:
		*a += value;
		break;
	case BPF_SUB:
		*a -= value;
		break;
	case BPF_MUL:
		*a *= value;
		break;
	case BPF_DIV:
	case BPF_MOD:
		if (!value)
			return false;
		*a = operation == BPF_DIV ? *a / value : *a % value;
		break;
	case BPF_OR:
		*a |= value;
		break;
	case BPF_AND:
		*a &= value;
		break;
	case BPF_LSH:
		*a <<= value & 31;
		break;
	case BPF_RSH:
		*a >>= value & 31;
		break;
	case BPF_NEG:
		*a = -*a;
		break;
	case BPF_XOR:
		*a ^= value;
		break;
	}
	return true;
}

static bool compare(uint16_t operation, uint32_t a, uint32_t value)
{
	switch (operation) {
	case BPF_JEQ:
		return a == value;
	case BPF_JGT:
		return a > value;
	case BPF_JGE:
		return a >= value;
	default:
		return a & value;
	}
}

struct machine {
	uint32_t a, x, cells[BPF_MEMWORDS];
};

/* A load or a store. false: from outside the packet. */
static bool move(struct machine *m, const struct sock_filter *at, const struct filter_input *input)
{
	static const uint8_t sizes[] = {[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1};
	uint32_t *to = BPF_CLASS(at->code) == BPF_LD ? &m->a : &m->x;

	switch (BPF_CLASS(at->code)) {
	case BPF_ST:
		m->cells[at->k] = m->a;
		return true;
	case BPF_STX:
		m->cells[at->k] = m->x;
		return true;
	}
	switch (BPF_MODE(at->code)) {
	case BPF_IMM:
		*to = at->k;
		return true;
	case BPF_MEM:
		*to = m->cells[at->k];
		return true;
	case BPF_LEN:
		*to = input->head_bytes + input->rest_bytes;
		return true;
	case BPF_MSH:
		if (!load(input, at->k, 1, to))
			return false;
		*to = (*to & 15) * 4;
		return true;
	case BPF_IND:
		return load(input, m->x + at->k, sizes[BPF_SIZE(at->code) >> 3], to);
	default:
		return load(input, at->k, sizes[BPF_SIZE(at->code) >> 3], to);
	}
}

uint32_t socket_filter_run(const struct socket_filter *program, const struct filter_input *input)
{
	struct machine m = {0};

	if (!program)
		return UINT32_MAX;
	for (const struct sock_filter *at = program->code;; at++) {
		uint32_t value = BPF_SRC(at->code) == BPF_X ? m.x : at->k;
		assert(at < program->code + program->count);
		switch (BPF_CLASS(at->code)) {
		case BPF_RET:
			return BPF_RVAL(at->code) == BPF_A ? m.a : at->k;
		case BPF_ALU:
			if (!calculate(BPF_OP(at->code), &m.a, value))
				return 0;
			break;
		case BPF_JMP:
			if (BPF_OP(at->code) == BPF_JA)
				at += at->k;
			else
				at += compare(BPF_OP(at->code), m.a, value) ? at->jt : at->jf;
			break;
		case BPF_MISC:
			*(at->code == (BPF_MISC | BPF_TAX) ? &m.x : &m.a) =
				at->code == (BPF_MISC | BPF_TAX) ? m.a : m.x;
			break;
		default:
			if (!move(&m, at, input))
				return 0;
		}
	}
}
