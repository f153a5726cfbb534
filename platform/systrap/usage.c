/* usage.c - what the host counts of the sandbox: memory and CPU time.
 *
 * Theory. Guests take memory by touching it, which the sentry does not see, so it asks the host: /proc/PID/status of
 * each address space's agent, which shares all of its memory (4 us), and smaps_rollup where it matters which pages are
 * shared after a fork (Pss_Anon counts a page of n processes as a page's n-th part in each). Whatever a guest does, and
 * be it by replayed memory calls, is in these figures. CPU time: the clocks of living threads, and what waitid(2) says
 * of those that it reaps.
 *
 * Limits: kernel memory behind a thread (stacks, task structures) is an estimate, THREAD_BYTES. The time of living
 * agents is not counted: they run in start, fork and exec.
 */
#include "platform/systrap/systrap.h"

#include "platform/host.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TEXT_BYTES   4096
#define THREAD_BYTES (32 * 1024ull)

static uint64_t ended_cpu_ns;

/* ------------------------------------------------------------------------------------------------ memory */

/* A short file of /proc/PID as a string; empty when it cannot be read. */
static void read_text(const char *who, const char *name, char text[TEXT_BYTES])
{
	char path[64];

	text[0] = 0;
	snprintf(path, sizeof path, "%s/%s", who, name);
	int fd = host_proc_open(path, O_RDONLY);
	if (fd < 0)
		return;
	ssize_t n = host_read(fd, text, TEXT_BYTES - 1);
	host_close(fd);
	text[MAX(n, (ssize_t)0)] = 0;
}

/* The line "NAME: N kB", in bytes; 0 without it. */
static uint64_t field_bytes(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length) && line[length] == ':')
			return strtoull(line + length + 1, NULL, 10) * 1024;
	}
	return 0;
}

static void usage_of(const char *who, struct memory_usage *out)
{
	char text[TEXT_BYTES];

	read_text(who, "status", text);
	*out = (struct memory_usage){
		.anonymous = field_bytes(text, "RssAnon") + field_bytes(text, "VmSwap"),
		.file = field_bytes(text, "RssFile"),
		.shared = field_bytes(text, "RssShmem"),
		.tables = field_bytes(text, "VmPTE"),
		.peak = field_bytes(text, "VmHWM"),
	};
	out->peak = MAX(out->peak, memory_usage_rss(out));
}

static void agent_name(const struct aspace *as, char name[16])
{
	snprintf(name, 16, "%d", (int)as->agent_pid);
}

void aspace_usage(struct aspace *as, struct memory_usage *out)
{
	char who[16];

	*out = (struct memory_usage){0};
	if (!as->agent_pid)
		return;
	agent_name(as, who);
	usage_of(who, out);
	if (as->peak_stale)
		out->peak = memory_usage_rss(out);
}

void usage_peak_reset(struct aspace *as)
{
	char path[32];

	snprintf(path, sizeof path, "%d/clear_refs", (int)as->agent_pid);
	int fd = host_proc_open(path, O_WRONLY);
	as->peak_stale = fd < 0 || host_write(fd, "5", 1) != 1;
	if (fd >= 0)
		host_close(fd);
}

/* What an address space costs the host: shared pages are counted where they come from. */
static uint64_t cost(struct aspace *as, bool exact)
{
	struct memory_usage usage;
	char who[16], text[TEXT_BYTES];

	aspace_usage(as, &usage);
	if (exact && usage.anonymous) {
		agent_name(as, who);
		read_text(who, "smaps_rollup", text);
		uint64_t own = field_bytes(text, "Pss_Anon") + field_bytes(text, "SwapPss");
		if (own) /* Linux before 5.9 does not say */
			usage.anonymous = MIN(usage.anonymous, own);
	}
	return usage.anonymous + usage.tables + as->host_tasks * THREAD_BYTES;
}

void aspace_doom(struct aspace *as)
{
	struct memory_usage usage;

	aspace_usage(as, &usage);
	as->doomed_bytes = usage.anonymous + usage.shared + usage.tables;
}

/* Nobody uses it any more; the host may be busy for long with giving its pages back. */
static bool is_leaving(const struct aspace *as)
{
	return as->state == ASPACE_DIRTY || as->state == ASPACE_SCRUBBING || as->state == ASPACE_ENDING;
}

void platform_memory_get(struct platform_memory *out, bool exact)
{
	struct memory_usage own;

	*out = (struct platform_memory){.shared = host_memory_used()};
	for (unsigned id = 0; id < ASPACES; id++) {
		struct aspace *as = aspace_by_id(id);
		if (!as)
			continue;
		uint64_t bytes = cost(as, exact);
		out->guests += bytes;
		if (as->doomed_bytes)
			out->leaving += as->doomed_bytes;
		else if (is_leaving(as))
			out->leaving += bytes;
	}
	usage_of("self", &own);
	out->sentry = own.anonymous + own.tables;
}

/* ------------------------------------------------------------------------------------------------ CPU time */

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * NS_PER_US;
}

void usage_of_ended(const struct rusage *usage)
{
	ended_cpu_ns += timeval_ns(&usage->ru_utime) + timeval_ns(&usage->ru_stime);
}

uint64_t platform_cpu_ns(void)
{
	struct timespec own = {0};
	uint64_t sum = ended_cpu_ns;
	struct uthread *thread;

	list_for_each (thread, &systrap.threads, all_node)
		if (thread->pid && thread->state != UTHREAD_DEAD)
			sum += uthread_cpu_ns(thread);
	if (!host_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own))
		sum += (uint64_t)own.tv_sec * NS_PER_S + (uint64_t)own.tv_nsec;
	return sum;
}
