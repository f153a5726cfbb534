/* run.c - the life of a task on its fiber: let the guest run until it wants something, answer, see to signals, again.
 *
 *     uthread_wait -> STOP_SYSCALL -> the table's dispatcher -> answer | signal_deliver (restart, handlers, stop,
 * death)
 *                  -> STOP_FAULT   -> mm_fault: run again | signal_force
 *                  -> STOP_KICK    -> signal_deliver
 *                  -> STOP_DEAD    -> the process ends
 *
 * Before each return to guest code nothing is pending: signal_deliver has said so, and nobody else has run since.
 *
 * Limits: FAULT_RETRIES times in a row may a fault that the books call right come again at an address, then it is the
 * guest's.
 */
#include "sentry/governor.h"
#include "sentry/task.h"
#include <errno.h>
#include <signal.h>

#define FAULT_RETRIES   64
#define TRAP_PAGE_FAULT 14
#define FAULT_WRITE     2u /* bits of a page fault's error code */
#define FAULT_FETCH     16u

/* The last fault that the books called right, and how often in a row. */
struct retries {
	uint64_t addr;
	unsigned count;
};

static long (*dispatch_call)(struct task *task);
static unsigned inside;

unsigned run_inside(void)
{
	return inside;
}

void run_set_dispatch(long (*dispatch)(struct task *task))
{
	dispatch_call = dispatch;
}

static void (*leave_calls)(struct task *task);

void run_set_leave(void (*leave)(struct task *task))
{
	leave_calls = leave;
}

void run_leave(struct task *task)
{
	if (leave_calls)
		leave_calls(task);
}

static const struct run_observer *observer;

void run_set_observer(const struct run_observer *whom)
{
	observer = whom;
}

void run_tell_signal(const struct task *task, const struct abi_siginfo *info)
{
	if (unlikely(observer))
		observer->signal(task, info);
}

void run_tell_exit(const struct task *task, int wait_status)
{
	if (unlikely(observer))
		observer->exited(task, wait_status);
}

void run_tell_exec(const struct task *task, const char *path, char *const argv[])
{
	if (unlikely(observer))
		observer->exec(task, path, argv);
}

static bool is_restart(long result)
{
	return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

static void run_syscall(struct task *task)
{
	if (fiber_interrupted())
		signal_recalc(task); /* what the flag stood for may have been taken by another thread */
	task->calls++;
	long result = dispatch_call ? dispatch_call(task) : -ENOSYS;
	if (task->killed)
		return;
	bool from_call = !task->context_set;
	task->context_set = false;
	if (signal_is_pending(task) || task->restore_mask || (from_call && is_restart(result)))
		signal_deliver(task, from_call, result);
	else if (from_call)
		uthread_answer(task->uthread, result);
}

/* A page fault: is it right by our books? Then the host's mapping is late or another thread's change is under way. */
static bool fault_is_ours(struct task *task, struct retries *retries, int *sig, int *code)
{
	const struct stop *stop = &task->stop;
	int result;

	if (stop->trapno != TRAP_PAGE_FAULT || (stop->sig != SIGSEGV && stop->sig != SIGBUS))
		return false;
	struct mm_access access = {
		.write = stop->error & FAULT_WRITE, .exec = stop->error & FAULT_FETCH, .bus = stop->sig == SIGBUS};
	result = mm_fault(task->mm, stop->addr.v, &access);
	if (!result) {
		retries->count = retries->addr == stop->addr.v ? retries->count + 1 : 0;
		retries->addr = stop->addr.v;
		return retries->count < FAULT_RETRIES;
	}
	*sig = result < 0 ? SIGBUS : SIGSEGV;
	*code = result < 0 ? -result : result;
	return false;
}

static void run_fault(struct task *task, struct retries *retries)
{
	const struct stop *stop = &task->stop;
	int sig = stop->sig, code = stop->code;
	struct abi_siginfo info;

	if (fault_is_ours(task, retries, &sig, &code) || task->killed)
		return;
	*retries = (struct retries){0};
	if (sig <= 0 || sig > SIGNAL_COUNT)
		sig = SIGSEGV;
	task->fault.trapno = stop->trapno;
	task->fault.error = stop->error;
	if (stop->trapno == TRAP_PAGE_FAULT)
		task->fault.addr = stop->addr.v;
	siginfo_fault(&info, sig, code, stop->addr.v);
	signal_force(task, sig, &info);
}

static void run_stop(struct task *task, struct retries *retries)
{
	switch (task->stop.kind) {
	case STOP_SYSCALL:
		*retries = (struct retries){0};
		run_syscall(task);
		break;
	case STOP_FAULT:
		run_fault(task, retries);
		break;
	case STOP_KICK:
		break;
	case STOP_DEAD:
		/* Not by us: somebody on the host ended the stub. The whole guest process shares its fate. */
		if (!task->killed)
			process_exit(task->process, task->stop.host_signal ? task->stop.host_signal : SIGKILL);
		break;
	}
}

void task_run_main(void *argument)
{
	struct task *task = argument;
	struct retries retries = {0};

	fiber_owner_set(fiber_current(), task);
	task->state = TASK_RUNNING;
	for (;;) {
		while (signal_is_pending(task) && !task->killed)
			signal_deliver(task, false, 0);
		if (task->killed)
			break;
		if (unlikely(governor_alert) && governor_enter(task))
			continue;
		fiber_interrupt_clear(task->fiber);
		task->in_guest = true;
		inside++;
		uthread_wait(task->uthread, &task->stop);
		inside--;
		task->in_guest = false;
		run_stop(task, &retries);
	}
	task_exit_now(task);
}
