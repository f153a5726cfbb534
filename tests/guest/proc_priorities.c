/* setpriority(2) for processes, groups and users; nice and scheduling classes through sched_setattr(2) and affinity. */
#include "guest.h"
#include <sched.h>
#include <sys/resource.h>

/* As the first version of the kernel's structure; the C library has none. */
struct sched_attr {
	uint32_t size, sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t runtime, deadline, period;
};

static void groups(void)
{
	int ends[2];
	MUST(setpgid(0, 0));
	MUST(pipe(ends));
	pid_t pid = fork_child();
	if (!pid) {
		await(ends[0]);
		SHOW(getpriority(PRIO_PROCESS, 0));
		_exit(0);
	}
	SHOW(setpriority(PRIO_PGRP, 0, 7));
	SHOW(getpriority(PRIO_PGRP, 0));
	tell(ends[1]);
	reap("member", pid);
	SHOW(setpriority(PRIO_PROCESS, 0, 3));
	SHOW(getpriority(PRIO_PGRP, getpgrp()));
}

static void attributes(void)
{
	struct sched_attr attr;
	memset(&attr, 1, sizeof attr);
	SHOW(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0));
	say("size %u policy %u flags %llu nice %d priority %u\n", attr.size, attr.sched_policy,
	    (unsigned long long)attr.sched_flags, attr.sched_nice, attr.sched_priority);
	attr = (struct sched_attr){.size = 48, .sched_policy = SCHED_BATCH, .sched_nice = 4, .sched_flags = 1};
	SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));
	SHOW(sched_getscheduler(0));
	SHOW(getpriority(PRIO_PROCESS, 0));
	pid_t pid = fork_child();
	if (!pid) {
		SHOW(sched_getscheduler(0));
		_exit(0);
	}
	reap("child of one that resets", pid);
	attr.sched_policy = 77;
	SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));
	attr.size = 10;
	SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));
	SHOW(syscall(SYS_sched_getattr, 0, &attr, 10, 0));
	SHOW(syscall(SYS_sched_getattr, 1 << 21, &attr, sizeof attr, 0));
}

static void affinity(void)
{
	cpu_set_t all, one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	MUST(sched_getaffinity(0, sizeof all, &all));
	CHECK(CPU_COUNT(&all) == sysconf(_SC_NPROCESSORS_ONLN));
	SHOW(sched_setaffinity(0, sizeof one, &one));
	MUST(sched_getaffinity(0, sizeof all, &all));
	SHOW(CPU_COUNT(&all));
	unsigned cpu = 9, node = 9;
	SHOW(syscall(SYS_getcpu, &cpu, &node, NULL));
	say("cpu %u node %u\n", cpu, node);
	pid_t pid = fork_child();
	if (!pid) {
		MUST(sched_getaffinity(0, sizeof all, &all));
		_exit(CPU_COUNT(&all));
	}
	reap("child", pid);
	CPU_ZERO(&one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	CPU_SET(1000, &one);
	SHOW(sched_setaffinity(0, sizeof one, &one));
	SHOW(syscall(SYS_sched_getaffinity, 0, 3, &all));
	SHOW(sched_getaffinity(1 << 21, sizeof all, &all));
}

static void as_user(void)
{
	become_user(1000);
	SHOW(setpriority(PRIO_PROCESS, 0, -1));
	SHOW(setpriority(PRIO_PROCESS, getppid(), 19));
	SHOW(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1}));
	SHOW(sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}));
	SHOW(sched_getscheduler(0));
}

int main(void)
{
	in_child("groups", groups);
	in_child("attributes", attributes);
	in_child("affinity", affinity);
	in_child("user", as_user);
	SHOW(getpriority(9, 0));
	SHOW(getpriority(PRIO_PROCESS, 1 << 21));
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_min(SCHED_FIFO));
	SHOW(sched_get_priority_max(SCHED_OTHER));
	SHOW(sched_get_priority_max(99));
	SHOW(sched_getscheduler(-1));
	SHOW(sched_yield());
	return 0;
}
