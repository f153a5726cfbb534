/* Scheduling: what can be asked, and what can be set without changing anything. */
#include "guest.h"
#include <sched.h>
#include <sys/resource.h>

static void as_user(void)
{
	MUST(setpriority(PRIO_PROCESS, 0, 5));
	become_user(1000);
	errno = 0;
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 10));
	SHOW(setpriority(PRIO_PROCESS, 0, 3));
	SHOW(nice(2));
	SHOW(setpriority(PRIO_PROCESS, 0, 100));
	SHOW(getpriority(PRIO_PROCESS, 0));
}

int main(void)
{
	struct sched_param param = {9};
	cpu_set_t all, one;
	SHOW(sched_getscheduler(0));
	SHOW(sched_getparam(0, &param));
	SHOW(param.sched_priority);
	SHOW(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}));
	SHOW(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){1}));
	SHOW(sched_setscheduler(0, 99, &(struct sched_param){0}));
	SHOW(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}));
	SHOW(sched_getscheduler(0));
	SHOW(sched_getscheduler(1 << 22));
	SHOW(sched_getscheduler(-1));
	SHOW(sched_get_priority_min(SCHED_FIFO));
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_max(SCHED_OTHER));
	SHOW(sched_get_priority_max(99));
	SHOW(sched_yield());

	section("affinity");
	MUST(sched_getaffinity(0, sizeof all, &all));
	CHECK(CPU_COUNT(&all) >= 1);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= CPU_COUNT(&all));
	int cpu = 0;
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	MUST(sched_getaffinity(0, sizeof all, &all));
	SHOW(CPU_COUNT(&all));
	CHECK(sched_getcpu() == cpu);
	CPU_ZERO(&one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	SHOW(sched_setaffinity(1 << 22, sizeof one, &all));
	SHOW(syscall(SYS_sched_getaffinity, 0, 1, &all));

	section("nice");
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpriority(99, 0));
	SHOW(getpriority(PRIO_PROCESS, 1 << 22));
	in_child("user", as_user);
	SHOW(getpriority(PRIO_PROCESS, 0));
	struct timespec slice;
	SHOW(sched_rr_get_interval(0, &slice));
	SHOW(sched_rr_get_interval(-1, &slice));
	return 0;
}
