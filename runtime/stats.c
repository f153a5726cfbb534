/* stats.c - --stats and --stats=json: what a sandbox took, said at its end.
 *
 * Runs in the closed jail, so the text goes out by host_stderr. The numbers are the sentry's own and the platform's;
 * nobody counts only for this.
 *
 * Limits: what the gate answers by itself (clocks, identity, masks) is in no count. CPU time of guests is that of their
 * host threads: the host does not tell user from system time there. TOP_CALLS of the calls are named as text.
 */
#include "runtime/stats.h"
#include "platform/host.h"
#include "platform/platform.h"
#include "sentry/base/json.h"
#include "sentry/task.h"
#include "syscalls/table.h"
#include <inttypes.h>
#include <time.h>

#define TOP_CALLS  10
#define TEXT_BYTES (32 * 1024) /* every call of the table with its count fits */

struct stats {
	struct platform_stats platform;
	struct task_totals tasks;
	uint64_t wall_ns, kernel_ns, calls, host_calls;
};

static void collect(struct stats *stats, uint64_t wall_ns)
{
	struct timespec cpu;

	*stats = (struct stats){.wall_ns = wall_ns, .host_calls = host_call_count()};
	platform_stats_get(&stats->platform);
	task_totals_get(&stats->tasks);
	if (!host_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu))
		stats->kernel_ns = (uint64_t)cpu.tv_sec * NS_PER_S + (uint64_t)cpu.tv_nsec;
	for (unsigned nr = 0; nr < syscall_row_count(); nr++)
		stats->calls += syscall_count(nr);
}

/* The most frequent call that comes behind (count, nr) in the order of counts; false: none. */
static bool next_call(uint64_t *count, unsigned *nr)
{
	unsigned best = 0;
	uint64_t most = 0;

	for (unsigned i = 0; i < syscall_row_count(); i++) {
		uint64_t made = syscall_count(i);
		bool behind = made < *count || (made == *count && i > *nr);
		if (made > most && behind) {
			most = made;
			best = i;
		}
	}
	*count = most;
	*nr = best;
	return most > 0;
}

static void print_json(struct text *text, const struct stats *stats)
{
	const struct platform_stats *p = &stats->platform;
	uint64_t count = UINT64_MAX;
	unsigned nr = 0;
	struct json json;

	text_add_string(text, "stats: ");
	json_init(&json, text);
	json_open(&json, NULL, '{');
	json_seconds(&json, "wall_s", stats->wall_ns, 6);
	json_seconds(&json, "guests_cpu_s", stats->tasks.usage.user_ns, 6);
	json_seconds(&json, "kernel_cpu_s", stats->kernel_ns, 6);
	json_uint(&json, "largest_process_kb", stats->tasks.usage.max_rss_kb);
	json_uint(&json, "processes", stats->tasks.processes);
	json_uint(&json, "threads", stats->tasks.threads);
	json_uint(&json, "calls", stats->calls);
	json_uint(&json, "calls_trapped", p->calls_trapped);
	json_uint(&json, "calls_patched", p->calls_patched);
	json_uint(&json, "sites_patched", p->sites_patched);
	json_uint(&json, "sites_refused", p->sites_refused);
	json_uint(&json, "faults", p->faults);
	json_uint(&json, "kicks", p->kicks);
	json_uint(&json, "handoffs_slept", p->handoffs_slept);
	json_uint(&json, "memory_calls", p->memory_calls);
	json_uint(&json, "agent_batches", p->agent_batches);
	json_uint(&json, "host_calls", stats->host_calls);
	json_open(&json, "calls_by_name", '{');
	while (next_call(&count, &nr))
		json_uint(&json, syscall_row(nr)->name, count);
	json_close(&json, '}');
	json_close(&json, '}');
	text_add_char(text, '\n');
}

static void print_text(struct text *text, const struct stats *stats)
{
	const struct platform_stats *p = &stats->platform;
	uint64_t count = UINT64_MAX;
	unsigned nr = 0;

	text_printf(text, "usbx: stats: %.3f s; CPU: guests %.3f s, their kernel %.3f s\n",
		    (double)stats->wall_ns / 1e9, (double)stats->tasks.usage.user_ns / 1e9,
		    (double)stats->kernel_ns / 1e9);
	text_printf(text,
		    "usbx: stats: %" PRIu64 " processes, %" PRIu64 " threads; the largest process took %" PRIu64
		    " KiB of memory\n",
		    stats->tasks.processes, stats->tasks.threads, stats->tasks.usage.max_rss_kb);
	text_printf(text, "usbx: stats: %" PRIu64 " system calls:", stats->calls);
	for (unsigned i = 0; i < TOP_CALLS && next_call(&count, &nr); i++)
		text_printf(text, "%s %s %" PRIu64, i ? "," : "", syscall_row(nr)->name, count);
	text_printf(text,
		    "\nusbx: stats: %" PRIu64 " by trap, %" PRIu64 " by one of %" PRIu64
		    " patched sites; slept %" PRIu64 " times; %" PRIu64 " faults, %" PRIu64 " memory calls, %" PRIu64
		    " kicks, %" PRIu64 " host calls\n",
		    p->calls_trapped, p->calls_patched, p->sites_patched, p->handoffs_slept, p->faults, p->memory_calls,
		    p->kicks, stats->host_calls);
}

void stats_print(enum stats_form form, uint64_t wall_ns)
{
	static char bytes[TEXT_BYTES];
	struct stats stats;
	struct text text;

	collect(&stats, wall_ns);
	text_init(&text, bytes, sizeof bytes);
	if (form == STATS_JSON)
		print_json(&text, &stats);
	else
		print_text(&text, &stats);
	host_stderr(text.data, text.length);
}
