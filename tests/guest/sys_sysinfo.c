/* sysinfo and what the C library makes of it. */
#include "guest.h"
#include <sys/sysinfo.h>

int main(void)
{
	struct sysinfo info;
	double loads[3] = {-1, -1, -1};

	memset(&info, 0xff, sizeof info);
	SHOW(sysinfo(&info));
	CHECK(info.mem_unit >= 1 && info.totalram > 0 && info.freeram < info.totalram);
	CHECK(info.procs >= 1 && info.procs < 30000);
	long off = info.uptime - now_ns(CLOCK_BOOTTIME) / 1000000000;
	CHECK(off >= -2 && off <= 2);
	SHOW(getloadavg(loads, 3));
	CHECK(loads[0] >= 0 && loads[1] >= 0 && loads[2] >= 0);
	CHECK(get_nprocs() >= 1 && get_phys_pages() > 0 && get_avphys_pages() > 0);
	SHOW(syscall(SYS_sysinfo, 8));
	return 0;
}
