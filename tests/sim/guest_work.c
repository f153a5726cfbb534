/* guest_work.c - guests whose work has a known end: counters under locks, joined threads, exit statuses, queued
 * signals, files with a model of their bytes, timers, names.
 */
#include "tests/sim/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PLACE   0x20000000ull /* memory that processes share */
#define LOCK    PLACE
#define COUNTER (PLACE + 8)
#define TURNS   25

enum { W_LEFT = W_FIRST, W_SEEN, W_ID, W_PID, W_FD, W_SIZE, W_AT, W_LENGTH, W_OP, W_UNTIL };

static bool interrupted(int64_t result)
{
	return result == -EINTR || result == -EAGAIN || (!sim.config.strict && result == -ENOMEM);
}

static void write_time(struct cpu *c, uint64_t addr, uint64_t ns)
{
	guest_store(c, addr, ns / NS_PER_S);
	guest_store(c, addr + 8, ns % NS_PER_S);
}

/* ------------------------------------------------------------------------------------------------ a lock */

/* A futex lock (U. Drepper, "Futexes are tricky", mutex2): 0 free, 1 taken, 2 taken and somebody waits. */
void guest_lock_turns(struct cpu *c)
{
	uint32_t word;

	BEGIN;
	for (SET(W_LEFT, TURNS); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
		word = guest_load32(c, LOCK);
		if (word == 0) {
			guest_store32(c, LOCK, 1);
		} else {
			for (;;) {
				word = guest_load32(c, LOCK);
				guest_store32(c, LOCK, 2);
				if (word == 0)
					break;
				SYS(SYS_futex, LOCK, FUTEX_WAIT, 2, 0, 0, 0);
				EXPECT(RESULT == 0 || interrupted(RESULT), "futex wait %ld", RESULT);
			}
		}
		SET(W_SEEN, guest_load(c, COUNTER));
		STEP;
		if (!RANDOM(3))
			SYS(SYS_sched_yield);
		EXPECT((int64_t)guest_load(c, COUNTER) == GET(W_SEEN), "somebody else is inside the lock");
		guest_store(c, COUNTER, (uint64_t)GET(W_SEEN) + 1);
		STEP;
		word = guest_load32(c, LOCK);
		guest_store32(c, LOCK, 0);
		if (word == 2)
			SYS(SYS_futex, LOCK, FUTEX_WAKE, 1, 0, 0, 0);
	}
	EXIT(0);
	END;
}

