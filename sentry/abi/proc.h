/* proc.h - the kernel's structures and constants of processes: clone, wait, limits, usage, capabilities, scheduling,
 * futexes (include/uapi/linux/{sched,wait,resource,capability,prctl,futex,utsname,sysinfo}.h).
 */
#ifndef SENTRY_ABI_PROC_H
#define SENTRY_ABI_PROC_H

#include "sentry/abi/time.h"

struct abi_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

#define ABI_CLONE_ARGS_SIZE_VER0 64

#define ABI_CSIGNAL              0xffull
#define ABI_CLONE_VM             0x100ull
#define ABI_CLONE_FS             0x200ull
#define ABI_CLONE_FILES          0x400ull
#define ABI_CLONE_SIGHAND        0x800ull
#define ABI_CLONE_PIDFD          0x1000ull
#define ABI_CLONE_PTRACE         0x2000ull
#define ABI_CLONE_VFORK          0x4000ull
#define ABI_CLONE_PARENT         0x8000ull
#define ABI_CLONE_THREAD         0x10000ull
#define ABI_CLONE_NEWNS          0x20000ull
#define ABI_CLONE_SYSVSEM        0x40000ull
#define ABI_CLONE_SETTLS         0x80000ull
#define ABI_CLONE_PARENT_SETTID  0x100000ull
#define ABI_CLONE_CHILD_CLEARTID 0x200000ull
#define ABI_CLONE_DETACHED       0x400000ull
#define ABI_CLONE_UNTRACED       0x800000ull
#define ABI_CLONE_CHILD_SETTID   0x1000000ull
#define ABI_CLONE_NEWCGROUP      0x2000000ull
#define ABI_CLONE_NEWUTS         0x4000000ull
#define ABI_CLONE_NEWIPC         0x8000000ull
#define ABI_CLONE_NEWUSER        0x10000000ull
#define ABI_CLONE_NEWPID         0x20000000ull
#define ABI_CLONE_NEWNET         0x40000000ull
#define ABI_CLONE_IO             0x80000000ull
#define ABI_CLONE_CLEAR_SIGHAND  0x100000000ull
#define ABI_CLONE_INTO_CGROUP    0x200000000ull
#define ABI_CLONE_NEWTIME        0x80ull
#define ABI_CLONE_NEW_ANY                                                                                              \
	(ABI_CLONE_NEWNS | ABI_CLONE_NEWCGROUP | ABI_CLONE_NEWUTS | ABI_CLONE_NEWIPC | ABI_CLONE_NEWUSER |             \
	 ABI_CLONE_NEWPID | ABI_CLONE_NEWNET)

#define ABI_WNOHANG    1
#define ABI_WUNTRACED  2
#define ABI_WSTOPPED   2
#define ABI_WEXITED    4
#define ABI_WCONTINUED 8
#define ABI_WNOWAIT    0x01000000
#define ABI_WNOTHREAD  0x20000000
#define ABI_WALL       0x40000000
#define ABI_WCLONE     ((int)0x80000000)
#define ABI_P_ALL      0
#define ABI_P_PID      1
#define ABI_P_PGID     2
#define ABI_P_PIDFD    3

struct abi_rlimit {
	uint64_t rlim_cur, rlim_max;
};

#define ABI_RLIM_INFINITY     UINT64_MAX
#define ABI_RLIMIT_CPU        0
#define ABI_RLIMIT_FSIZE      1
#define ABI_RLIMIT_DATA       2
#define ABI_RLIMIT_STACK      3
#define ABI_RLIMIT_CORE       4
#define ABI_RLIMIT_RSS        5
#define ABI_RLIMIT_NPROC      6
#define ABI_RLIMIT_NOFILE     7
#define ABI_RLIMIT_MEMLOCK    8
#define ABI_RLIMIT_AS         9
#define ABI_RLIMIT_LOCKS      10
#define ABI_RLIMIT_SIGPENDING 11
#define ABI_RLIMIT_MSGQUEUE   12
#define ABI_RLIMIT_NICE       13
#define ABI_RLIMIT_RTPRIO     14
#define ABI_RLIMIT_RTTIME     15

struct abi_rusage {
	struct abi_timeval ru_utime, ru_stime;
	int64_t ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap, ru_inblock, ru_oublock;
	int64_t ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};

