/* tracer.c - the tracer's process: what happens at each stop of those whom it traces.
 *
 * Theory. A tracee stops before each system call that it makes. The tracer runs the programs that the tracee has loaded
 * (tracee.c) on the call's number, arguments and instruction pointer, as the kernel would have done, and lets the call
 * run, or cancels it. Arguments are registers, and the tracee stands still: nothing can change between look and use.
 *
 * Two ways to resume, and what they mean for the *next* call (struct tracee, runs_calls):
 *
 *     PTRACE_SYSEMU    it stops there and will not run, whatever is done at the stop; no stop when a call returns
 *     PTRACE_SYSCALL   it stops there and will run, unless its number is made -1
 *
 * A call that runs costs one stop when its tracee was resumed for running calls; otherwise the tracee is set back to
 * the instruction, resumed for running calls, and stops at it again, to be judged anew. A call that may run is
 * resumed with SYSEMU, which takes away the stop at its end; so that, too, is a single stop. We guess what comes:
 * after a signal has been delivered the gate's handler makes calls that may run (futex, rt_sigreturn); otherwise a call
 * of the guest's own is as likely. A wrong guess costs a stop, never more: every stop is judged by what it is.
 *
 *     verdict   at the call's stop
 *     ALLOW     runs
 *     ERRNO     cancelled, the error in rax
 *     TRAP      cancelled, rax as before; SIGSYS is sent, and gets the siginfo of seccomp's when it is about to be
 *               delivered. Who has blocked SIGSYS is killed, as the kernel does.
 *     KILL      becomes exit_group(SIGSYS). No other way ends a process with a status that its parent can tell from a
 * kill: a signal that is handled cannot be made deadly, and pid 1 of a namespace cannot be killed from inside.
 *
 * seccomp(2) itself never reaches the host. New tasks are attached by the kernel at their birth, before their first
 * instruction; the maker's event and the child's first stop come in either order, and the child waits for both. Every
 * signal on its way to a tracee is passed on as it is.
 *
 * PR_SET_DUMPABLE 0 would hide a tracee's memory from us too, and its program with it: the wish is kept, and the call
 * that loads the program is run as that prctl.
 *
 * The tracer holds no descriptor and no capability, and is dumpable for nobody. Where the host has seccomp its own
 * program leaves it the four calls of its loop; where not, it is the one process of a sandbox without a filter. It
 * reads of its tracees registers, and the programs they load: those come from pages that guests cannot write, since the
 * programs loaded before say so.
 *
 * Limits: the vsyscall page's three calls (time, gettimeofday, getcpu) are served by the host's page fault handler,
 * where no tracer can see them: they write the clock or the CPU's number to where the caller says, in its own memory.
 */
#include "platform/ptrace/tracer.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/confine.h"
#include "platform/host.h"
#include "platform/ptrace/tracee.h"
#include "platform/rawcall.h"
#include "platform/systrap/filter.h"

#define OPTIONS                                                                                                        \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL)
#define CALL_STOP        (SIGTRAP | 0x80)
#define INSN_BYTES       2 /* of syscall and int 0x80 */
#define EXIT_GROUP_32    252
#define SYS_SECCOMP_CODE 1 /* si_code of seccomp's SIGSYS */

/* The wire's one message, and its answer. */
struct request {
	int32_t pid;
	int32_t result;
};

/* A tracee may be killed at any moment: then these fail with -ESRCH, and the next wait tells. */
static long trace(int request, const struct tracee *tracee, uint64_t address, void *data)
{
	return CALL4(ptrace, request, tracee->pid, address, data);
}

static void resume(struct tracee *tracee, bool run_calls, int signal)
{
	tracee->runs_calls = run_calls;
	trace(run_calls ? PTRACE_SYSCALL : PTRACE_SYSEMU, tracee, 0, (void *)(long)signal);
}

/* ------------------------------------------------------------------------------------------------ verdicts */

/* Back to the instruction: the same call again, and this time it can run. */
static void call_again(struct tracee *tracee, struct user_regs_struct *regs)
{
	regs->rip -= INSN_BYTES;
	regs->rax = regs->orig_rax;
	regs->orig_rax = ~0ul; /* else the kernel might take rax for a result that asks for a restart */
	trace(PTRACE_SETREGS, tracee, 0, regs);
	resume(tracee, true, 0);
}

