/* trace.c - --strace and --trace: what a call was given, and what it gave.
 *
 * The rows of syscalls.def say which kinds a call's arguments have; kinds.def names a printer for each kind; the
 * printers are in trace_value.c and trace_memory.c, and both forms use them: --strace writes a line for people (below),
 * --trace a JSON record for programs (trace_json.c). What a call reads is shown before its handler runs (an exec
 * changes the memory), what it wrote afterwards, and the line is written when the call ends: so lines appear in the
 * order in which calls end, and a call that never ends is shown by trace_print_unfinished.
 *
 * Limits: STRING_SHOWN bytes of a string or buffer, VECTOR_SHOWN elements of an array, TRACE_ARG_BYTES of an argument,
 * LINE_BYTES of a line; longer ones end with "...". Text of the guest is escaped. Lines of --strace are written at
 * once, so a reader that does not read holds the sandbox up: --strace is for people who look.
 */
#include "syscalls/trace.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/task.h"
#include "syscalls/table.h"
#include "syscalls/trace_json.h"
#include "syscalls/trace_out.h"
#include "syscalls/trace_print.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LINE_BYTES 2048

bool trace_wanted;
static bool to_lines, to_json; /* --strace, --trace */
static struct trace_out lines = {.option = "--strace", .host_file = HOSTFILE_NONE, .on = &to_lines};
static struct list unfinished = LIST_INIT(unfinished);

static void write_line(struct text *text)
{
	text->data[text->length] = '\n';
	if (lines.host_file == HOSTFILE_NONE)
		host_stderr(text->data, text->length + 1);
	else
		trace_out_write(&lines, text->data, text->length + 1);
}

/* ------------------------------------------------------------------ lines */

static void print_arg(struct trace_call *call, unsigned index, long result)
{
	enum syscall_kind kind = call->row ? call->row->kinds[index] : KIND_NONE;
	struct text text;
	struct shown arg = {.text = &text,
			    .task = call->task,
			    .args = call->args,
			    .value = call->args[index],
			    .next = index + 1 < SYSCALL_ARGS ? call->args[index + 1] : 0,
			    .result = result};

	text_init(&text, call->text[index], sizeof call->text[index]);
	trace_print(kind, &arg);
	if (text.truncated)
		memcpy(text.data + text.length - 3, "...", 3);
	if (to_json)
		trace_json_keep(call, index, &arg);
}

unsigned trace_argc(const struct trace_call *call)
{
	return call->row && call->row->level != LEVEL_MISSING ? call->row->argc : SYSCALL_ARGS;
}

