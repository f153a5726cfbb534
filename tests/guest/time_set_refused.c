/* Setting clocks as an ordinary user, and with senseless values. */
#include "guest.h"
#include <sys/time.h>
#include <sys/timex.h>

int main(void)
{
	struct timespec now = {1, 2}, wrong = {1, 1000000000};
	struct timeval zero = {0, 0};
	struct timex timex = {0};
	become_user(1000);
	SHOW(clock_settime(CLOCK_REALTIME, &now));
	SHOW(clock_settime(CLOCK_REALTIME, &wrong));
	SHOW(clock_settime(CLOCK_MONOTONIC, &now));
	SHOW(clock_settime(CLOCK_BOOTTIME, &now));
	SHOW(clock_settime(99, &now));
	SHOW(settimeofday(&zero, NULL));
	zero.tv_usec = 1000000;
	SHOW(settimeofday(&zero, NULL));
	CHECK(adjtimex(&timex) >= 0);
	timex.modes = ADJ_OFFSET;
	SHOW(adjtimex(&timex));
	timex.modes = 0;
	CHECK(clock_adjtime(CLOCK_REALTIME, &timex) >= 0);
	return 0;
}