/* The call does not run; rax becomes this. */
static void call_cancel(struct tracee *tracee, struct user_regs_struct *regs, uint64_t rax, int signal)
{
	regs->rax = rax;
	regs->orig_rax = ~0ul;
	trace(PTRACE_SETREGS, tracee, 0, regs);
	resume(tracee, false, signal);
}

static void kill_by_filter(struct tracee *tracee, struct user_regs_struct *regs, uint32_t arch)
{
	if (!tracee->runs_calls) {
		call_again(tracee, regs);
		return;
	}
	regs->orig_rax = arch == AUDIT_ARCH_X86_64 ? SYS_exit_group : EXIT_GROUP_32;
	regs->rdi = regs->rbx = SIGSYS; /* rbx: of a 32-bit call */
	trace(PTRACE_SETREGS, tracee, 0, regs);
	resume(tracee, false, 0);
}

static void trap(struct tracee *tracee, struct user_regs_struct *regs, const struct seccomp_data *data)
{
	uint64_t blocked = 0;

	if (trace(PTRACE_GETSIGMASK, tracee, sizeof blocked, &blocked))
		return;
	if (blocked >> (SIGSYS - 1) & 1) {
		kill_by_filter(tracee, regs, data->arch);
		return;
	}
	tracee->trap = true;
	tracee->trap_nr = data->nr;
	tracee->trap_arch = data->arch;
	tracee->trap_ip = data->instruction_pointer;
	call_cancel(tracee, regs, regs->orig_rax, SIGSYS);
}

static bool read_memory(const struct tracee *tracee, uint64_t from, void *to, size_t n)
{
	struct iovec local = {to, n}, remote = {(void *)from, n};

	return host_process_vm_readv(tracee->pid, &local, 1, &remote, 1) == (ssize_t)n;
}

static int action_available(const struct tracee *tracee, uint64_t address)
{
	uint32_t action;

	if (!read_memory(tracee, address, &action, sizeof action))
		return -EFAULT;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRAP ||
			       action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD
		       ? 0
		       : -EOPNOTSUPP;
}

/* What seccomp(2) returns. */
static int seccomp_call(struct tracee *tracee, const struct seccomp_data *data)
{
	struct {
		uint16_t len, pad[3];
		uint64_t insns;
	} program;
	struct sock_filter *insns;
	uint32_t flags = (uint32_t)data->args[1];

	if ((uint32_t)data->args[0] == SECCOMP_GET_ACTION_AVAIL)
		return data->args[1] ? -EINVAL : action_available(tracee, data->args[2]);
	if ((uint32_t)data->args[0] != SECCOMP_SET_MODE_FILTER || data->args[1] != flags ||
	    flags & ~SECCOMP_FILTER_FLAG_TSYNC)
		return -EINVAL;
	if (!read_memory(tracee, data->args[2], &program, sizeof program))
		return -EFAULT;
	if (!program.len || program.len > FILTER_INSN_LIMIT || !program.insns)
		return -EINVAL;
	insns = program_draft(program.len);
	if (!insns)
		return -ENOMEM;
	if (!read_memory(tracee, program.insns, insns, program.len * sizeof *insns))
		return -EFAULT;
	return program_load(tracee, program.len, flags & SECCOMP_FILTER_FLAG_TSYNC);
}

/* At a stop where calls run: this one runs as prctl(PR_SET_DUMPABLE, 0), and is stopped at its end, where the
 * registers become again what they were. */
static void hide(struct tracee *tracee, const struct user_regs_struct *regs)
{
	struct user_regs_struct other = *regs;
	int status;

	tracee->hide = false;
	other.orig_rax = SYS_prctl;
	other.rdi = PR_SET_DUMPABLE;
	other.rsi = 0;
	trace(PTRACE_SETREGS, tracee, 0, &other);
	resume(tracee, true, 0);
	if (CALL4(wait4, tracee->pid, &status, __WALL, NULL) != tracee->pid || !WIFSTOPPED(status))
		_exit(1); /* it is the sentry: all is over */
}

/* At a stop where calls run, so that whoever looks at the host's calls from outside sees it as a call number -1. */
static void load_program(struct tracee *tracee, struct user_regs_struct *regs, const struct seccomp_data *data)
{
	int error = seccomp_call(tracee, data);

	if (tracee->hide && tracee->program)
		hide(tracee, regs);
	call_cancel(tracee, regs, (uint64_t)error, 0);
}

