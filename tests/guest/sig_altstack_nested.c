/* SA_ONSTACK in layers: handlers on the alternate stack, faults inside of them, SS_AUTODISARM, stacks per thread. */
#include "guest.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define SIZE 65536

static char *stack;
static sigjmp_buf back;
static volatile int endless = 1000000;

static bool on(const char *area)
{
	char here;
	return (uintptr_t)&here >= (uintptr_t)area && (uintptr_t)&here < (uintptr_t)area + SIZE;
}

static void state(const char *who)
{
	stack_t now;
	MUST(sigaltstack(NULL, &now));
	say("%s: %s, flags %x\n", who, on(stack) ? "on the other stack" : "on the usual stack", now.ss_flags);
}

static void inner(int sig)
{
	state("inner");
}

static void outer(int sig)
{
	state("outer");
	stack_t disable = {.ss_flags = SS_DISABLE};
	SHOW(sigaltstack(&disable, NULL));
	raise(SIGUSR2);
	state("outer again");
}

static void faults(int sig)
{
	state("fault");
	siglongjmp(back, 1);
}

static void in_handler_fault(int sig)
{
	state("before the fault");
	*(volatile int *)8 = 1;
}

static void use(unsigned flags)
{
	stack_t mine = {.ss_sp = stack, .ss_size = SIZE, .ss_flags = flags};
	SHOW(sigaltstack(&mine, NULL));
}

static void *thread(void *arg)
{
	stack_t now;
	MUST(sigaltstack(NULL, &now));
	SHOW(now.ss_flags == SS_DISABLE);
	raise(SIGUSR2);
	return NULL;
}

__attribute__((noinline)) static int deep(int n)
{
	volatile char room[10000];
	room[0] = n;
	return n < endless ? deep(n + 1) + room[0] : 0;
}

static void overflow(void)
{
	use(0);
	handle(SIGSEGV, faults, SA_ONSTACK);
	if (!sigsetjmp(back, 1))
		deep(0);
	state("after the overflow");
	handle(SIGSEGV, faults, 0);
	deep(0);
}

int main(void)
{
	stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	handle(SIGUSR1, outer, SA_ONSTACK);
	handle(SIGUSR2, inner, SA_ONSTACK);
	section("none");
	raise(SIGUSR2);
	section("nested");
	use(0);
	raise(SIGUSR1);
	section("armed only once");
	use(SS_AUTODISARM);
	handle(SIGUSR1, outer, SA_ONSTACK);
	state("main");
	raise(SIGUSR2);
	state("main");
	section("a fault in a handler, left by longjmp");
	use(0);
	handle(SIGSEGV, faults, SA_ONSTACK | SA_NODEFER);
	handle(SIGHUP, in_handler_fault, SA_ONSTACK);
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(back, 1))
			raise(SIGHUP);
	state("main");
	section("a thread has none of its own");
	pthread_t other;
	MUST(pthread_create(&other, NULL, thread, NULL));
	pthread_join(other, NULL);
	section("a child has its parent's, a thread's overflow");
	in_child("child", overflow);
	section("errors");
	stack_t bad = {.ss_sp = stack, .ss_size = 100};
	SHOW(sigaltstack(&bad, NULL));
	bad.ss_size = SIZE;
	bad.ss_flags = 7;
	SHOW(sigaltstack(&bad, NULL));
	SHOW(sigaltstack((void *)8, NULL));
	return 0;
}