#define ABI_RUSAGE_SELF     0
#define ABI_RUSAGE_CHILDREN (-1)
#define ABI_RUSAGE_THREAD   1

struct abi_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct abi_sysinfo {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
};

struct abi_cap_header {
	uint32_t version;
	int32_t pid;
};

struct abi_cap_data {
	uint32_t effective, permitted, inheritable;
};

#define ABI_CAP_VERSION_1 0x19980330u
#define ABI_CAP_VERSION_2 0x20071026u
#define ABI_CAP_VERSION_3 0x20080522u

struct abi_sched_param {
	int32_t sched_priority;
};

/* PIDFD_GET_INFO: an ioctl(2) whose number tells the structure's size. */
struct abi_pidfd_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};

#define ABI_PIDFS_MAGIC          0xff
#define ABI_PIDFD_GET_INFO_NR    11
#define ABI_PIDFD_INFO_SIZE_VER0 64
#define ABI_PIDFD_INFO_PID       1u
#define ABI_PIDFD_INFO_CREDS     2u
#define ABI_PIDFD_INFO_EXIT      8u

struct abi_futex_waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

struct abi_sched_attr {
	uint32_t size, sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime, sched_deadline, sched_period;
	uint32_t sched_util_min, sched_util_max;
};

#define ABI_SCHED_ATTR_SIZE_VER0 48
#define ABI_SCHED_OTHER          0
#define ABI_SCHED_FIFO           1
#define ABI_SCHED_RR             2
#define ABI_SCHED_BATCH          3
#define ABI_SCHED_IDLE           5
#define ABI_SCHED_DEADLINE       6
#define ABI_SCHED_RESET_ON_FORK  0x40000000
/* struct abi_sched_attr.sched_flags */
#define ABI_SCHED_FLAG_RESET_ON_FORK 0x01u
#define ABI_SCHED_FLAG_RECLAIM       0x02u
#define ABI_SCHED_FLAG_DL_OVERRUN    0x04u
#define ABI_SCHED_FLAG_ALL           0x7fu

struct abi_robust_list_head {
	uint64_t list;        /* the first entry; the head itself ends the circle */
	int64_t futex_offset; /* from an entry to its word, bytes */
	uint64_t list_op_pending;
};

#define ABI_FUTEX_WAIT            0
#define ABI_FUTEX_WAKE            1
#define ABI_FUTEX_FD              2
#define ABI_FUTEX_REQUEUE         3
#define ABI_FUTEX_CMP_REQUEUE     4
#define ABI_FUTEX_WAKE_OP         5
#define ABI_FUTEX_LOCK_PI         6
#define ABI_FUTEX_UNLOCK_PI       7
#define ABI_FUTEX_TRYLOCK_PI      8
#define ABI_FUTEX_WAIT_BITSET     9
#define ABI_FUTEX_WAKE_BITSET     10
#define ABI_FUTEX_WAIT_REQUEUE_PI 11
#define ABI_FUTEX_CMP_REQUEUE_PI  12
#define ABI_FUTEX_LOCK_PI2        13
#define ABI_FUTEX_PRIVATE_FLAG    128
#define ABI_FUTEX_CLOCK_REALTIME  256
/* Flags of the calls of their own (futex_waitv and others). */
#define ABI_FUTEX2_SIZE_MASK 0x03u
#define ABI_FUTEX2_SIZE_U32  0x02u
#define ABI_FUTEX2_PRIVATE   128u
#define ABI_FUTEX_WAITERS    0x80000000u
#define ABI_FUTEX_OWNER_DIED 0x40000000u
#define ABI_FUTEX_TID_MASK   0x3fffffffu
#define ABI_FUTEX_BITSET_ANY 0xffffffffu

static_assert(sizeof(struct abi_clone_args) == 88, "struct clone_args");
static_assert(sizeof(struct abi_rusage) == 144, "struct rusage");
static_assert(sizeof(struct abi_utsname) == 390, "struct new_utsname");
static_assert(sizeof(struct abi_sysinfo) == 112, "struct sysinfo");
static_assert(sizeof(struct abi_pidfd_info) == 64, "struct pidfd_info");
static_assert(sizeof(struct abi_futex_waitv) == 24, "struct futex_waitv");
static_assert(sizeof(struct abi_sched_attr) == 56, "struct sched_attr");
static_assert(sizeof(struct abi_robust_list_head) == 24, "struct robust_list_head");

#endif
