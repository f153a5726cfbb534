/* guest_init.c - how every program begins, and the first one (pid 2): it starts the guests of a round, lets them live
 * for a while, ends and reaps them all, clears up, and has the simulator look for what has leaked.
 */
#include "tests/sim/guest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define ROUND_STEPS 20000 /* of all guests together, more or less */

enum { W_ROUND = W_FIRST, W_LEFT, W_UNTIL, W_STEPS, W_CHOICE, W_PID };

/* argv[1]: number of a program (none: the first one); argv[2]: seed of the thread's random numbers. */
void guest_start(struct cpu *c)
{
	uint64_t argc = guest_load(c, c->r.rsp), choice = 0, random = sim.config.seed;
	char text[32] = "";

	c->r.rbx = GUEST_DATA + GUEST_BLOCK;
	if (argc >= 2) {
		guest_read(c, text, guest_load(c, c->r.rsp + 16), 8);
		choice = strtoul(text, NULL, 10);
	}
	if (argc >= 3) {
		guest_read(c, text, guest_load(c, c->r.rsp + 24), 24);
		random = strtoul(text, NULL, 10);
	}
	SET(W_RANDOM, random | 1);
	SET(W_SELF, c->r.rbx);
	c->r.rsp = c->r.rbx + GUEST_BLOCK;
	if (!argc || choice >= guest_program_count)
		choice = 0;
	c->r.rip = guest_address(argc < 2 ? guest_init : guest_programs[choice].main);
}

void guest_restorer(struct cpu *c)
{
	BEGIN;
	SYS(SYS_rt_sigreturn);
	EXIT(99); /* it comes back only after a SIGSEGV for a frame that could not be taken */
	END;
}

static unsigned choose_program(struct cpu *c)
{
	unsigned total = 0, i;

	for (i = 0; i < guest_program_count; i++)
		if (sim.config.programs >> i & 1 && (guest_programs[i].ends || !sim.config.strict))
			total += guest_programs[i].weight;
	if (!total)
		return 0;
	uint64_t at = RANDOM(total);
	for (i = 0; i < guest_program_count; i++) {
		if (!(sim.config.programs >> i & 1) || (!guest_programs[i].ends && sim.config.strict))
			continue;
		if (at < guest_programs[i].weight)
			return i;
		at -= guest_programs[i].weight;
	}
	return 0;
}

/* execve arguments in the buffer: path, argv, envp. */
static void write_arguments(struct cpu *c, unsigned choice)
{
	char text[32];

	guest_string(c, BUF, "/ro/prog");
	snprintf(text, sizeof text, "%u", choice);
	guest_string(c, BUF + 32, text);
	snprintf(text, sizeof text, "%lu", RANDOM(0));
	guest_string(c, BUF + 64, text);
	guest_store(c, BUF + 128, BUF);
	guest_store(c, BUF + 136, BUF + 32);
	guest_store(c, BUF + 144, BUF + 64);
	guest_store(c, BUF + 152, 0);
}

/* A child of the first program: becomes a program, by exec or just so. */
void guest_child(struct cpu *c)
{
	BEGIN;
	SYS(SYS_setpgid, 0, 0);
	if (RESULT)
		EXIT(0); /* signals for the first program's group are not for it */
	guest_store(c, BUF, 0);
	SYS(SYS_rt_sigprocmask, SIG_SETMASK, BUF, 0, 8);
	SET(W_CHOICE, choose_program(c));
	write_arguments(c, (unsigned)GET(W_CHOICE));
	if (RANDOM(3)) {
		SYS(SYS_execve, BUF, BUF + 128, BUF + 152);
		EXPECT(!sim.config.strict, "execve %ld", RESULT);
	}
	SET(W_RANDOM, (uint64_t)GET(W_RANDOM) * 6364136223846793005ull + c->thread->identity.tid);
	c->r.rip = guest_address(guest_programs[GET(W_CHOICE)].main);
	return;
	END;
}

static void write_time(struct cpu *c, uint64_t addr, uint64_t ns)
{
	struct timespec time = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

	guest_write(c, addr, &time, sizeof time);
}

