/* Faults of the processor: signal, code, and that a handler may step over the instruction. */
#include "guest.h"
#include <sys/mman.h>
#include <ucontext.h>

static volatile int got, code;
static volatile bool at_instruction;
static volatile int step;

static void note(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	got = sig;
	code = info->si_code;
	at_instruction = (greg_t)info->si_addr == regs[REG_RIP];
	regs[REG_RIP] += step;
}

static const char *code_name(void)
{
	static char text[24];
	snprintf(text, sizeof text, "%s",
		 code == SI_KERNEL                       ? "SI_KERNEL"
		 : got == SIGFPE && code == FPE_INTDIV   ? "FPE_INTDIV"
		 : got == SIGILL && code == ILL_ILLOPN   ? "ILL_ILLOPN"
		 : got == SIGFPE && code == FPE_FLTDIV   ? "FPE_FLTDIV"
		 : got == SIGTRAP && code == TRAP_TRACE  ? "TRAP_TRACE"
		 : got == SIGBUS && code == BUS_ADRALN   ? "BUS_ADRALN"
		 : got == SIGSEGV && code == SEGV_MAPERR ? "SEGV_MAPERR"
							 : "other");
	return text;
}

static void show(const char *what)
{
	say("%s: %s %s%s\n", what, signal_name(got), code_name(), at_instruction ? ", address of the instruction" : "");
	got = 0;
}

int main(void)
{
	const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV, SIGBUS};
	for (size_t i = 0; i < COUNT(signals); i++)
		handle_info(signals[i], note, 0);

	step = 2;
	__asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx" ::: "eax", "ecx", "edx", "cc");
	show("division by zero");
	__asm__ volatile("ud2");
	show("undefined instruction");
	step = 0;
	__asm__ volatile("int3");
	show("breakpoint");
	step = 1;
	__asm__ volatile("hlt");
	show("privileged instruction");
	step = 2;
	__asm__ volatile("in $0x80, %%al" ::: "al");
	show("port input");
	__asm__ volatile("mov (%%rax), %%ecx" ::"a"(1ul << 63) : "ecx");
	show("address without meaning");
	__asm__ volatile("mov (%%rax), %%ecx" ::"a"(0x1234) : "ecx");
	show("unmapped address");
	__asm__ volatile("int $0x77");
	show("interrupt without a gate");

	section("single step");
	step = 0;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; pushfq; andq $~0x100, (%%rsp); popfq" ::
				 : "memory", "cc");
	show("trap flag");

	section("floating point, unmasked");
	unsigned csr = __builtin_ia32_stmxcsr();
	step = 4;
	__builtin_ia32_ldmxcsr(csr & ~0x200u);
	volatile double zero = 0;
	__asm__ volatile("movsd %0, %%xmm0; movsd %1, %%xmm1; divsd %%xmm0, %%xmm1" ::"m"(zero), "m"((double){1})
			 : "xmm0", "xmm1");
	__builtin_ia32_ldmxcsr(csr);
	show("SSE division by zero");
	return 0;
}
