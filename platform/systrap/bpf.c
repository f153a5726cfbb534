/* bpf.c - the assembler that the seccomp programs are written with (bpf.h).
 *
 * Theory of operation. Instructions are appended to the caller's struct filter; jumps to labels are remembered and
 * resolved at the end. Limits: a fixed number of labels and jumps, checked by assert: programs are ours, no guest has
 * influence on their size.
 */
#include "platform/systrap/bpf.h"

#include <string.h>

#define LABEL_LIMIT 160
#define JUMP_LIMIT  320

static struct {
	struct filter *out;
	int labels, jumps;
	int place[LABEL_LIMIT];
	struct {
		int at, yes, no;
	} jump[JUMP_LIMIT];
} as;

void bpf_begin(struct filter *out)
{
	memset(&as, 0, sizeof as);
	as.out = out;
	out->len = 0;
}

int bpf_label(void)
{
	assert(as.labels < LABEL_LIMIT);
	as.place[as.labels] = -1;
	return as.labels++;
}

void bpf_here(int label)
{
	assert(as.place[label] == -1);
	as.place[label] = as.out->len;
}

void bpf_put(uint16_t code, uint32_t k)
{
	assert(as.out->len < FILTER_INSN_LIMIT);
	as.out->insn[as.out->len++] = (struct sock_filter){code, 0, 0, k};
}

void bpf_jump(uint16_t op, uint32_t k, int yes, int no)
{
	assert(as.jumps < JUMP_LIMIT);
	as.jump[as.jumps].at = as.out->len;
	as.jump[as.jumps].yes = yes;
	as.jump[as.jumps++].no = no;
	bpf_put(BPF_JMP | op, k);
}

void bpf_go(int label)
{
	bpf_jump(BPF_JA, 0, label, label);
}

void bpf_ret(uint32_t verdict)
{
	bpf_put(BPF_RET | BPF_K, verdict);
}

void bpf_load(uint32_t offset)
{
	bpf_put(BPF_LD | BPF_W | BPF_ABS, offset);
}

static int distance(int at, int target)
{
	int d = target == NEXT ? 0 : as.place[target] - at - 1;

	assert(d >= 0);
	return d;
}

void bpf_end(void)
{
	for (int i = 0; i < as.jumps; i++) {
		int at = as.jump[i].at;
		int yes = distance(at, as.jump[i].yes), no = distance(at, as.jump[i].no);
		struct sock_filter *insn = &as.out->insn[at];

		if (BPF_OP(insn->code) == BPF_JA) {
			insn->k = yes;
			continue;
		}
		assert(yes <= 255 && no <= 255);
		insn->jt = yes;
		insn->jf = no;
	}
}

void bpf_need_code(uint64_t start, uint64_t end, int bad)
{
	assert(start < end && HIGH(start) == HIGH(end));
	bpf_load(OFF_IP + 4);
	bpf_jump(BPF_JEQ, HIGH(start), NEXT, bad);
	bpf_load(OFF_IP);
	bpf_jump(BPF_JGT, LOW(start), NEXT, bad);
	bpf_jump(BPF_JGT, LOW(end), bad, NEXT);
}

void bpf_need_arg(int n, uint64_t k, int bad)
{
	bpf_load(ARG_HIGH(n));
	bpf_jump(BPF_JEQ, HIGH(k), NEXT, bad);
	bpf_load(ARG_LOW(n));
	bpf_jump(BPF_JEQ, LOW(k), NEXT, bad);
}

void bpf_need_advice(int n, int bad)
{
	bpf_load(ARG_HIGH(n));
	bpf_jump(BPF_JEQ, 0, NEXT, bad);
	bpf_load(ARG_LOW(n));
	bpf_jump(BPF_JGT, 31, bad, NEXT);
	bpf_put(BPF_MISC | BPF_TAX, 0);
	bpf_put(BPF_LD | BPF_IMM, 1);
	bpf_put(BPF_ALU | BPF_LSH | BPF_X, 0);
	bpf_jump(BPF_JSET, SIGN_ADVICES, NEXT, bad);
}

void bpf_pages(int n, int m, int bad)
{
	bpf_load(ARG_HIGH(n));
	bpf_jump(BPF_JGT, 0xfff, bad, NEXT);
	bpf_put(BPF_ALU | BPF_LSH | BPF_K, 20);
	bpf_put(BPF_MISC | BPF_TAX, 0);
	bpf_load(ARG_LOW(n));
	bpf_jump(BPF_JSET, 0xfff, bad, NEXT);
	bpf_put(BPF_ALU | BPF_RSH | BPF_K, 12);
	bpf_put(BPF_ALU | BPF_OR | BPF_X, 0);
	bpf_put(BPF_ST, m);
}

/* count is compared with limit - page, so no sum can wrap. */
void bpf_range(int addr, int bytes, int page_word, int count_word, int bad)
{
	bpf_pages(addr, page_word, bad);
	bpf_jump(BPF_JGT, SIGN_LIMIT_PAGE, bad, NEXT);
	bpf_pages(bytes, count_word, bad);
	bpf_put(BPF_LD | BPF_IMM, SIGN_LIMIT_PAGE);
	bpf_put(BPF_LDX | BPF_MEM, page_word);
	bpf_put(BPF_ALU | BPF_SUB | BPF_X, 0);
	bpf_put(BPF_MISC | BPF_TAX, 0);
	bpf_put(BPF_LD | BPF_MEM, count_word);
	bpf_jump(BPF_JGT | BPF_X, 0, bad, NEXT);
}
