/* getrandom(2), personality(2), sysinfo(2), getcpu(2), membarrier's and other small calls' arguments. */
#include "guest.h"
#include <sched.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>

int main(void)
{
	char a[300] = {0}, b[300] = {0};
	SHOW(getrandom(a, sizeof a, 0));
	SHOW(getrandom(b, sizeof b, GRND_NONBLOCK));
	CHECK(memcmp(a, b, sizeof a));
	SHOW(getrandom(a, 0, 0));
	SHOW(getrandom(a, 10, GRND_RANDOM));
	SHOW(getrandom(a, 10, GRND_INSECURE));
	SHOW(getrandom(a, 10, GRND_INSECURE | GRND_RANDOM));
	SHOW(getrandom(a, 10, 0x100));
	SHOW(syscall(SYS_getrandom, 8, 10, 0));
	section("personality");
	SHOW(personality(0xffffffff));
	SHOW(personality(ADDR_NO_RANDOMIZE));
	SHOW(personality(0xffffffff));
	pid_t pid = fork_child();
	if (!pid)
		_exit(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
	reap("inherited", pid);
	section("sysinfo");
	struct sysinfo info;
	SHOW(sysinfo(&info));
	CHECK(info.mem_unit == 1 && info.totalram >= info.freeram && info.freeram > 0 && info.procs > 0 &&
	      info.uptime > 0);
	SHOW(syscall(SYS_sysinfo, 8));
	section("getcpu");
	unsigned cpu = 99, node = 99;
	SHOW(syscall(SYS_getcpu, &cpu, &node, NULL));
	CHECK(cpu < (unsigned)get_nprocs_conf() && node == 0);
	SHOW(syscall(SYS_getcpu, NULL, NULL, NULL));
	SHOW(syscall(SYS_getcpu, 8, NULL, NULL));
	CHECK(sched_getcpu() >= 0);
	section("numbers that are nobody's");
	SHOW(syscall(5000));
	SHOW(syscall(-1));
	return 0;
}
