/* posix_timer.c - timer_create(2): timers with a number, a clock, and a signal of the guest's choice.
 *
 * One whose signal waits to be taken is `queued` and not armed; what it missed meanwhile is told as its overrun count
 * when the signal is taken, which also arms it again. On a CPU clock the deadline is CPU time, looked at by itimer.c's
 * check.
 *
 * Limits: POSIX_TIMER_LIMIT timers of a process; SIGEV_THREAD is the C library's (it asks for SIGEV_THREAD_ID).
 */
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/clock.h"
#include "sentry/timers.h"
#include <errno.h>

#define OVERRUN_MOST      INT32_MAX /* DELAYTIMER_MAX */
#define IGNORED_PERIOD_NS (10 * NS_PER_MS)

struct posix_timer {
	struct list node;
	struct process_timers *timers;
	struct timer timer;
	int32_t id;
	int clock;
	bool queued, cpu;
	int32_t cpu_tid; /* of a thread's CPU clock; 0: the process's */
	int32_t notify, signo, target_tid;
	union abi_sigval value;
	uint64_t expires_ns; /* next expiry: CLOCK_MONOTONIC, or CPU time when cpu; 0: off */
	uint64_t interval_ns;
	int64_t overrun, overrun_last;
};

static struct slab posix_timer_slab = SLAB(posix_timer);

static struct posix_timer *find(struct process *process, int32_t id)
{
	struct process_timers *timers = process->timers;
	struct posix_timer *timer;

	if (!timers)
		return NULL;
	list_for_each (timer, &timers->posix, node)
		if (timer->id == id)
			return timer;
	return NULL;
}

static uint64_t time_of(const struct posix_timer *timer)
{
	if (!timer->cpu)
		return clock_now_ns();
	struct task *thread = timer->cpu_tid ? task_find(timer->cpu_tid) : NULL;
	if (timer->cpu_tid)
		return thread && thread->process == timer->timers->process ? task_cpu_ns(thread) : 0;
	return process_cpu_ns(timer->timers->process);
}

static void start(struct posix_timer *timer)
{
	if (timer->cpu)
		cpu_check_arm(timer->timers);
	else if (timer->notify != ABI_SIGEV_NONE)
		timer_arm(&timer->timer, timer->expires_ns);
}

/* Moves on to the first expiry after now, counting those passed over. */
static void next_period(struct posix_timer *timer, uint64_t least_ns)
{
	uint64_t now = time_of(timer), missed = 0;

	if (!timer->interval_ns) {
		timer->expires_ns = 0;
		return;
	}
	if (now >= timer->expires_ns) {
		missed = (now - timer->expires_ns) / timer->interval_ns + 1;
		timer->expires_ns = deadline_after(timer->expires_ns, missed * timer->interval_ns);
		timer->overrun += (int64_t)missed - 1;
	}
	timer->expires_ns = MAX(timer->expires_ns, now + least_ns);
}

static void expire(struct posix_timer *timer)
{
	struct process *process = timer->timers->process;
	struct abi_siginfo info = {.si_code = ABI_SI_TIMER};
	struct task *thread = NULL;

	info.timer.id = timer->id;
	info.timer.value = timer->value;
	if (timer->notify == ABI_SIGEV_THREAD_ID) {
		thread = task_find(timer->target_tid);
		if (!thread || thread->process != process)
			return;
	}
	if (timer->queued)
		return;
	timer->queued = signal_send_timer(process, thread, timer->signo, &info, timer->id) == 1;
	if (timer->queued)
		return;
	next_period(timer, IGNORED_PERIOD_NS);
	timer->overrun = 0;
	if (timer->expires_ns)
		start(timer);
}

static void timer_fired(struct timer *base)
{
	expire(container_of(base, struct posix_timer, timer));
}

uint64_t posix_cpu_check(struct process_timers *timers)
{
	struct posix_timer *timer, *after;
	uint64_t left = UINT64_MAX;

	list_for_each_safe (timer, after, &timers->posix, node) {
		if (!timer->cpu || !timer->expires_ns || timer->queued || timer->notify == ABI_SIGEV_NONE)
			continue;
		uint64_t now = time_of(timer);
		if (now < timer->expires_ns) {
			left = MIN(left, timer->expires_ns - now);
			continue;
		}
		/* Not expire() with its start(), which would come back here. */
		struct abi_siginfo info = {.si_code = ABI_SI_TIMER};
		info.timer.id = timer->id;
		info.timer.value = timer->value;
		struct task *thread = timer->notify == ABI_SIGEV_THREAD_ID ? task_find(timer->target_tid) : NULL;
		timer->queued = signal_send_timer(timers->process, thread, timer->signo, &info, timer->id) == 1;
		if (!timer->queued)
			next_period(timer, IGNORED_PERIOD_NS);
		if (timer->expires_ns && !timer->queued)
			left = MIN(left, timer->expires_ns - now);
	}
	return left;
}

void posix_timer_taken(struct process *process, int32_t id, struct abi_siginfo *info)
{
	struct posix_timer *timer = find(process, id);

	if (!timer || !timer->queued)
		return;
	timer->queued = false;
	next_period(timer, 0);
	info->timer.overrun = (int32_t)MIN(timer->overrun, (int64_t)OVERRUN_MOST);
	timer->overrun_last = timer->overrun;
	timer->overrun = 0;
	if (timer->expires_ns)
		start(timer);
}

