/* signal.c - signals: dispositions, queues, the rules of sending, who is woken, what is done by default.
 *
 * A signal is a bit in a pending set, of a thread or of a process, and mostly also an entry in a queue with its
 * siginfo. Below 32 a second one of the same number merges with the first; from 32 on each is queued. Sending never
 * parks: it changes sets and kicks the thread that shall look (sentry/kick.c). The thread itself, on its way back to
 * guest code, takes signals out and acts (signal_deliver); frames are made in signal_frame.c.
 *
 * Job control, by process: group_stop says that all threads shall park in signal_deliver; the last to arrive tells the
 * parent. SIGCONT and SIGKILL end it at once, in the sender.
 *
 *     running --stop signal taken--> group_stop (stop_left > 0) --last thread parked--> stopped --SIGCONT--> running
 *
 * Limits: SIGQUEUE_LIMIT entries of a user (RLIMIT_SIGPENDING below that); signals below 32 are sent nevertheless, at
 * worst without their information. Pid 1 takes none; the first program has no immunity.
 */
#include "sentry/signal.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/core.h"
#include "sentry/task.h"
#include "sentry/timer.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define USER_BUCKETS    64
#define FIRST_REAL_TIME 32 /* the kernel's SIGRTMIN */
#define RESTART_CALL_NR 219
#define SYSCALL_BYTES   2 /* of the instruction, and of what replaces it at a patched site */

#define SET_STOP   (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define SET_IGNORE (SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGURG))
#define SET_CORE                                                                                                       \
	(SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGBUS) |   \
	 SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))
#define SET_SYNCHRONOUS                                                                                                \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) |    \
	 SIGNAL_BIT(SIGSYS))

/* How many entries a user has in all queues (RLIMIT_SIGPENDING counts by real user). */
struct sig_user {
	struct list node;
	uint32_t uid, count;
};

struct sigqueue {
	struct list node;
	struct abi_siginfo info;
	struct sig_user *user;
	int32_t timer; /* of which POSIX timer, by its number + 1; 0: none */
};

static struct slab sighand_slab = SLAB(sighand), sigqueue_slab = SLAB(sigqueue), sig_user_slab = SLAB(sig_user);
static struct list *users; /* USER_BUCKETS lists, in the arena */

/* ------------------------------------------------------------------------------------------------ dispositions */

struct sighand *sighand_new(void)
{
	struct sighand *sighand = slab_new(&sighand_slab);

	if (!sighand)
		return NULL;
	ref_init(&sighand->ref);
	waitq_init(&sighand->signalfd_wait);
	return sighand;
}

struct sighand *sighand_copy(const struct sighand *sighand)
{
	struct sighand *copy = sighand_new();

	if (copy)
		memcpy(copy->action, sighand->action, sizeof copy->action);
	return copy;
}

void sighand_get(struct sighand *sighand)
{
	ref_get(&sighand->ref);
}

void sighand_put(struct sighand *sighand)
{
	if (!ref_put(&sighand->ref))
		return;
	/* An epoll item may still listen here for a signalfd that outlives the process; it will hear nothing more. */
	while (!list_empty(&sighand->signalfd_wait.waiters))
		list_remove(sighand->signalfd_wait.waiters.next);
	slab_free(&sighand_slab, sighand);
}

void sighand_reset_for_exec(struct sighand *sighand)
{
	for (unsigned i = 0; i < SIGNAL_COUNT; i++) {
		uint64_t handler = sighand->action[i].handler == ABI_SIG_IGN ? ABI_SIG_IGN : ABI_SIG_DFL;
		sighand->action[i] = (struct abi_sigaction){.handler = handler};
	}
}

static bool default_ignores(int sig)
{
	return SIGNAL_BIT(sig) & SET_IGNORE;
}

static bool action_ignores(const struct task *task, int sig)
{
	uint64_t handler = task->sighand->action[sig - 1].handler;

	return handler == ABI_SIG_IGN || (handler == ABI_SIG_DFL && default_ignores(sig));
}

/* ------------------------------------------------------------------------------------------------ queues */

void sigpending_init(struct sigpending *pending)
{
	pending->set = 0;
	list_init(&pending->queue);
}

static struct sig_user *sig_user_find(uint32_t uid)
{
	struct sig_user *user;

	if (!users) {
		users = arena_alloc(USER_BUCKETS * sizeof *users);
		if (!users)
			return NULL;
		for (unsigned i = 0; i < USER_BUCKETS; i++)
			list_init(&users[i]);
	}
	list_for_each (user, &users[uid % USER_BUCKETS], node)
		if (user->uid == uid)
			return user;
	user = slab_new(&sig_user_slab);
	if (!user)
		return NULL;
	user->uid = uid;
	list_push_back(&users[uid % USER_BUCKETS], &user->node);
	return user;
}

