/* clock.c - clocks and conversions. Times beyond 292 years (INT64_MAX nanoseconds) are cut there, as ktime does.
 *
 * Limits: an absolute deadline of CLOCK_REALTIME is turned into one of CLOCK_MONOTONIC when it is set: a later step of
 * the host's clock does not move it. Nobody sets clocks in a sandbox.
 */
#include "sentry/clock.h"
#include "sentry/task.h"
#include "sentry/timebase.h"
#include <errno.h>

#define NS_MOST   ((uint64_t)INT64_MAX)
#define COARSE_NS 4000000ull /* the tick of a 250 Hz kernel */

uint64_t clock_fresh_ns(void)
{
	clock_refresh();
	return clock_now_ns();
}

bool clock_is_cpu(int clock)
{
	return clock < 0 || clock == ABI_CLOCK_PROCESS_CPUTIME_ID || clock == ABI_CLOCK_THREAD_CPUTIME_ID;
}

int clock_cpu_target(const struct task *task, int clock, struct process **process, struct task **thread)
{
	if (clock == ABI_CLOCK_PROCESS_CPUTIME_ID || clock == ABI_CLOCK_THREAD_CPUTIME_ID) {
		*process = task->process;
		*thread = clock == ABI_CLOCK_THREAD_CPUTIME_ID ? (struct task *)task : NULL;
		return 0;
	}
	if (clock >= 0 || (clock & ABI_CPUCLOCK_KIND) == ABI_CPUCLOCK_FD)
		return -EINVAL;
	int32_t pid = ~clock >> 3; /* the same as ~(clock >> 3), without shifting a negative number */
	if (!(clock & ABI_CPUCLOCK_PERTHREAD)) {
		*process = pid ? process_find(pid) : task->process;
		*thread = NULL;
		return *process ? 0 : -EINVAL;
	}
	*thread = pid ? task_find(pid) : (struct task *)task;
	if (!*thread || (*thread)->process != task->process)
		return -EINVAL;
	*process = task->process;
	return 0;
}

int clock_get(const struct task *task, int clock, uint64_t *ns)
{
	struct process *process;
	struct task *thread;

	switch (clock) {
	case ABI_CLOCK_REALTIME_ALARM:
		return timebase_ns(ABI_CLOCK_REALTIME, ns);
	case ABI_CLOCK_BOOTTIME_ALARM:
		return timebase_ns(ABI_CLOCK_BOOTTIME, ns);
	case ABI_CLOCK_REALTIME:
	case ABI_CLOCK_MONOTONIC:
	case ABI_CLOCK_MONOTONIC_RAW:
	case ABI_CLOCK_REALTIME_COARSE:
	case ABI_CLOCK_MONOTONIC_COARSE:
	case ABI_CLOCK_BOOTTIME:
	case ABI_CLOCK_TAI:
		return timebase_ns(clock, ns);
	}
	if (!clock_is_cpu(clock))
		return -EINVAL;
	int error = clock_cpu_target(task, clock, &process, &thread);
	if (!error)
		*ns = thread ? task_cpu_ns(thread) : process_cpu_ns(process);
	return error;
}

int clock_resolution(const struct task *task, int clock, uint64_t *ns)
{
	int error = clock_get(task, clock, ns);

	if (!error)
		*ns = clock == ABI_CLOCK_REALTIME_COARSE || clock == ABI_CLOCK_MONOTONIC_COARSE ? COARSE_NS : 1;
	return error;
}

uint64_t deadline_after(uint64_t from_ns, uint64_t ns)
{
	return ns > NS_MOST - MIN(from_ns, NS_MOST) ? NS_MOST : from_ns + ns;
}

/* What lies behind stays behind, for timers that count how often they should have fired; but not before the machine
 * started, nor at 0, which means off. */
static uint64_t deadline_from(uint64_t here, uint64_t there, uint64_t time_ns)
{
	if (time_ns > there)
		return deadline_after(here, time_ns - there);
	return there - time_ns < here ? here - (there - time_ns) : 1;
}

int clock_deadline(int clock, bool absolute, uint64_t time_ns, uint64_t *deadline_ns)
{
	uint64_t there = 0, here = clock_fresh_ns();

	switch (clock) {
	case ABI_CLOCK_MONOTONIC:
		break;
	case ABI_CLOCK_REALTIME:
	case ABI_CLOCK_BOOTTIME:
	case ABI_CLOCK_TAI:
	case ABI_CLOCK_REALTIME_ALARM:
	case ABI_CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return -EINVAL;
	}
	if (!absolute) {
		*deadline_ns = deadline_after(here, time_ns);
		return 0;
	}
	int error = clock == ABI_CLOCK_MONOTONIC ? 0 : clock_get(NULL, clock, &there);
	if (error)
		return error;
	if (clock == ABI_CLOCK_MONOTONIC)
		*deadline_ns = MIN(time_ns, NS_MOST);
	else
		*deadline_ns = deadline_from(here, there, time_ns);
	return 0;
}

int timespec_ns(const struct abi_timespec *time, uint64_t *ns)
{
	if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= (int64_t)NS_PER_S)
		return -EINVAL;
	uint64_t seconds = (uint64_t)time->tv_sec;
	*ns = seconds >= NS_MOST / NS_PER_S ? NS_MOST : seconds * NS_PER_S + (uint64_t)time->tv_nsec;
	return 0;
}

int timeval_ns(const struct abi_timeval *time, uint64_t *ns)
{
	if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
		return -EINVAL;
	uint64_t seconds = (uint64_t)time->tv_sec;
	*ns = seconds >= NS_MOST / NS_PER_S ? NS_MOST : seconds * NS_PER_S + (uint64_t)time->tv_usec * NS_PER_US;
	return 0;
}

struct abi_timespec ns_timespec(uint64_t ns)
{
	return (struct abi_timespec){(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S)};
}

struct abi_timeval ns_timeval(uint64_t ns)
{
	return (struct abi_timeval){(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / NS_PER_US)};
}
