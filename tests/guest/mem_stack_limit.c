/* RLIMIT_STACK holds for the running program: raised, the stack grows further; lowered, it grows no more. */
#include "fault.h"
#include <sys/resource.h>

static __attribute__((noinline)) long deep(long levels)
{
	volatile char frame[16 * 1024];
	frame[0] = levels;
	frame[sizeof frame - 1] = 1;
	return (levels ? deep(levels - 1) : 0) + frame[sizeof frame - 1];
}

static void limit_to(rlim_t mebibytes)
{
	struct rlimit limit;
	MUST(getrlimit(RLIMIT_STACK, &limit));
	limit.rlim_cur = mebibytes << 20;
	SHOW(setrlimit(RLIMIT_STACK, &limit));
}

static void raised(void)
{
	limit_to(32);
	SHOW(deep(30 * 64));
}

static void raised_and_too_deep(void)
{
	limit_to(16);
	SHOW(deep(14 * 64));
	SHOW(deep(17 * 64));
}

static void lowered(void)
{
	limit_to(2);
	SHOW(deep(64));
	SHOW(deep(4 * 64));
}

/* What the stack has already it keeps. */
static void lowered_below_what_is_used(void)
{
	SHOW(deep(6 * 64));
	limit_to(2);
	SHOW(deep(5 * 64));
	SHOW(deep(7 * 64));
}

static void lowered_and_raised(void)
{
	limit_to(2);
	limit_to(24);
	SHOW(deep(20 * 64));
}

int main(void)
{
	MUST(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}));
	in_child("raised", raised);
	in_child("raised and too deep", raised_and_too_deep);
	in_child("lowered", lowered);
	in_child("lowered below what is used", lowered_below_what_is_used);
	in_child("lowered and raised", lowered_and_raised);
	return 0;
}