void guest_lock(struct cpu *c)
{
	BEGIN;
	SYS(SYS_mmap, PLACE, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (RESULT < 0)
		EXIT(0);
	for (SET(W_ID, 0); GET(W_ID) < 3; SET(W_ID, GET(W_ID) + 1)) {
		SYS(SYS_fork);
		if (RESULT == 0) {
			SET(W_RANDOM, (uint64_t)GET(W_RANDOM) + 1000 * (uint64_t)GET(W_ID));
			c->r.rip = guest_address(guest_lock_turns);
			return;
		}
	}
	do {
		SYS(SYS_wait4, -1, BUF, 0, 0);
	} while (RESULT > 0 || RESULT == -EINTR);
	EXPECT(!sim.config.strict || guest_load(c, COUNTER) == 3 * TURNS, "the counter is %lu", guest_load(c, COUNTER));
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ threads */

#define THREADS 4
#define THREAD_FLAGS                                                                                                   \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |     \
	 CLONE_CHILD_SETTID)

void guest_thread(struct cpu *c)
{
	BEGIN;
	for (SET(W_LEFT, RANDOM(20)); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
		SYS(SYS_gettid);
		EXPECT(RESULT == c->thread->identity.tid, "gettid %ld", RESULT);
		SYS(SYS_mmap, 0, PAGE_SIZE * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		SET(W_AT, RESULT);
		if (RESULT < 0)
			continue;
		guest_store(c, (uint64_t)GET(W_AT) + 5000, (uint64_t)GET(W_AT));
		STEP;
		EXPECT((int64_t)guest_load(c, (uint64_t)GET(W_AT) + 5000) == GET(W_AT), "memory has changed");
		SYS(SYS_munmap, GET(W_AT), PAGE_SIZE * 4);
	}
	SYS(SYS_exit, 0);
	END;
}

/* As pthread_join: the word at the start of each thread's buffer becomes 0 when it has ended. */
void guest_threads(struct cpu *c)
{
	BEGIN;
	for (SET(W_ID, 1); GET(W_ID) <= THREADS; SET(W_ID, GET(W_ID) + 1)) {
		SET(W_AT, guest_block(c, (unsigned)GET(W_ID)));
		guest_store(c, (uint64_t)GET(W_AT) + GUEST_BUFFER, 0);
		SYS(SYS_clone, THREAD_FLAGS, GET(W_AT) + GUEST_BLOCK, 0, GET(W_AT) + GUEST_BUFFER, 0);
		EXPECT(!sim.config.strict || RESULT >= 0, "clone %ld", RESULT);
		if (RESULT == 0) {
			c->r.rbx = c->r.rsp - GUEST_BLOCK;
			c->r.rip = guest_address(guest_thread);
			return;
		}
		/* The new thread writes its number itself, perhaps after we have looked. */
		if (RESULT > 0 && !guest_load32(c, (uint64_t)GET(W_AT) + GUEST_BUFFER))
			guest_store32(c, (uint64_t)GET(W_AT) + GUEST_BUFFER, 0);
	}
	for (SET(W_ID, 1); GET(W_ID) <= THREADS; SET(W_ID, GET(W_ID) + 1)) {
		SET(W_AT, GUEST_DATA + GUEST_BLOCK * (uint64_t)(GET(W_ID) + 1) + GUEST_BUFFER);
		while (guest_load32(c, (uint64_t)GET(W_AT))) {
			SYS(SYS_futex, GET(W_AT), FUTEX_WAIT, guest_load32(c, (uint64_t)GET(W_AT)), 0, 0, 0);
			EXPECT(RESULT == 0 || interrupted(RESULT), "futex wait %ld", RESULT);
		}
	}
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ exit statuses */

void guest_statuses(struct cpu *c)
{
	BEGIN;
	for (SET(W_LEFT, 12); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
		SET(W_OP, RANDOM(3));
		SYS(SYS_fork);
		if (RESULT < 0) {
			EXPECT(!sim.config.strict, "fork %ld", RESULT);
			continue;
		}
		if (RESULT == 0) {
			if (GET(W_OP) == 0)
				SYS(SYS_exit_group, GET(W_LEFT));
			if (GET(W_OP) == 1)
				guest_load(c, 8); /* no page there */
			SYS(SYS_pause);
			EXIT(1);
		}
		SET(W_PID, RESULT);
		if (GET(W_OP) == 2)
			SYS(SYS_kill, GET(W_PID), SIGTERM);
		do {
			SYS(SYS_wait4, GET(W_PID), BUF, 0, 0);
		} while (RESULT == -EINTR);
		EXPECT(!sim.config.strict || RESULT == GET(W_PID), "wait4 %ld", RESULT);
		if (sim.config.strict)
			EXPECT((guest_load32(c, BUF) & 0xff7f) == (GET(W_OP) == 0   ? (uint32_t)GET(W_LEFT) << 8
								   : GET(W_OP) == 1 ? SIGSEGV
										    : SIGTERM),
			       "status %x of kind %ld", guest_load32(c, BUF), GET(W_OP));
	}
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ queued signals */

#define QUEUED 20
#define INFO   (BUF + 0x800)

void guest_signals(struct cpu *c)
{
	BEGIN;
	SET(W_ID, 34 + RANDOM(20));
	guest_store(c, BUF, 1ull << (GET(W_ID) - 1));
	SYS(SYS_rt_sigprocmask, SIG_BLOCK, BUF, 0, 8);
	SYS(SYS_getpid);
	SET(W_PID, RESULT);
	SYS(SYS_fork);
	EXPECT(!sim.config.strict || RESULT >= 0, "fork %ld", RESULT);
	if (RESULT == 0) {
		for (SET(W_LEFT, 0); GET(W_LEFT) < QUEUED; SET(W_LEFT, GET(W_LEFT) + 1)) {
			guest_store32(c, INFO, (uint32_t)GET(W_ID));
			guest_store32(c, INFO + 8, (uint32_t)-1); /* SI_QUEUE */
			guest_store(c, INFO + 24, (uint64_t)GET(W_LEFT));
			SYS(SYS_rt_sigqueueinfo, GET(W_PID), GET(W_ID), INFO);
			EXPECT(!sim.config.strict || RESULT == 0, "rt_sigqueueinfo %ld", RESULT);
		}
		EXIT(0);
	}
	for (SET(W_LEFT, 0); sim.config.strict && GET(W_LEFT) < QUEUED; SET(W_LEFT, GET(W_LEFT) + 1)) {
		do {
			SYS(SYS_rt_sigtimedwait, BUF, INFO, 0, 8);
		} while (RESULT == -EINTR);
		EXPECT(RESULT == GET(W_ID), "rt_sigtimedwait %ld", RESULT);
		EXPECT((int64_t)guest_load(c, INFO + 24) == GET(W_LEFT), "value %lu, %ld is next",
		       guest_load(c, INFO + 24), GET(W_LEFT));
	}
	SYS(SYS_wait4, -1, BUF, 0, 0);
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ a file and its model
 */

#define MODEL      0x30000000ull /* private memory: what the file should hold */
#define WINDOW     0x31000000ull /* the file mapped shared */
#define FILE_MOST  (12 * PAGE_SIZE)
#define FILE_STEPS 60

static void file_name(struct cpu *c)
{
	static const char *const dirs[] = {"/tmp", "/rw", "/cow"};
	char text[64];

	snprintf(text, sizeof text, "%s/m%u", dirs[GET(W_ID)], c->thread->identity.pid);
	guest_string(c, BUF, text);
}

/* The bytes to write lie in BUF: all alike, so that one word of the model says enough. */
static void fill(struct cpu *c, uint64_t addr, uint8_t byte, size_t n)
{
	uint8_t bytes[PAGE_SIZE];

	memset(bytes, byte, sizeof bytes);
	for (size_t done = 0; done < n; done += MIN(n - done, sizeof bytes))
		guest_write(c, addr + done, bytes, MIN(n - done, sizeof bytes));
}

static void compare(struct cpu *c, uint64_t at, int64_t n)
{
	uint8_t is[0x1800], should[0x1800];

	if (n <= 0)
		return;
	guest_read(c, is, BUF, (size_t)n);
	guest_read(c, should, MODEL + at, (size_t)n);
	for (int64_t i = 0; i < n && !c->faulted; i++)
		if (is[i] != should[i]) {
			EXPECT(false, "byte %lu of a file (size %ld) is %x, should be %x", at + (uint64_t)i,
			       GET(W_SIZE), is[i], should[i]);
			return;
		}
}

static void choose_part(struct cpu *c)
{
	SET(W_AT, RANDOM(FILE_MOST - 0x1800));
	SET(W_LENGTH, 1 + RANDOM(RANDOM(2) ? 0x1000 : 64));
	SET(W_OP, RANDOM(8));
}

/* What a write that moved n bytes has done to the model. */
static void model_wrote(struct cpu *c, int64_t n)
{
	if (n <= 0)
		return;
	fill(c, MODEL + (uint64_t)GET(W_AT), (uint8_t)GET(W_LEFT), (size_t)n);
	SET(W_SIZE, MAX(GET(W_SIZE), GET(W_AT) + n));
}

static void model_size(struct cpu *c, int64_t size)
{
	if (size < GET(W_SIZE))
		fill(c, MODEL + (uint64_t)size, 0, (size_t)(GET(W_SIZE) - size));
	SET(W_SIZE, size);
}

void guest_file(struct cpu *c)
{
	BEGIN;
	SYS(SYS_mmap, MODEL, FILE_MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (RESULT < 0)
		EXIT(0);
	SET(W_ID, RANDOM(3));
	file_name(c);
	SYS(SYS_open, BUF, O_RDWR | O_CREAT | O_TRUNC, 0644);
	EXPECT(!sim.config.strict || RESULT >= 0, "open %ld", RESULT);
	if (RESULT < 0)
		EXIT(0);
	SET(W_FD, RESULT);
	SET(W_SIZE, 0);
	for (SET(W_LEFT, FILE_STEPS); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
		choose_part(c);
		if (GET(W_OP) <= 2) {
			fill(c, BUF, (uint8_t)GET(W_LEFT), (size_t)GET(W_LENGTH));
			SYS(SYS_pwrite64, GET(W_FD), BUF, GET(W_LENGTH), GET(W_AT));
			EXPECT(!sim.config.strict || RESULT == GET(W_LENGTH), "pwrite %ld", RESULT);
			model_wrote(c, RESULT);
		} else if (GET(W_OP) == 3) {
			SYS(SYS_ftruncate, GET(W_FD), GET(W_AT));
			EXPECT(!sim.config.strict || RESULT == 0, "ftruncate %ld", RESULT);
			if (RESULT == 0)
				model_size(c, GET(W_AT));
		} else if (GET(W_OP) == 4) {
			SYS(SYS_fstat, GET(W_FD), BUF);
			if (RESULT == 0)
				EXPECT((int64_t)guest_load(c, BUF + offsetof(struct stat, st_size)) == GET(W_SIZE),
				       "fstat says %lu bytes, %ld should be",
				       guest_load(c, BUF + offsetof(struct stat, st_size)), GET(W_SIZE));
		} else if (GET(W_OP) == 5) {
			SYS(SYS_mmap, WINDOW, FILE_MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, GET(W_FD), 0);
			if (RESULT > 0 && GET(W_AT) + GET(W_LENGTH) <= GET(W_SIZE)) {
				fill(c, WINDOW + (uint64_t)GET(W_AT), (uint8_t)GET(W_LEFT), (size_t)GET(W_LENGTH));
				model_wrote(c, GET(W_LENGTH));
			}
			STEP;
			SYS(SYS_munmap, WINDOW, FILE_MOST);
		} else {
			SYS(SYS_pread64, GET(W_FD), BUF, GET(W_LENGTH), GET(W_AT));
			if (sim.config.strict)
				EXPECT(RESULT == MAX(0l, MIN(GET(W_LENGTH), GET(W_SIZE) - GET(W_AT))),
				       "pread %ld of %ld at %ld, size %ld", RESULT, GET(W_LENGTH), GET(W_AT),
				       GET(W_SIZE));
			compare(c, (uint64_t)GET(W_AT), RESULT);
		}
	}
	file_name(c);
	SYS(SYS_unlink, BUF);
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ time */

void guest_time(struct cpu *c)
{
	BEGIN;
	for (SET(W_LEFT, 10); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
		SET(W_LENGTH, RANDOM(5 * NS_PER_MS));
		write_time(c, BUF, (uint64_t)GET(W_LENGTH));
		SET(W_UNTIL, sim.now_ns + (uint64_t)GET(W_LENGTH));
		SYS(SYS_nanosleep, BUF, 0);
		EXPECT(RESULT == -EINTR || sim.now_ns >= (uint64_t)GET(W_UNTIL), "woken %ld ns too early",
		       GET(W_UNTIL) - (int64_t)sim.now_ns);
		SYS(SYS_clock_gettime, CLOCK_MONOTONIC, BUF + 32);
		if (RESULT == 0)
			EXPECT(guest_load(c, BUF + 32) * NS_PER_S + guest_load(c, BUF + 40) <= sim.now_ns,
			       "the clock runs ahead");
		SYS(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
		SET(W_FD, RESULT);
		write_time(c, BUF, NS_PER_MS);
		write_time(c, BUF + 16, 1 + RANDOM(NS_PER_MS));
		SYS(SYS_timerfd_settime, GET(W_FD), 0, BUF, 0);
		if (RESULT == 0) {
			SYS(SYS_read, GET(W_FD), BUF, 8);
			EXPECT(!sim.config.strict || (RESULT == 8 && guest_load(c, BUF) >= 1), "timer: read %ld",
			       RESULT);
		}
		SYS(SYS_close, GET(W_FD));
	}
	EXIT(0);
	END;
}

/* ------------------------------------------------------------------------------------------------ names */

#define NAMES 4

static void write_names(struct cpu *c)
{
	static const char *const dirs[] = {"/tmp", "/rw", "/cow"};
	char text[64];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof text, "%s/n%lu", dirs[GET(W_ID)], RANDOM(NAMES));
		guest_string(c, BUF + 64 * i, text);
	}
}

/* Several of these work on the same names; whatever happens, a name that is found leads to a file with a link at least.
 */
void guest_names(struct cpu *c)
{
	BEGIN;
	SET(W_ID, RANDOM(3));
	for (SET(W_LEFT, 40); GET(W_LEFT) > 0; SET(W_LEFT, GET(W_LEFT) - 1)) {
		write_names(c);
		SET(W_OP, RANDOM(7));
		if (GET(W_OP) == 0)
			SYS(SYS_link, BUF, BUF + 64);
		else if (GET(W_OP) == 1)
			SYS(SYS_rename, BUF, BUF + 64);
		else if (GET(W_OP) == 2)
			SYS(SYS_unlink, BUF);
		else if (GET(W_OP) == 3)
			SYS(SYS_renameat2, AT_FDCWD, BUF, AT_FDCWD, BUF + 64, RANDOM(3));
		else if (GET(W_OP) == 4)
			SYS(SYS_symlink, BUF, BUF + 64);
		else
			SYS(SYS_open, BUF, O_CREAT | O_RDWR, 0600);
		if (GET(W_OP) >= 5 && RESULT >= 0)
			SYS(SYS_close, RESULT);
		EXPECT(!sim.config.strict || RESULT == 0 || RESULT == -ENOENT || RESULT == -EEXIST ||
			       RESULT == -ELOOP || RESULT == -EXDEV,
		       "%ld of kind %ld", RESULT, GET(W_OP));
		write_names(c);
		SYS(SYS_lstat, BUF, BUF + 256);
		if (RESULT == 0)
			EXPECT(guest_load(c, BUF + 256 + offsetof(struct stat, st_nlink)) >= 1,
			       "a name without a link");
	}
	EXIT(0);
	END;
}
