/* governor.c - one fiber that looks after memory and CPU time as often as they ask for it.
 *
 * While no guest runs there is nothing to look after: then it sleeps without a deadline, and the first guest thread
 * that goes on wakes it (governor_alert). So an idle sandbox stays idle.
 */
#include "sentry/governor.h"
#include "sentry/hold.h"
#include "sentry/oom.h"
#include "sentry/task.h"

bool governor_alert;

static struct {
	struct fiber *fiber;
	bool dozing;
} governor;

static void governor_main(void *unused)
{
	(void)unused;
	for (;;) {
		uint64_t pause = MIN(oom_check(), cpulimit_check());
		governor.dozing = !run_inside() && !fiber_any_ready() && !hold_active();
		governor_alert = governor.dozing || hold_active();
		if (governor.dozing)
			fiber_park();
		else
			(void)!fiber_park_until(clock_now_ns() + pause);
	}
}

int governor_start(uint64_t memory_bytes, const struct cpulimit_config *cpu)
{
	hold_init();
	oom_limit_set(memory_bytes);
	cpulimit_set(cpu);
	if (!memory_bytes && !cpu->milli && !cpu->total_ns)
		return 0;
	return fiber_new(governor_main, NULL, &governor.fiber);
}

bool governor_enter(struct task *task)
{
	if (governor.dozing) {
		governor.dozing = false;
		governor_alert = false;
		fiber_wake(governor.fiber);
	}
	if (!hold_active())
		return false;
	hold_wait(task);
	return true;
}
