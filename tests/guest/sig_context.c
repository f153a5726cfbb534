/* The context that a handler is given, and that what it changes there takes effect. */
#include "guest.h"
#include <ucontext.h>

static volatile int what;
static volatile bool mask_as_before, stack_near;

static void change(int sig, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;
	greg_t *regs = context->uc_mcontext.gregs;
	char here;
	mask_as_before = sigismember(&context->uc_sigmask, SIGUSR2) && !sigismember(&context->uc_sigmask, SIGUSR1);
	stack_near = regs[REG_RSP] > (greg_t)&here && regs[REG_RSP] < (greg_t)&here + 20000;
	if (what == 1)
		regs[REG_RAX] = 4711;
	else if (what == 2)
		regs[REG_RIP] += 10; /* over the mov of 10 bytes */
	else if (what == 3)
		sigaddset(&context->uc_sigmask, SIGHUP);
	else if (what == 4)
		context->uc_mcontext.fpregs->_xmm[3].element[0] = 0x1234;
	else if (what == 5)
		regs[REG_EFL] |= 1; /* carry */
}

static long after_kill(int change_kind)
{
	long result = SYS_kill, marker, carry;
	what = change_kind;
	__asm__ volatile("movabs $1, %[marker]; syscall; movabs $0x1122334455667788, %[marker]; setc %b[carry]"
			 : "+a"(result), [marker] "=&r"(marker), [carry] "=&r"(carry)
			 : "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory", "cc");
	say("result %ld, marker %lx, carry %ld\n", result, marker, carry & 1);
	return result;
}

int main(void)
{
	sigset_t now;
	unsigned xmm = 0;
	handle_info(SIGUSR1, change, 0);
	block(SIGUSR2);
	after_kill(0);
	SHOW(mask_as_before);
	SHOW(stack_near);
	after_kill(1);
	after_kill(2);
	after_kill(5);
	what = 3;
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	SHOW(sigismember(&now, SIGHUP));
	SHOW(sigismember(&now, SIGUSR1));
	what = 4;
	__asm__ volatile("pxor %%xmm3, %%xmm3; syscall; movd %%xmm3, %[xmm]"
			 : [xmm] "=r"(xmm)
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "xmm3", "memory");
	say("xmm3 %x\n", xmm);
	return 0;
}
