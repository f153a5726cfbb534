/* oom.c - the limit of --memory over the whole sandbox, and who dies for it (mm/oom_kill.c and mm/memcontrol.c in
 * Linux).
 *
 * Theory. The host serves page faults without the sentry, so what is in use is sampled (memory.h), and the next sample
 * comes before the room that is left could be filled: LEFT / FILL_BYTES_PER_NS. A sample counts pages shared after a
 * fork for each process; only when that is too much are they told apart. Above the limit the process with the highest
 * badness (what it has, moved by oom_score_adj as in Linux) is killed and named, the others live on; until the host has
 * its pages back they are held (hold.h), or they would fill more meanwhile. What is on
 * its way out (a victim's, and that of processes that have ended) is waited for, DYING_NS from the last kill on, or
 * from when it was first seen to be enough; then the next one must die too. Where
 * that is one whose death would bring next to nothing, the wait is SMALL_NS: no shell dies because the host is slow
 * with a large process's pages. Files do not grow that far: who writes them is refused before (memory_has_room).
 *
 * Limits: a guest overshoots by what it can touch between two samples, 1 ms at the least
 * (docs/decisions/0007-limits.md).
 */
#include "sentry/oom.h"
#include "fs/facts.h"
#include "sentry/base/log.h"
#include "sentry/boot.h"
#include "sentry/hold.h"
#include "sentry/memory.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

#define FILL_BYTES_PER_NS 8 /* more than any number of cores here can clear */
#define LOOK_LEAST_NS     (1 * NS_PER_MS)
#define LOOK_MOST_NS      (250 * NS_PER_MS)
#define COST_SHARE        4 /* samples take at most one part in so many of the time */
#define DYING_NS          (1 * NS_PER_S)
#define SMALL_NS          (10 * NS_PER_S) /* instead, where the next would be one with less than SMALL_BYTES */
#define SMALL_BYTES       (1ull << 20)
#define NAMED_MOST        100     /* lines; a guest can make itself be killed as often as it likes */
#define NEVER             (-1000) /* OOM_SCORE_ADJ_MIN */

static uint64_t limit_bytes, kills, killed_ns;
static uint64_t waiting_ns; /* since when what is on its way out is waited for; 0: it is not */

void oom_limit_set(uint64_t bytes)
{
	limit_bytes = bytes;
}

uint64_t oom_kills(void)
{
	return kills;
}

static struct mm *mm_of(const struct process *process)
{
	const struct task *task;

	list_for_each (task, &process->threads, thread_node)
		if (task->mm)
			return task->mm;
	return NULL;
}

static uint64_t bytes_of(const struct process *process)
{
	struct mm *mm = mm_of(process);
	struct memory_usage usage = {0};

	if (mm)
		aspace_usage(mm->as, &usage);
	return usage.anonymous + usage.shared + usage.tables;
}

/* oom_badness: bytes, of which oom_score_adj is worth a thousandth of the memory each. INT64_MIN: not this one. */
static int64_t badness(const struct process *process)
{
	if (process->is_init || process->zombie || process->oom_victim || process->oom_score_adj <= NEVER ||
	    !mm_of(process))
		return INT64_MIN;
	return (int64_t)bytes_of(process) + (int64_t)(facts.memory_bytes / 1000) * process->oom_score_adj;
}

unsigned oom_score(const struct process *process)
{
	int64_t points = badness(process);

	if (points == INT64_MIN)
		return 0;
	points = 1000 + points / (int64_t)MAX(facts.memory_bytes / 1000, (uint64_t)1);
	return (unsigned)MAX(points * 2 / 3, (int64_t)0);
}

static struct process *choose(void)
{
	struct process *process, *worst = NULL;
	struct list *all = process_all();
	int64_t most = INT64_MIN;

	list_for_each (process, all, all_node) {
		int64_t points = badness(process);
		if (points > most) {
			most = points;
			worst = process;
		}
	}
	return worst;
}

static void end(struct process *process)
{
	process->oom_victim = true;
	(void)!signal_send_process(process, SIGKILL, NULL);
}

/* Everybody who uses the same memory must go with the victim (vfork). */
static void kill_victim(struct process *victim, uint64_t now)
{
	struct mm *mm = mm_of(victim);
	struct process *process;
	struct list *all = process_all();

	if (kills++ < NAMED_MOST)
		log_error("out of memory: killed process %d (%.16s), which had %llu MiB (--memory is %llu MiB)%s",
			  victim->pid, victim->leader ? victim->leader->comm : "?",
			  (unsigned long long)(bytes_of(victim) >> 20), (unsigned long long)(limit_bytes >> 20),
			  kills == NAMED_MOST ? "; more are not named" : "");
	if (mm)
		aspace_doom(mm->as);
	memory_forget();
	killed_ns = now;
	end(victim);
	list_for_each (process, all, all_node)
		if (mm && process != victim && !process->is_init && !process->zombie && mm_of(process) == mm)
			end(process);
}

/* Above the limit. */
static void relieve(const struct platform_memory *memory, uint64_t now)
{
	struct process *victim = choose();
	bool small = victim && bytes_of(victim) < SMALL_BYTES;
	bool enough = memory_total(memory) <= limit_bytes + memory->leaving;
	bool worth_waiting = memory->leaving && (enough || small);

	if (!worth_waiting)
		waiting_ns = 0;
	else if (!waiting_ns)
		waiting_ns = now;
	bool patient = memory->leaving && now < MAX(killed_ns, waiting_ns) + (small ? SMALL_NS : DYING_NS);
	if (patient && worth_waiting)
		return;
	if (victim)
		kill_victim(victim, now);
	else if (!patient)
		boot_limit_reached("out of memory (--memory is %llu MiB), and nobody who may be killed",
				   (unsigned long long)(limit_bytes >> 20));
}

uint64_t oom_check(void)
{
	struct platform_memory memory;
	uint64_t start, taken;

	if (!limit_bytes)
		return DEADLINE_NONE;
	clock_refresh();
	start = clock_now_ns();
	memory_sample(&memory, limit_bytes);
	clock_refresh();
	taken = clock_now_ns() - start;
	uint64_t used = memory_total(&memory);
	if (used > limit_bytes) {
		hold_begin(HOLD_MEMORY);
		relieve(&memory, clock_now_ns());
	} else {
		hold_end(HOLD_MEMORY);
		waiting_ns = 0;
	}
	uint64_t left = limit_bytes - MIN(used, limit_bytes);
	uint64_t pause = MIN(MAX(left / FILL_BYTES_PER_NS, LOOK_LEAST_NS), LOOK_MOST_NS);
	return MAX(pause, COST_SHARE * taken);
}
