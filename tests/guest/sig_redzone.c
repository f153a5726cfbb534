/* The 128 bytes below the stack pointer belong to the interrupted function: nobody may write there. */
#include "guest.h"
#include <sys/time.h>

static volatile int hits;

static void hit(int sig)
{
	hits++;
}

/* Fills the red zone, does one system call, waits a while, counts what is left of it. */
static __attribute__((noinline)) long red_zone(long number, long a, long b, long spin)
{
	long good = 0;
	__asm__ volatile("sub $256, %%rsp;"
			 "mov $-16, %%rdx;"
			 "1: mov %%rdx, (%%rsp,%%rdx,8); inc %%rdx; jnz 1b;"
			 "syscall;"
			 "2: dec %[spin]; jg 2b;"
			 "mov $-16, %%rdx;"
			 "3: cmp %%rdx, (%%rsp,%%rdx,8); jne 4f; inc %[good];"
			 "4: inc %%rdx; jnz 3b;"
			 "add $256, %%rsp"
			 : [good] "+r"(good), [spin] "+r"(spin), "+a"(number)
			 : "D"(a), "S"(b)
			 : "rcx", "r11", "rdx", "memory", "cc");
	return good;
}

int main(void)
{
	handle(SIGUSR1, hit, 0);
	handle(SIGALRM, hit, SA_RESTART);
	for (int i = 0; i < 3; i++)
		SHOW(red_zone(SYS_getpid, 0, 0, 0));
	SHOW(red_zone(SYS_kill, getpid(), SIGUSR1, 0));
	SHOW(red_zone(SYS_close, -1, 0, 0));
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	int wrong = 0;
	while (hits < 60)
		wrong += red_zone(SYS_getpid, 0, 0, 100000) != 16;
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	SHOW(wrong);
	return 0;
}
