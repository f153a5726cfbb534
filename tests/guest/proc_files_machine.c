/* /proc and /sys about the machine: what programs read there parses and agrees with sysconf(3) and sysinfo(2). */
#include "guest.h"
#include <sys/sysinfo.h>

static char text[262144];

static char *slurp(const char *name)
{
	size_t size = 0;
	int fd = open(name, O_RDONLY);
	text[0] = 0;
	if (fd < 0) {
		say("%s: %s\n", name, error_name(errno));
		return text;
	}
	for (ssize_t n; size < sizeof text - 1 && (n = read(fd, text + size, sizeof text - 1 - size)) > 0;)
		size += n;
	text[size] = 0;
	close(fd);
	return text;
}

static int count(const char *what)
{
	int found = 0;
	for (char *at = text; (at = strstr(at, what)); at++)
		found += at == text || at[-1] == '\n';
	return found;
}

static void memory(void)
{
	static const char *const names[] = {
		"MemTotal",  "MemFree",    "MemAvailable", "Buffers",      "Cached",          "SwapTotal",   "SwapFree",
		"Active",    "Inactive",   "Shmem",        "Slab",         "SReclaimable",    "Dirty",       "Mapped",
		"AnonPages", "PageTables", "CommitLimit",  "Committed_AS", "HugePages_Total", "Hugepagesize"};
	struct sysinfo info;
	long value, total = 0, available = 0;
	slurp("/proc/meminfo");
	for (unsigned i = 0; i < COUNT(names); i++) {
		char label[40];
		snprintf(label, sizeof label, "%s:", names[i]);
		char *at = strstr(text, label);
		if (!at || sscanf(at + strlen(label), "%ld", &value) != 1)
			say("NO: %s\n", names[i]);
		if (at && !i)
			total = value;
		if (at && i == 2)
			available = value;
	}
	MUST(sysinfo(&info));
	CHECK(total / 1024 == (long)(info.totalram * info.mem_unit >> 20));
	CHECK(total / 4 == sysconf(_SC_PHYS_PAGES));
	CHECK(available > 0 && available <= total && info.procs > 0 && info.uptime > 0);
}

static void processors(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN), first = -1, last = -1;
	slurp("/proc/cpuinfo");
	CHECK(count("processor\t:") == online && count("flags\t") == online && count("model name\t:") == online);
	CHECK(strstr(text, " sse2 ") && strstr(text, "vendor_id\t: "));
	slurp("/proc/stat");
	CHECK(count("cpu") == online + 1 && count("btime ") == 1 && count("ctxt ") == 1 && count("processes ") == 1);
	long long ticks[10];
	CHECK(sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld", ticks, ticks + 1, ticks + 2,
		     ticks + 3, ticks + 4, ticks + 5, ticks + 6, ticks + 7, ticks + 8, ticks + 9) == 10);
	slurp("/sys/devices/system/cpu/online");
	sscanf(text, "%ld-%ld", &first, &last);
	CHECK(first == 0 && (last == -1 ? 1 : last + 1) == online);
	slurp("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
	CHECK(text[0] == '0');
	slurp("/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size");
	CHECK(atoi(text) >= 16);
	slurp("/sys/devices/system/cpu/cpu0/cache/index0/size");
	CHECK(atoi(text) >= 8 && strchr(text, 'K'));
	slurp("/sys/devices/system/cpu/cpu0/cache/index0/level");
	SHOW_TEXT(text);
	slurp("/sys/devices/system/node/online");
	CHECK(text[0] == '0');
}

static void times(void)
{
	double up, idle, load[3];
	int running, all, last;
	struct timespec boot;
	slurp("/proc/uptime");
	CHECK(sscanf(text, "%lf %lf", &up, &idle) == 2);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	CHECK(up > boot.tv_sec - 5 && up < boot.tv_sec + 5);
	slurp("/proc/loadavg");
	CHECK(sscanf(text, "%lf %lf %lf %d/%d %d", load, load + 1, load + 2, &running, &all, &last) == 6);
	CHECK(running >= 1 && all >= running && last >= getpid());
}

static void settings(void)
{
	static const char *const numbers[] = {"kernel/pid_max",
					      "kernel/threads-max",
					      "kernel/ngroups_max",
					      "kernel/cap_last_cap",
					      "vm/max_map_count",
					      "vm/overcommit_memory",
					      "vm/swappiness",
					      "fs/file-max",
					      "fs/nr_open",
					      "fs/pipe-max-size",
					      "fs/inotify/max_user_watches",
					      "kernel/shmmax",
					      "net/core/somaxconn",
					      "kernel/randomize_va_space",
					      "kernel/tainted",
					      "vm/dirty_ratio",
					      "kernel/overflowuid",
					      "fs/aio-max-nr"};
	char name[100], host[100];
	for (unsigned i = 0; i < COUNT(numbers); i++) {
		char *end;
		snprintf(name, sizeof name, "/proc/sys/%s", numbers[i]);
		slurp(name);
		strtoull(text, &end, 10);
		if (end == text || strcmp(end, "\n"))
			say("NO: %s\n", name);
	}
	gethostname(host, sizeof host);
	slurp("/proc/sys/kernel/hostname");
	CHECK(!strncmp(text, host, strlen(host)));
	slurp("/proc/sys/kernel/random/uuid");
	CHECK(strlen(text) == 37 && text[8] == '-' && text[14] == '4');
	slurp("/proc/sys/kernel/random/boot_id");
	CHECK(strlen(text) == 37);
	slurp("/proc/version");
	CHECK(!strncmp(text, "Linux version ", 14));
	slurp("/proc/filesystems");
	CHECK(strstr(text, "nodev\tproc\n") && strstr(text, "nodev\ttmpfs\n"));
	slurp("/proc/swaps");
	CHECK(!strncmp(text, "Filename\t", 9));
}

int main(void)
{
	memory();
	processors();
	times();
	settings();
	return 0;
}
