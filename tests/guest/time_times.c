/* times(2), getrusage(2), clock(3): CPU time of oneself, of threads, of children that were waited for. */
#include "guest.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/times.h>

static void burn_ms(long ms)
{
	long long until = now_ns(CLOCK_THREAD_CPUTIME_ID) + ms * 1000000;
	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

static long used_ms(int who)
{
	struct rusage usage;
	MUST(getrusage(who, &usage));
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void *thread(void *unused)
{
	(void)unused;
	long before = used_ms(RUSAGE_THREAD);
	CHECK(before < 50);
	burn_ms(100);
	CHECK(used_ms(RUSAGE_THREAD) >= before + 90);
	return NULL;
}

int main(void)
{
	struct tms first, second;
	pthread_t other;
	clock_t begin = times(&first);
	CHECK(begin != (clock_t)-1 && sysconf(_SC_CLK_TCK) == 100);
	burn_ms(120);
	clock_t end = times(&second);
	CHECK(end - begin >= 11);
	CHECK(second.tms_utime + second.tms_stime >= first.tms_utime + first.tms_stime + 10);
	CHECK(second.tms_cutime == 0 && second.tms_cstime == 0);
	CHECK(clock() >= CLOCKS_PER_SEC / 10);
	long before = used_ms(RUSAGE_SELF);
	pthread_create(&other, NULL, thread, NULL);
	pthread_join(other, NULL);
	CHECK(used_ms(RUSAGE_SELF) >= before + 90);
	section("children");
	pid_t pid = fork_child();
	if (!pid) {
		CHECK(used_ms(RUSAGE_SELF) < 60);
		burn_ms(150);
		_exit(0);
	}
	while (kill(pid, 0) == 0 && used_ms(RUSAGE_CHILDREN) == 0) {
		siginfo_t info = {0};
		waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
		break;
	}
	SHOW(used_ms(RUSAGE_CHILDREN));
	struct rusage usage;
	MUST(wait4(pid, NULL, 0, &usage));
	CHECK(usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 + usage.ru_stime.tv_usec / 1000 >= 140);
	CHECK(usage.ru_maxrss > 100);
	CHECK(used_ms(RUSAGE_CHILDREN) >= 140);
	times(&second);
	CHECK(second.tms_cutime + second.tms_cstime >= 13);
	SHOW(getrusage(7, &usage));
	SHOW(getrusage(RUSAGE_SELF, (void *)8));
	return 0;
}