/* A child that becomes one of the programs. */
#define SPAWN                                                                                                          \
	do {                                                                                                           \
		SYS(SYS_fork);                                                                                         \
		EXPECT(!sim.config.strict || RESULT >= 0, "fork %ld", RESULT);                                         \
		if (RESULT == 0) {                                                                                     \
			c->r.rip = guest_address(guest_child);                                                         \
			return;                                                                                        \
		}                                                                                                      \
	} while (0)

/* Whoever ends early is replaced, as long as there is time. */
void guest_live(struct cpu *c)
{
	BEGIN;
	SET(W_UNTIL, sim.now_ns + sim.config.life_ns);
	SET(W_STEPS, sim.steps + ROUND_STEPS);
	while ((uint64_t)GET(W_UNTIL) > sim.now_ns && (uint64_t)GET(W_STEPS) > sim.steps) {
		write_time(c, BUF, MIN((uint64_t)GET(W_UNTIL), sim.now_ns + NS_PER_MS));
		SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, BUF, 0);
		SYS(SYS_wait4, -1, BUF, WNOHANG, 0);
		if ((RESULT > 0 || RESULT == -ECHILD) && GET(W_LEFT) > 0) {
			SET(W_LEFT, GET(W_LEFT) - 1);
			SPAWN;
		}
	}
	LEAVE;
	END;
}

