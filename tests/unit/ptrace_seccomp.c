/* ptrace_seccomp.c - the tracer's seccomp(2) against the kernel's: the same children under both, equal notes.
 *
 * A scene runs in a child that loads programs, makes calls and notes what they returned and what SIGSYS told, in memory
 * that it shares with the test. It runs once as it is and once under a tracer; notes and exit must be equal, except
 * that who is killed by SIGSYS exits with that status under a tracer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/ptrace/tracee.h"
#include "platform/ptrace/tracer.h"
#include "platform/rawcall.h"

#define NOTES 64

struct notes {
	long note[NOTES];
	int count;
};
static struct notes *notes;

static void note(long value)
{
	if (notes->count < NOTES)
		notes->note[notes->count++] = value;
}

static void note_trap(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	note(sig);
	note(info->si_code);
	note(info->si_syscall);
	note((long)info->si_arch);
	note((uint64_t)info->si_call_addr == (uint64_t)uc->uc_mcontext.gregs[REG_RIP]);
	note(uc->uc_mcontext.gregs[REG_RAX]);
	note(uc->uc_mcontext.gregs[REG_RDI]);
}

/* A program that gives this verdict to one number (arch: any, or only this one) and allows the rest. */
static long load(int nr, uint32_t arch, uint32_t verdict, unsigned flags)
{
	const struct sock_filter insn[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(insn), (struct sock_filter *)insn};

	return CALL3(seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

#define NATIVE AUDIT_ARCH_X86_64

static void scene_errors(void)
{
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | ENOTTY, 0));
	note(call6(SYS_getppid, 1, 2, 3, 4, 5, 6));
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | EDOM, 0)); /* the newer one of equals */
	note(call6(SYS_getppid, 1, 2, 3, 4, 5, 6));
	note(load(SYS_umask, NATIVE, SECCOMP_RET_ERRNO | EDOM, 0));
	note(call6(SYS_umask, 022, 0, 0, 0, 0, 0));
	note(call6(SYS_getuid, 0, 0, 0, 0, 0, 0));
}

static void scene_trap(void)
{
	struct sigaction action = {.sa_sigaction = note_trap, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &action, NULL);
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_TRAP, 0));
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | EDOM, 0)); /* less strict: no difference */
	for (int i = 0; i < 3; i++)
		note(call6(SYS_getppid, 7 + i, 2, 3, 4, 5, 6));
	note(call6(SYS_getppid | 0x7700000000, 5, 0, 0, 0, 0, 0)); /* above 32 bits: the same call */
	note(load(0x40000000 | SYS_getuid, NATIVE, SECCOMP_RET_TRAP, 0));
	note(call6(0x40000000 | SYS_getuid, 5, 0, 0, 0, 0, 0));
	note(load(-1, NATIVE, SECCOMP_RET_TRAP, 0));
	note(call6(-1, 5, 0, 0, 0, 0, 0));
}

/* int 0x80: numbers and arguments of 32 bits. */
static long call_32(long nr, long first)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(first), "c"(0), "d"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

static void scene_foreign(void)
{
	struct sigaction action = {.sa_sigaction = note_trap, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &action, NULL);
	note(load(64 /* getppid */, AUDIT_ARCH_I386, SECCOMP_RET_TRAP, 0));
	(void)call_32(64, 1);
	note(load(60 /* umask */, AUDIT_ARCH_I386, SECCOMP_RET_ERRNO | EDOM, 0));
	note(call_32(60, 022));
}