static bool wants_to_hide(const struct tracee *tracee, const struct seccomp_data *data)
{
	return !tracee->program && data->arch == AUDIT_ARCH_X86_64 && data->nr == SYS_prctl &&
	       data->args[0] == PR_SET_DUMPABLE && data->args[1] == 0;
}

static void at_call(struct tracee *tracee, const struct seccomp_data *data)
{
	struct user_regs_struct regs;
	bool loads = data->arch == AUDIT_ARCH_X86_64 && data->nr == SYS_seccomp;
	uint32_t verdict = tracee_verdict(tracee, data);
	uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;

	if (action == SECCOMP_RET_ALLOW && tracee->runs_calls && !loads && !wants_to_hide(tracee, data)) {
		resume(tracee, false, 0);
		return;
	}
	if (trace(PTRACE_GETREGS, tracee, 0, &regs))
		return;
	if (action == SECCOMP_RET_ALLOW && wants_to_hide(tracee, data)) {
		tracee->hide = true;
		call_cancel(tracee, &regs, 0, 0);
	} else if (action == SECCOMP_RET_ALLOW && !tracee->runs_calls) {
		call_again(tracee, &regs);
	} else if (action == SECCOMP_RET_ALLOW) {
		load_program(tracee, &regs, data);
	} else if (action == SECCOMP_RET_ERRNO) {
		call_cancel(tracee, &regs, -(uint64_t)(verdict & SECCOMP_RET_DATA), 0);
	} else if (action == SECCOMP_RET_TRAP) {
		trap(tracee, &regs, data);
	} else {
		kill_by_filter(tracee, &regs, data->arch);
	}
}

/* ------------------------------------------------------------------------------------------------ stops */

/* What stops elsewhere than before a call goes on as it would without us. */
static void call_stop(struct tracee *tracee)
{
	struct ptrace_syscall_info info = {0};
	struct seccomp_data data;

	if (trace(PTRACE_GET_SYSCALL_INFO, tracee, sizeof info, &info) < 0)
		return;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
		resume(tracee, true, 0);
		return;
	}
	data = (struct seccomp_data){
		.nr = (int)info.entry.nr, .arch = info.arch, .instruction_pointer = info.instruction_pointer};
	for (unsigned i = 0; i < COUNT(data.args); i++)
		data.args[i] = info.entry.args[i];
	at_call(tracee, &data);
}

static void signal_stop(struct tracee *tracee, int signal)
{
	siginfo_t info = {.si_signo = SIGSYS, .si_code = SYS_SECCOMP_CODE};

	if (signal == SIGSYS && tracee->trap) {
		tracee->trap = false;
		info.si_call_addr = (void *)tracee->trap_ip;
		info.si_syscall = tracee->trap_nr;
		info.si_arch = tracee->trap_arch;
		trace(PTRACE_SETSIGINFO, tracee, 0, &info);
	}
	resume(tracee, true, signal);
}

/* It has made another: a thread of its own process (CLONE) or a process (FORK, VFORK: by the signal at its end). */
static void maker_stop(struct tracee *tracee, int event)
{
	struct tracee *child;
	unsigned long pid = 0;

	if (trace(PTRACE_GETEVENTMSG, tracee, 0, &pid))
		return;
	child = tracee_find((pid_t)pid);
	resume(tracee, false, 0); /* it is inside clone: resumed so, it does not stop at its end */
	if (!child)
		child = tracee_add((pid_t)pid, TRACEE_ANNOUNCED);
	if (!child)
		_exit(1); /* more than the tables hold: nobody runs unjudged */
	if (child->state == TRACEE_GONE) {
		tracee_remove(child);
		return;
	}
	tracee_inherit(child, tracee);
	child->group = event == PTRACE_EVENT_CLONE ? tracee->group : child->pid;
	if (child->state == TRACEE_STOPPED) {
		child->state = TRACEE_LIVE;
		resume(child, true, 0);
	}
}

static bool is_group_stop(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* PTRACE_EVENT_STOP: the first stop of a new one; or somebody outside stops or continues a process. */
static void event_stop(struct tracee *tracee, int signal)
{
	if (tracee->state == TRACEE_STOPPED)
		return;
	tracee->state = TRACEE_LIVE;
	if (is_group_stop(signal))
		trace(PTRACE_LISTEN, tracee, 0, NULL);
	else
		resume(tracee, true, 0);
}

static void stopped(struct tracee *tracee, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK)
		maker_stop(tracee, event);
	else if (event)
		event_stop(tracee, signal);
	else if (signal == CALL_STOP)
		call_stop(tracee);
	else
		signal_stop(tracee, signal);
}

