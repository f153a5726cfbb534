/* /proc/self/stat, statm and status: their shape, and values that other calls tell as well. */
#include "guest.h"
#include <sys/resource.h>

static char text[8192];

static char *slurp(const char *name)
{
	int fd = MUST(open(name, O_RDONLY));
	ssize_t n = MUST(read(fd, text, sizeof text - 1));
	close(fd);
	text[n] = 0;
	return text;
}

/* Field by number as proc_pid_stat(5) counts them; the name is field 2. */
static long long stat_field(const char *stat, int number)
{
	const char *at = strrchr(stat, ')') + 2;
	for (int i = 3; i < number; i++)
		at = strchr(at, ' ') + 1;
	return strtoll(at, NULL, 10);
}

static void show_stat(void)
{
	char *stat = slurp("/proc/self/stat");
	unsigned fields = 2;
	for (char *at = strrchr(stat, ')'); (at = strchr(at + 1, ' '));)
		fields++;
	say("stat: %u fields, ends with a newline: %d\n", fields, stat[strlen(stat) - 1] == '\n');
	CHECK(strtol(stat, NULL, 10) == getpid());
	char *state = strrchr(stat, ')') + 2;
	say("state %c\n", *state);
	CHECK(stat_field(stat, 4) == getppid() && stat_field(stat, 5) == getpgrp() && stat_field(stat, 6) == getsid(0));
	say("tty %lld, foreground %lld\n", stat_field(stat, 7), stat_field(stat, 8));
	say("priority %lld nice %lld threads %lld itrealvalue %lld\n", stat_field(stat, 18), stat_field(stat, 19),
	    stat_field(stat, 20), stat_field(stat, 21));
	CHECK(stat_field(stat, 22) > 0);
	CHECK(stat_field(stat, 23) > 100000 && stat_field(stat, 24) > 10);
	say("exit signal %lld, rt priority %lld, policy %lld\n", stat_field(stat, 38), stat_field(stat, 40),
	    stat_field(stat, 41));
	unsigned long here = (unsigned long)&stat;
	CHECK(here < (unsigned long)stat_field(stat, 28));
	CHECK((unsigned long)show_stat >= (unsigned long)stat_field(stat, 26) &&
	      (unsigned long)show_stat < (unsigned long)stat_field(stat, 27));
}

static void show_statm(void)
{
	long values[7];
	char *statm = slurp("/proc/self/statm");
	SHOW(sscanf(statm, "%ld %ld %ld %ld %ld %ld %ld", &values[0], &values[1], &values[2], &values[3], &values[4],
		    &values[5], &values[6]));
	CHECK(values[0] > values[1] && values[1] > 0 && values[3] > 0 && values[5] > 0);
	say("lib %ld, dirty %ld\n", values[4], values[6]);
}

static void show_state(void)
{
	static const char *const numbers[] = {"VmPeak",  "VmSize",  "VmLck",     "VmHWM",   "VmRSS",
					      "RssAnon", "VmData",  "VmStk",     "VmExe",   "VmPTE",
					      "VmSwap",  "Threads", "Tgid",      "Pid",     "PPid",
					      "FDSize",  "Ngid",    "TracerPid", "Seccomp", "NoNewPrivs"};
	char *status = slurp("/proc/self/status"), name[40], state[40];
	for (unsigned i = 0; i < COUNT(numbers); i++) {
		long value = -1;
		snprintf(name, sizeof name, "\n%s:\t", numbers[i]);
		char *at = strstr(status, name);
		if (at)
			value = strtol(at + strlen(name), NULL, 10);
		say("%s %s\n", numbers[i], !at ? "is not there" : value > 0 ? "some" : value ? "negative" : "zero");
	}
	CHECK(sscanf(status, "Name:\t%39s", name) == 1 && !strcmp(name, "proc_files_stat"));
	CHECK(sscanf(strstr(status, "\nState:"), "\nState:\t%39[^\n]", state) == 1 && !strcmp(state, "R (running)"));
	unsigned ids[4];
	CHECK(sscanf(strstr(status, "\nUid:"), "\nUid:\t%u\t%u\t%u\t%u", ids, ids + 1, ids + 2, ids + 3) == 4 &&
	      ids[0] == getuid() && ids[1] == geteuid());
}

static void show_signals(void)
{
	static const char *const sets[] = {"SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"};
	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, (void (*)(int))show_signals, 0);
	block(SIGHUP);
	block(SIGTERM);
	raise(SIGHUP);
	kill(getpid(), SIGTERM);
	char *status = slurp("/proc/self/status"), line[40];
	for (unsigned i = 0; i < COUNT(sets); i++) {
		snprintf(line, sizeof line, "\n%s:\t", sets[i]);
		say("%s %.16s\n", sets[i], strstr(status, line) + strlen(line));
	}
}

int main(void)
{
	show_stat();
	show_statm();
	show_state();
	show_signals();
	return 0;
}