static void scene_refused(void)
{
	const struct sock_filter no_end[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
	const struct sock_filter far[] = {BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0),
					  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_filter outside[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
					      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_filter between[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 6),
					      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_filter scratch[] = {BPF_STMT(BPF_ST, 16), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_filter *const all[] = {no_end, far, outside, between, scratch};
	struct sock_fprog none = {0, (struct sock_filter *)far}, nowhere = {2, NULL};
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	for (unsigned i = 0; i < COUNT(all); i++) {
		struct sock_fprog program = {i ? 2 : 1, (struct sock_filter *)all[i]};
		note(CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	}
	note(CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0, &none));
	note(CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere));
	note(CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	note(CALL3(seccomp, SECCOMP_SET_MODE_FILTER, 0x80000000, NULL));
	note(CALL3(seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
	note(CALL3(seccomp, 77, 0, NULL));
	note(CALL3(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	note(CALL3(seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action));
	action = 0x123;
	note(CALL3(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	note(CALL3(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
}

/* Children have the maker's programs, and add their own without changing its. */
static void scene_inherit(void)
{
	int status = 0;

	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | EDOM, 0));
	for (int i = 0; i < 20; i++) {
		pid_t pid = (pid_t)call6(SYS_clone, (i % 2 ? CLONE_PARENT : 0) | SIGCHLD, 0, 0, 0, 0, 0);
		if (pid == 0) {
			long before = call6(SYS_getppid, 0, 0, 0, 0, 0, 0);
			load(SYS_getuid, NATIVE, SECCOMP_RET_ERRNO | ENOTTY, 0);
			_exit(before == -EDOM && call6(SYS_getuid, 0, 0, 0, 0, 0, 0) == -ENOTTY ? 3 : 4);
		}
		if (i % 2 == 0 && wait4(pid, &status, 0, NULL) == pid)
			note(status);
	}
	note(call6(SYS_getuid, 0, 0, 0, 0, 0, 0));
}

static void *thread_main(void *argument)
{
	int *wire = argument;
	char byte;

	if (read(wire[0], &byte, 1) == 1)
		note(call6(SYS_getppid, 0, 0, 0, 0, 0, 0));
	return NULL;
}

/* A program for all threads of a process. */
static void scene_threads(void)
{
	pthread_t thread;
	int wire[2];

	if (pipe(wire) || pthread_create(&thread, NULL, thread_main, wire))
		_exit(9);
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC));
	if (write(wire[1], "", 1) != 1)
		_exit(9);
	pthread_join(thread, NULL); /* its note comes first */
	note(call6(SYS_getppid, 0, 0, 0, 0, 0, 0));
}

static void scene_kill(void)
{
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_TRAP, 0));
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_KILL_PROCESS, 0));
	signal(SIGSYS, SIG_IGN);
	note(call6(SYS_getppid, 0, 0, 0, 0, 0, 0));
}

static void scene_trap_blocked(void)
{
	struct sigaction action = {.sa_sigaction = note_trap, .sa_flags = SA_SIGINFO};
	sigset_t set;

	sigaction(SIGSYS, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_TRAP, 0));
	sigprocmask(SIG_BLOCK, &set, NULL);
	note(call6(SYS_getppid, 0, 0, 0, 0, 0, 0));
}

/* Undumpable before its program is loaded: works, and it is afterwards. */
static void scene_hidden(void)
{
	note(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | EDOM, 0));
	note(call6(SYS_getppid, 0, 0, 0, 0, 0, 0));
	note(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}

/* Signals of all kinds pass as they are. */
static volatile int caught;
static void count_signal(int sig)
{
	(void)sig;
	caught++;
}

static void scene_signals(void)
{
	note(load(SYS_getppid, NATIVE, SECCOMP_RET_ERRNO | EDOM, 0));
	signal(SIGUSR1, count_signal);
	signal(SIGRTMIN + 3, count_signal);
	for (int i = 0; i < 50; i++)
		kill(getpid(), i % 2 ? SIGUSR1 : SIGRTMIN + 3);
	note(caught);
	pid_t pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(5);
	}
	int status = 0;
	note(wait4(pid, &status, WUNTRACED, NULL) == pid && WIFSTOPPED(status));
	kill(pid, SIGCONT);
	note(wait4(pid, &status, 0, NULL) == pid ? status : -1);
}

/* ------------------------------------------------------------------------------------------------ the stage */

static no_return void child_main(void (*scene)(void), const struct tracer *tracer, int wire)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	char byte = 0;

	if (tracer) {
		tracer_invite(tracer);
		if (write(wire, &byte, 1) != 1 || read(wire, &byte, 1) != 1)
			_exit(8);
	}
	CALL3(capset, &header, none, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	alarm(20);
	scene();
	_exit(0);
}

/* The wait status; what it noted is in out. */
static int play(void (*scene)(void), bool traced, struct notes *out)
{
	struct tracer tracer = {0, -1, 0};
	int pair[2], status = 0;
	char byte;

	notes->count = 0;
	memset(notes->note, 0, sizeof notes->note);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (traced)
		cr_assert_eq(tracer_start(&tracer), 0);
	pid_t pid = fork();
	if (pid == 0)
		child_main(scene, traced ? &tracer : NULL, pair[1]);
	if (traced) {
		cr_assert_eq(read(pair[0], &byte, 1), 1);
		cr_assert_eq(tracer_attach(&tracer, pid), 0);
		cr_assert_eq(write(pair[0], &byte, 1), 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	while (waitpid(-1, NULL, __WALL) > 0) /* children of CLONE_PARENT; the tracer, which has nobody left */
		continue;
	close(pair[0]);
	close(pair[1]);
	*out = *notes;
	return status;
}

static void compare(void (*scene)(void), const char *name)
{
	struct notes native, traced;

	notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int native_status = play(scene, false, &native), status = play(scene, true, &traced);
	if (WIFSIGNALED(native_status) && WTERMSIG(native_status) == SIGSYS)
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == SIGSYS, "%s: status %#x", name, status);
	else
		cr_expect_eq(status, native_status, "%s: status %#x and not %#x", name, status, native_status);
	cr_expect(native.count > 0);
	cr_expect_eq(native.count, traced.count, "%s: %d notes and not %d", name, traced.count, native.count);
	for (int i = 0; i < native.count; i++)
		cr_expect_eq(native.note[i], traced.note[i], "%s: note %d is %ld and not %ld", name, i, traced.note[i],
			     native.note[i]);
}

#define SCENE(name)                                                                                                    \
	Test(ptrace_seccomp, name, .timeout = 60)                                                                      \
	{                                                                                                              \
		compare(scene_##name, #name);                                                                          \
	}
SCENE(errors)
SCENE(trap)
SCENE(foreign)
SCENE(refused)
SCENE(inherit)
SCENE(threads)
SCENE(kill)
SCENE(trap_blocked)
SCENE(hidden)
SCENE(signals)

/* The table keeps whom it has through any order of coming and going. */
Test(ptrace_seccomp, table)
{
	static bool there[5000];
	unsigned seed = 1;

	for (int i = 0; i < 200000; i++) {
		pid_t pid = 1 + rand_r(&seed) % (int)(COUNT(there) - 1);
		struct tracee *tracee = tracee_find(pid);
		cr_assert_eq(tracee != NULL, there[pid]);
		if (tracee)
			tracee_remove(tracee);
		else
			cr_assert_not_null(tracee_add(pid, TRACEE_LIVE));
		there[pid] = !there[pid];
	}
	for (pid_t pid = 1; pid < (pid_t)COUNT(there); pid++)
		cr_assert_eq(tracee_find(pid) != NULL, there[pid]);
}
