/* signal.h - signals: queues, dispositions, delivery (signal(7), sigaction(2), sigreturn(2)). */
#ifndef SENTRY_SIGNAL_H
#define SENTRY_SIGNAL_H

#include "fs/uio.h"
#include "sentry/abi/signal.h"
#include "sentry/base/list.h"
#include "sentry/base/ref.h"
#include "sentry/base/wait.h"

#define SIGNAL_COUNT 64
#define SIGNAL_BIT(sig) (1ull << ((sig)-1))

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

/* Sends to one thread, or to the process as a whole. info NULL: SI_KERNEL. Never parks. 0, or -EAGAIN when a queued signal
 * finds SIGQUEUE_LIMIT used up. sig 0 is the caller's business. */
int signal_send_task(struct task *task, int sig, const struct abi_siginfo *info);
int signal_send_process(struct process *process, int sig, const struct abi_siginfo *info);
/* A fault of the thread's own: cannot be ignored or blocked. */
void signal_force(struct task *task, int sig, const struct abi_siginfo *info);

/* Is there anything for the task to do before it goes back to guest code? */
bool signal_is_pending(const struct task *task);
/* Re-evaluates after blocked changed. */
void signal_mask_set(struct task *task, uint64_t blocked);
/* Takes one out of the queues that is in set (sigtimedwait, signalfd). 0: none. */
int signal_dequeue(struct task *task, uint64_t set, struct abi_siginfo *out);

/* PARKS. On the way back to the guest: handles restart of an interrupted call (result is the call's result, or 0 with
 * from_call false), delivers what is pending, stops, dies. Leaves the thread's context ready to run. */
void signal_deliver(struct task *task, bool from_call, long result);
/* rt_sigreturn(2). PARKS. */
void signal_return(struct task *task);

#endif
