/* start.c - platform_start and platform_stop: what exists once a sandbox.
 *
 * Theory. platform_start runs in the process that will be the sentry, with its final user and namespaces, before its
 * jail closes, so it may call the host as it likes (raw calls and the C library); the rest of the platform calls only
 * host.h. It makes: a sealed memory file with the gate's code and the programs without a secret; the sandbox's memory
 * file (bell, and for each address space command page, reply page, blocks: sparse); the factory and with it the first
 * stub; then a few blank stubs.
 *
 * Limits: one platform a process.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate_symbols.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "platform/systrap/filter.h"
#include "platform/systrap/trampoline.h"
#include "sentry/base/log.h"

struct systrap systrap = {.gate_fd = -1, .factory_fd = -1, .sigchld_file = HOSTFILE_NONE};

extern const char gate_blob[], gate_blob_end[]; /* tests look at it too */
extern const uint64_t gate_blob_bytes;
__asm__(".section .rodata\n"
	".globl gate_blob, gate_blob_end, gate_blob_bytes\n"
	".balign 16\n"
	"gate_blob_bytes:\n"
	".quad gate_blob_end - gate_blob\n"
	"gate_blob:\n"
	".incbin \"" GATE_BIN "\"\n"
	"gate_blob_end:\n"
	".text\n");

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

struct filter_layout systrap_layout(void)
{
	struct filter_layout layout = {
		.guest_code = GATE_CODE,
		.guest_code_end = GATE_CODE + GATE_GUEST_BYTES,
		.slot_base = GATE_CODE,
		.agent_code = GATE_AGENT,
		.agent_code_end = GATE_AGENT + GATE_AGENT_BYTES,
		.program_start = GATE_CONF,
		.program_end = GATE_KEY + GATE_KEY_BYTES,
		.first_file_fd = FD_FIRST_FILE,
		.arch_prctl = !systrap.fsgsbase,
		.remaps = 2,
		.remap = {{GATE_CMD, GATE_CMD_BYTES, PROT_READ, FD_GATE},
			  {GATE_DATA, GATE_DATA_BYTES, PROT_READ | PROT_WRITE, FD_GATE}},
	};

	static_assert(GATE_SYM_gate_slots == GATE_CODE, "the slots open the gate");
	return layout;
}

static int fail(const char *what, int error)
{
	log_error("systrap: %s: %s", what, strerror(-error));
	return error;
}

/* A memory file of this size, or -errno. */
static int memory_file(const char *name, uint64_t bytes, unsigned flags)
{
	int fd = host_memfd_create(name, MFD_CLOEXEC | flags);
	int error = fd < 0 ? fd : host_ftruncate(fd, (int64_t)bytes);

	return error < 0 ? error : fd;
}

static void put_program(char *pages, uint64_t pages_addr, uint64_t prog[2], uint32_t at, const struct filter *filter)
{
	assert(at + filter->len * sizeof filter->insn[0] <= GATE_CONF_BYTES);
	memcpy(pages + at, filter->insn, filter->len * sizeof filter->insn[0]);
	prog[0] = filter->len;
	prog[1] = pages_addr + at;
}

/* Code and programs, written once and sealed: no stub can ever write them, whatever it maps. */
static int gate_code_make(int *out)
{
	static struct filter filter; /* too long for a stack */
	struct filter_layout layout = systrap_layout();
	int error, fd = memory_file("gate-code", GATE_CODE_BYTES + GATE_CONF_BYTES, MFD_ALLOW_SEALING);

	if (fd < 0)
		return fd;
	char *code =
		host_mmap(NULL, GATE_CODE_BYTES + GATE_CONF_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &error);
	if (!code)
		return error;
	assert(gate_blob_bytes <= GATE_CODE_BYTES);
	memcpy(code, gate_blob, gate_blob_bytes);
	char *pages = code + GATE_CODE_BYTES;
	struct gate_conf *conf = (struct gate_conf *)pages;
	conf->fsgsbase = systrap.fsgsbase;
	filter_agent(&filter, &layout);
	put_program(pages, GATE_CONF, conf->agent_prog, 256, &filter);
	uint32_t next = 256 + filter.len * sizeof filter.insn[0];
	filter_guest(&filter, &layout, 0);
	put_program(pages, GATE_CONF, conf->guest_prog, next, &filter);
	host_munmap(code, GATE_CODE_BYTES + GATE_CONF_BYTES);
	error = host_fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	*out = fd;
	return error;
}

static bool one_cpu(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < 2;
}

static int files_make(void)
{
	const uint64_t bytes = STUB_FILE_OFF(ASPACES);
	int error;

	systrap.gate_fd = memory_file("gate", bytes, 0);
	if (systrap.gate_fd < 0)
		return systrap.gate_fd;
	systrap.file =
		host_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, systrap.gate_fd, 0, &error);
	if (!systrap.file)
		return error;
	systrap.bell = (struct bell *)systrap.file;
	for (int i = 0; i < LANES; i++) {
		systrap.lane_fd[i] = memory_file("lane", 0, 0);
		if (systrap.lane_fd[i] < 0)
			return systrap.lane_fd[i];
	}
	return 0;
}

