/* probe.c - does a platform work on this host? (platform_probe)
 *
 * Theory. Both platforms rest on the same thing: a program loaded by seccomp(2) that makes a call raise SIGSYS, with
 * the number told and the call not run. So both are tried by the same few lines in a child; for ptrace a tracer
 * attaches to the child first, and the seccomp(2) that is tried is the tracer's.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"
#include "platform/ptrace/tracer.h"
#include "platform/rawcall.h"

#define TRAPPED_NR   SYS_getppid
#define STATUS_WRONG 99 /* loaded, but it does not do what it must; below: the errno of what failed */

static volatile sig_atomic_t trapped_nr = -1;

static void note_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_code == 1 /* SYS_SECCOMP */)
		trapped_nr = info->si_syscall;
}

/* 0, STATUS_WRONG or an errno, as exit status. */
static int try_trap(void)
{
	static const struct sock_filter insn[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRAPPED_NR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(insn), (struct sock_filter *)insn};
	struct sigaction action = {.sa_sigaction = note_trap, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return STATUS_WRONG;
	long error = CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	if (error)
		return (int)MIN(-error, STATUS_WRONG - 1l);
	return syscall(TRAPPED_NR) == TRAPPED_NR && trapped_nr == TRAPPED_NR ? 0 : STATUS_WRONG;
}

static no_return void child_main(const struct tracer *tracer, int wire)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (tracer->pid) {
		tracer_invite(tracer);
		if (write(wire, &byte, 1) != 1 || read(wire, &byte, 1) != 1)
			_exit(STATUS_WRONG);
	}
	if (CALL3(capset, &header, none, 0)) /* with more rights than the tracer it could not be read */
		_exit(STATUS_WRONG);
	_exit(try_trap());
}

static int attach(struct tracer *tracer, pid_t child, int wire)
{
	char byte;

	if (read(wire, &byte, 1) != 1)
		return -EPIPE;
	int error = tracer_attach(tracer, child);
	return !error && write(wire, &byte, 1) != 1 ? -EPIPE : error;
}

/* 0, or -errno of what failed; -ENOTSUP: nothing failed, and nothing was trapped. */
static int try_child(struct tracer *tracer)
{
	int pair[2], status = 0, error = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -EMFILE;
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		child_main(tracer, pair[1]);
	}
	close(pair[1]);
	if (child > 0 && tracer->pid)
		error = attach(tracer, child, pair[0]);
	close(pair[0]); /* who still waits for the tracer ends */
	if (child < 0)
		return -EAGAIN;
	while (CALL4(wait4, child, &status, 0, NULL) == -EINTR)
		continue;
	if (error)
		return error;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == STATUS_WRONG)
		return -ENOTSUP;
	return -WEXITSTATUS(status);
}

int platform_probe(enum platform_kind kind, char reason[PLATFORM_REASON_BYTES])
{
	const char *what = kind == PLATFORM_PTRACE ? "ptrace" : "seccomp";
	struct tracer tracer = {0, -1, 0};
	int error = kind == PLATFORM_PTRACE ? tracer_start(&tracer) : 0;

	assert(kind != PLATFORM_AUTO);
	*reason = 0;
	if (!error)
		error = try_child(&tracer);
	if (tracer.pid) {
		if (tracer.wire >= 0)
			close(tracer.wire);
		kill(tracer.pid, SIGKILL);
		while (CALL4(wait4, tracer.pid, NULL, 0, NULL) == -EINTR)
			continue;
	}
	if (error == -ENOTSUP)
		snprintf(reason, PLATFORM_REASON_BYTES, "this host has %s, but calls are not caught by it", what);
	else if (error)
		snprintf(reason, PLATFORM_REASON_BYTES, "this host refuses %s: %s", what, strerror(-error));
	return error;
}
