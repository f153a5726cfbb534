/* time.c - clocks, sleeping, timers: arguments here, the timers themselves in sentry/timer.c.
 *
 * Nobody sets a clock in a sandbox: those calls are EPERM, as without CAP_SYS_TIME.
 * Limits: a sleep on a CPU clock looks at it every CPU_SLEEP_NS.
 */
#include "sentry/clock.h"
#include "sentry/task.h"
#include "sentry/timer.h"
#include "sentry/timerfd.h"
#include "syscalls/handlers.h"
#include "syscalls/restart.h"
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>

#define CPU_SLEEP_NS (10 * NS_PER_MS)

/* ------------------------------------------------------------------------------------------------ clocks */

long sys_clock_gettime(struct task *task, int clock, struct abi_timespec *now)
{
	uint64_t ns;
	int error = clock_get(task, clock, &ns);

	if (!error)
		*now = ns_timespec(ns);
	return error;
}

long sys_clock_getres(struct task *task, int clock, struct abi_timespec *resolution)
{
	uint64_t ns;
	int error = clock_resolution(task, clock, &ns);

	if (!error && resolution)
		*resolution = ns_timespec(ns);
	return error;
}

long sys_clock_settime(struct task *task, int clock, const struct abi_timespec *new)
{
	uint64_t ns;

	(void)task;
	if (clock != ABI_CLOCK_REALTIME || timespec_ns(new, &ns))
		return -EINVAL;
	return -EPERM;
}

long sys_gettimeofday(struct task *task, struct abi_timeval *now, struct abi_timezone *zone)
{
	uint64_t ns;
	int error = clock_get(task, ABI_CLOCK_REALTIME, &ns);

	(void)zone; /* arrives zeroed, which is UTC */
	if (!error && now)
		*now = ns_timeval(ns);
	return error;
}

long sys_settimeofday(struct task *task, const struct abi_timeval *new, const struct abi_timezone *zone)
{
	uint64_t ns;

	(void)task;
	(void)zone;
	return new &&timeval_ns(new, &ns) ? -EINVAL : -EPERM;
}

long sys_time(struct task *task, struct uaddr out)
{
	uint64_t ns;
	int error = clock_get(task, ABI_CLOCK_REALTIME, &ns);
	int64_t seconds = (int64_t)(ns / NS_PER_S);

	if (error)
		return error;
	if (out.v && user_write(task_user(task), out, &seconds, sizeof seconds))
		return -EFAULT;
	return seconds;
}

static long adjust(struct task *task, struct abi_timex *timex)
{
	uint64_t ns;

	if (timex->modes)
		return -EPERM;
	int error = clock_get(task, ABI_CLOCK_REALTIME, &ns);
	if (error)
		return error;
	*timex = (struct abi_timex){
		.status = ABI_STA_UNSYNC,
		.maxerror = 16000000,
		.esterror = 16000000,
		.constant = 2,
		.precision = 1,
		.tolerance = 32768000,
		.tick = 10000,
		.time = ns_timeval(ns),
	};
	return ABI_TIME_ERROR;
}

long sys_adjtimex(struct task *task, struct abi_timex *timex)
{
	return adjust(task, timex);
}

long sys_clock_adjtime(struct task *task, int clock, struct abi_timex *timex)
{
	return clock == ABI_CLOCK_REALTIME ? adjust(task, timex) : -EINVAL;
}

/* ------------------------------------------------------------------------------------------------ sleeping */

/* PARKS. 0, or -ERESTARTSYS: a signal wants to be delivered. */
static int sleep_until(struct task *task, uint64_t deadline_ns)
{
	struct waiter waiter;
	int error = 0;

	waiter_init(&waiter);
	task->state = TASK_SLEEPING;
	while (error != -ETIMEDOUT) {
		error = waiter_wait(&waiter, deadline_ns);
		if (error == -ERESTARTSYS) {
			if (signal_is_pending(task))
				break;
			signal_recalc(task); /* another thread has taken it */
		}
	}
	task->state = TASK_RUNNING;
	return error == -ETIMEDOUT ? 0 : error;
}

