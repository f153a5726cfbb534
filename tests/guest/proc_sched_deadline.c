/* SCHED_DEADLINE: what its parameters may be, what is told again, who may have it, and that it is not inherited. */
#include "guest.h"
#include <sched.h>

#define MS 1000000ull

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static long set(uint64_t runtime, uint64_t deadline, uint64_t period, uint64_t flags)
{
	struct attr attr = {sizeof attr, 6, flags, 0, 0, runtime, deadline, period, 0, 0};
	return syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void show(void)
{
	struct attr attr = {0};
	SHOW(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0));
	say("policy %u, flags %llu, nice %d, priority %u", attr.policy, (unsigned long long)attr.flags, attr.nice,
	    attr.priority);
	if (attr.policy == 6)
		say(", %llu of %llu in %llu", (unsigned long long)attr.runtime, (unsigned long long)attr.deadline,
		    (unsigned long long)attr.period);
	say("\n");
}

static void as_user(void)
{
	become_user(1000);
	SHOW(set(1 * MS, 20 * MS, 20 * MS, 0));
}

static void child_of_reset(void)
{
	show();
}

int main(void)
{
	struct timespec slice;
	if (set(1 * MS, 30 * MS, 30 * MS, 0) && errno != EINVAL)
		skip("no right to a deadline here");
	show();
	SHOW(sched_getscheduler(0));
	SHOW(sched_rr_get_interval(0, &slice));
	SHOW(slice.tv_sec + slice.tv_nsec);
	SHOW(fork());
	SHOW(sched_setparam(0, &(struct sched_param){0}));

	section("limits");
	SHOW(set(1 * MS, 20 * MS, 0, 0));
	show();
	SHOW(set(1023, 20 * MS, 20 * MS, 0));
	SHOW(set(1024, 20 * MS, 20 * MS, 0));
	SHOW(set(1 * MS, 0, 20 * MS, 0));
	SHOW(set(1 * MS, 20 * MS, 19 * MS, 0));
	SHOW(set(21 * MS, 20 * MS, 20 * MS, 0));
	SHOW(set(1 * MS, 20 * MS, 1ull << 63, 0));
	SHOW(set(1 * MS, 20 * MS, 5000 * MS, 0));
	SHOW(set(2000, 20000, 20000, 0));
	SHOW(set(1 * MS, 20 * MS, 20 * MS, 0x80));
	SHOW(sched_setscheduler(0, 6, &(struct sched_param){0}));

	section("inherited by nobody");
	SHOW(set(1 * MS, 20 * MS, 20 * MS, 1));
	show();
	in_child("child", child_of_reset);
	SHOW(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}));
	show();
	in_child("a user", as_user);
	return 0;
}
