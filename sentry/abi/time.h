/* time.h - the kernel's structures and constants of time (include/uapi/linux/time.h, time_types.h, timex.h, times.h).
 */
#ifndef SENTRY_ABI_TIME_H
#define SENTRY_ABI_TIME_H

#include "sentry/base/types.h"

struct abi_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

struct abi_timeval {
	int64_t tv_sec;
	int64_t tv_usec;
};

struct abi_timezone {
	int32_t tz_minuteswest;
	int32_t tz_dsttime;
};

struct abi_itimerval {
	struct abi_timeval it_interval;
	struct abi_timeval it_value;
};

struct abi_itimerspec {
	struct abi_timespec it_interval;
	struct abi_timespec it_value;
};

struct abi_tms {
	int64_t tms_utime, tms_stime, tms_cutime, tms_cstime; /* clock ticks */
};

struct abi_timex {
	uint32_t modes;
	int64_t offset, freq, maxerror, esterror;
	int32_t status;
	int64_t constant, precision, tolerance;
	struct abi_timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai;
	int32_t pad[11];
};

static_assert(sizeof(struct abi_timespec) == 16, "struct timespec");
static_assert(sizeof(struct abi_itimerval) == 32, "struct itimerval");
static_assert(sizeof(struct abi_itimerspec) == 32, "struct itimerspec");
static_assert(sizeof(struct abi_tms) == 32, "struct tms");
static_assert(sizeof(struct abi_timex) == 208, "struct timex");

#define ABI_USER_HZ 100 /* clock ticks of times(2) and /proc */

#define ABI_CLOCK_REALTIME           0
#define ABI_CLOCK_MONOTONIC          1
#define ABI_CLOCK_PROCESS_CPUTIME_ID 2
#define ABI_CLOCK_THREAD_CPUTIME_ID  3
#define ABI_CLOCK_MONOTONIC_RAW      4
#define ABI_CLOCK_REALTIME_COARSE    5
#define ABI_CLOCK_MONOTONIC_COARSE   6
#define ABI_CLOCK_BOOTTIME           7
#define ABI_CLOCK_REALTIME_ALARM     8
#define ABI_CLOCK_BOOTTIME_ALARM     9
#define ABI_CLOCK_TAI                11

/* Clocks of processes and threads: ~pid << 3, and these low bits (include/linux/posix-timers.h). */
#define ABI_CPUCLOCK_PERTHREAD 4
#define ABI_CPUCLOCK_KIND      3
#define ABI_CPUCLOCK_PROF      0
#define ABI_CPUCLOCK_VIRT      1
#define ABI_CPUCLOCK_SCHED     2
#define ABI_CPUCLOCK_FD        3

#define ABI_TIMER_ABSTIME        1
#define ABI_TFD_TIMER_ABSTIME    1
#define ABI_TFD_TIMER_CANCEL_SET 2
#define ABI_TFD_CLOEXEC          02000000
#define ABI_TFD_NONBLOCK         04000
#define ABI_TFD_IOC_SET_TICKS    0x40085400

#define ABI_ITIMER_REAL    0
#define ABI_ITIMER_VIRTUAL 1
#define ABI_ITIMER_PROF    2

#define ABI_TIME_ERROR 5 /* adjtimex: not synchronised */
#define ABI_STA_UNSYNC 0x40

#endif