static void ended(pid_t pid)
{
	struct tracee *tracee = tracee_find(pid);

	if (tracee && tracee->state != TRACEE_STOPPED)
		tracee_remove(tracee);
	else if (tracee)
		tracee->state = TRACEE_GONE;
	else if (!tracee_add(pid, TRACEE_GONE))
		_exit(1);
}

static no_return void loop(void)
{
	for (;;) {
		int status = 0;
		pid_t pid = (pid_t)CALL4(wait4, -1, &status, __WALL, NULL);
		struct tracee *tracee;

		if (pid == -EINTR)
			continue;
		if (pid < 0)
			_exit(0); /* nobody is left */
		if (!WIFSTOPPED(status)) {
			ended(pid);
			continue;
		}
		tracee = tracee_find(pid);
		if (!tracee) {
			if (!tracee_add(pid, TRACEE_STOPPED))
				_exit(1);
			continue;
		}
		stopped(tracee, status);
	}
}

/* ------------------------------------------------------------------------------------------------ the process */

static int attach(pid_t pid)
{
	struct ptrace_syscall_info info;
	struct tracee *tracee;
	int status = 0, error = programs_start();

	if (error)
		return error;
	tracee = tracee_add(pid, TRACEE_LIVE);
	assert(tracee);
	error = (int)trace(PTRACE_SEIZE, tracee, 0, NULL);
	if (!error)
		error = (int)trace(PTRACE_INTERRUPT, tracee, 0, NULL);
	if (error)
		return error;
	if (CALL4(wait4, pid, &status, __WALL, NULL) != pid || !WIFSTOPPED(status))
		return -ECHILD;
	/* Only now, so that it outlives us where this kernel knows too little. */
	error = trace(PTRACE_GET_SYSCALL_INFO, tracee, sizeof info, &info) > 0 ? 0 : -ENOSYS;
	if (!error)
		error = (int)trace(PTRACE_SETOPTIONS, tracee, 0, (void *)OPTIONS);
	if (error)
		trace(PTRACE_DETACH, tracee, 0, NULL);
	else
		stopped(tracee, status);
	return error;
}

static void drop_rights(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || close_range(0, ~0u, 0))
		_exit(110);
}

/* The loop's calls and nothing else, if there is anybody to see to it. */
static void tracer_confine(void)
{
	static const uint32_t calls[] = {SYS_ptrace, SYS_wait4, SYS_process_vm_readv, SYS_exit_group};

	(void)!confine(calls, COUNT(calls));
}

static no_return void tracer_main(int wire)
{
	struct request request;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(111);
	setsid(); /* the terminal's signals are the sentry's business */
	if (read(wire, &request, sizeof request) != (ssize_t)sizeof request)
		_exit(0);
	request.result = attach(request.pid);
	if (write(wire, &request, sizeof request) != (ssize_t)sizeof request || request.result)
		_exit(0);
	drop_rights();
	tracer_confine();
	loop();
}

int tracer_start(struct tracer *out)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -EMFILE;
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		tracer_main(pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	*out = (struct tracer){.pid = pid, .wire = pair[0], .refused = 0};
	return 0;
}

void tracer_invite(const struct tracer *tracer)
{
	prctl(PR_SET_PTRACER, tracer->pid, 0, 0, 0); /* only Yama wants to know */
}

int tracer_attach(struct tracer *tracer, pid_t pid)
{
	struct request request = {pid, 0};
	bool answered = write(tracer->wire, &request, sizeof request) == (ssize_t)sizeof request &&
			read(tracer->wire, &request, sizeof request) == (ssize_t)sizeof request;

	close(tracer->wire);
	tracer->wire = -1;
	tracer->refused = answered ? request.result : -EIO;
	return tracer->refused;
}

int seccomp_usable(void)
{
	uint32_t action = SECCOMP_RET_TRAP;
	long result = CALL3(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);

	if (!result)
		result = CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
	return result == -EFAULT ? 0 : result < 0 ? (int)result : -EINVAL; /* EFAULT: it would have read the program */
}
