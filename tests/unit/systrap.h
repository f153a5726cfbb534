/* systrap.h - a harness for tests of the systrap platform: guest code as C functions, a fiber that plays the sentry.
 *
 * Guest functions are compiled into the section "guestcode", which is copied to GUEST_CODE; they may call each other
 * and use their stack, nothing else.
 */
#ifndef TESTS_UNIT_SYSTRAP_H
#define TESTS_UNIT_SYSTRAP_H

#include "platform/host.h"
#include "platform/platform.h"
#include "sentry/base/fiber.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GUEST __attribute__((section("guestcode"), noinline, no_stack_protector, used))

#define GUEST_CODE  0x10000000ull
#define GUEST_STACK 0x20000000ull /* 1 MiB below it */
#define GUEST_DATA  0x30000000ull /* 64 KiB, the first word counts as "shared with the test" */

extern char __start_guestcode[], __stop_guestcode[];

/* The call site is followed by cmp $-4095,%rax as in a C library: its trampoline lies some 20 MiB ahead. */
static inline __attribute__((always_inline)) long guest_call(long nr, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall\n\tcmp $-4095, %%rax"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory", "cc");
	return result;
}
#define CALL0(nr)          guest_call(nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a)       guest_call(nr, (long)(a), 0, 0, 0, 0, 0)
#define CALL3(nr, a, b, c) guest_call(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static inline uint64_t guest_address(void (*function)(void))
{
	return GUEST_CODE + (uint64_t)((char *)function - __start_guestcode);
}

static inline struct aspace *test_aspace(void)
{
	struct aspace *as;
	uint64_t bytes = page_up((uint64_t)(__stop_guestcode - __start_guestcode));
	struct mem_op text = {
		.kind = MEM_MAP, .prot = MEM_READ | MEM_WRITE, .file = MEM_NO_FILE, .addr = GUEST_CODE, .size = bytes};
	struct mem_op stack = {.kind = MEM_MAP,
			       .prot = MEM_READ | MEM_WRITE,
			       .file = MEM_NO_FILE,
			       .addr = GUEST_STACK - (1 << 20),
			       .size = 1 << 20};
	struct mem_op data = {.kind = MEM_MAP,
			      .prot = MEM_READ | MEM_WRITE,
			      .file = MEM_NO_FILE,
			      .addr = GUEST_DATA,
			      .size = 1 << 16};

	if (aspace_new(&as) || aspace_mem(as, NULL, &text) || aspace_mem(as, NULL, &stack) ||
	    aspace_mem(as, NULL, &data) ||
	    aspace_write(as, NULL, UADDR(GUEST_CODE), __start_guestcode,
			 (size_t)(__stop_guestcode - __start_guestcode)))
		return NULL;
	text.kind = MEM_PROTECT;
	text.prot = MEM_READ | MEM_EXEC;
	return aspace_mem(as, NULL, &text) ? NULL : as;
}

static inline struct uthread *test_thread(struct aspace *as, void (*function)(void))
{
	struct uregs regs = {.rip = guest_address(function), .rsp = GUEST_STACK - 8, .rflags = 0x202};
	struct uthread *thread;

	return uthread_new(as, NULL, &regs, &thread) ? NULL : thread;
}

/* Kills a thread and waits for its end. */
static inline void test_end(struct uthread *thread)
{
	struct stop stop;

	uthread_kill(thread);
	do
		uthread_wait(thread, &stop);
	while (stop.kind != STOP_DEAD);
	uthread_free(thread);
}

static bool test_done;
static void (*test_body)(void);

static void test_fiber(void *argument)
{
	(void)argument;
	test_body();
	test_done = true;
}

/* What `usbx run` makes of the same variable. */
static inline enum platform_kind test_platform(void)
{
	const char *wanted = getenv("USBX_PLATFORM");

	return !wanted                      ? PLATFORM_AUTO
	       : !strcmp(wanted, "ptrace")  ? PLATFORM_PTRACE
	       : !strcmp(wanted, "systrap") ? PLATFORM_SYSTRAP
					    : PLATFORM_AUTO;
}

/* Starts the platform and runs body on a fiber of its own. */
static inline void test_run_config(void (*body)(void), struct platform_config config)
{
	struct fiber *fiber;

	config.kind = test_platform();
	if (platform_start(&config))
		abort();
	test_body = body;
	if (fiber_new(test_fiber, NULL, &fiber))
		abort();
	while (!test_done) {
		fiber_run_ready();
		if (!test_done)
			platform_poll(fiber_next_deadline_ns());
	}
	platform_stop();
}

static inline void test_run(void (*body)(void))
{
	test_run_config(body, (struct platform_config){0});
}

#endif
