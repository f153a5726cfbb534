/* factory.c - the factory process and the first stub; the sentry's end of its wire.
 *
 * Theory. The factory is forked from the sentry's process before the jail closes. It owns the descriptor table that all
 * agents and guest threads of the sandbox share (CLONE_FILES all the way down), apart from the sentry's: the sentry
 * sends it a descriptor and a number over a socket, and it places it there. It runs no guest code and shares no
 * memory with anybody; a seccomp program leaves it the five calls of its loop.
 *
 * Before its loop it makes the first stub, the *template*: a child of the sentry (CLONE_PARENT) that maps the gate,
 * drops everything else and becomes an agent (gate.S, stub_main). All other stubs are forks of the template, made by
 * its agent; so every one of them starts with an address space that holds only the gate. Order in the template, and
 * why: rseq off        the kernel writes to the registered area at the next preemption; it is about to be unmapped
 *   signals blocked for good in agents: a signal frame would lie on guest-writable memory
 *   no capability, no new privileges, dumpable: the sentry may then read its memory without a capability of its own
 *   own session     the terminal's signals are the sentry's business
 *
 * Where a tracer stands in for seccomp (platform/ptrace), it attaches to the factory before that makes anything: so
 * it has all that the factory makes. seccomp(2) is then the tracer's.
 *
 * Everything here up to factory_install runs in the factory's and the template's processes and calls the C library
 * directly; they print nothing and report by exit status or silence.
 *
 * Limits: numbers in the shared table are bounded by the host's RLIMIT_NOFILE (hard).
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gate_symbols.h"
#include "platform/confine.h"
#include "platform/host.h"
#include "platform/rawcall.h"

/* More than the kernel's data pages below its vdso, and than the vdso, have. */
#define VVAR_BYTES (8 * PAGE_SIZE)
#define VDSO_BYTES (4 * PAGE_SIZE)

struct wire {
	int32_t number; /* where to place the descriptor that comes along; without one: close it */
	int32_t result;
};

/* ------------------------------------------------------------------------------------------------ the factory's
 * process */

static void die_with_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(100);
}

static void must_map(uint64_t at, size_t bytes, int prot, int fd, off_t offset)
{
	if (mmap((void *)at, bytes, prot, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, offset) != (void *)at)
		_exit(101);
}

static void template_signals(void)
{
	static const int signals[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, KICK_SIGNAL};
	/* A fault may come inside the handler of another signal: in the gate's copies, which know how to go on. */
	const uint64_t mask = ~(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1)), all = ~0ull;
	struct {
		uint64_t handler, flags, restorer, mask;
	} action = {GATE_SYM_gate_signal, 0, GATE_SYM_gate_restore, mask};

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	for (unsigned i = 0; i < COUNT(signals); i++) {
		bool nest = signals[i] == SIGSEGV || signals[i] == SIGBUS;
		action.flags = SA_SIGINFO | SA_ONSTACK | 0x04000000 /* SA_RESTORER */ | (nest ? SA_NODEFER : 0);
		if (syscall(SYS_rt_sigaction, signals[i], &action, NULL, 8))
			_exit(102);
	}
}

static no_return void template_main(int gate_code_fd, uint64_t memory_limit_bytes)
{
	die_with_parent();
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, MAX(__rseq_size, 32u),
			RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	syscall(SYS_set_tid_address, 0);
	syscall(SYS_set_robust_list, 0, 3 * sizeof(long));
	template_signals();
	if (memory_limit_bytes) {
		struct rlimit limit = {memory_limit_bytes, memory_limit_bytes};
		if (setrlimit(RLIMIT_DATA, &limit))
			_exit(103);
	}
	must_map(GATE_CODE, GATE_CODE_BYTES, PROT_READ | PROT_EXEC, gate_code_fd, 0);
	must_map(GATE_CONF, GATE_CONF_BYTES, PROT_READ, gate_code_fd, GATE_CODE_BYTES);
	close(gate_code_fd);
	must_map(GATE_CMD, GATE_CMD_BYTES, PROT_READ, FD_GATE, STUB_FILE_OFF(0) + STUB_FILE_CMD);
	must_map(GATE_BELL, PAGE_SIZE, PROT_READ | PROT_WRITE, FD_GATE, 0);
	must_map(GATE_DATA, GATE_DATA_BYTES, PROT_READ | PROT_WRITE, FD_GATE, STUB_FILE_OFF(0) + STUB_FILE_REPLY);
	/* Where the host seals the vdso and its data pages they must stay: they are read-only, and their calls trap. */
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
	((void (*)(unsigned long, unsigned long))GATE_SYM_stub_main)(vdso ? vdso - VVAR_BYTES : HOST_END,
								     vdso ? vdso + VDSO_BYTES : HOST_END);
	_exit(104);
}

static void drop_everything(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	struct rlimit files, core = {0, 0};

	setsid();
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || setrlimit(RLIMIT_CORE, &core))
		_exit(105);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The loop's own calls and nothing else. */
static void factory_confine(void)
{
	static const uint32_t calls[] = {SYS_recvmsg, SYS_write, SYS_dup3, SYS_close, SYS_exit_group};

	if (!confine(calls, COUNT(calls)))
		_exit(106);
}