/* Deaths of stubs come as SIGCHLD, which is read from a descriptor. */
static int sigchld_make(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -EINVAL;
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -EMFILE : hostfile_add(fd, &systrap.sigchld_file);
}

/* proc of our own pid namespace, if the jail has not provided it already. */
static void proc_find(void)
{
	char self[16];
	int fd = host_proc_open("self", O_PATH | O_NOFOLLOW);

	if (fd >= 0) {
		host_close(fd);
		return;
	}
	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = readlinkat(fd, "self", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
	char own[16];
	snprintf(own, sizeof own, "%d", (int)getpid());
	if (strcmp(self, own))
		close(fd);
	else
		host_proc_set(fd);
}

static int processes_make(void)
{
	int gate_code_fd = -1, trampoline_fd = -1;
	pid_t template_pid = 0;
	int error = gate_code_make(&gate_code_fd);

	if (!error)
		error = trampoline_start(&trampoline_fd);
	if (!error)
		error = factory_start(gate_code_fd, systrap.gate_fd, trampoline_fd, systrap.lane_fd,
				      systrap.config.memory_limit_bytes, &systrap.factory_fd, &systrap.factory_pid,
				      &template_pid);
	if (!error)
		error = aspace_setup(0, template_pid, &systrap.template);
	host_close(gate_code_fd);
	host_close(trampoline_fd);
	return error;
}

static int tracer_refused(int seccomp_error, int error)
{
	if (seccomp_error)
		log_error("this host refuses both seccomp (%s) and ptrace (%s), and usbx needs one of them: in a "
			  "container, "
			  "allow seccomp(2) in its profile",
			  strerror(-seccomp_error), strerror(-error));
	else
		log_error(
			"this host refuses ptrace (%s): perhaps a container's seccomp profile, a debugger that traces "
			"usbx, or sysctl kernel.yama.ptrace_scope above 1",
			strerror(-error));
	return error;
}

/* Who catches the calls of guests: the host's seccomp, or a tracer. A sentry that can have no filter of its own is
 * traced itself. */
static int catcher_choose(void)
{
	enum platform_kind kind = systrap.config.kind;
	int refused = seccomp_usable(), error;

	if (!refused && kind != PLATFORM_PTRACE)
		return 0;
	if (kind == PLATFORM_SYSTRAP)
		return fail("this host refuses seccomp; try --platform=ptrace", refused);
	error = tracer_start(&systrap.tracer);
	if (!error && refused) {
		systrap.sentry_traced = true;
		tracer_invite(&systrap.tracer);
		error = tracer_attach(&systrap.tracer, getpid());
	}
	return error ? tracer_refused(refused, error) : 0;
}

int platform_start(const struct platform_config *config)
{
	int error;

	assert(!systrap.bell);
	systrap.config = *config;
	systrap.fsgsbase = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
	systrap.no_spin = config->no_spin || one_cpu();
	list_init(&systrap.threads);
	waitq_init(&systrap.lane_free);
	context_measure();
	if (systrap.fp_bytes + 1024 > BLOCK_ALT_BYTES)
		return fail("the vector state of this CPU is too large", -ENOSPC);
	error = catcher_choose();
	if (error)
		return error;
	hostfile_start();
	error = files_make();
	if (error)
		return fail("memory files", error);
	error = sigchld_make();
	if (error)
		return fail("signalfd", error);
	proc_find();
	error = processes_make();
	if (systrap.tracer.refused)
		return tracer_refused(0, systrap.tracer.refused);
	if (error)
		return fail("the stub factory (are clone and seccomp allowed here?)", error);
	error = hostio_start(HOSTIO_AUTO);
	if (error)
		return fail("host I/O", error);
	poll_start();
	error = pool_start();
	return error ? fail("the pool of stubs", error) : 0;
}

/* Ends, or reaps, every process of the platform. All are told first: they end at the same time then. */
static void for_all(void (*each)(pid_t pid))
{
	struct uthread *thread;

	list_for_each (thread, &systrap.threads, all_node)
		if (thread->state != UTHREAD_DEAD)
			each(thread->pid);
	for (unsigned id = 0; id < ASPACES; id++)
		if (aspace_by_id(id))
			each(aspace_by_id(id)->agent_pid);
	each(systrap.factory_pid);
}

static void end(pid_t pid)
{
	if (pid > 1)
		host_kill(pid, SIGKILL);
}

static void reap(pid_t pid)
{
	siginfo_t info;

	if (pid > 1)
		(void)!host_waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL, NULL);
}

void platform_stop(void)
{
	systrap.stopping = true;
	for_all(end);
	for_all(reap);
	/* Last, because the others are reaped through it. One that traces us ends with us. */
	if (!systrap.sentry_traced) {
		end(systrap.tracer.pid);
		reap(systrap.tracer.pid);
	}
}

const char *platform_fatal(void)
{
	return systrap.fatal;
}

void platform_stats_get(struct platform_stats *out)
{
	*out = systrap.stats;
}
