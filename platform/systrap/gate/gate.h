/* gate.h - what gate.S and gate.c have of each other. Never seen by the sentry, which knows addresses only
 * (gate_symbols.h).
 */
#ifndef PLATFORM_SYSTRAP_GATE_GATE_H
#define PLATFORM_SYSTRAP_GATE_GATE_H

#include <signal.h>
#include <ucontext.h>

#include "platform/systrap/abi.h"

/* gate.S: instructions that may fault on guest memory, and where their faults continue. */
extern char gate_copy_insn[], gate_cmpxchg_insn[], gate_probe_insn[], gate_copy_fault[];
/* gate.S: behind the deliberate trap; the restartable way out. */
extern char gate_retrapped[], gate_exit[], gate_exit_end[];

/* gate.S. The queued call as it stands: what the kernel says. */
long gate_signed(struct gate_op *op);
/* gate.S. 0 or -EFAULT. */
long gate_copy(void *to, const void *from, unsigned long n);
long gate_probe(void *byte);
/* gate.S. What was there, or -EFAULT. */
long gate_cmpxchg(uint32_t *word, uint32_t old, uint32_t desired);

/* gate.c: a call by a patched site; a kick found on the way out. Nonzero: take the deliberate trap. */
int gate_patched(struct gate_regs *r);
int gate_kicked(struct gate_regs *r);
/* gate.c: the handler of every signal; the first code of a thread. */
void gate_signal(int sig, siginfo_t *info, ucontext_t *uc);
void gate_thread(struct channel *ch);

#endif
