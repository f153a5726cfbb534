/* clock_gettime(2) and clock_getres(2) of every clock; CPU clocks of other processes and threads; errors. */
#include "guest.h"
#include <pthread.h>
#include <sys/time.h>

static void clocks(void)
{
	static const struct {
		clockid_t clock;
		const char *name;
	} all[] = {{CLOCK_REALTIME, "REALTIME"},
		   {CLOCK_MONOTONIC, "MONOTONIC"},
		   {CLOCK_PROCESS_CPUTIME_ID, "PROCESS"},
		   {CLOCK_THREAD_CPUTIME_ID, "THREAD"},
		   {CLOCK_MONOTONIC_RAW, "RAW"},
		   {CLOCK_REALTIME_COARSE, "REAL_COARSE"},
		   {CLOCK_MONOTONIC_COARSE, "MONO_COARSE"},
		   {CLOCK_BOOTTIME, "BOOTTIME"},
		   {CLOCK_TAI, "TAI"}};
	for (unsigned i = 0; i < COUNT(all); i++) {
		struct timespec first, second, resolution;
		int result = syscall(SYS_clock_gettime, all[i].clock, &first);
		int resolved = syscall(SYS_clock_getres, all[i].clock, &resolution);
		clock_gettime(all[i].clock, &second);
		bool forward = second.tv_sec > first.tv_sec ||
			       (second.tv_sec == first.tv_sec && second.tv_nsec >= first.tv_nsec);
		say("%s: %d %d, goes forward %d, nanoseconds in range %d\n", all[i].name, result, resolved, forward,
		    first.tv_nsec >= 0 && first.tv_nsec < 1000000000);
	}
}

static void relations(void)
{
	long long mono = now_ns(CLOCK_MONOTONIC), coarse = now_ns(CLOCK_MONOTONIC_COARSE),
		  boot = now_ns(CLOCK_BOOTTIME);
	long long real = now_ns(CLOCK_REALTIME), tai = now_ns(CLOCK_TAI);
	CHECK(mono - coarse < 100000000 && coarse <= now_ns(CLOCK_MONOTONIC));
	CHECK(boot >= mono);
	CHECK(real > 1600000000ll * 1000000000 && tai >= real - 1000000000);
	CHECK(llabs(real / 1000000000 - time(NULL)) <= 1);
	struct timespec resolution;
	MUST(clock_getres(CLOCK_MONOTONIC, &resolution));
	CHECK(resolution.tv_sec == 0 && resolution.tv_nsec == 1);
}

static void *burn(void *done)
{
	while (!*(volatile int *)done)
		;
	return NULL;
}

static void cpu_clocks(void)
{
	clockid_t clock;
	volatile int done = 0;
	pthread_t thread;
	struct timespec now;
	SHOW(clock_getcpuclockid(0, &clock));
	CHECK(clock_gettime(clock, &now) == 0);
	pthread_create(&thread, NULL, burn, (void *)&done);
	SHOW_ERR(pthread_getcpuclockid(thread, &clock));
	long long own = now_ns(CLOCK_THREAD_CPUTIME_ID), before = now_ns(clock), all = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < 200 && now_ns(clock) - before <= 5000000; i++) /* a busy machine has little for it */
		nap_ms(100);
	CHECK(now_ns(clock) - before > 5000000);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - all > 5000000);
	CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - own < 50000000);
	done = 1;
	pthread_join(thread, NULL);
	SHOW_ERR(clock_getcpuclockid(1 << 21, &clock));
}

/* The call itself, which libc leaves to the vDSO. */
static void time_of_day(void)
{
	section("gettimeofday");
	struct timeval day;
	struct timezone zone = {1, 1};
	long long before = now_ns(CLOCK_REALTIME) / 1000;
	SHOW(syscall(SYS_gettimeofday, &day, &zone));
	long long at = day.tv_sec * 1000000ll + day.tv_usec;
	CHECK(at >= before && at <= now_ns(CLOCK_REALTIME) / 1000);
	say("zone %d %d\n", zone.tz_minuteswest, zone.tz_dsttime);
	SHOW(syscall(SYS_gettimeofday, NULL, NULL));
	SHOW(syscall(SYS_gettimeofday, NULL, &zone));
	SHOW(syscall(SYS_gettimeofday, (void *)8, NULL));
	SHOW(syscall(SYS_gettimeofday, &day, (void *)8));
}

int main(void)
{
	struct timespec now;
	clocks();
	time_of_day();
	relations();
	cpu_clocks();
	section("errors");
	SHOW(syscall(SYS_clock_gettime, 12, &now));
	SHOW(syscall(SYS_clock_gettime, 99, &now));
	SHOW(syscall(SYS_clock_gettime, -1, &now));
	SHOW(syscall(SYS_clock_getres, 99, &now));
	SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	return 0;
}
