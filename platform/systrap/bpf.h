/* bpf.h - an assembler for the classic BPF of seccomp, for filter.c and filter_signed.c only.
 *
 * bpf_begin, then instructions, then bpf_end, which resolves the labels. Jumps go forward only (BPF's rule); a
 * conditional one reaches 255 instructions, checked by assert. A and X are BPF's two registers, M its 16 scratch words.
 * One program at a time: the label table is static.
 */
#ifndef PLATFORM_SYSTRAP_BPF_H
#define PLATFORM_SYSTRAP_BPF_H

#include <linux/seccomp.h>

#include "platform/systrap/filter.h"

#define HIGH(x) ((uint32_t)((uint64_t)(x) >> 32))
#define LOW(x)  ((uint32_t)(x))

#define OFF_NR      offsetof(struct seccomp_data, nr)
#define OFF_ARCH    offsetof(struct seccomp_data, arch)
#define OFF_IP      offsetof(struct seccomp_data, instruction_pointer)
#define ARG_LOW(n)  (offsetof(struct seccomp_data, args) + 8 * (n))
#define ARG_HIGH(n) (ARG_LOW(n) + 4)

#define NEXT (-1) /* as a jump's target: the next instruction */

void bpf_begin(struct filter *out);
void bpf_end(void);

/* A new label; its place is where bpf_here is called with it, once. */
int bpf_label(void);
void bpf_here(int label);

void bpf_put(uint16_t code, uint32_t k);
void bpf_jump(uint16_t op, uint32_t k, int yes, int no); /* op: BPF_JEQ, BPF_JGT..., |BPF_X to compare with X */
void bpf_go(int label);
void bpf_ret(uint32_t verdict);
void bpf_load(uint32_t offset); /* A = a word of struct seccomp_data */

/* Goes on when start < instruction pointer <= end, else to bad. Both in the same 4 GiB. Leaves A undefined. */
void bpf_need_code(uint64_t start, uint64_t end, int bad);

/* Goes on when argument n is exactly k, all 64 bits; else to bad. */
void bpf_need_arg(int n, uint64_t k, int bad);

/* Goes on when argument n is one of SIGN_ADVICES. Leaves it in no register. */
void bpf_need_advice(int n, int bad);

/* M[m] = argument n in pages; to bad unless it is whole pages and below 16 TiB. Leaves the number in A. */
void bpf_pages(int n, int m, int bad);

/* The arguments addr and bytes as pages into two scratch words; to bad unless [addr, addr + bytes) ends at or below
 * SIGN_LIMIT_PAGE. bytes may be 0. */
void bpf_range(int addr, int bytes, int page_word, int count_word, int bad);

#endif
