/* rawcall.h - one system call as the kernel sees it: errors as negative errno. For host.c, and for what happens outside
 * of the jail or before it closes: jail.c, factory.c, platform/ptrace. Nobody else includes this.
 */
#ifndef PLATFORM_RAWCALL_H
#define PLATFORM_RAWCALL_H

#include <sys/syscall.h>

/* syscall(2) would turn the error into errno, and its callers would turn it back. */
static inline long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define CALL(name, a, b, c, d, e, f) call6(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define CALL3(name, a, b, c)         CALL(name, a, b, c, 0, 0, 0)
#define CALL4(name, a, b, c, d)      CALL(name, a, b, c, d, 0, 0)

#endif
