/* itimer.c - setitimer(2): real time, and the two of CPU time; RLIMIT_CPU.
 *
 * CPU time is what the host has counted for the guest threads of the process. It is looked at when it can have reached
 * the next expiry at the earliest (all threads running all the time), at least CPU_CHECK_LEAST_NS apart. There is no
 * split of user and system time: the system calls of a guest are the sentry's time, so ITIMER_VIRTUAL and ITIMER_PROF
 * count the same.
 */
#include "sentry/clock.h"
#include "sentry/timers.h"
#include <errno.h>
#include <signal.h>

#define CPU_CHECK_LEAST_NS (4 * NS_PER_MS)  /* the tick of a 250 Hz kernel */
#define IGNORED_PERIOD_NS  (10 * NS_PER_MS) /* of a repeating timer whose signal is ignored */

/* ------------------------------------------------------------------------------------------------ real time */

static void real_next(struct process_timers *timers, uint64_t least_ns)
{
	uint64_t interval = timers->real_interval_ns, from = timers->real.deadline_ns, now = clock_now_ns();

	if (!interval || timers->process->exiting)
		return;
	if (now >= from)
		from += (now - from) / interval * interval;
	timer_arm(&timers->real, MAX(deadline_after(from, interval), now + least_ns));
}

static void real_fired(struct timer *timer)
{
	struct process_timers *timers = container_of(timer, struct process_timers, real);
	struct process *process = timers->process;

	signal_send_process(process, SIGALRM, NULL);
	if (!(process->pending.set & SIGNAL_BIT(SIGALRM)))
		real_next(timers, IGNORED_PERIOD_NS);
}

void itimer_taken(struct process *process)
{
	struct process_timers *timers = process->timers;

	if (timers && !timers->real.armed)
		real_next(timers, 0);
}

static void real_get(const struct process_timers *timers, struct itimer_value *out)
{
	uint64_t now = clock_now_ns();

	*out = (struct itimer_value){.interval_ns = timers->real_interval_ns};
	if (timers->real.armed) /* what has expired but was not noticed yet is never 0, which would say "off" */
		out->value_ns = timers->real.deadline_ns > now ? timers->real.deadline_ns - now : NS_PER_US;
}

/* ------------------------------------------------------------------------------------------------ CPU time */

static uint64_t cpu_left(uint64_t expires, uint64_t now)
{
	return !expires ? UINT64_MAX : expires > now ? expires - now : 0;
}

void cpu_check_arm(struct process_timers *timers)
{
	uint64_t cpu = process_cpu_ns(timers->process), left = posix_cpu_check(timers);

	left = MIN(left, cpu_left(timers->virtual.expires_cpu_ns, cpu));
	left = MIN(left, cpu_left(timers->prof.expires_cpu_ns, cpu));
	left = MIN(left, cpu_left(timers->limit_signal_ns, cpu));
	if (left == UINT64_MAX || timers->process->exiting) {
		timer_disarm(&timers->cpu_check);
		return;
	}
	left /= MAX(timers->process->thread_count, 1u);
	timer_arm(&timers->cpu_check, deadline_after(clock_fresh_ns(), MAX(left, CPU_CHECK_LEAST_NS)));
}

static void cpu_itimer_check(struct process *process, struct cpu_itimer *timer, uint64_t cpu, int sig)
{
	if (!timer->expires_cpu_ns || cpu < timer->expires_cpu_ns)
		return;
	if (timer->interval_ns) /* overruns of an interval timer are not counted */
		timer->expires_cpu_ns += ((cpu - timer->expires_cpu_ns) / timer->interval_ns + 1) * timer->interval_ns;
	else
		timer->expires_cpu_ns = 0;
	signal_send_process(process, sig, NULL);
}

/* setrlimit(2): SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */
static void cpu_limit_check(struct process_timers *timers, uint64_t cpu)
{
	struct process *process = timers->process;
	const struct rlimit64_pair *limit = &process->limits[ABI_RLIMIT_CPU];

	if (!timers->limit_signal_ns || cpu < timers->limit_signal_ns)
		return;
	if (limit->hard != ABI_RLIM_INFINITY && cpu / NS_PER_S >= limit->hard) {
		signal_send_process(process, SIGKILL, NULL);
		return;
	}
	timers->limit_signal_ns += NS_PER_S;
	signal_send_process(process, SIGXCPU, NULL);
}

static void cpu_check_fired(struct timer *timer)
{
	struct process_timers *timers = container_of(timer, struct process_timers, cpu_check);
	uint64_t cpu = process_cpu_ns(timers->process);

	cpu_itimer_check(timers->process, &timers->virtual, cpu, SIGVTALRM);
	cpu_itimer_check(timers->process, &timers->prof, cpu, SIGPROF);
	cpu_limit_check(timers, cpu);
	cpu_check_arm(timers);
}

void cpu_limit_changed(struct process *process)
{
	uint64_t soft = process->limits[ABI_RLIMIT_CPU].soft;
	struct process_timers *timers = process->timers;

	if (soft == ABI_RLIM_INFINITY && !timers)
		return;
	timers = timers_of(process);
	if (!timers) /* no memory for bookkeeping: the limit is not enforced */
		return;
	bool none = soft >= INT64_MAX / NS_PER_S;
	timers->limit_signal_ns = none ? 0 : MAX(soft, 1ull) * NS_PER_S;
	cpu_check_arm(timers);
}

void itimer_init(void)
{
	timer_kind_register(TIMER_ITIMER_REAL, real_fired);
	timer_kind_register(TIMER_CPU_CHECK, cpu_check_fired);
}

/* ------------------------------------------------------------------------------------------------ the calls */

void itimer_get(struct process *process, int which, struct itimer_value *out)
{
	const struct process_timers *timers = process->timers;

	*out = (struct itimer_value){0};
	if (!timers)
		return;
	if (which == ABI_ITIMER_REAL) {
		real_get(timers, out);
		return;
	}
	const struct cpu_itimer *timer = which == ABI_ITIMER_VIRTUAL ? &timers->virtual : &timers->prof;
	uint64_t cpu = process_cpu_ns(process);
	out->interval_ns = timer->interval_ns;
	if (timer->expires_cpu_ns)
		out->value_ns = timer->expires_cpu_ns > cpu ? timer->expires_cpu_ns - cpu : NS_PER_US;
}

int itimer_set(struct process *process, int which, const struct itimer_value *new, struct itimer_value *old)
{
	struct process_timers *timers = timers_of(process);

	if (!timers)
		return -ENOMEM;
	clock_refresh();
	if (old)
		itimer_get(process, which, old);
	if (which == ABI_ITIMER_REAL) {
		timer_disarm(&timers->real);
		timers->real_interval_ns = new->value_ns ? new->interval_ns : 0;
		if (new->value_ns)
			timer_arm(&timers->real, deadline_after(clock_fresh_ns(), new->value_ns));
		return 0;
	}
	struct cpu_itimer *timer = which == ABI_ITIMER_VIRTUAL ? &timers->virtual : &timers->prof;
	timer->expires_cpu_ns = new->value_ns ? deadline_after(process_cpu_ns(process), new->value_ns) : 0;
	timer->interval_ns = new->interval_ns;
	cpu_check_arm(timers);
	return 0;
}
