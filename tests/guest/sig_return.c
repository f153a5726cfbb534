/* rt_sigreturn made by hand, and restart_syscall: what libc makes without being asked. */
#include "guest.h"
#include <poll.h>
#include <ucontext.h>

#define SA_RESTORER 0x04000000

struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

/* The number as text of the assembler. */
#define TEXT(x)   #x
#define NUMBER(x) TEXT(x)

void restore(void);
__asm__(".text\n.globl restore\nrestore:\n"
	"	incl	restored(%rip)\n" /* it was this one, not libc's */
	"	movl	$" NUMBER(SYS_rt_sigreturn) ", %eax\n"
						    "	syscall\n");
int restored;
static unsigned long seen_mask;

static void handler(int number, siginfo_t *info, void *context)
{
	ucontext_t *frame = context;
	(void)info;
	memcpy(&seen_mask, &frame->uc_sigmask, sizeof seen_mask);
	frame->uc_mcontext.gregs[REG_R12] = number;                    /* registers are what the frame says, */
	*(unsigned long *)&frame->uc_sigmask |= 1ul << (SIGWINCH - 1); /* and so is the mask */
}

static void by_hand(void)
{
	section("rt_sigreturn");
	struct kernel_action action = {handler, SA_SIGINFO | SA_RESTORER, restore, 1ul << (SIGUSR2 - 1)};
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
	register unsigned long r12 __asm__("r12") = 1;
	long result, pid = getpid();
	__asm__ volatile("syscall"
			 : "=a"(result), "+r"(r12)
			 : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	say("kill %ld, r12 %lu, restored %d, mask before %lx\n", result, r12, restored, seen_mask);
	sigset_t now;
	MUST(sigprocmask(SIG_SETMASK, NULL, &now));
	say("blocked: SIGWINCH %d SIGUSR2 %d\n", sigismember(&now, SIGWINCH), sigismember(&now, SIGUSR2));
}

static void without_a_frame(void)
{
	section("rt_sigreturn without a frame");
	pid_t child = fork_child();
	if (!child) {
		__asm__ volatile("movq $64, %%rsp\n syscall\n" ::"a"(SYS_rt_sigreturn));
		_exit(1);
	}
	reap("stack at 64", child);
}

static void restarts(void)
{
	section("restart_syscall");
	SHOW(syscall(SYS_restart_syscall));
	int ends[2];
	MUST(pipe(ends));
	pid_t child = fork_child();
	if (!child) { /* stopped and continued: poll goes on by itself, with the time that is left */
		struct pollfd waits = {ends[0], POLLIN, 0};
		SHOW(poll(&waits, 1, 20000));
		_exit(0);
	}
	nap_ms(30);
	MUST(kill(child, SIGSTOP));
	int status;
	MUST(waitpid(child, &status, WUNTRACED));
	MUST(kill(child, SIGCONT));
	nap_ms(30);
	MUST(write(ends[1], "x", 1));
	reap("poll", child);
}

int main(void)
{
	by_hand();
	without_a_frame();
	restarts();
	return 0;
}
