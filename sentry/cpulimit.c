/* cpulimit.c - --cpus, how much CPU time the sandbox may use at a time, and --cpu-time, how much in all.
 *
 * Theory. A bucket of CPU time fills by `milli` thousandths of real time and holds BURST_NS of it; what the sandbox
 * uses (platform_cpu_ns: guests and sentry) flows out. It is looked at before it could be empty. Below zero every guest
 * thread is kicked out of its code and held back until the debt is paid: what one look was late, the next hold makes
 * up for, so the average is right. (CFS bandwidth control in Linux does the same by periods.) The host's own control
 * group is not used: most often there is none that we may write to.
 *
 * Limits: at most HOLD_MOST_NS in one hold. System calls that are under way are finished.
 */
#include "sentry/cpulimit.h"
#include "platform/platform.h"
#include "sentry/boot.h"
#include "sentry/hold.h"

#define BURST_NS      (50 * NS_PER_MS)
#define LOOK_LEAST_NS (2 * NS_PER_MS)
#define LOOK_MOST_NS  (1 * NS_PER_S)
#define HOLD_LEAST_NS (5 * NS_PER_MS)
#define HOLD_MOST_NS  (1 * NS_PER_S)
#define COST_SHARE    20 /* looking takes at most one part in so many of the time */
#define MILLI         1000

static struct {
	struct cpulimit_config config;
	uint64_t seen_ns, used_ns; /* at the last look */
	int64_t bucket_ns;
	bool holds_guests;
	uint64_t looks, holds, held_ns;
} cpu;

void cpulimit_set(const struct cpulimit_config *config)
{
	cpu.config = *config;
	cpu.seen_ns = clock_now_ns();
	cpu.used_ns = platform_cpu_ns();
	cpu.bucket_ns = (int64_t)BURST_NS;
}

uint64_t cpulimit_milli(void)
{
	return cpu.config.milli;
}

void cpulimit_stats(uint64_t *periods, uint64_t *held, uint64_t *held_ns)
{
	*periods = cpu.looks;
	*held = cpu.holds;
	*held_ns = cpu.held_ns;
}

/* The bucket after `passed` of real time and `used` of CPU time; returns when to look again. */
static uint64_t flow(uint64_t passed, uint64_t used)
{
	uint64_t milli = cpu.config.milli, most = (uint64_t)cpu.config.host_cpus * MILLI;
	int64_t room = (int64_t)(BURST_NS * milli / MILLI) + 1;

	cpu.looks++;
	if (cpu.holds_guests)
		cpu.held_ns += passed;
	cpu.bucket_ns = MIN(cpu.bucket_ns + (int64_t)(passed * milli / MILLI) - (int64_t)used, room);
	if (cpu.bucket_ns <= 0) {
		cpu.holds += !cpu.holds_guests;
		cpu.holds_guests = true;
		hold_begin(HOLD_CPU);
		uint64_t debt = (uint64_t)-cpu.bucket_ns;
		return MIN(MAX(debt * MILLI / milli, HOLD_LEAST_NS), HOLD_MOST_NS);
	}
	cpu.holds_guests = false;
	hold_end(HOLD_CPU);
	return most <= milli ? LOOK_MOST_NS : (uint64_t)cpu.bucket_ns * MILLI / (most - milli);
}

uint64_t cpulimit_check(void)
{
	uint64_t pause = LOOK_MOST_NS, total = cpu.config.total_ns;

	if (!cpu.config.milli && !total)
		return DEADLINE_NONE;
	clock_refresh();
	uint64_t now = clock_now_ns(), used = platform_cpu_ns();
	if (total && used >= total)
		boot_limit_reached("stopped after --cpu-time %g s", (double)total / (double)NS_PER_S);
	else if (total)
		pause = MIN(pause, (total - used) / MAX(cpu.config.host_cpus, 1u));
	if (cpu.config.milli)
		pause = MIN(pause, flow(now - cpu.seen_ns, used - MIN(used, cpu.used_ns)));
	cpu.seen_ns = now;
	cpu.used_ns = MAX(used, cpu.used_ns);
	clock_refresh();
	return MAX(MAX(pause, LOOK_LEAST_NS), COST_SHARE * (clock_now_ns() - now));
}
