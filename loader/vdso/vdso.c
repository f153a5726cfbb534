/* vdso.c - the functions that every guest process finds in its memory: clocks without a system call (vdso(7)).
 *
 * Freestanding, general registers only, no relocations: the image is mapped as it was linked. The page before it is the
 * sentry's (sentry/vvar.h). Whatever the page cannot say goes to the system call of the same name.
 */
#include "sentry/vvar.h"

#define SYS_gettimeofday  96
#define SYS_time          201
#define SYS_clock_gettime 228
#define SYS_clock_getres  229
#define SYS_getcpu        309
#define NS_PER_SECOND     1000000000ull
#define TRIES             1000 /* the sentry may have been interrupted while it changed the page */

struct timespec {
	int64_t seconds, ns;
};
struct timeval {
	int64_t seconds, us;
};
struct timezone {
	int32_t minutes_west, dst;
};

extern const volatile struct vvar vvar_page __attribute__((visibility("hidden")));

#define exported __attribute__((visibility("default"), used))

static long call(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

/* A copy that was not changed while it was made, and the ticks that belong to it. */
static _Bool read_page(struct vvar *copy, uint64_t *ticks)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t seq = __atomic_load_n(&vvar_page.seq, __ATOMIC_ACQUIRE);
		uint64_t now;
		if (seq & 1) {
			__asm__ volatile("pause");
			continue;
		}
		copy->usable = vvar_page.usable;
		copy->tsc_base = vvar_page.tsc_base;
		copy->valid_ticks = vvar_page.valid_ticks;
		copy->monotonic.base_ns = vvar_page.monotonic.base_ns;
		copy->monotonic.rate = vvar_page.monotonic.rate;
		copy->raw.base_ns = vvar_page.raw.base_ns;
		copy->raw.rate = vvar_page.raw.rate;
		copy->realtime_ns = vvar_page.realtime_ns;
		copy->boottime_ns = vvar_page.boottime_ns;
		copy->tai_ns = vvar_page.tai_ns;
		copy->coarse_ns = vvar_page.coarse_ns;
		now = vvar_tsc();
		if (__atomic_load_n(&vvar_page.seq, __ATOMIC_RELAXED) != seq)
			continue;
		/* Another CPU's TSC may be a little behind. */
		*ticks = now > copy->tsc_base ? now - copy->tsc_base : 0;
		return copy->usable && *ticks < copy->valid_ticks;
	}
	return 0;
}

static _Bool now_ns(int clock, uint64_t *ns)
{
	struct vvar copy;
	uint64_t ticks;

	return read_page(&copy, &ticks) && vvar_clock_ns(&copy, clock, ticks, ns);
}

exported int __vdso_clock_gettime(int clock, struct timespec *time)
{
	uint64_t ns;

	if (!now_ns(clock, &ns))
		return (int)call(SYS_clock_gettime, clock, (long)time, 0);
	time->seconds = (int64_t)(ns / NS_PER_SECOND);
	time->ns = (int64_t)(ns % NS_PER_SECOND);
	return 0;
}

exported int __vdso_gettimeofday(struct timeval *time, struct timezone *zone)
{
	uint64_t ns;

	if (zone || !time || !now_ns(VVAR_REALTIME, &ns))
		return (int)call(SYS_gettimeofday, (long)time, (long)zone, 0);
	time->seconds = (int64_t)(ns / NS_PER_SECOND);
	time->us = (int64_t)(ns % NS_PER_SECOND / 1000);
	return 0;
}

exported int64_t __vdso_time(int64_t *time)
{
	uint64_t ns;

	if (!now_ns(VVAR_REALTIME_COARSE, &ns))
		return call(SYS_time, (long)time, 0, 0);
	if (time)
		*time = (int64_t)(ns / NS_PER_SECOND);
	return (int64_t)(ns / NS_PER_SECOND);
}

exported int __vdso_clock_getres(int clock, struct timespec *resolution)
{
	return (int)call(SYS_clock_getres, clock, (long)resolution, 0);
}

exported int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	return (int)call(SYS_getcpu, (long)cpu, (long)node, (long)unused);
}

/* The names without a prefix are weak, as in Linux's own. */
int clock_gettime(int, struct timespec *) __attribute__((weak, alias("__vdso_clock_gettime"), visibility("default")));
int gettimeofday(struct timeval *, struct timezone *)
	__attribute__((weak, alias("__vdso_gettimeofday"), visibility("default")));
int64_t time(int64_t *) __attribute__((weak, alias("__vdso_time"), visibility("default")));
int clock_getres(int, struct timespec *) __attribute__((weak, alias("__vdso_clock_getres"), visibility("default")));
int getcpu(unsigned *, unsigned *, void *) __attribute__((weak, alias("__vdso_getcpu"), visibility("default")));
