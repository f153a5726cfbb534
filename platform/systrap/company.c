/* company.c - who is kept on the sentry's CPU when CPUs are scarce.
 *
 * Theory. In a crowd (poll.c) nobody spins, so each call of a guest is two wake-ups: the sentry's and the thread's. To
 * wake somebody on another CPU means to interrupt that CPU, which on virtual machines takes 10 to 20 us of each side's
 * time; on the same CPU it is a switch of 2 us. Both the host's kernel and we know too little to find that out in
 * advance: the kernel cannot see that who wakes is about to sleep, and a thread that computes needs a CPU of its own.
 * So threads are judged by what they have done lately: who has made many calls for the CPU time that it took is worth
 * more on our CPU than it loses there. It joins the company, and is let go as soon as it computes, as soon as the crowd
 * is gone, or when it has not been heard of for a while.
 *
 * Figures: docs/decisions/0010-company.md.
 *
 * Limits: COMPANY_MOST threads, so that more than two who talk to each other still share out the CPUs. What the host
 * does not allow (sched_setaffinity(2)) is not done.
 */
#include "platform/systrap/systrap.h"

#include "platform/host.h"
#include <errno.h>
#include <sched.h>

#define COMPANY_MOST  2
#define CANDIDATES    4
#define LOOK_NS       (4 * NS_PER_MS)
#define CALLS_LEAST   8                /* between two looks, to be a candidate */
#define CALL_LIGHT_NS (40 * NS_PER_US) /* CPU time of a thread for a call, its hand-over included */
#define SILENCE_NS    (20 * NS_PER_MS)

/* What a thread had at the last look. */
struct mark {
	struct uthread *thread; /* NULL: free */
	uint32_t calls;
	uint64_t cpu_ns, heard_ns;
};

static struct mark company[COMPANY_MOST], candidates[CANDIDATES];
static unsigned members, candidate_count;
static cpu_set_t all_cpus, our_cpu;
static bool allowed, crowded;
static uint64_t looked_ns;

void company_start(void)
{
	allowed = !systrap.no_spin && !sched_getaffinity(0, sizeof all_cpus, &all_cpus) && CPU_COUNT(&all_cpus) > 1;
}

uint64_t company_deadline(void)
{
	return members ? looked_ns + SILENCE_NS : DEADLINE_NONE;
}

static void place(pid_t pid, const cpu_set_t *cpus)
{
	int error = host_set_affinity(pid, cpus);

	if (error && error != -ESRCH) /* it may just have died */
		allowed = false;
}

static struct mark mark_of(struct uthread *thread, uint64_t now_ns)
{
	return (struct mark){thread, thread->calls, uthread_cpu_ns(thread), now_ns};
}

void company_offer(struct uthread *thread)
{
	if (!allowed || !crowded || thread->company || candidate_count == CANDIDATES)
		return;
	for (unsigned i = 0; i < candidate_count; i++)
		if (candidates[i].thread == thread)
			return;
	candidates[candidate_count++] = mark_of(thread, 0);
}

static void leave(struct mark *mark)
{
	struct uthread *thread = mark->thread;

	thread->company = false;
	mark->thread = NULL;
	if (thread->pid)
		place(thread->pid, &all_cpus);
	if (!--members)
		place(0, &all_cpus);
}

void company_leave(struct uthread *thread)
{
	for (unsigned i = candidate_count; i-- > 0;)
		if (candidates[i].thread == thread)
			candidates[i] = candidates[--candidate_count];
	for (unsigned i = 0; i < COMPANY_MOST && thread->company; i++)
		if (company[i].thread == thread)
			leave(&company[i]);
}

/* Has the thread done little but call since the mark was made? */
static bool is_light(const struct mark *before, const struct mark *now)
{
	return now->cpu_ns - before->cpu_ns <= (uint64_t)(now->calls - before->calls) * CALL_LIGHT_NS;
}

static void judge_member(struct mark *member, uint64_t now_ns)
{
	struct mark now = mark_of(member->thread, now_ns);
	bool heard = now.calls != member->calls;

	if (!heard)
		now.heard_ns = member->heard_ns;
	if (now_ns - now.heard_ns > SILENCE_NS || (heard && !is_light(member, &now)))
		leave(member);
	else
		*member = now;
}

static void join(const struct mark *mark, uint64_t now_ns)
{
	unsigned i = 0;

	while (i < COMPANY_MOST && company[i].thread)
		i++;
	if (i == COMPANY_MOST)
		return;
	if (!members++) {
		CPU_ZERO(&our_cpu);
		CPU_SET((unsigned)sched_getcpu(), &our_cpu);
		place(0, &our_cpu);
	}
	company[i] = *mark;
	company[i].heard_ns = now_ns;
	mark->thread->company = true;
	place(mark->thread->pid, &our_cpu);
}

void company_look(uint64_t now_ns, bool crowd)
{
	if (now_ns - looked_ns < LOOK_NS && crowd == crowded)
		return;
	looked_ns = now_ns;
	crowded = crowd;
	for (unsigned i = 0; i < COMPANY_MOST; i++) {
		if (company[i].thread && (!crowd || !allowed))
			leave(&company[i]);
		else if (company[i].thread)
			judge_member(&company[i], now_ns);
	}
	for (unsigned i = 0; i < candidate_count; i++) {
		struct mark now = mark_of(candidates[i].thread, now_ns);
		if (crowd && allowed && now.calls - candidates[i].calls >= CALLS_LEAST &&
		    is_light(&candidates[i], &now))
			join(&now, now_ns);
	}
	candidate_count = 0;
}