static no_return void factory_loop(void)
{
	for (;;) {
		struct wire wire;
		struct iovec iov = {&wire, sizeof wire};
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control;
		struct msghdr message = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
		long n = CALL3(recvmsg, FD_FACTORY, &message, MSG_CMSG_CLOEXEC);
		struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

		if (n == -EINTR)
			continue;
		if (n != (long)sizeof wire)
			_exit(0); /* the sentry has gone */
		wire.result = 0;
		if (header && header->cmsg_type == SCM_RIGHTS) {
			int fd;
			memcpy(&fd, CMSG_DATA(header), sizeof fd);
			if (fd != wire.number) {
				long placed = CALL3(dup3, fd, wire.number, O_CLOEXEC);
				wire.result = placed < 0 ? (int32_t)placed : 0;
				close(fd);
			}
		} else {
			close(wire.number);
		}
		if (write(FD_FACTORY, &wire, sizeof wire) != sizeof wire)
			_exit(0);
	}
}

/* Moves what is kept to its number; the sources lie above all of them. */
static void place(int fd, int number)
{
	if (dup3(fd, number, O_CLOEXEC) < 0)
		_exit(107);
}

/* By a tracer that does not trace already whoever makes us. */
static bool factory_to_trace(void)
{
	return systrap.tracer.pid && !systrap.sentry_traced;
}

/* Whoever is to be traced waits for it: the stubs must be from their birth. */
static void await_tracer(int wire)
{
	char byte = 0;

	tracer_invite(&systrap.tracer);
	if (write(wire, &byte, 1) != 1 || read(wire, &byte, 1) != 1)
		_exit(112);
}

static no_return void factory_main(const int keep[], unsigned kept, uint64_t memory_limit_bytes)
{
	/* keep: gate code, then what goes to FD_GATE, FD_FACTORY, FD_LANE0..., FD_TRAMPOLINE */
	int number[3 + LANES] = {FD_GATE, FD_FACTORY};
	int gate_code = fcntl(keep[0], F_DUPFD_CLOEXEC, FD_TRAMPOLINE + 1 + kept);
	int high[4 + LANES];

	die_with_parent();
	if (factory_to_trace())
		await_tracer(keep[2]);
	for (int i = 0; i < LANES; i++)
		number[2 + i] = FD_LANE0 + i;
	number[2 + LANES] = FD_TRAMPOLINE;
	for (unsigned i = 1; i < kept; i++)
		high[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, FD_TRAMPOLINE + 1 + kept);
	for (unsigned i = 1; i < kept; i++)
		place(high[i], number[i - 1]);
	place(gate_code, FD_TRAMPOLINE + 1);
	if (close_range(FD_TRAMPOLINE + 2, ~0u, 0))
		_exit(108);
	close_range(0, 2, 0);
	close_range(FD_LANE0 + LANES, FD_FIRST_FILE - 1, 0);
	drop_everything();
	long pid = syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		template_main(FD_TRAMPOLINE + 1, memory_limit_bytes);
	struct wire wire = {(int32_t)pid, 0};
	/* The template closes the gate's code itself, from the table that both share. */
	if (pid < 0 || write(FD_FACTORY, &wire, sizeof wire) != sizeof wire)
		_exit(109);
	factory_confine();
	factory_loop();
}

/* ------------------------------------------------------------------------------------------------ the sentry's end */

static int let_trace(int wire, pid_t pid)
{
	char byte;

	if (read(wire, &byte, 1) != 1)
		return -EAGAIN;
	int error = tracer_attach(&systrap.tracer, pid);
	return !error && write(wire, &byte, 1) != 1 ? -EPIPE : error;
}

int factory_start(int gate_code_fd, int gate_fd, int trampoline_fd, const int lane_fd[LANES],
		  uint64_t memory_limit_bytes, int *factory_fd, pid_t *factory_pid, pid_t *template_pid)
{
	int pair[2], keep[4 + LANES];
	struct timeval patience = {10, 0};
	struct wire wire = {0, 0};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -EMFILE;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	keep[0] = gate_code_fd;
	keep[1] = gate_fd;
	keep[2] = pair[1];
	for (int i = 0; i < LANES; i++)
		keep[3 + i] = lane_fd[i];
	keep[3 + LANES] = trampoline_fd;
	pid_t pid = fork();
	if (pid == 0)
		factory_main(keep, COUNT(keep), memory_limit_bytes);
	close(pair[1]);
	int error = pid < 0 ? -EAGAIN : factory_to_trace() ? let_trace(pair[0], pid) : 0;
	if (!error && read(pair[0], &wire, sizeof wire) != sizeof wire)
		error = -EAGAIN;
	if (error) {
		close(pair[0]);
		return error;
	}
	*factory_fd = pair[0];
	*factory_pid = pid;
	*template_pid = wire.number;
	return 0;
}

/* The answer is waited for without parking: the factory does nothing else and depends on no guest. */
int factory_install(int host_fd, int number)
{
	struct wire wire = {number, 0};
	struct iovec iov = {&wire, sizeof wire};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (host_fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &host_fd, sizeof host_fd);
	}
	n = host_sendmsg(systrap.factory_fd, &message, MSG_NOSIGNAL);
	if (n == sizeof wire) {
		struct msghdr answer = {.msg_iov = &iov, .msg_iovlen = 1};
		n = host_recvmsg(systrap.factory_fd, &answer, 0);
	}
	if (n != sizeof wire) {
		systrap.fatal = "the stub factory has ended";
		return -EIO;
	}
	return wire.result;
}
