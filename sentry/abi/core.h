/* core.h - what the notes of a core dump hold (struct elf_prstatus and elf_prpsinfo of linux/elfcore.h). */
#ifndef SENTRY_ABI_CORE_H
#define SENTRY_ABI_CORE_H

#include "sentry/abi/time.h"

#define ABI_CORE_REGISTERS 27 /* r15 to gs, in the order of struct user_regs_struct */

struct abi_prstatus {
	int32_t pr_signo, pr_code, pr_errno;
	int16_t pr_cursig;
	uint64_t pr_sigpend, pr_sighold;
	int32_t pr_pid, pr_ppid, pr_pgrp, pr_sid;
	struct abi_timeval pr_utime, pr_stime, pr_cutime, pr_cstime;
	uint64_t pr_reg[ABI_CORE_REGISTERS];
	int32_t pr_fpvalid;
};
static_assert(sizeof(struct abi_prstatus) == 336, "struct elf_prstatus");

struct abi_prpsinfo {
	char pr_state, pr_sname, pr_zomb, pr_nice;
	uint64_t pr_flag;
	uint32_t pr_uid, pr_gid;
	int32_t pr_pid, pr_ppid, pr_pgrp, pr_sid;
	char pr_fname[16], pr_psargs[80];
};
static_assert(sizeof(struct abi_prpsinfo) == 136, "struct elf_prpsinfo");

#endif
