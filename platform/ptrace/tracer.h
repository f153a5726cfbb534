/* tracer.h - seccomp for hosts that have none: a process that traces others and decides on their system calls.
 *
 * A process that the tracer has attached to, and all that it makes from then on, have a seccomp(2) that works as the
 * kernel's: SECCOMP_SET_MODE_FILTER loads a program, clone inherits, all programs are run, the strictest verdict wins.
 * What is known of the verdicts is ALLOW, ERRNO, TRAP (SIGSYS with the kernel's siginfo) and KILL (either kind): the
 * process then exits with status SIGSYS. Everything above (factory.c, gate.S, jail.c) is written for seccomp(2) and
 * does not know which of the two it has.
 *
 *   tracer.c   the process: attaching, its loop, what happens at each stop
 *   tracee.c   its books: who is traced, and with which programs
 *   probe.c    does a platform work here?
 */
#ifndef PLATFORM_PTRACE_TRACER_H
#define PLATFORM_PTRACE_TRACER_H

#include "sentry/base/types.h"

struct tracer {
	pid_t pid;   /* 0: there is none */
	int wire;    /* -1 once it has been told to attach */
	int refused; /* what tracer_attach said, if not 0 */
};

/* Forks the tracer from a process with one thread. It traces nobody yet. 0 or -errno. */
must_check int tracer_start(struct tracer *out);

/* In the process that is to be traced, which must not be traced already. */
void tracer_invite(const struct tracer *tracer);

/* Attaches to a process with one thread (the caller itself, or one that has invited the tracer and waits), once. When
 * it returns 0 the process's next system call is the tracer's to judge. The death of the tracer is the death of all
 * whom it traces; it ends with the process that started it, and when nobody is left to trace. -errno: what ptrace(2)
 * says. */
must_check int tracer_attach(struct tracer *tracer, pid_t pid);

/* Whether the kernel has a seccomp(2) with programs that can trap, and lets us use it: 0 or -errno. Two host calls. */
must_check int seccomp_usable(void);

#endif