bool trace_is_restart(long result)
{
	return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

static void add_result(struct text *text, const struct trace_call *call, long result)
{
	if (result >= 0 || (result < -4095)) {
		bool hex = call->row && (call->row->result == RETURN_PTR || call->row->result == RETURN_HEX);
		text_printf(text, hex && result ? "%#lx" : "%ld", result);
		return;
	}
	if (trace_is_restart(result)) {
		text_add_string(text, "? (interrupted, to be restarted or EINTR)");
		return;
	}
	const char *name = strerrorname_np((int)-result);
	text_printf(text, "-1 %s (%s)", name ? name : "?", name ? strerrordesc_np((int)-result) : "?");
}

static void print_line(const struct trace_call *call, const char *ending, long result)
{
	char line[LINE_BYTES];
	struct text text;
	unsigned argc = trace_argc(call);

	text_init(&text, line, sizeof line - 1);
	text_printf(&text, "[pid %d] ", call->tid);
	if (call->row)
		text_printf(&text, "%s(", call->row->name);
	else
		text_printf(&text, "syscall_%#" PRIx64 "(", call->nr);
	for (unsigned i = 0; i < argc; i++)
		text_printf(&text, i ? ", %s" : "%s", call->text[i]);
	text_add_string(&text, ending ? ending : ") = ");
	if (!ending)
		add_result(&text, call, result);
	write_line(&text);
}

static void put_call(const struct trace_call *call, enum trace_end end, long result)
{
	static const char *const endings[] = {
		[TRACE_RETURNED] = NULL, [TRACE_NO_RETURN] = ") = ?", [TRACE_UNFINISHED] = " <unfinished ...>"};

	if (to_lines)
		print_line(call, endings[end], result);
	if (to_json)
		trace_json_call(call, end, result);
}

void trace_call_begin(struct trace_call *call, struct task *task, const struct stop *stop)
{
	task_get(task);
	*call = (struct trace_call){.task = task,
				    .row = stop->foreign ? NULL : syscall_row(stop->nr),
				    .nr = stop->nr,
				    .tid = task->tid,
				    .begin_ns = host_monotonic_ns()};
	memcpy(call->args, stop->args, sizeof call->args);
	list_push_back(&unfinished, &call->node);
	for (unsigned i = 0; i < trace_argc(call); i++) {
		if (call->row && trace_shown_after(call->row->kinds[i]))
			snprintf(call->text[i], sizeof call->text[i], "%#" PRIx64, call->args[i]);
		else
			print_arg(call, i, 0);
	}
	if (call->row && call->row->result == RETURN_NONE)
		put_call(call, TRACE_NO_RETURN, 0);
}

void trace_call_end(struct trace_call *call, long result)
{
	call->end_ns = host_monotonic_ns();
	for (unsigned i = 0; i < trace_argc(call); i++)
		if (call->row && trace_shown_after(call->row->kinds[i]))
			print_arg(call, i, result);
	if (!call->row || call->row->result != RETURN_NONE)
		put_call(call, TRACE_RETURNED, result);
	for (unsigned i = 0; i < call->string_count; i++)
		text_free(&call->strings[i].text);
	list_remove(&call->node);
	task_put(call->task);
}

/* ------------------------------------------------------------------ what happens besides calls */

static void start_event(struct text *text, char line[LINE_BYTES], const struct task *task)
{
	text_init(text, line, LINE_BYTES - 1);
	text_printf(text, "[pid %d] ", task->tid);
}

static void event_signal(const struct task *task, const struct abi_siginfo *info)
{
	char line[LINE_BYTES];
	struct text text;

	if (to_json)
		trace_json_signal(task, info);
	if (!to_lines)
		return;
	start_event(&text, line, task);
	text_add_string(&text, "--- ");
	trace_add_siginfo(&text, info);
	text_add_string(&text, " ---");
	write_line(&text);
}

static void event_exited(const struct task *task, int wait_status)
{
	char line[LINE_BYTES];
	struct text text;

	if (to_json)
		trace_json_exited(task, wait_status);
	if (!to_lines)
		return;
	start_event(&text, line, task);
	if (WIFEXITED(wait_status)) {
		text_printf(&text, "+++ exited with %d +++", WEXITSTATUS(wait_status));
	} else {
		text_add_string(&text, "+++ killed by ");
		add_signal(&text, WTERMSIG(wait_status));
		text_add_string(&text, WCOREDUMP(wait_status) ? " (core dumped) +++" : " +++");
	}
	write_line(&text);
}

static void event_exec(const struct task *task, const char *path, char *const argv[])
{
	if (to_json)
		trace_json_exec(task, path, argv);
}

void trace_start(const struct trace_config *config)
{
	static const struct run_observer observer = {
		.signal = event_signal, .exited = event_exited, .exec = event_exec};

	to_lines = config->lines;
	lines.host_file = config->line_file;
	lines.path = config->line_path;
	to_json = config->json_file != HOSTFILE_NONE &&
		  trace_json_start(&(struct trace_out){"--trace", config->json_path, config->json_file, &to_json});
	trace_wanted = to_lines || to_json;
	if (trace_wanted)
		run_set_observer(&observer);
}

void trace_finish(void)
{
	const struct trace_call *call;

	if (!trace_wanted)
		return;
	list_for_each (call, &unfinished, node)
		put_call(call, TRACE_UNFINISHED, 0);
	if (to_json)
		trace_json_flush();
}
