/* A fault whose signal is blocked or ignored kills all the same. */
#include "guest.h"
#include <sys/resource.h>

static void none(int sig) {}

/* Not a plain NULL: the compiler takes away a write that it knows to be wrong. */
static volatile int *volatile nowhere;

static void fault(void)
{
	*nowhere = 1;
}

static void blocked(void)
{
	handle(SIGSEGV, none, 0);
	block(SIGSEGV);
	fault();
}

static void ignored(void)
{
	handle(SIGSEGV, SIG_IGN, 0);
	fault();
}

static void in_handler(int sig)
{
	fault();
}

static void nested(void)
{
	handle(SIGSEGV, in_handler, 0);
	fault();
}

static void sent_while_ignored(void)
{
	handle(SIGSEGV, SIG_IGN, 0);
	raise(SIGSEGV);
	say("a sent one is ignored\n");
}

static void sent_while_blocked(void)
{
	sigset_t pending;
	block(SIGSEGV);
	raise(SIGSEGV);
	sigpending(&pending);
	SHOW(sigismember(&pending, SIGSEGV));
}

static void no_stack_for_the_frame(void)
{
	handle(SIGUSR1, none, 0);
	__asm__ volatile("mov $8, %%rsp; syscall" ::"a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1));
}

int main(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	in_child("blocked", blocked);
	in_child("ignored", ignored);
	in_child("fault in the handler", nested);
	in_child("sent while ignored", sent_while_ignored);
	in_child("sent while blocked", sent_while_blocked);
	in_child("no stack for the frame", no_stack_for_the_frame);
	return 0;
}
