/* signal.h - the kernel's structures and constants of signals on x86-64 (include/uapi/asm-generic/siginfo.h,
 * arch/x86/include/uapi/asm/{signal,sigcontext,ucontext}.h, include/uapi/linux/signalfd.h). Signal numbers themselves
 * come from <signal.h>: they are the same.
 */
#ifndef SENTRY_ABI_SIGNAL_H
#define SENTRY_ABI_SIGNAL_H

#include "sentry/base/types.h"

typedef uint64_t abi_sigset; /* bit n-1 is signal n */

struct abi_sigaction {
	uint64_t handler; /* 0 SIG_DFL, 1 SIG_IGN, else an address */
	uint64_t flags;
	uint64_t restorer;
	abi_sigset mask;
};

#define ABI_SIG_DFL 0ull
#define ABI_SIG_IGN 1ull

#define ABI_SA_NOCLDSTOP      0x00000001ull
#define ABI_SA_NOCLDWAIT      0x00000002ull
#define ABI_SA_SIGINFO        0x00000004ull
#define ABI_SA_UNSUPPORTED    0x00000400ull
#define ABI_SA_EXPOSE_TAGBITS 0x00000800ull
#define ABI_SA_RESTORER       0x04000000ull
#define ABI_SA_ONSTACK        0x08000000ull
#define ABI_SA_RESTART        0x10000000ull
#define ABI_SA_NODEFER        0x40000000ull
#define ABI_SA_RESETHAND      0x80000000ull
/* What rt_sigaction keeps; the rest is cleared, so that a program can find out what is supported. */
#define ABI_SA_FLAGS                                                                                                   \
	(ABI_SA_NOCLDSTOP | ABI_SA_NOCLDWAIT | ABI_SA_SIGINFO | ABI_SA_EXPOSE_TAGBITS | ABI_SA_RESTORER |              \
	 ABI_SA_ONSTACK | ABI_SA_RESTART | ABI_SA_NODEFER | ABI_SA_RESETHAND)

#define ABI_SIG_BLOCK   0
#define ABI_SIG_UNBLOCK 1
#define ABI_SIG_SETMASK 2

union abi_sigval {
	int32_t sival_int;
	uint64_t sival_ptr;
};

struct abi_siginfo {
	int32_t si_signo, si_errno, si_code, pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
		} kill;
		struct {
			int32_t id, overrun;
			union abi_sigval value;
			int32_t sys_private;
		} timer;
		struct {
			int32_t pid;
			uint32_t uid;
			union abi_sigval value;
		} rt;
		struct {
			int32_t pid;
			uint32_t uid;
			int32_t status, pad;
			int64_t utime, stime; /* clock ticks */
		} child;
		struct {
			uint64_t addr;
			uint16_t addr_lsb;
			uint16_t pad[3];
			uint64_t lower, upper;
		} fault;
		struct {
			int64_t band;
			int32_t fd;
		} poll;
		struct {
			uint64_t call_addr;
			int32_t nr;
			uint32_t arch;
		} sys;
		uint8_t bytes[112];
	};
};

#define ABI_SI_USER    0
#define ABI_SI_KERNEL  0x80
#define ABI_SI_QUEUE   (-1)
#define ABI_SI_TIMER   (-2)
#define ABI_SI_MESGQ   (-3)
#define ABI_SI_ASYNCIO (-4)
#define ABI_SI_SIGIO   (-5)
#define ABI_SI_TKILL   (-6)

#define ABI_ILL_ILLOPC    1
#define ABI_SEGV_MAPERR   1
#define ABI_SEGV_ACCERR   2
#define ABI_BUS_ADRERR    2
#define ABI_CLD_EXITED    1
#define ABI_CLD_KILLED    2
#define ABI_CLD_DUMPED    3
#define ABI_CLD_STOPPED   5
#define ABI_CLD_CONTINUED 6

struct abi_stack {
	uint64_t ss_sp;
	int32_t ss_flags, pad;
	uint64_t ss_size;
};

#define ABI_SS_ONSTACK    1
#define ABI_SS_DISABLE    2
#define ABI_SS_AUTODISARM (1u << 31)
#define ABI_MINSIGSTKSZ   2048

struct abi_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate;
	uint64_t reserved[8];
};

struct abi_ucontext {
	uint64_t uc_flags, uc_link;
	struct abi_stack uc_stack;
	struct abi_sigcontext mcontext;
	abi_sigset sigmask;
};

#define ABI_UC_FP_XSTATE         1
#define ABI_UC_SIGCONTEXT_SS     2
#define ABI_UC_STRICT_RESTORE_SS 4

/* What a handler finds on its stack. */
struct abi_rt_sigframe {
	uint64_t pretcode;
	struct abi_ucontext uc;
	struct abi_siginfo info;
};

/* The last 48 bytes of the 512 of FXSAVE in a frame (struct _fpx_sw_bytes). */
struct abi_fpx_sw_bytes {
	uint32_t magic1, extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};

#define ABI_FP_XSTATE_MAGIC1 0x46505853u
#define ABI_FP_XSTATE_MAGIC2 0x46505845u
#define ABI_FXSAVE_BYTES     512
#define ABI_FPX_SW_OFFSET    464

struct abi_signalfd_siginfo {
	uint32_t ssi_signo;
	int32_t ssi_errno, ssi_code;
	uint32_t ssi_pid, ssi_uid;
	int32_t ssi_fd;
	uint32_t ssi_tid, ssi_band, ssi_overrun, ssi_trapno;
	int32_t ssi_status, ssi_int;
	uint64_t ssi_ptr, ssi_utime, ssi_stime, ssi_addr;
	uint16_t ssi_addr_lsb, pad2;
	int32_t ssi_syscall;
	uint64_t ssi_call_addr;
	uint32_t ssi_arch;
	uint8_t pad[28];
};

#define ABI_SFD_CLOEXEC  02000000
#define ABI_SFD_NONBLOCK 04000

struct abi_sigevent {
	union abi_sigval value;
	int32_t signo, notify;
	int32_t tid;
	int32_t pad[11];
};

#define ABI_SIGEV_SIGNAL    0
#define ABI_SIGEV_NONE      1
#define ABI_SIGEV_THREAD    2
#define ABI_SIGEV_THREAD_ID 4

static_assert(sizeof(struct abi_sigaction) == 32, "struct sigaction");
static_assert(sizeof(struct abi_siginfo) == 128, "siginfo_t");
static_assert(sizeof(struct abi_stack) == 24, "stack_t");
static_assert(sizeof(struct abi_sigcontext) == 256, "struct sigcontext");
static_assert(sizeof(struct abi_ucontext) == 304, "struct ucontext");
static_assert(sizeof(struct abi_fpx_sw_bytes) == 48, "struct _fpx_sw_bytes");
static_assert(sizeof(struct abi_signalfd_siginfo) == 128, "struct signalfd_siginfo");
static_assert(sizeof(struct abi_sigevent) == 64, "struct sigevent");

#endif