/* A relative sleep up to a deadline; what is left when a signal comes goes to rest. */
static long sleep_rest(struct task *task, uint64_t deadline_ns, struct uaddr rest)
{
	int error = sleep_until(task, deadline_ns);

	if (!error)
		return 0;
	uint64_t now = clock_fresh_ns();
	if (now >= deadline_ns)
		return 0;
	struct abi_timespec left = ns_timespec(deadline_ns - now);
	if (rest.v && user_write(task_user(task), rest, &left, sizeof left))
		return -EFAULT;
	task->restart.kind = RESTART_NANOSLEEP;
	task->restart.deadline_ns = deadline_ns;
	task->restart.args[0] = rest.v;
	return -ERESTART_RESTARTBLOCK;
}

long nanosleep_restart(struct task *task)
{
	return sleep_rest(task, task->restart.deadline_ns, UADDR(task->restart.args[0]));
}

long sys_nanosleep(struct task *task, const struct abi_timespec *time, struct uaddr rest)
{
	uint64_t ns;

	if (timespec_ns(time, &ns))
		return -EINVAL;
	return sleep_rest(task, deadline_after(clock_fresh_ns(), ns), rest);
}

static long sleep_cpu(struct task *task, int clock, bool absolute, uint64_t ns)
{
	struct process *process;
	struct task *thread;
	uint64_t now;
	int error = clock_cpu_target(task, clock, &process, &thread);

	if (error || thread == task)
		return error ? error : -EINVAL;
	error = clock_get(task, clock, &now);
	uint64_t until = absolute ? ns : deadline_after(now, ns);
	while (!error && now < until) {
		error = sleep_until(task, clock_fresh_ns() + CPU_SLEEP_NS);
		if (!error)
			error = clock_get(task, clock, &now);
	}
	return error == -ERESTARTSYS ? -EINTR : error;
}

