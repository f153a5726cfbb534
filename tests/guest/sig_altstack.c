/* sigaltstack: handlers run there when they ask for it, also when the ordinary stack is used up. */
#include "guest.h"
#include <setjmp.h>
#include <sys/resource.h>

static char alternate[65536];
static volatile bool on_it;
static volatile int flags_inside, change_inside;
static sigjmp_buf back;

static void look(int sig)
{
	char here;
	stack_t now;
	on_it = &here >= alternate && &here < alternate + sizeof alternate;
	sigaltstack(NULL, &now);
	flags_inside = now.ss_flags;
	change_inside = sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL) ? errno : 0;
}

static void overflow(int sig, siginfo_t *info, void *context)
{
	char here;
	on_it = &here >= alternate && &here < alternate + sizeof alternate;
	siglongjmp(back, 1);
}

static volatile long levels = 1l << 40; /* more than any stack has room for */

static __attribute__((noinline)) long endless(long depth)
{
	volatile char frame[1024];
	frame[0] = depth;
	return (depth < levels ? endless(depth + 1) : 0) + frame[0];
}

static void show_flags(const char *what, int flags)
{
	say("%s:%s%s%s\n", what, flags & SS_ONSTACK ? " SS_ONSTACK" : "", flags & SS_DISABLE ? " SS_DISABLE" : "",
	    flags & (1u << 31) ? " SS_AUTODISARM" : "");
}

static void child(void)
{
	stack_t now;
	MUST(sigaltstack(NULL, &now));
	CHECK(now.ss_sp == alternate);
}

int main(void)
{
	stack_t now, stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
	SHOW(sigaltstack(NULL, &now));
	show_flags("at first", now.ss_flags);
	SHOW(sigaltstack(&stack, NULL));
	SHOW(sigaltstack(NULL, &now));
	CHECK(now.ss_sp == alternate && now.ss_size == sizeof alternate);
	show_flags("set", now.ss_flags);
	handle(SIGUSR1, look, SA_ONSTACK);
	handle(SIGUSR2, look, 0);
	raise(SIGUSR1);
	SHOW(on_it);
	show_flags("inside", flags_inside);
	SHOW(change_inside == EPERM);
	raise(SIGUSR2);
	SHOW(on_it);
	SHOW(change_inside);
	in_child("child", child);

	section("SS_AUTODISARM");
	stack.ss_flags = 1u << 31;
	SHOW(sigaltstack(&stack, NULL));
	raise(SIGUSR1);
	SHOW(on_it);
	show_flags("inside", flags_inside);
	SHOW(change_inside);
	sigaltstack(NULL, &now);
	show_flags("after", now.ss_flags);

	section("refused");
	SHOW(sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = 100}, NULL));
	SHOW(sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = 65536, .ss_flags = 77}, NULL));
	SHOW(syscall(SYS_sigaltstack, 8, NULL));
	SHOW(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
	sigaltstack(NULL, &now);
	show_flags("disabled", now.ss_flags);

	section("the stack runs out");
	setrlimit(RLIMIT_STACK, &(struct rlimit){1 << 20, RLIM_INFINITY});
	stack.ss_flags = 0;
	MUST(sigaltstack(&stack, NULL));
	handle_info(SIGSEGV, overflow, SA_ONSTACK);
	for (int i = 0; i < 3; i++) {
		on_it = false;
		if (!sigsetjmp(back, 1))
			endless(0);
		SHOW(on_it);
	}
	return 0;
}