/* Some tables and file systems come into being with their first use. */
void guest_warm_up(struct cpu *c)
{
	BEGIN;
	guest_string(c, BUF, "/proc/self/fd/5");
	SYS(SYS_memfd_create, BUF, 0);
	SYS(SYS_dup2, RESULT, 5);
	SYS(SYS_stat, BUF, BUF + 64);
	SYS(SYS_pipe, BUF + 64);
	SYS(SYS_dup2, guest_load32(c, BUF + 64), 5);
	SYS(SYS_stat, BUF, BUF + 64);
	SYS(SYS_dup2, 1, 5);
	SYS(SYS_stat, BUF, BUF + 64);
	guest_store(c, BUF, AF_UNIX | 'n' << 24);
	SYS(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	SYS(SYS_dup2, RESULT, 5);
	SYS(SYS_bind, 5, BUF, 8);
	guest_string(c, BUF, "/proc/self/fd/5");
	SYS(SYS_stat, BUF, BUF + 64);
	SYS(SYS_eventfd2, 0, 0);
	SYS(SYS_dup2, RESULT, 5);
	SYS(SYS_stat, BUF, BUF + 64);
	SYS(SYS_getpid);
	SYS(SYS_kill, RESULT, SIGUSR1); /* blocked: waits until the round ends */
	SYS(SYS_shmget, 1, PAGE_SIZE, IPC_CREAT | 0600);
	SYS(SYS_msgget, 1, IPC_CREAT | 0600);
	SYS(SYS_semget, 1, 1, IPC_CREAT | 0600);
	guest_string(c, BUF, "/ro");
	SYS(SYS_open, BUF, O_RDONLY | O_DIRECTORY);
	SYS(SYS_getdents64, RESULT, BUF + 64, 0x400);
	SYS(SYS_close_range, 3, 100, 0);
	LEAVE;
	END;
}

void guest_init(struct cpu *c)
{
	BEGIN;
	/* Nobody but SIGKILL reaches us (guest_fuzz.c sees to that). */
	guest_store(c, BUF, ~0ull);
	SYS(SYS_rt_sigprocmask, SIG_SETMASK, BUF, 0, 8);
	if (RANDOM(2))
		SYS(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	ENTER(guest_warm_up);
	sim.armed = true;
	for (SET(W_ROUND, 0); GET(W_ROUND) < sim.config.rounds; SET(W_ROUND, GET(W_ROUND) + 1)) {
		for (SET(W_LEFT, sim.config.workers); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1))
			SPAWN;
		SET(W_LEFT, sim.config.workers * 4);
		if (!sim.config.strict)
			ENTER(guest_live);
		ENTER(guest_end_round);
	}
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ clearing up */

#define NAMES      (BUF + 0x400) /* what getdents64 has written */
#define NAMES_SIZE 0x1000
static const char *const roots[] = {"/.", "/tmp", "/rw", "/cow", "/dev/shm"};

static void path_get(struct cpu *c, char path[1024])
{
	guest_read(c, path, BUF, 1024);
	path[1023] = 0;
}

/* Not ours to remove: ".", "..", and in the sandbox's root all but what guests make there. */
static bool must_stay(const char *path, const char *name)
{
	if (!strcmp(path, "/."))
		return (name[0] != 'f' && name[0] != 'd') || !isdigit((unsigned char)name[1]);
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Appends the first entry of the listing that may go to the path; false: there is none. */
static bool path_append(struct cpu *c, int64_t bytes)
{
	char path[1024], names[NAMES_SIZE];

	path_get(c, path);
	guest_read(c, names, NAMES, sizeof names);
	for (int64_t at = 0; at < bytes;) {
		const struct dirent64 *entry = (const void *)(names + at);
		at += entry->d_reclen;
		if (must_stay(path, entry->d_name))
			continue;
		size_t length = strlen(path);
		snprintf(path + length, sizeof path - length, "/%s", entry->d_name);
		guest_string(c, BUF, path);
		return true;
	}
	return false;
}

static bool path_is_root(struct cpu *c)
{
	char path[1024];

	path_get(c, path);
	for (unsigned i = 0; i < COUNT(roots); i++)
		if (!strcmp(path, roots[i]))
			return true;
	return c->faulted;
}

/* Back to the directory above. */
static void path_up(struct cpu *c)
{
	char path[1024], *slash;

	path_get(c, path);
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
	guest_string(c, BUF, path);
}

/* Removes everything below the roots: the first name of a directory again and again, deeper when it is a directory that
 * is not empty. The only state is the path. */
void guest_clear_up(struct cpu *c)
{
	BEGIN;
	/* Somebody may have detached what was mounted there, and it would stay for as long as our working directory. */
	guest_string(c, BUF, "/tmp");
	SYS(SYS_chdir, BUF);
	for (SET(W_CHOICE, 0); GET(W_CHOICE) < (int64_t)COUNT(roots); SET(W_CHOICE, GET(W_CHOICE) + 1)) {
		guest_string(c, BUF, roots[GET(W_CHOICE)]);
		guest_string(c, NAMES, "user.a");
		SYS(SYS_removexattr, BUF, NAMES);
		guest_string(c, NAMES, "user.b");
		SYS(SYS_removexattr, BUF, NAMES);
		for (;;) {
			SYS(SYS_open, BUF, O_RDONLY | O_DIRECTORY);
			EXPECT(RESULT >= 0, "cannot open a directory to clear it: %ld", RESULT);
			SET(W_PID, RESULT);
			SYS(SYS_getdents64, GET(W_PID), NAMES, NAMES_SIZE);
			c->r.r12 = c->r.rax;
			SYS(SYS_close, GET(W_PID));
			if (path_append(c, (int64_t)c->r.r12)) {
				SYS(SYS_unlink, BUF);
				if (RESULT == -EISDIR)
					continue;
				EXPECT(RESULT == 0, "cannot remove a name: %ld", RESULT);
			} else {
				if (path_is_root(c))
					break;
				SYS(SYS_rmdir, BUF);
				EXPECT(RESULT == 0, "cannot remove an empty directory: %ld", RESULT);
			}
			path_up(c);
		}
	}
	LEAVE;
	END;
}

/* System V's objects outlive whoever made them. */
void guest_clear_ipc(struct cpu *c)
{
	BEGIN;
	SYS(SYS_shmctl, 0, IPC_INFO, BUF); /* the highest index in use */
	SET(W_LEFT, RESULT);
	SYS(SYS_msgctl, 0, IPC_INFO, BUF);
	SET(W_LEFT, MAX(GET(W_LEFT), RESULT));
	SYS(SYS_semctl, 0, 0, IPC_INFO, BUF);
	SET(W_LEFT, MAX(GET(W_LEFT), RESULT));
	for (SET(W_CHOICE, 0); GET(W_CHOICE) <= GET(W_LEFT); SET(W_CHOICE, GET(W_CHOICE) + 1)) {
		SYS(SYS_shmctl, GET(W_CHOICE), SHM_STAT, BUF);
		if (RESULT >= 0)
			SYS(SYS_shmctl, RESULT, IPC_RMID, 0);
		SYS(SYS_msgctl, GET(W_CHOICE), MSG_STAT, BUF);
		if (RESULT >= 0)
			SYS(SYS_msgctl, RESULT, IPC_RMID, 0);
		SYS(SYS_semctl, GET(W_CHOICE), 0, SEM_STAT, BUF);
		if (RESULT >= 0)
			SYS(SYS_semctl, RESULT, 0, IPC_RMID, 0);
	}
	LEAVE;
	END;
}

/* Everybody else is ended and reaped, what they made is removed. */
void guest_end_round(struct cpu *c)
{
	BEGIN;
	sim.quiet = true; /* no more failures: what is there now must go away */
	if (!sim.config.strict)
		SYS(SYS_kill, -1, SIGKILL);
	for (;;) {
		SYS(SYS_wait4, -1, BUF, __WALL, 0);
		if (RESULT == -ECHILD)
			break;
		EXPECT(RESULT > 0 || RESULT == -EINTR, "wait4 %ld", RESULT);
		if (sim.config.strict)
			EXPECT(guest_load32(c, BUF) == 0, "a program ended with status %x", guest_load32(c, BUF));
	}
	for (SET(W_PID, 0); GET(W_PID) < 3; SET(W_PID, GET(W_PID) + 1))
		SYS(SYS_flock, GET(W_PID), LOCK_UN); /* of descriptions that we share with everybody */
	guest_store(c, BUF, ~0ull);
	write_time(c, BUF + 8, 0);
	do {
		SYS(SYS_rt_sigtimedwait, BUF, 0, BUF + 8, 8); /* whatever waits for us */
	} while (RESULT > 0);
	/* Sockets that hold one another are collected when the next one goes, as on Linux. */
	SYS(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	SYS(SYS_close, RESULT);
	ENTER(guest_clear_ipc);
	ENTER(guest_clear_up);
	/* Orphans that nobody waits for, and what the sentry still has to do. */
	write_time(c, BUF, sim.now_ns + NS_PER_S);
	SYS(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, BUF, 0);
	SYS(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING,
	    0); /* a call about keys sweeps those that are over */
	sim_check_world();
	/* What the first round has changed for good (whiteouts over files of the host) is no leak. */
	if (GET(W_ROUND) == 0)
		sim_mark();
	else
		sim_check_leaks();
	sim.quiet = false;
	LEAVE;
	END;
}

/* ------------------------------------------------------------------------------------------------ the first program */

void guest_hello(struct cpu *c)
{
	BEGIN;
	SYS(SYS_getpid);
	EXPECT(RESULT == c->thread->identity.pid, "getpid %ld", RESULT);
	guest_string(c, BUF, "hello\n");
	SYS(SYS_write, 1, BUF, 6);
	EXPECT(!sim.config.strict || RESULT == 6, "write %ld", RESULT);
	EXIT(0);
	END;
}

const struct guest_program guest_programs[] = {
	{"hello", guest_hello, 1, true},     {"fuzz", guest_fuzz, 12, false},     {"pipe", guest_pipe, 2, true},
	{"rights", guest_rights, 2, true},   {"epoll", guest_epoll, 2, true},     {"eventfd", guest_eventfd, 2, true},
	{"lock", guest_lock, 2, true},       {"threads", guest_threads, 2, true}, {"statuses", guest_statuses, 2, true},
	{"signals", guest_signals, 2, true}, {"file", guest_file, 3, true},       {"time", guest_time, 1, true},
	{"names", guest_names, 3, true},
};
const unsigned guest_program_count = COUNT(guest_programs);

#define GUEST_POINTER(name) guest_##name,
void (*const guest_functions[])(struct cpu *c) = {GUEST_FUNCTIONS_LIST(GUEST_POINTER)};
const unsigned guest_function_count = COUNT(guest_functions);
