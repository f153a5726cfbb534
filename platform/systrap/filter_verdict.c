/* filter_verdict.c - an interpreter of the classic BPF that our programs use: what would the kernel decide?
 *
 * The tracer runs by it the programs that the kernel would run (platform/ptrace), and tests compare it with the kernel.
 * Limits: the instructions that bpf.c and libseccomp write. filter_runnable tells; another one is an assertion.
 */
#include <string.h>

#include "platform/systrap/bpf.h"

struct machine {
	uint32_t a, x, m[BPF_MEMWORDS];
};

static uint32_t alu(uint16_t code, uint32_t a, uint32_t operand)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + operand;
	case BPF_SUB:
		return a - operand;
	case BPF_OR:
		return a | operand;
	case BPF_AND:
		return a & operand;
	case BPF_XOR:
		return a ^ operand;
	case BPF_LSH:
		return a << (operand & 31);
	case BPF_RSH:
		return a >> (operand & 31);
	}
	assert(!"an instruction that our programs do not use");
	return 0;
}

static unsigned jump(const struct sock_filter *insn, uint32_t a, uint32_t operand)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->k;
	case BPF_JEQ:
		return a == operand ? insn->jt : insn->jf;
	case BPF_JGT:
		return a > operand ? insn->jt : insn->jf;
	case BPF_JGE:
		return a >= operand ? insn->jt : insn->jf;
	case BPF_JSET:
		return a & operand ? insn->jt : insn->jf;
	}
	assert(!"an instruction that our programs do not use");
	return 0;
}

static uint32_t load(const struct machine *cpu, const struct sock_filter *insn, const struct seccomp_data *data)
{
	uint32_t word;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		return insn->k;
	case BPF_MEM:
		return cpu->m[insn->k];
	}
	assert(BPF_MODE(insn->code) == BPF_ABS && insn->k + 4 <= sizeof *data);
	memcpy(&word, (const char *)data + insn->k, sizeof word);
	return word;
}

uint32_t filter_verdict(const struct filter *filter, const struct seccomp_data *data, unsigned *steps)
{
	struct machine cpu = {0};
	unsigned n = 0;

	for (unsigned at = 0; at < filter->len; at++) {
		const struct sock_filter *insn = &filter->insn[at];
		uint32_t operand = BPF_SRC(insn->code) == BPF_X ? cpu.x : insn->k;

		n++;
		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
			cpu.a = load(&cpu, insn, data);
			break;
		case BPF_LDX:
			cpu.x = load(&cpu, insn, data);
			break;
		case BPF_ST:
			cpu.m[insn->k] = cpu.a;
			break;
		case BPF_MISC:
			*(BPF_MISCOP(insn->code) == BPF_TAX ? &cpu.x : &cpu.a) =
				BPF_MISCOP(insn->code) == BPF_TAX ? cpu.a : cpu.x;
			break;
		case BPF_ALU:
			cpu.a = alu(insn->code, cpu.a, operand);
			break;
		case BPF_JMP:
			at += jump(insn, cpu.a, operand);
			break;
		default:
			if (steps)
				*steps = n;
			return insn->k;
		}
	}
	assert(!"a program without an end");
	return SECCOMP_RET_KILL_PROCESS;
}

/* ------------------------------------------------------------------------------------------------ beforehand */

/* The kernel wants more: that no scratch word is read before it is written (ours are zero at the start). */
static bool insn_runnable(const struct sock_filter *insn, unsigned left)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return insn->k % 4 == 0 && insn->k < sizeof(struct seccomp_data);
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
		return insn->k < BPF_MEMWORDS;
	case BPF_JMP | BPF_JA:
		return insn->k < left;
	case BPF_RET | BPF_K:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	}
	switch (insn->code & ~BPF_X) {
	case BPF_ALU | BPF_ADD:
	case BPF_ALU | BPF_SUB:
	case BPF_ALU | BPF_OR:
	case BPF_ALU | BPF_AND:
	case BPF_ALU | BPF_XOR:
	case BPF_ALU | BPF_LSH:
	case BPF_ALU | BPF_RSH:
		return true;
	case BPF_JMP | BPF_JEQ:
	case BPF_JMP | BPF_JGT:
	case BPF_JMP | BPF_JGE:
	case BPF_JMP | BPF_JSET:
		return insn->jt < left && insn->jf < left;
	}
	return false;
}

bool filter_runnable(const struct filter *filter)
{
	unsigned len = filter->len;

	if (!len || len > FILTER_INSN_LIMIT || filter->insn[len - 1].code != (BPF_RET | BPF_K))
		return false;
	for (unsigned at = 0; at < len; at++)
		if (!insn_runnable(&filter->insn[at], len - at - 1))
			return false;
	return true;
}
