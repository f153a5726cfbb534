/* vvar.h - the page through which the sentry tells the vDSO what time it is, and the computation that both make.
 *
 * Written by the sentry alone (sentry/timebase.c), mapped read-only into every guest. A sequence lock: while seq is odd
 * the rest is changing, and the sentry reads the TSC for a new base only then, so that nobody ever sees time go back.
 * Freestanding: the vDSO (loader/vdso/vdso.c) is built from this too.
 */
#ifndef SENTRY_VVAR_H
#define SENTRY_VVAR_H

#include <stdint.h>

#define VVAR_BYTES 4096

/* A clock that runs with the TSC: base_ns at tsc_base, then rate / 2^32 nanoseconds a tick. */
struct vvar_clock {
	uint64_t base_ns, rate;
};

struct vvar {
	uint32_t seq;
	uint32_t usable; /* 0: ask the kernel (the TSC cannot be trusted, or is not yet known well enough) */
	uint64_t tsc_base;
	uint64_t valid_ticks; /* older than this: ask the kernel, which brings it up to date */
	struct vvar_clock monotonic, raw;
	int64_t realtime_ns, boottime_ns, tai_ns; /* what to add to monotonic */
	uint64_t coarse_ns;                       /* resolution of the coarse clocks */
};

static inline uint64_t vvar_tsc(void)
{
	uint32_t low, high;

	/* lfence: no later read of the page, and no earlier one, changes places with the clock. */
	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t vvar_read(const struct vvar_clock *clock, uint64_t ticks)
{
	return clock->base_ns + (uint64_t)((unsigned __int128)ticks * clock->rate >> 32);
}

/* Clock numbers as in linux/time.h, which a freestanding file does not include. */
enum {
	VVAR_REALTIME = 0,
	VVAR_MONOTONIC = 1,
	VVAR_RAW = 4,
	VVAR_REALTIME_COARSE = 5,
	VVAR_MONOTONIC_COARSE = 6,
	VVAR_BOOTTIME = 7,
	VVAR_TAI = 11
};

/* The time of a clock from a consistent copy of the parameters. 0 and false: not one of ours. */
static inline _Bool vvar_clock_ns(const struct vvar *vvar, int clock, uint64_t ticks, uint64_t *ns)
{
	uint64_t now = vvar_read(clock == VVAR_RAW ? &vvar->raw : &vvar->monotonic, ticks);

	switch (clock) {
	case VVAR_REALTIME_COARSE:
	case VVAR_MONOTONIC_COARSE:
		now -= now % vvar->coarse_ns;
		break;
	}
	switch (clock) {
	case VVAR_MONOTONIC:
	case VVAR_MONOTONIC_COARSE:
	case VVAR_RAW:
		break;
	case VVAR_REALTIME:
	case VVAR_REALTIME_COARSE:
		now += (uint64_t)vvar->realtime_ns;
		break;
	case VVAR_BOOTTIME:
		now += (uint64_t)vvar->boottime_ns;
		break;
	case VVAR_TAI:
		now += (uint64_t)vvar->tai_ns;
		break;
	default:
		return 0;
	}
	*ns = now;
	return 1;
}

#endif
