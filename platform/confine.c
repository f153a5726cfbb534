/* confine.c - see confine.h. The program: the architecture, then a comparison a call, each of which jumps to the last
 * instruction.
 */
#include "platform/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAD 3 /* instructions before the comparisons */

static struct sock_filter load(uint32_t offset)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}

/* When A is k, over so many instructions. */
static struct sock_filter skip_if(uint32_t k, unsigned yes, unsigned no)
{
	return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, (uint8_t)yes, (uint8_t)no);
}

bool confine(const uint32_t *calls, unsigned count)
{
	struct sock_filter insn[HEAD + CONFINE_CALLS + 2];
	struct sock_fprog program = {.len = (unsigned short)(HEAD + count + 2), .filter = insn};

	assert(count && count <= CONFINE_CALLS);
	insn[0] = load(offsetof(struct seccomp_data, arch));
	insn[1] = skip_if(AUDIT_ARCH_X86_64, 0, count + 1);
	insn[2] = load(offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < count; i++)
		insn[HEAD + i] = skip_if(calls[i], count - i, 0);
	insn[HEAD + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	insn[HEAD + count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