static void sig_user_drop(struct sig_user *user)
{
	if (user->count)
		return;
	list_remove(&user->node);
	slab_free(&sig_user_slab, user);
}

/* NULL: the user has too many, or there is no memory. */
static struct sigqueue *sigqueue_new(const struct task *target, bool within_limit)
{
	uint64_t limit = MIN(process_limit(target->process, ABI_RLIMIT_SIGPENDING), (uint64_t)SIGQUEUE_LIMIT);
	struct sig_user *user = sig_user_find(target->cred->uid);

	if (!user)
		return NULL;
	struct sigqueue *entry = !within_limit || user->count < limit ? slab_new(&sigqueue_slab) : NULL;
	if (!entry) {
		sig_user_drop(user);
		return NULL;
	}
	user->count++;
	entry->user = user;
	list_init(&entry->node);
	return entry;
}

static void sigqueue_free(struct sigqueue *entry)
{
	list_remove(&entry->node);
	entry->user->count--;
	sig_user_drop(entry->user);
	slab_free(&sigqueue_slab, entry);
}

static void pending_drop(struct sigpending *pending, uint64_t set)
{
	struct sigqueue *entry, *after;

	if (!(pending->set & set))
		return;
	pending->set &= ~set;
	list_for_each_safe (entry, after, &pending->queue, node)
		if (SIGNAL_BIT(entry->info.si_signo) & set)
			sigqueue_free(entry);
}

void sigpending_flush(struct sigpending *pending)
{
	pending_drop(pending, ~0ull);
}

/* Takes sig, which is in the set. */
static void pending_take(struct task *task, struct sigpending *pending, int sig, struct abi_siginfo *out)
{
	struct sigqueue *entry, *found = NULL;
	bool more = false;

	list_for_each (entry, &pending->queue, node) {
		if (entry->info.si_signo != sig)
			continue;
		more = found;
		if (more)
			break;
		found = entry;
	}
	if (!more)
		pending->set &= ~SIGNAL_BIT(sig);
	if (!found) { /* sent when no entry was to be had */
		*out = (struct abi_siginfo){.si_signo = sig, .si_code = ABI_SI_USER};
		return;
	}
	*out = found->info;
	int32_t timer = found->timer;
	sigqueue_free(found);
	if (sig == SIGALRM && pending == &task->process->pending)
		itimer_taken(task->process);
	if (timer)
		posix_timer_taken(task->process, timer - 1, out);
}

