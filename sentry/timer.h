/* timer.h - everything that happens at a time: interval timers, POSIX timers, timerfd, CPU time limits (setitimer(2),
 * timer_create(2)). */
#ifndef SENTRY_TIMER_H
#define SENTRY_TIMER_H

#include "sentry/abi/signal.h"
#include "sentry/abi/time.h"
#include "sentry/base/tree.h"

struct process;
struct task;

/* What a deadline is for: indexes the table of what is called (no function pointer in the arena). */
enum timer_kind { TIMER_ITIMER_REAL, TIMER_POSIX, TIMER_FD, TIMER_CPU_CHECK, TIMER_URING, TIMER_KINDS };

/* Embedded in its owner. Armed ones are in one tree, by deadline. */
struct timer {
	RB_ENTRY(timer) node;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	enum timer_kind kind;
	bool armed;
};

/* Once at start. */
must_check int timer_init(void);
void timer_setup(struct timer *timer, enum timer_kind kind);
/* Arming an armed one moves it. When the time has come it is disarmed and its kind's function called, on the timer
 * fiber; that function must not park. */
void timer_arm(struct timer *timer, uint64_t deadline_ns);
void timer_disarm(struct timer *timer);
/* The functions are static in their files and registered once. */
void timer_kind_register(enum timer_kind kind, void (*fired)(struct timer *timer));

/* ------------------------------------------------------------------------------------------------ of a process */

/* Times to go and of repetition in nanoseconds, 0: off. */
struct itimer_value {
	uint64_t value_ns, interval_ns;
};
/* setitimer(2) and getitimer(2). which: ITIMER_*, checked by the caller. old may be NULL. -ENOMEM. */
must_check int itimer_set(struct process *process, int which, const struct itimer_value *new, struct itimer_value *old);
void itimer_get(struct process *process, int which, struct itimer_value *out);
/* A SIGALRM was taken from the process's queue: the next period begins. */
void itimer_taken(struct process *process);
/* RLIMIT_CPU was set. */
void cpu_limit_changed(struct process *process);

/* timer_create(2) and its fellows. */
/* default_value: the number itself becomes the value (timer_create without a sigevent). */
must_check int posix_timer_create(struct task *task, int clock, const struct abi_sigevent *event, bool default_value,
				  int32_t *id);
must_check int posix_timer_set(struct task *task, int32_t id, int flags, const struct abi_itimerspec *new,
			       struct abi_itimerspec *old);
must_check int posix_timer_get(struct task *task, int32_t id, struct abi_itimerspec *out);
must_check long posix_timer_overrun(struct task *task, int32_t id);
must_check int posix_timer_delete(struct task *task, int32_t id);
/* Its signal was taken out of a queue: completes info, begins the next period. */
void posix_timer_taken(struct process *process, int32_t id, struct abi_siginfo *info);

/* exec: POSIX timers go. exit of the last thread: all go. free: with the process. */
void timers_exec(struct process *process);
void timers_exit(struct process *process);
void timers_free(struct process *process);

#endif
