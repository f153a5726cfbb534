/* timebase.c - the host's clocks followed by the TSC.
 *
 * At a measurement the host's clocks and the TSC are read together. The rate of a clock is taken over the long way from
 * an anchor to now, so it grows exact with time; the anchor moves on every ANCHOR_NS, to follow the host's own
 * discipline. What the interpolated clock is off by is never jumped over but worked off during the next interval
 * (slewing), unless it is so much that the host must have slept: then the clock jumps forward, or runs slowly until the
 * host has caught up.
 *
 * The first WARM_NS after the start the rate is not known well enough, and guests ask the sentry. Later, a page that
 * has not been brought up to date for VALID_NS makes them ask too, so an idle sandbox needs no timer for it.
 *
 * REALTIME, BOOTTIME and TAI differ from MONOTONIC by offsets that only change when somebody sets the clock or the
 * machine sleeps; differences below OFFSET_NOISE_NS are the measurement's own.
 *
 * Limits: without an invariant TSC (CPUID 80000007H) or with a host whose clock disagrees with it, every clock is the
 * host's and the vDSO always asks. Not in the arena: a restored sandbox measures anew.
 */
#include "sentry/timebase.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/vvar.h"
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define WARM_NS         (2 * NS_PER_MS)
#define INTERVAL_NS     (500 * NS_PER_MS)
#define VALID_NS        (2 * NS_PER_S)
#define ANCHOR_NS       (64 * NS_PER_S)
#define STEP_NS         (1 * NS_PER_MS)
#define OFFSET_NOISE_NS (2 * NS_PER_US)
#define SLEW_DIVISOR    10 /* the rate changes by at most a tenth */
#define COARSE_TICK_NS  (4 * NS_PER_MS)
#define TRIES           4
#define AGAIN_TICKS     1000000ull
#define WIDTH_TICKS     20000ull /* a reading that took longer was interrupted */
/* Of a TSC between 100 MHz and 100 GHz, in 2^-32 nanoseconds a tick. */
#define RATE_MOST     (10ull << 32)
#define RATE_LEAST    ((1ull << 32) / 100)
#define INVARIANT_TSC (1u << 8)

/* The host's clocks with the TSC at the same moment. */
struct sample {
	uint64_t tsc, monotonic, raw_tsc, raw;
	uint64_t width; /* of the worse reading in ticks: how sure it is */
};

static struct {
	struct vvar *page; /* shared with guests */
	uint32_t file;
	bool trusted;
	struct sample anchor;
	uint64_t next_tsc; /* of the next measurement */
} timebase = {.file = HOSTFILE_NONE};

static uint64_t host_ns(int clock)
{
	struct timespec now;

	return host_clock_gettime(clock, &now) ? 0 : (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Reads one clock, and the TSC in the middle of the quickest try. */
static uint64_t pair(int clock, uint64_t *tsc, uint64_t *width)
{
	uint64_t best = UINT64_MAX, ns = 0;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = vvar_tsc(), value = host_ns(clock), after = vvar_tsc();
		if (after - before >= best)
			continue;
		best = after - before;
		*tsc = before + best / 2;
		ns = value;
	}
	*width = MAX(*width, best);
	return ns;
}

static void take_sample(struct sample *sample)
{
	sample->width = 0;
	sample->raw = pair(CLOCK_MONOTONIC_RAW, &sample->raw_tsc, &sample->width);
	sample->monotonic = pair(CLOCK_MONOTONIC, &sample->tsc, &sample->width);
}

/* How far a clock is ahead of MONOTONIC; what is known already stays if the difference is the measurement's own. */
static void measure_offset(int clock, int64_t *offset)
{
	uint64_t best = UINT64_MAX;
	int64_t found = *offset;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = host_ns(CLOCK_MONOTONIC), value = host_ns(clock), after = host_ns(CLOCK_MONOTONIC);
		if (after - before >= best)
			continue;
		best = after - before;
		found = (int64_t)(value - (before + best / 2));
	}
	int64_t change = found - *offset, noise = (int64_t)MAX(best, OFFSET_NOISE_NS);
	if (change > noise || change < -noise)
		*offset = found;
}

static bool tsc_is_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & INVARIANT_TSC;
}

static uint64_t rate_between(uint64_t ns_from, uint64_t ns_to, uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)(ns_to - ns_from) << 32) / ticks);
}

/* What one clock becomes at tsc: it goes on from where it is, at a rate that meets the host's again after an interval.
 */