static int first_of(uint64_t set)
{
	if (set & SET_SYNCHRONOUS)
		set &= SET_SYNCHRONOUS;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

int signal_dequeue(struct task *task, uint64_t set, struct abi_siginfo *out)
{
	int sig = first_of(task->pending.set & set);
	struct sigpending *pending = &task->pending;

	if (!sig) {
		pending = &task->process->pending;
		sig = first_of(pending->set & set);
	}
	if (sig)
		pending_take(task, pending, sig, out);
	return sig;
}

uint64_t signal_pending_set(const struct task *task)
{
	return task->pending.set | task->process->pending.set;
}

/* ------------------------------------------------------------------------------------------------ siginfo */

void siginfo_user(struct abi_siginfo *out, int sig, int code, const struct task *sender)
{
	*out = (struct abi_siginfo){.si_signo = sig, .si_code = code};
	out->kill.pid = sender->process->pid;
	out->kill.uid = sender->cred->uid;
}

void siginfo_fault(struct abi_siginfo *out, int sig, int code, uint64_t addr)
{
	*out = (struct abi_siginfo){.si_signo = sig, .si_code = code};
	out->fault.addr = addr;
}

/* ------------------------------------------------------------------------------------------------ job control */

/* SIGCHLD for a stop or a continuation; the exit's is in exit.c. */
static void tell_parent(struct process *process, int code, int status)
{
	struct process *parent = process->parent;

	if (!parent || !parent->leader)
		return;
	const struct abi_sigaction *action = &parent->leader->sighand->action[SIGCHLD - 1];
	if (action->handler != ABI_SIG_IGN && !(action->flags & ABI_SA_NOCLDSTOP)) {
		struct abi_siginfo info = {.si_signo = SIGCHLD, .si_code = code};
		info.child.pid = process->pid;
		info.child.uid = process->leader->cred->uid;
		info.child.status = status;
		info.child.utime = (int64_t)(process_cpu_ns(process) / (NS_PER_S / ABI_USER_HZ));
		signal_send_process(parent, SIGCHLD, &info);
	}
	waitq_wake(&parent->child_wait, 0);
}

static void stop_complete(struct process *process)
{
	process->stopped = true;
	process->stop_reported = false;
	process->continued = false;
	tell_parent(process, ABI_CLD_STOPPED, process->stop_signal);
}

static void stop_begin(struct process *process, int sig)
{
	struct task *task;

	if (process->group_stop || process->exiting)
		return;
	process->group_stop = true;
	process->stop_signal = sig;
	process->stop_left = 0;
	list_for_each (task, &process->threads, thread_node) {
		if (task->killed)
			continue;
		task->stop_counted = false;
		process->stop_left++;
		task_kick(task);
	}
}

static void stop_count(struct task *task)
{
	struct process *process = task->process;

	if (!process->group_stop || task->stop_counted)
		return;
	task->stop_counted = true;
	assert(process->stop_left > 0);
	if (!--process->stop_left)
		stop_complete(process);
}

void signal_stop_leave(struct task *task)
{
	stop_count(task);
}

static void stop_end(struct process *process, bool tell)
{
	if (!process->group_stop)
		return;
	process->group_stop = false;
	if (tell && process->stopped) {
		process->continued = true;
		process->stopped = false;
		tell_parent(process, ABI_CLD_CONTINUED, SIGCONT);
	}
	process->stopped = false;
	waitq_wake(&process->continue_wait, 0);
}

/* PARKS as long as the process is stopped. */
static void stop_park(struct task *task)
{
	struct process *process = task->process;
	struct waiter waiter;

	waiter_init(&waiter);
	waitq_add(&process->continue_wait, &waiter);
	stop_count(task);
	task->state = TASK_STOPPED;
	while (process->group_stop && !task->killed)
		fiber_park();
	task->state = TASK_RUNNING;
	waitq_remove(&waiter);
}

/* ------------------------------------------------------------------------------------------------ sending */

static bool wants(const struct task *task, int sig)
{
	return !task->killed && task->fiber && !(task->blocked & SIGNAL_BIT(sig));
}

/* Is it to be dropped at once? One that is blocked is not: its disposition may change before it is unblocked. */
static bool ignored_now(const struct task *target, int sig)
{
	if ((target->blocked | target->sigwait_mask) & SIGNAL_BIT(sig))
		return false;
	return action_ignores(target, sig);
}

/* Stop signals and SIGCONT take each other back, whatever becomes of them (kernel/signal.c, prepare_signal). */
static void drop_opposites(struct process *process, int sig)
{
	uint64_t drop = sig == SIGCONT ? SET_STOP : SIGNAL_BIT(sig) & SET_STOP ? SIGNAL_BIT(SIGCONT) : 0;
	struct task *task;

	if (!drop)
		return;
	pending_drop(&process->pending, drop);
	list_for_each (task, &process->threads, thread_node)
		pending_drop(&task->pending, drop);
	if (sig == SIGCONT)
		stop_end(process, true);
}

static void wake_one(struct task *target, bool group, int sig)
{
	struct process *process = target->process;
	struct task *task;

	waitq_wake(&target->sighand->signalfd_wait, 0);
	if (wants(target, sig)) {
		task_kick(target);
		return;
	}
	if (!group)
		return;
	list_for_each (task, &process->threads, thread_node) {
		if (!wants(task, sig))
			continue;
		task_kick(task);
		return;
	}
}

static void entry_fill(struct sigqueue *entry, int sig, const struct abi_siginfo *info, int32_t timer)
{
	if (info)
		entry->info = *info;
	else
		entry->info.si_code = ABI_SI_KERNEL;
	entry->info.si_signo = sig;
	entry->timer = timer;
}

static int send(struct task *target, bool group, int sig, const struct abi_siginfo *info, int32_t timer)
{
	struct process *process = target->process;
	struct sigpending *pending = group ? &process->pending : &target->pending;

	assert(sig > 0 && sig <= SIGNAL_COUNT);
	if (process->exiting || process->zombie || process->is_init || (!group && target->killed))
		return 0;
	if (sig == SIGKILL) {
		process_exit(process, SIGKILL);
		return 0;
	}
	drop_opposites(process, sig);
	if (ignored_now(target, sig))
		return 0;
	if (sig < FIRST_REAL_TIME && (pending->set & SIGNAL_BIT(sig)))
		return 0;
	bool always = sig < FIRST_REAL_TIME && (!info || info->si_code >= 0);
	struct sigqueue *entry = sigqueue_new(target, !always && !timer);
	if (!entry && sig >= FIRST_REAL_TIME && info && info->si_code != ABI_SI_USER)
		return -EAGAIN;
	if (entry) {
		entry_fill(entry, sig, info, timer);
		list_push_back(&pending->queue, &entry->node);
	}
	pending->set |= SIGNAL_BIT(sig);
	wake_one(target, group, sig);
	return timer ? 1 : 0;
}

int signal_send_task(struct task *task, int sig, const struct abi_siginfo *info)
{
	return send(task, false, sig, info, 0);
}

int signal_send_process(struct process *process, int sig, const struct abi_siginfo *info)
{
	return process->leader ? send(process->leader, true, sig, info, 0) : 0;
}

int signal_send_timer(struct process *process, struct task *task, int sig, const struct abi_siginfo *info,
		      int32_t timer)
{
	if (!task && !process->leader)
		return 0;
	return send(task ? task : process->leader, !task, sig, info, timer + 1);
}

int signal_send_pgroup(struct pgroup *group, int sig, const struct abi_siginfo *info)
{
	struct process *process, *after;
	int result = -ESRCH;

	pgroup_get(group);
	list_for_each_safe (process, after, &group->members, pgroup_node) {
		signal_send_process(process, sig, info);
		result = 0;
	}
	pgroup_put(group);
	return result;
}

void signal_force(struct task *task, int sig, const struct abi_siginfo *info)
{
	struct abi_sigaction *action = &task->sighand->action[sig - 1];

	if (action->handler == ABI_SIG_IGN || (task->blocked & SIGNAL_BIT(sig))) {
		action->handler = ABI_SIG_DFL;
		task->blocked &= ~SIGNAL_BIT(sig);
	}
	(void)send(task, false, sig, info, 0);
}

/* ------------------------------------------------------------------------------------------------ masks */

bool signal_is_pending(const struct task *task)
{
	return task->killed || task->process->group_stop || core_must_park(task) ||
	       (signal_pending_set(task) & ~task->blocked);
}

void signal_recalc(struct task *task)
{
	if (!task->fiber)
		return;
	if (signal_is_pending(task))
		fiber_interrupt(task->fiber);
	else
		fiber_interrupt_clear(task->fiber);
}

void signal_retarget(struct task *task, uint64_t which)
{
	struct process *process = task->process;
	struct task *other;

	which &= process->pending.set;
	if (!which)
		return;
	list_for_each (other, &process->threads, thread_node) {
		if (other == task || other->killed || !(which & ~other->blocked))
			continue;
		task_kick(other);
		which &= other->blocked;
		if (!which)
			return;
	}
}

void signal_mask_set(struct task *task, uint64_t blocked)
{
	uint64_t newly;

	blocked &= ~SIGNAL_UNSTOPPABLE;
	newly = blocked & ~task->blocked;
	task->blocked = blocked;
	signal_recalc(task);
	if (newly)
		signal_retarget(task, newly);
}

void signal_mask_push(struct task *task, uint64_t blocked)
{
	task->saved_mask = task->blocked;
	task->restore_mask = true;
	signal_mask_set(task, blocked);
}

void signal_action_set(struct task *task, int sig, const struct abi_sigaction *action)
{
	struct abi_sigaction *slot = &task->sighand->action[sig - 1];
	struct task *other;

	*slot = *action;
	slot->mask &= ~SIGNAL_UNSTOPPABLE;
	if (!action_ignores(task, sig))
		return;
	pending_drop(&task->process->pending, SIGNAL_BIT(sig));
	list_for_each (other, &task->process->threads, thread_node)
		pending_drop(&other->pending, SIGNAL_BIT(sig));
}

long signal_wait(struct task *task, uint64_t set, uint64_t deadline_ns, struct abi_siginfo *out)
{
	struct waiter waiter;
	int error = 0, sig;

	set &= ~SIGNAL_UNSTOPPABLE;
	sig = signal_dequeue(task, set, out);
	if (sig)
		return sig;
	if (deadline_ns <= clock_now_ns())
		return -EAGAIN;
	waiter_init(&waiter);
	task->sigwait_mask = task->blocked;
	signal_mask_set(task, task->blocked & ~set);
	for (;;) {
		sig = signal_dequeue(task, set, out);
		if (sig || error)
			break;
		signal_recalc(task);
		error = waiter_wait(&waiter, deadline_ns);
		if (error == -ERESTARTSYS && !signal_is_pending(task))
			error = 0; /* another thread has taken it */
	}
	uint64_t old = task->sigwait_mask;
	task->sigwait_mask = 0;
	signal_mask_set(task, old);
	return sig ? sig : error == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

/* ------------------------------------------------------------------------------------------------ delivery */

/* What an interrupted call does: the registers as if it had answered, or as if it were about to be made again. */
static void apply_result(const struct task *task, struct uregs *regs, long result, const struct abi_sigaction *handler)
{
	bool again = false;

	switch (-result) {
	case ERESTARTNOINTR:
		again = true;
		break;
	case ERESTARTSYS:
		again = !handler || (handler->flags & ABI_SA_RESTART);
		break;
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		again = !handler;
		break;
	default:
		regs->rax = (uint64_t)result;
		return;
	}
	if (!again) {
		regs->rax = (uint64_t)-EINTR;
		return;
	}
	regs->rip -= SYSCALL_BYTES;
	regs->rax = result == -ERESTART_RESTARTBLOCK ? RESTART_CALL_NR : task->stop.nr;
}

static bool is_restart(long result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}

/* What signal_deliver knows of the interrupted code. */
struct delivery {
	struct uregs regs;
	bool have_regs, from_call;
	long result;
};

/* PARKS where the end leaves a core dump. */
static void default_action(struct task *task, const struct delivery *delivery, int sig, const struct abi_siginfo *info)
{
	uint64_t bit = SIGNAL_BIT(sig);
	struct process *process = task->process;

	if (bit & SET_IGNORE)
		return;
	if (!(bit & SET_STOP)) {
		bool dumped = bit & SET_CORE && core_dump(task, info, delivery->from_call, delivery->result);
		process_exit(process, sig | (dumped ? CORE_FLAG : 0));
		return;
	}
	if (sig != SIGSTOP && pgroup_orphaned(process->pgroup, NULL))
		return;
	stop_begin(process, sig);
}

static void delivery_fetch(struct task *task, struct delivery *delivery, const struct abi_sigaction *handler)
{
	if (!delivery->have_regs)
		uthread_context_get(task->uthread, &delivery->regs);
	delivery->have_regs = true;
	if (delivery->from_call)
		apply_result(task, &delivery->regs, delivery->result, handler);
	delivery->from_call = false;
}

static void run_handler(struct task *task, struct delivery *delivery, int sig, const struct abi_siginfo *info)
{
	struct abi_sigaction *slot = &task->sighand->action[sig - 1], action = *slot;

	if (action.flags & ABI_SA_RESETHAND)
		slot->handler = ABI_SIG_DFL;
	delivery_fetch(task, delivery, &action);
	uint64_t saved = task->restore_mask ? task->saved_mask : task->blocked;
	if (!signal_frame_push(task, &delivery->regs, info, &action, saved)) {
		if (sig == SIGSEGV)
			task->sighand->action[SIGSEGV - 1].handler = ABI_SIG_DFL;
		signal_force(task, SIGSEGV, NULL);
		return;
	}
	task->restore_mask = false;
	uint64_t blocked = task->blocked | action.mask;
	if (!(action.flags & ABI_SA_NODEFER))
		blocked |= SIGNAL_BIT(sig);
	signal_mask_set(task, blocked);
}

/* Takes signals one after the other until none is left that may be delivered. */
static void deliver_all(struct task *task, struct delivery *delivery)
{
	struct abi_siginfo info;
	int sig;

	while (!task->killed) {
		if (core_must_park(task)) {
			core_park(task, delivery->from_call, delivery->result);
			continue;
		}
		if (task->process->group_stop) {
			stop_park(task);
			continue;
		}
		sig = signal_dequeue(task, ~task->blocked, &info);
		if (!sig)
			return;
		uint64_t handler = task->sighand->action[sig - 1].handler;
		if (handler == ABI_SIG_IGN)
			continue;
		run_tell_signal(task, &info);
		if (handler == ABI_SIG_DFL)
			default_action(task, delivery, sig, &info);
		else
			run_handler(task, delivery, sig, &info);
	}
}

void signal_deliver(struct task *task, bool from_call, long result)
{
	struct delivery delivery = {.from_call = from_call, .result = result};

	do {
		deliver_all(task, &delivery);
		if (task->killed)
			return;
		if (delivery.from_call && is_restart(result))
			delivery_fetch(task, &delivery, NULL);
		if (task->restore_mask) {
			task->restore_mask = false;
			signal_mask_set(task, task->saved_mask);
		}
	} while (signal_is_pending(task));
	if (delivery.have_regs)
		uthread_context_set(task->uthread, &delivery.regs);
	else if (delivery.from_call)
		uthread_answer(task->uthread, result);
	signal_recalc(task);
}
