/* Clocks read without a system call and by one: the same clocks, which never go back when a program mixes the two. */
#include "guest.h"

static void mixed(const char *name, clockid_t clock)
{
	long long last = now_ns(clock), back = 0;
	struct timespec now;

	for (int i = 0; i < 2000; i++) {
		long long here = 0;
		if (i & 1) {
			here = now_ns(clock);
		} else {
			MUST(syscall(SYS_clock_gettime, clock, &now));
			here = now.tv_sec * 1000000000ll + now.tv_nsec;
		}
		if (here < last)
			back = last - here;
		last = here;
	}
	say("%s: %s\n", name, back ? "goes back" : "goes on");
}

int main(void)
{
	for (int i = 0; i < 3; i++) {
		mixed("monotonic", CLOCK_MONOTONIC);
		mixed("raw", CLOCK_MONOTONIC_RAW);
		mixed("boottime", CLOCK_BOOTTIME);
		mixed("coarse", CLOCK_MONOTONIC_COARSE);
		long long start = now_ns(CLOCK_MONOTONIC), raw = now_ns(CLOCK_MONOTONIC_RAW),
			  real = now_ns(CLOCK_REALTIME);
		nap_ms(40);
		long long took = now_ns(CLOCK_MONOTONIC) - start;
		CHECK(took >= 40000000);
		CHECK(now_ns(CLOCK_MONOTONIC_RAW) - raw >= 39900000);
		CHECK(now_ns(CLOCK_REALTIME) - real >= 39900000);
	}
	/* Most of these need no system call: even a slow machine makes many of them in a second. */
	long long end = now_ns(CLOCK_MONOTONIC) + 100000000;
	long count = 0;
	while (now_ns(CLOCK_MONOTONIC) < end)
		count++;
	CHECK(count > 20000);
	return 0;
}
