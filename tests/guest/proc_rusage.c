/* getrusage and times: what has been used, as an order of magnitude. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/times.h>

static double user_seconds(int who)
{
	struct rusage usage;
	MUST(getrusage(who, &usage));
	return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 + usage.ru_stime.tv_sec +
	       usage.ru_stime.tv_usec / 1e6;
}

static void burn_ms(long ms)
{
	long long end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000;
	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 10000; i++)
			;
}

static void burn(void)
{
	burn_ms(60);
}

int main(void)
{
	struct rusage usage;
	struct tms used;
	double before = user_seconds(RUSAGE_SELF);
	burn();
	CHECK(user_seconds(RUSAGE_SELF) - before > 0.03);
	CHECK(user_seconds(RUSAGE_SELF) < 4);
	CHECK(user_seconds(RUSAGE_CHILDREN) == 0);
	CHECK(user_seconds(RUSAGE_THREAD) > 0.03);
	in_child("child", burn);
	CHECK(user_seconds(RUSAGE_CHILDREN) > 0.03);
	MUST(getrusage(RUSAGE_SELF, &usage));
	CHECK(usage.ru_maxrss > 100 && usage.ru_maxrss < 1 << 24);
	CHECK(usage.ru_utime.tv_usec >= 0 && usage.ru_utime.tv_usec < 1000000);
	SHOW(getrusage(99, &usage));
	SHOW(syscall(SYS_getrusage, RUSAGE_SELF, 8));
	clock_t ticks = times(&used);
	CHECK(ticks != -1 && used.tms_utime + used.tms_stime >= 3 && used.tms_cutime + used.tms_cstime >= 3);
	nap_ms(30);
	CHECK(times(NULL) >= ticks + 2);
	SHOW(sysconf(_SC_CLK_TCK));
	return 0;
}