long sys_clock_nanosleep(struct task *task, int clock, int flags, const struct abi_timespec *time, struct uaddr rest)
{
	bool absolute = flags & ABI_TIMER_ABSTIME;
	uint64_t ns, deadline_ns;

	if (clock == ABI_CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	if (timespec_ns(time, &ns))
		return -EINVAL;
	if (clock_is_cpu(clock))
		return sleep_cpu(task, clock, absolute, ns);
	int error = clock_deadline(clock, absolute, ns, &deadline_ns);
	if (error)
		return clock == ABI_CLOCK_MONOTONIC_RAW || clock == ABI_CLOCK_REALTIME_COARSE ||
				       clock == ABI_CLOCK_MONOTONIC_COARSE
			       ? -EOPNOTSUPP
			       : error;
	if (!absolute)
		return sleep_rest(task, deadline_ns, rest);
	return sleep_until(task, deadline_ns) ? -ERESTARTNOHAND : 0;
}

/* ------------------------------------------------------------------------------------------------ interval timers */

static int itimer_take(const struct abi_itimerval *in, struct itimer_value *out)
{
	*out = (struct itimer_value){0};
	if (!in) /* Linux takes a missing value for zero, with a warning */
		return 0;
	int error = timeval_ns(&in->it_value, &out->value_ns);
	return error ? error : timeval_ns(&in->it_interval, &out->interval_ns);
}

static void itimer_show(const struct itimer_value *in, struct abi_itimerval *out)
{
	out->it_value = ns_timeval(in->value_ns);
	out->it_interval = ns_timeval(in->interval_ns);
	/* Less than a microsecond left is not "off". */
	if (in->value_ns && !out->it_value.tv_sec && !out->it_value.tv_usec)
		out->it_value.tv_usec = 1;
}

long sys_setitimer(struct task *task, int which, const struct abi_itimerval *new, struct abi_itimerval *old)
{
	struct itimer_value value, before;
	int error = itimer_take(new, &value);

	if (error || which < ABI_ITIMER_REAL || which > ABI_ITIMER_PROF)
		return -EINVAL;
	error = itimer_set(task->process, which, &value, &before);
	if (!error && old)
		itimer_show(&before, old);
	return error;
}

long sys_getitimer(struct task *task, int which, struct abi_itimerval *out)
{
	struct itimer_value value;

	if (which < ABI_ITIMER_REAL || which > ABI_ITIMER_PROF)
		return -EINVAL;
	clock_refresh();
	itimer_get(task->process, which, &value);
	itimer_show(&value, out);
	return 0;
}

long sys_alarm(struct task *task, uint32_t seconds)
{
	uint64_t most_s = INT32_MAX, value_s = MIN(seconds, most_s);
	struct itimer_value value = {.value_ns = value_s * NS_PER_S}, before;
	int error = itimer_set(task->process, ABI_ITIMER_REAL, &value, &before);

	if (error)
		return error;
	uint64_t left = before.value_ns / NS_PER_S, rest = before.value_ns % NS_PER_S;
	/* Never 0 for one that was still to come, else to the nearest (alarm_setitimer). */
	return (long)(left + ((!left && rest) || rest >= NS_PER_S / 2));
}

/* ------------------------------------------------------------------------------------------------ POSIX timers */

long sys_timer_create(struct task *task, int clock, const struct abi_sigevent *given, struct uaddr out)
{
	struct abi_sigevent event = {.notify = ABI_SIGEV_SIGNAL, .signo = SIGALRM};
	int32_t id;

	if ((clock == ABI_CLOCK_REALTIME_ALARM || clock == ABI_CLOCK_BOOTTIME_ALARM) &&
	    !cred_capable(task->cred, CAP_WAKE_ALARM))
		return -EPERM;
	if (given)
		event = *given;
	int error = posix_timer_create(task, clock, &event, !given, &id);
	if (error)
		return error;
	error = user_write(task_user(task), out, &id, sizeof id);
	if (error)
		(void)!posix_timer_delete(task, id);
	return error;
}

long sys_timer_settime(struct task *task, int id, int flags, const struct abi_itimerspec *new,
		       struct abi_itimerspec *old)
{
	return new ? posix_timer_set(task, id, flags, new, old) : -EINVAL;
}

long sys_timer_gettime(struct task *task, int id, struct abi_itimerspec *out)
{
	return posix_timer_get(task, id, out);
}

long sys_timer_getoverrun(struct task *task, int id)
{
	return posix_timer_overrun(task, id);
}

long sys_timer_delete(struct task *task, int id)
{
	return posix_timer_delete(task, id);
}

/* ------------------------------------------------------------------------------------------------ timerfd */

long sys_timerfd_create(struct task *task, int clock, uint32_t flags)
{
	struct file *file;

	if (flags & ~(uint32_t)(ABI_TFD_CLOEXEC | ABI_TFD_NONBLOCK))
		return -EINVAL;
	if ((clock == ABI_CLOCK_REALTIME_ALARM || clock == ABI_CLOCK_BOOTTIME_ALARM) &&
	    !cred_capable(task->cred, CAP_WAKE_ALARM))
		return -EPERM;
	int error = timerfd_new(clock, flags & ABI_TFD_NONBLOCK, task->cred, &file);
	if (error)
		return error;
	long fd = fd_install(task->files, file, flags & ABI_TFD_CLOEXEC, 0,
			     process_limit(task->process, ABI_RLIMIT_NOFILE));
	if (fd < 0)
		file_put(file);
	return fd;
}

long sys_timerfd_settime(struct task *task, struct file *file, int flags, const struct abi_itimerspec *new,
			 struct abi_itimerspec *old)
{
	(void)task;
	return timerfd_set(file, flags, new, old);
}

long sys_timerfd_gettime(struct task *task, struct file *file, struct abi_itimerspec *out)
{
	(void)task;
	return timerfd_get(file, out);
}
