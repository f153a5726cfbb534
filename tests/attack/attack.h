/* attack.h - what the attacking guest programs share: jumping anywhere with any registers and coming back.
 *
 * The attacker knows the platform's layout (platform/systrap/abi.h): secrecy of addresses is not a wall. Calls that it
 * tries carry MARK as their sixth argument, so that an observer of the host's own system calls can tell them.
 */
#ifndef TESTS_ATTACK_ATTACK_H
#define TESTS_ATTACK_ATTACK_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/systrap/abi.h"

#define MARK       0x5afe5afe5afeul
#define FAKE_STACK 0x20000000ul /* every word of it is the address of a way out */
#define FAKE_BYTES 0x400000ul
#define STUCK_MS   400 /* a child without progress is killed and its successor goes on behind it */

static sigjmp_buf attack_out;
static volatile sig_atomic_t attack_armed;

static void attack_leave(int sig)
{
	if (!attack_armed)
		_exit(100 + sig);
	attack_armed = 0;
	siglongjmp(attack_out, sig);
}

void attack_landed_global(void);
void attack_landed_global(void)
{
	attack_armed = 0;
	siglongjmp(attack_out, 1);
}

/* Where a `ret` off the fake stack ends. */
void attack_pad(void);
__asm__("attack_pad: and $-16, %rsp\n\tcall attack_landed_global\n\tud2");

/* Handlers on a stack of their own, and the fake stack. */
static void __attribute__((unused)) attack_setup(void)
{
	static char stack[64 * 1024];
	static const int signals[] = {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGTRAP, SIGSYS, SIGALRM};
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction sa = {.sa_handler = attack_leave, .sa_flags = SA_ONSTACK | SA_NODEFER};
	uint64_t *fake = mmap((void *)FAKE_STACK, FAKE_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (fake != (void *)FAKE_STACK)
		exit(99);
	for (size_t i = 0; i < FAKE_BYTES / 8; i++)
		fake[i] = (uint64_t)attack_pad;
	sigaltstack(&ss, NULL);
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &sa, NULL);
}

/* Jumps to target with rax = nr, all six arguments 0 but the last, the other registers pointing nowhere, and the stack
 * pointer in the middle of the fake stack. Does not return. */
void attack_go(uint64_t target, uint64_t nr, const uint64_t arg[6], uint64_t others) __attribute__((noreturn));
__asm__("attack_go:\n\t"
	"mov %rdi, %r11\n\tmov %rsi, %rax\n\tmov %rcx, %rbx\n\tmov %rcx, %rbp\n\tmov %rcx, %r12\n\tmov %rcx, %r13\n\t"
	"mov %rcx, %r14\n\tmov %rcx, %r15\n\tmov (%rdx), %rdi\n\tmov 8(%rdx), %rsi\n\tmov 24(%rdx), %r10\n\t"
	"mov 32(%rdx), %r8\n\tmov 40(%rdx), %r9\n\tmov 16(%rdx), %rdx\n\tmov $0x20200000, %esp\n\tjmp *%r11");

#define ATTACK_NOWHERE 0x8888888888888888ul /* not canonical: using it faults */

/* The signal that ended the jump, 1: it came back by itself. */
static int __attribute__((unused)) attack_jump(uint64_t target, uint64_t nr, const uint64_t arg[6], uint64_t others)
{
	struct itimerval soon = {{0, 30000}, {0, 30000}};
	int how;

	setitimer(ITIMER_REAL, &soon, NULL);
	attack_armed = 1;
	how = sigsetjmp(attack_out, 1);
	if (how == 0)
		attack_go(target, nr, arg, others);
	attack_armed = 0;
	soon = (struct itimerval){{0, 0}, {0, 0}};
	setitimer(ITIMER_REAL, &soon, NULL);
	return how;
}

/* These programs try everything on the kernel they find: outside of a sandbox that would be this machine's. */
static void __attribute__((unused)) attack_require_sandbox(void)
{
	struct sigaction sa = {.sa_handler = attack_leave, .sa_flags = SA_NODEFER};
	volatile unsigned char first = 0;

	sigaction(SIGSEGV, &sa, NULL);
	attack_armed = 1;
	if (sigsetjmp(attack_out, 1) == 0)
		first = *(volatile unsigned char *)GATE_CODE;
	attack_armed = 0;
	if (first != 0x0f && !getenv("ATTACK_NO_GATE")) {
		puts("not in a sandbox: nothing tried");
		exit(77);
	}
}

/* Progress that a supervisor sees. */
struct progress {
	volatile uint64_t at, came_back, signalled, died;
};

static uint64_t attack_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ul + t.tv_nsec / 1000000;
}

/* Runs try(i) for i in [start, count) in children that may die or hang. try runs in the child, whose state may be
 * ruined by earlier tries: each child does at most batch of them. */
static void __attribute__((unused))
attack_each(struct progress *p, uint64_t start, uint64_t count, uint64_t batch, void (*try)(uint64_t))
{
	p->at = start;
	while (p->at < count) {
		uint64_t first = p->at, seen = first, seen_ms = attack_now_ms();
		pid_t pid = fork();
		int status;

		if (pid < 0)
			exit(98);
		if (pid == 0) {
			attack_setup();
			for (uint64_t i = first; i < count && i < first + batch; i++) {
				try(i);
				p->at = i + 1;
			}
			_exit(0);
		}
		while (waitpid(pid, &status, WNOHANG) == 0) {
			if (p->at != seen) {
				seen = p->at;
				seen_ms = attack_now_ms();
			}
			if (attack_now_ms() - seen_ms > STUCK_MS)
				kill(pid, SIGKILL);
			usleep(2000);
		}
		/* An exit(0) among the tries looks like a good end: what counts is how far the child came. */
		if (p->at < count && p->at < first + batch) {
			p->died++;
			p->at = p->at + 1;
		}
		/* What the tries have cloned: agents' loops run by guest threads among them, which would never end.
		 * This is everybody but us and pid 1, which is the sentry's own. */
		do
			kill(-1, SIGKILL);
		while (waitpid(-1, NULL, 0) > 0);
	}
}

static struct progress __attribute__((unused)) * attack_progress(void)
{
	struct progress *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(97);
	return p;
}

#endif
