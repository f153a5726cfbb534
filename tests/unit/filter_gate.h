/* filter_gate.h - a gate in small, for the tests of the seccomp programs against the kernel itself.
 *
 * One page of "guest" code with the eight slots and one more `syscall; ret`, one page of "agent" code with a `syscall;
 * ret`. Tests run in forked children, which tell their findings through exit statuses or one shared page.
 */
#ifndef TESTS_UNIT_FILTER_GATE_H
#define TESTS_UNIT_FILTER_GATE_H

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/systrap/filter.h"

#define TEST_GATE    0x700000000000ull
#define TEST_FREE    (TEST_GATE + 0x100)  /* syscall; ret, with the guest's rights, no slot */
#define TEST_RESTORE (TEST_GATE + 0x140)  /* mov $15, %eax; syscall */
#define TEST_AGENT   (TEST_GATE + 0x1000) /* syscall; ret, outside the guest's code */
#define TEST_BYTES   0x2000
#define TEST_FILE_FD 16
#define TEST_ERRNO   77

static inline struct filter_layout test_layout(void)
{
	return (struct filter_layout){
		.guest_code = TEST_GATE,
		.guest_code_end = TEST_GATE + 0x1000,
		.slot_base = TEST_GATE,
		.agent_code = TEST_AGENT,
		.agent_code_end = TEST_AGENT + 0x1000,
		.program_start = TEST_GATE + 0x10000,
		.program_end = TEST_GATE + 0x14000,
		.first_file_fd = TEST_FILE_FD,
		.arch_prctl = true,
		.remaps = 2,
		.remap = {{TEST_GATE + 0x10000, 0x4000, PROT_READ, 3},
			  {TEST_GATE + 0x1f000, 0x4001000, PROT_READ | PROT_WRITE, 3}},
	};
}

static inline void test_gate_map(void)
{
	static const unsigned char call[] = {0x0f, 0x05, 0xc3}, restore[] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};
	unsigned char *p = mmap((void *)TEST_GATE, TEST_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)TEST_GATE)
		abort();
	memset(p, 0xcc, TEST_BYTES);
	for (int i = 0; i < SIGN_SLOTS; i++)
		memcpy(p + i * SIGN_SLOT_BYTES, call, sizeof call);
	memcpy(p + (TEST_FREE - TEST_GATE), call, sizeof call);
	memcpy(p + (TEST_AGENT - TEST_GATE), call, sizeof call);
	memcpy(p + (TEST_RESTORE - TEST_GATE), restore, sizeof restore);
	if (mprotect(p, TEST_BYTES, PROT_READ | PROT_EXEC))
		abort();
}

/* A system call made by the instruction at this address. */
static inline long call_at(uint64_t where, uint64_t nr, const uint64_t a[6])
{
	register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("sub $128, %%rsp\n\tcall *%[where]\n\tadd $128, %%rsp"
			 : "=a"(ret)
			 : "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9), [where] "r"(where)
			 : "rcx", "r11", "memory");
	return ret;
}

#define CALL_AT(where, nr, ...) call_at(where, nr, (const uint64_t[6]){__VA_ARGS__})
#define SLOT(i)                 (TEST_GATE + (i)*SIGN_SLOT_BYTES)

static inline void test_install(const struct filter *filter)
{
	struct sock_fprog prog = {filter->len, (struct sock_filter *)filter->insn};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) {
		perror("seccomp");
		_exit(99);
	}
}

/* The same program, but it refuses with an errno instead of killing, so that one child can try many calls. */
static inline void test_soften(struct filter *filter)
{
	for (int i = 0; i < filter->len; i++)
		if (filter->insn[i].code == (BPF_RET | BPF_K) && filter->insn[i].k == SECCOMP_RET_KILL_PROCESS)
			filter->insn[i].k = SECCOMP_RET_ERRNO | TEST_ERRNO;
}

static inline uint64_t test_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Runs it in a child; returns the wait status. */
static inline int test_child(void (*run)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(60);
		run(arg);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return status;
}

#endif