/* ------------------------------------------------------------------------------------------------ the calls */

static int event_check(const struct task *task, const struct abi_sigevent *event)
{
	if (event->notify == ABI_SIGEV_NONE)
		return 0;
	if (event->notify & ABI_SIGEV_THREAD_ID) {
		struct task *target = task_find(event->tid);
		if (!target || target->process != task->process)
			return -EINVAL;
	} else if (event->notify != ABI_SIGEV_SIGNAL && event->notify != ABI_SIGEV_THREAD) {
		return -EINVAL;
	}
	return event->signo <= 0 || event->signo > SIGNAL_COUNT ? -EINVAL : 0;
}

static int clock_take(struct task *task, int clock, struct posix_timer *timer)
{
	struct process *process;
	struct task *thread;
	uint64_t unused;

	timer->clock = clock;
	timer->cpu = clock_is_cpu(clock);
	if (!timer->cpu)
		return clock_deadline(clock, false, 0, &unused);
	int error = clock_cpu_target(task, clock, &process, &thread);
	if (error || process != task->process)
		return -EINVAL;
	timer->cpu_tid = thread ? thread->tid : 0;
	return 0;
}

int posix_timer_create(struct task *task, int clock, const struct abi_sigevent *event, bool default_value, int32_t *id)
{
	struct process_timers *timers = timers_of(task->process);
	struct posix_timer *timer;
	int error = event_check(task, event);

	if (error)
		return error;
	if (!timers || timers->posix_count >= POSIX_TIMER_LIMIT)
		return -EAGAIN;
	timer = slab_new(&posix_timer_slab);
	if (!timer)
		return -EAGAIN;
	error = clock_take(task, clock, timer);
	if (error) {
		slab_free(&posix_timer_slab, timer);
		return error;
	}
	while (find(task->process, timers->next_id))
		timers->next_id = (timers->next_id + 1) & INT32_MAX;
	timer->id = timers->next_id;
	timers->next_id = (timers->next_id + 1) & INT32_MAX;
	timer->timers = timers;
	timer->notify = event->notify & ABI_SIGEV_THREAD_ID ? ABI_SIGEV_THREAD_ID : event->notify;
	timer->signo = event->signo;
	timer->value = event->value;
	timer->target_tid = event->tid;
	if (default_value)
		timer->value.sival_int = timer->id;
	timer_setup(&timer->timer, TIMER_POSIX);
	list_push_back(&timers->posix, &timer->node);
	timers->posix_count++;
	*id = timer->id;
	return 0;
}

static void timer_read(const struct posix_timer *timer, struct abi_itimerspec *out)
{
	uint64_t now = time_of(timer), expires = timer->expires_ns, left = 0;

	if (expires && now >= expires && timer->interval_ns)
		expires += ((now - expires) / timer->interval_ns + 1) * timer->interval_ns;
	if (expires > now)
		left = expires - now;
	else if (expires && timer->notify != ABI_SIGEV_NONE)
		left = 1; /* expired, not noticed yet: 0 would say "off" */
	out->it_interval = ns_timespec(timer->interval_ns);
	out->it_value = ns_timespec(left);
}

int posix_timer_get(struct task *task, int32_t id, struct abi_itimerspec *out)
{
	struct posix_timer *timer = find(task->process, id);

	if (!timer)
		return -EINVAL;
	clock_refresh();
	timer_read(timer, out);
	return 0;
}

int posix_timer_set(struct task *task, int32_t id, int flags, const struct abi_itimerspec *new,
		    struct abi_itimerspec *old)
{
	struct posix_timer *timer = find(task->process, id);
	uint64_t value, interval;

	if (!timer || timespec_ns(&new->it_value, &value) || timespec_ns(&new->it_interval, &interval))
		return -EINVAL;
	clock_refresh();
	if (old)
		timer_read(timer, old);
	timer_disarm(&timer->timer);
	timer->queued = false; /* a signal that still waits belongs to the old setting: its taking changes nothing */
	timer->overrun = timer->overrun_last = 0;
	timer->interval_ns = value ? interval : 0;
	timer->expires_ns = 0;
	if (!value)
		return 0;
	bool absolute = flags & ABI_TIMER_ABSTIME;
	if (timer->cpu) {
		timer->expires_ns = absolute ? value : deadline_after(time_of(timer), value);
	} else {
		int error = clock_deadline(timer->clock, absolute, value, &timer->expires_ns);
		if (error)
			return error;
	}
	start(timer);
	return 0;
}

long posix_timer_overrun(struct task *task, int32_t id)
{
	struct posix_timer *timer = find(task->process, id);

	return timer ? (long)MIN(timer->overrun_last, (int64_t)OVERRUN_MOST) : -EINVAL;
}

static void delete (struct posix_timer *timer)
{
	timer_disarm(&timer->timer);
	list_remove(&timer->node);
	timer->timers->posix_count--;
	slab_free(&posix_timer_slab, timer);
}

int posix_timer_delete(struct task *task, int32_t id)
{
	struct posix_timer *timer = find(task->process, id);

	if (!timer)
		return -EINVAL;
	delete (timer);
	return 0;
}

void posix_timers_delete(struct process_timers *timers)
{
	while (!list_empty(&timers->posix))
		delete (list_first(&timers->posix, struct posix_timer, node));
}

void posix_timers_init(void)
{
	timer_kind_register(TIMER_POSIX, timer_fired);
}
