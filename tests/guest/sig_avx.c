/* The upper halves of AVX registers survive handlers and system calls. */
#include "guest.h"
#include <immintrin.h>
#include <sys/time.h>

static volatile int hits;

__attribute__((target("avx"))) static void spoil(int sig)
{
	__asm__ volatile("vxorps %%ymm0, %%ymm0, %%ymm0; vxorps %%ymm9, %%ymm9, %%ymm9; vzeroupper" ::: "xmm0", "xmm9");
	hits++;
}

__attribute__((target("avx"))) static bool survives(long number, long a, long b, long spin)
{
	static uint64_t in[4] = {1, 2, 0x3333333333333333, 0x4444444444444444}, out[8];
	__asm__ volatile("vmovdqu (%[in]), %%ymm0; vmovdqu (%[in]), %%ymm9;"
			 "syscall;"
			 "1: dec %[spin]; jg 1b;"
			 "vmovdqu %%ymm0, (%[out]); vmovdqu %%ymm9, 32(%[out]); vzeroupper"
			 : [spin] "+r"(spin), "+a"(number)
			 : [in] "r"(in), [out] "r"(out), "D"(a), "S"(b)
			 : "rcx", "r11", "xmm0", "xmm9", "memory", "cc");
	return !memcmp(in, out, 32) && !memcmp(in, out + 4, 32);
}

int main(void)
{
	if (!__builtin_cpu_supports("avx"))
		skip("the CPU has no AVX");
	handle(SIGUSR1, spoil, 0);
	handle(SIGALRM, spoil, SA_RESTART);
	for (int i = 0; i < 3; i++)
		SHOW(survives(SYS_getpid, 0, 0, 0));
	SHOW(survives(SYS_sched_yield, 0, 0, 0));
	SHOW(survives(SYS_kill, getpid(), SIGUSR1, 0));
	SHOW(survives(SYS_kill, getpid(), SIGUSR1, 0));
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	int wrong = 0;
	while (hits < 60)
		wrong += !survives(SYS_getpid, 0, 0, 100000);
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	SHOW(wrong);
	return 0;
}
