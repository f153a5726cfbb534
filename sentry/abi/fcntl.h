/* fcntl.h - what open(2), openat2(2), fcntl(2) and the *at calls exchange, as Linux x86-64 has it
 * (asm-generic/fcntl.h, linux/fcntl.h, linux/openat2.h).
 */
#ifndef SENTRY_ABI_FCNTL_H
#define SENTRY_ABI_FCNTL_H

#include "sentry/base/types.h"

/* The C library's O_LARGEFILE is 0 here, the kernel's is not: F_GETFL shows it on files that were opened by name. */
#define ABI_O_LARGEFILE 0100000u

struct abi_open_how {
	uint64_t flags, mode, resolve;
};
#define ABI_OPEN_HOW_SIZE_VER0 24

#define ABI_RESOLVE_NO_XDEV       0x01u
#define ABI_RESOLVE_NO_MAGICLINKS 0x02u
#define ABI_RESOLVE_NO_SYMLINKS   0x04u
#define ABI_RESOLVE_BENEATH       0x08u
#define ABI_RESOLVE_IN_ROOT       0x10u
#define ABI_RESOLVE_CACHED        0x20u

struct abi_flock {
	int16_t type, whence;
	int32_t pad0;
	int64_t start, length;
	int32_t pid, pad1;
};
_Static_assert(sizeof(struct abi_flock) == 32, "struct flock");

struct abi_f_owner_ex {
	int32_t type, pid;
};

#define ABI_F_DUPFD_QUERY       1027
#define ABI_F_CREATED_QUERY     1028
#define ABI_F_CREATED_QUERY     1028
#define ABI_F_OWNER_TID         0
#define ABI_F_OWNER_PID         1
#define ABI_F_OWNER_PGRP        2
#define ABI_CLOSE_RANGE_UNSHARE 2u
#define ABI_CLOSE_RANGE_CLOEXEC 4u

struct abi_iovec {
	uint64_t base, size;
};

#endif
