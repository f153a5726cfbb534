/* signal.h - signals: queues, dispositions, delivery (signal(7), sigaction(2), sigreturn(2)). */
#ifndef SENTRY_SIGNAL_H
#define SENTRY_SIGNAL_H

#include "fs/uio.h"
#include "sentry/abi/signal.h"
#include "sentry/base/list.h"
#include "sentry/base/ref.h"
#include "sentry/base/wait.h"

#define SIGNAL_COUNT    64
#define SIGNAL_BIT(sig) (1ull << ((sig)-1))
/* What nobody can block, catch or ignore. */
#define SIGNAL_UNSTOPPABLE (SIGNAL_BIT(9) | SIGNAL_BIT(19)) /* SIGKILL, SIGSTOP */

struct task;
struct process;

/* Pending signals: one bit each; real-time ones and those with information are queued too. */
struct sigpending {
	uint64_t set;
	struct list queue; /* struct sigqueue (sentry/signal.c) */
};

/* What sigaction(2) set; shared by the threads of a process (CLONE_SIGHAND). */
struct sighand {
	struct ref ref;
	struct abi_sigaction action[SIGNAL_COUNT]; /* [sig - 1] */
	struct waitq signalfd_wait;                /* signalfds and sigtimedwait of the process listen here */
};

must_check struct sighand *sighand_new(void);
must_check struct sighand *sighand_copy(const struct sighand *sighand);
void sighand_get(struct sighand *sighand);
void sighand_put(struct sighand *sighand);
void sighand_reset_for_exec(struct sighand *sighand);
void sigpending_init(struct sigpending *pending);
void sigpending_flush(struct sigpending *pending);

/* Sends to one thread, or to the process as a whole. info NULL: SI_KERNEL. Never parks. 0, or -EAGAIN when a queued
 * signal finds SIGQUEUE_LIMIT used up. sig 0 is the caller's business. */
int signal_send_task(struct task *task, int sig, const struct abi_siginfo *info);
int signal_send_process(struct process *process, int sig, const struct abi_siginfo *info);
/* For a POSIX timer of the process, to task or (NULL) to the process: 1 when it is queued, after which
 * posix_timer_taken (timer.h) tells of its taking; 0 when it was dropped; -EAGAIN. */
int signal_send_timer(struct process *process, struct task *task, int sig, const struct abi_siginfo *info,
		      int32_t timer);
/* A fault of the thread's own: cannot be ignored or blocked. */
void signal_force(struct task *task, int sig, const struct abi_siginfo *info);

/* To every process of a group. 0, or -ESRCH when it is empty. No permission checks. */
struct pgroup;
int signal_send_pgroup(struct pgroup *group, int sig, const struct abi_siginfo *info);
/* Fills in a siginfo as kill(2) or a fault sends it. */
void siginfo_user(struct abi_siginfo *out, int sig, int code, const struct task *sender);
void siginfo_fault(struct abi_siginfo *out, int sig, int code, uint64_t addr);

/* Is there anything for the task to do before it goes back to guest code? */
bool signal_is_pending(const struct task *task);
/* Makes the fiber's interrupt flag say the same. Called by the task itself after it has dealt with signals. */
void signal_recalc(struct task *task);
/* Changes the mask (SIGKILL and SIGSTOP are taken out) and re-evaluates, for other threads as well. */
void signal_mask_set(struct task *task, uint64_t blocked);
/* ppoll, pselect, epoll_pwait, sigsuspend: another mask for the length of a call. The end of the call is automatic: on
 * the way back to the guest the old mask is put back, after the handler's frame (which saves the old one) has been
 * made. */
void signal_mask_push(struct task *task, uint64_t blocked);
/* What is pending for the task, its own and the process's. */
uint64_t signal_pending_set(const struct task *task);
/* sigaction(2): also drops what is pending and now ignored. */
void signal_action_set(struct task *task, int sig, const struct abi_sigaction *action);
/* The process or thread is about to go, or has blocked more: others may take what is pending for the process. */
void signal_retarget(struct task *task, uint64_t which);
/* A thread that was to stop (group_stop) will not, as it leaves. */
void signal_stop_leave(struct task *task);
/* Takes one out of the queues that is in set (sigtimedwait, signalfd). 0: none. */
int signal_dequeue(struct task *task, uint64_t set, struct abi_siginfo *out);

/* PARKS. sigtimedwait(2): the signal's number, -EAGAIN at the deadline, -EINTR. */
must_check long signal_wait(struct task *task, uint64_t set, uint64_t deadline_ns, struct abi_siginfo *out);

/* PARKS. On the way back to the guest: handles restart of an interrupted call (result is the call's result, or 0 with
 * from_call false), delivers what is pending, stops, dies. Leaves the thread's context ready to run. */
void signal_deliver(struct task *task, bool from_call, long result);
/* rt_sigreturn(2). PARKS. */
void signal_return(struct task *task);

/* signal_frame.c, for signal.c: makes a frame on the guest's stack and lets the thread's context point to the handler.
 * regs: of the interrupted code, changed. False when the frame cannot be written. PARKS. */
must_check bool signal_frame_push(struct task *task, struct uregs *regs, const struct abi_siginfo *info,
				  const struct abi_sigaction *action, uint64_t saved_mask);

/* sigaltstack(2). rsp: of the guest now. -EPERM, -ENOMEM, -EINVAL. new may be NULL. */
must_check int signal_altstack(struct task *task, uint64_t rsp, const struct abi_stack *new, struct abi_stack *old);

#endif
