/* Vector and floating-point state survives handlers that use it, whether a system call or the clock brought the signal.
 */
#include "guest.h"
#include <sys/time.h>

/* The rounding modes of both units together, as 2 + 2 bits: 0 is to nearest, 1 down, 2 up, 3 towards zero. */
static int rounding(void)
{
	unsigned short word;
	__asm__ volatile("fnstcw %0" : "=m"(word));
	return (__builtin_ia32_stmxcsr() >> 13 & 3) << 2 | (word >> 10 & 3);
}

static void set_rounding(int mode)
{
	unsigned short word;
	__asm__ volatile("fnstcw %0" : "=m"(word));
	word = (word & ~0xc00) | mode << 10;
	__asm__ volatile("fldcw %0" ::"m"(word));
	__builtin_ia32_ldmxcsr((__builtin_ia32_stmxcsr() & ~0x6000) | mode << 13);
}

static volatile int hits, rounding_inside;
static volatile double sink;

static void spoil(int sig)
{
	rounding_inside = rounding();
	__asm__ volatile(
		"pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm8, %%xmm8;"
		"pcmpeqd %%xmm15, %%xmm15; fninit; fld1; fld1; fld1" ::
			: "xmm0", "xmm1", "xmm7", "xmm8", "xmm15");
	set_rounding(3);
	sink = hits * 1.5;
	hits++;
}

/* Fills xmm registers, makes a system call or waits, and tells how many still have their value. */
static int survivors(long number, long a, long b, long spin)
{
	static uint64_t in[4] __attribute__((aligned(16))) = {0x1111222233334444, 0x5555666677778888,
							      0x9999aaaabbbbcccc, 0xddddeeeeffff0000},
			      out[8] __attribute__((aligned(16)));
	__asm__ volatile("movdqa (%[in]), %%xmm0; movdqa 16(%[in]), %%xmm1; movdqa (%[in]), %%xmm8;"
			 "movdqa 16(%[in]), %%xmm15;"
			 "syscall;"
			 "1: dec %[spin]; jg 1b;"
			 "movdqa %%xmm0, (%[out]); movdqa %%xmm1, 16(%[out]); movdqa %%xmm8, 32(%[out]);"
			 "movdqa %%xmm15, 48(%[out])"
			 : [spin] "+r"(spin), "+a"(number)
			 : [in] "r"(in), [out] "r"(out), "D"(a), "S"(b)
			 : "rcx", "r11", "xmm0", "xmm1", "xmm8", "xmm15", "memory", "cc");
	return !memcmp(out, in, 32) + !memcmp(out + 4, in, 32);
}

int main(void)
{
	handle(SIGUSR1, spoil, 0);
	handle(SIGALRM, spoil, SA_RESTART);
	SHOW(survivors(SYS_getpid, 0, 0, 0));
	SHOW(survivors(SYS_kill, getpid(), SIGUSR1, 0));
	SHOW(hits);
	set_rounding(2);
	long double x87 = 1.0L / 3;
	__asm__ volatile("" : "+t"(x87));
	raise(SIGUSR1);
	CHECK(x87 == 1.0L / 3);
	CHECK(rounding() == 10);
	SHOW(rounding_inside);

	section("while computing");
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	hits = 0;
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	int wrong = 0;
	while (hits < 50)
		wrong += survivors(SYS_getpid, 0, 0, 100000) != 2;
	SHOW(wrong);
	double sum = 0;
	while (hits < 100)
		for (int i = 0; i < 1000; i++)
			sum += i * 0.5, sum -= i * 0.5;
	SHOW(sum == 0);
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	CHECK(rounding() == 10);

	section("over fork");
	set_rounding(1);
	pid_t pid = fork_child();
	if (!pid)
		_exit(rounding() == 5 ? 1 : 2);
	reap("child", pid);
	return 0;
}
