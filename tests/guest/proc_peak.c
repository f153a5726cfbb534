/* The most memory that a process ever had: VmHWM and ru_maxrss, over what was given back, exec, and children. */
#include "fault.h"
#include <sys/resource.h>
#include <sys/wait.h>

#define MUCH (48ul << 20)

static long status_kib(const char *name)
{
	char line[256];
	long kib = -1;
	FILE *status = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof line, status))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name) + 1);
	fclose(status);
	return kib;
}

static long peak_kib(int who)
{
	struct rusage usage;
	MUST(getrusage(who, &usage));
	return usage.ru_maxrss;
}

static void have_once(void)
{
	char *memory = map_anonymous(MUCH);
	memset(memory, 1, MUCH);
	MUST(munmap(memory, MUCH));
}

static void child_has_much(void)
{
	CHECK(status_kib("VmHWM") < (long)(MUCH >> 10));
	have_once();
}

static void program_has_had_much(const char *self)
{
	have_once();
	execl(self, self, "again", NULL);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		/* exec begins a new memory, but the process has had the old one. */
		CHECK(status_kib("VmHWM") < (long)(MUCH >> 10));
		CHECK(peak_kib(RUSAGE_SELF) >= (long)(MUCH >> 10));
		return 0;
	}
	CHECK(peak_kib(RUSAGE_SELF) < (long)(MUCH >> 10));
	in_child("a child", child_has_much);
	CHECK(peak_kib(RUSAGE_CHILDREN) >= (long)(MUCH >> 10));
	CHECK(peak_kib(RUSAGE_SELF) < (long)(MUCH >> 10));
	have_once();
	CHECK(status_kib("VmHWM") >= (long)(MUCH >> 10));
	CHECK(status_kib("VmRSS") < (long)(MUCH >> 10));
	CHECK(peak_kib(RUSAGE_SELF) >= (long)(MUCH >> 10));
	fflush(stdout);
	pid_t pid = MUST(fork());
	if (!pid)
		program_has_had_much(argv[0]);
	int status;
	MUST(waitpid(pid, &status, 0));
	SHOW(status);
	return 0;
}
