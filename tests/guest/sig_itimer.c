/* setitimer and getitimer: real, virtual and profiling time. */
#include "guest.h"
#include <sys/time.h>

static volatile sig_atomic_t alarms, virtual_alarms, profiles;

static void note(int sig)
{
	alarms += sig == SIGALRM;
	virtual_alarms += sig == SIGVTALRM;
	profiles += sig == SIGPROF;
}

static void child(void)
{
	struct itimerval left;
	MUST(getitimer(ITIMER_REAL, &left));
	SHOW(left.it_value.tv_sec);
}

int main(void)
{
	struct itimerval old, timer = {{0, 10000}, {0, 20000}}, off = {{0, 0}, {0, 0}};
	handle(SIGALRM, note, 0);
	handle(SIGVTALRM, note, 0);
	handle(SIGPROF, note, 0);
	SHOW(setitimer(ITIMER_REAL, &timer, NULL));
	while (alarms < 5)
		pause();
	CHECK(!getitimer(ITIMER_REAL, &old) && old.it_interval.tv_usec == 10000 && old.it_value.tv_usec <= 10000);
	SHOW(setitimer(ITIMER_REAL, &off, &old));
	SHOW(old.it_interval.tv_usec);
	int so_far = alarms;
	nap_ms(40);
	SHOW(alarms == so_far);

	section("once");
	timer = (struct itimerval){{0, 0}, {0, 10000}};
	alarms = 0;
	SHOW(setitimer(ITIMER_REAL, &timer, NULL));
	nap_ms(60);
	SHOW(alarms);
	MUST(getitimer(ITIMER_REAL, &old));
	SHOW(old.it_value.tv_sec + old.it_value.tv_usec);

	section("processor time");
	SHOW(setitimer(ITIMER_VIRTUAL, &timer, NULL));
	nap_ms(40);
	SHOW(virtual_alarms);
	while (!virtual_alarms)
		;
	timer.it_interval.tv_usec = 10000;
	SHOW(setitimer(ITIMER_PROF, &timer, NULL));
	while (profiles < 3)
		;
	SHOW(setitimer(ITIMER_PROF, &off, NULL));

	section("not inherited, and errors");
	timer = (struct itimerval){{0, 0}, {100, 0}};
	MUST(setitimer(ITIMER_REAL, &timer, NULL));
	in_child("child", child);
	CHECK(alarm(0) > 90);
	timer.it_value.tv_usec = 1000000;
	SHOW(setitimer(ITIMER_REAL, &timer, NULL));
	timer.it_value = (struct timeval){-1, 0};
	SHOW(setitimer(ITIMER_REAL, &timer, NULL));
	SHOW(setitimer((enum __itimer_which)9, &off, NULL));
	SHOW(getitimer((enum __itimer_which)9, &old));
	SHOW(syscall(SYS_setitimer, ITIMER_REAL, 8, NULL));
	return 0;
}