static struct vvar_clock follow(const struct vvar_clock *old, uint64_t old_ticks, uint64_t host_now, uint64_t rate,
				bool first)
{
	struct vvar_clock next = {.base_ns = host_now, .rate = rate};
	int64_t behind;

	if (first)
		return next;
	next.base_ns = vvar_read(old, old_ticks);
	behind = (int64_t)(host_now - next.base_ns);
	if (behind > (int64_t)STEP_NS) {
		next.base_ns = host_now;
		return next;
	}
	int64_t slew = (int64_t)((__int128)rate * behind / (int64_t)INTERVAL_NS), most = (int64_t)(rate / SLEW_DIVISOR);
	next.rate = (uint64_t)((int64_t)rate + MAX(MIN(slew, most), -most));
	return next;
}

/* Publishes what was measured. Between the two changes of seq nothing may take long: guests wait for it. */
static void publish(const struct sample *now, uint64_t monotonic_rate, uint64_t raw_rate)
{
	struct vvar *page = timebase.page;
	bool first = !page->usable;
	struct vvar next = *page;

	next.usable = 1;
	next.coarse_ns = COARSE_TICK_NS;
	measure_offset(CLOCK_REALTIME, &next.realtime_ns);
	measure_offset(CLOCK_BOOTTIME, &next.boottime_ns);
	measure_offset(CLOCK_TAI, &next.tai_ns);
	next.valid_ticks = (uint64_t)(((unsigned __int128)VALID_NS << 32) / monotonic_rate);

	__atomic_store_n(&page->seq, page->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	next.seq = page->seq;
	next.tsc_base = vvar_tsc();
	uint64_t old_ticks = next.tsc_base - page->tsc_base;
	struct vvar_clock host_monotonic = {now->monotonic, monotonic_rate}, host_raw = {now->raw, raw_rate};
	next.monotonic = follow(&page->monotonic, old_ticks, vvar_read(&host_monotonic, next.tsc_base - now->tsc),
				monotonic_rate, first);
	next.raw = follow(&page->raw, old_ticks, vvar_read(&host_raw, next.tsc_base - now->raw_tsc), raw_rate, first);
	memcpy((char *)page + sizeof page->seq, (char *)&next + sizeof next.seq, sizeof next - sizeof next.seq);
	__atomic_store_n(&page->seq, page->seq + 1, __ATOMIC_RELEASE);
}

/* The host's clock and the TSC do not agree: the host's it is from now on. */
static void distrust(void)
{
	timebase.trusted = false;
	__atomic_store_n(&timebase.page->usable, 0, __ATOMIC_RELEASE);
}

static void measure(void)
{
	struct sample now;

	take_sample(&now);
	uint64_t ticks = now.tsc - timebase.anchor.tsc, ns = now.monotonic - timebase.anchor.monotonic;
	timebase.next_tsc = now.tsc + AGAIN_TICKS;
	if (now.tsc <= timebase.anchor.tsc || now.monotonic <= timebase.anchor.monotonic) {
		distrust();
		return;
	}
	if (ns < WARM_NS || now.width > WIDTH_TICKS || now.raw <= timebase.anchor.raw ||
	    now.raw_tsc <= timebase.anchor.raw_tsc)
		return;
	uint64_t rate = rate_between(timebase.anchor.monotonic, now.monotonic, ticks);
	uint64_t raw_rate = rate_between(timebase.anchor.raw, now.raw, now.raw_tsc - timebase.anchor.raw_tsc);
	if (rate >= RATE_MOST || rate < RATE_LEAST || raw_rate >= RATE_MOST || raw_rate < RATE_LEAST) {
		distrust();
		return;
	}
	publish(&now, rate, raw_rate);
	/* Soon again while the rate is known only roughly. */
	uint64_t interval = MIN(ns, INTERVAL_NS);
	timebase.next_tsc = now.tsc + (uint64_t)(((unsigned __int128)interval << 32) / rate);
	if (ns > ANCHOR_NS)
		timebase.anchor = now;
}

void timebase_tick(void)
{
	if (timebase.trusted && vvar_tsc() >= timebase.next_tsc)
		measure();
}

int timebase_init(void)
{
	int error = hostfile_memory("vvar", VVAR_BYTES, &timebase.file);

	if (error)
		return error;
	timebase.page =
		host_mmap(NULL, VVAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, hostfile_fd(timebase.file), 0, &error);
	if (!timebase.page) {
		hostfile_put(timebase.file);
		timebase.file = HOSTFILE_NONE;
		return error;
	}
	timebase.trusted = tsc_is_invariant();
	if (timebase.trusted)
		take_sample(&timebase.anchor);
	return 0;
}

uint32_t timebase_file(void)
{
	return timebase.file;
}

int timebase_ns(int clock, uint64_t *ns)
{
	struct timespec now;

	timebase_tick();
	if (timebase.trusted && timebase.page && timebase.page->usable &&
	    vvar_clock_ns(timebase.page, clock, vvar_tsc() - timebase.page->tsc_base, ns))
		return 0;
	int error = host_clock_gettime(clock, &now);
	if (!error)
		*ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	return error;
}
