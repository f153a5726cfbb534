/* trace.c - --strace: what a call was given, and what it gave, as one line.
 *
 * The rows of syscalls.def say which kinds a call's arguments have; kinds.def names a printer for each kind; the
 * printers are here. What a call reads is shown before its handler runs (an exec changes the memory), what it wrote
 * afterwards, and the line is printed when the call ends: so lines appear in the order in which calls end, and a call
 * that never ends is shown by trace_print_unfinished.
 *
 * Limits: STRING_SHOWN bytes of a string or buffer, VECTOR_SHOWN elements of an array, TRACE_ARG_BYTES of an argument,
 * LINE_BYTES of a line; longer ones end with "...". Text of the guest is escaped. Lines are written at once, so a
 * reader that does not read holds the sandbox up: --strace is for people who look.
 */
#include "syscalls/trace.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/task.h"
#include "syscalls/table.h"
#include "syscalls/trace_print.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LINE_BYTES 2048

trace_sink *trace_to;
static struct list unfinished = LIST_INIT(unfinished);

void trace_init(trace_sink *sink)
{
	trace_to = sink;
}

static uint32_t trace_file = HOSTFILE_NONE;

static void write_line(const char *line, size_t size)
{
	if (trace_file == HOSTFILE_NONE)
		host_stderr(line, size);
	else if (host_write(hostfile_fd(trace_file), line, size) < 0)
		trace_to = NULL; /* a full disk, a closed pipe: the sandbox goes on without */
}

/* ------------------------------------------------------------------ lines */

static void print_arg(struct trace_call *call, unsigned index, long result)
{
	struct text text;
	struct shown arg = {.text = &text,
			    .task = call->task,
			    .args = call->args,
			    .value = call->args[index],
			    .next = index + 1 < SYSCALL_ARGS ? call->args[index + 1] : 0,
			    .result = result};

	text_init(&text, call->text[index], sizeof call->text[index]);
	trace_print(call->row ? call->row->kinds[index] : KIND_NONE, &arg);
	if (text.truncated)
		memcpy(text.data + text.length - 3, "...", 3);
}

/* How many arguments a line shows: of a call that we do not have, as many as there are registers. */
static unsigned argc_of(const struct trace_call *call)
{
	return call->row && call->row->level != LEVEL_MISSING ? call->row->argc : SYSCALL_ARGS;
}

static void add_result(struct text *text, const struct trace_call *call, long result)
{
	if (result >= 0 || result < -4095) {
		bool hex = call->row && (call->row->result == RETURN_PTR || call->row->result == RETURN_HEX);
		text_printf(text, hex && result ? "%#lx" : "%ld", result);
		return;
	}
	switch (-result) {
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
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
	unsigned argc = argc_of(call);

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
	line[text.length] = '\n';
	trace_to(line, text.length + 1);
}

void trace_call_begin(struct trace_call *call, struct task *task, const struct stop *stop)
{
	task_get(task);
	*call = (struct trace_call){
		.task = task, .row = stop->foreign ? NULL : syscall_row(stop->nr), .nr = stop->nr, .tid = task->tid};
	memcpy(call->args, stop->args, sizeof call->args);
	list_push_back(&unfinished, &call->node);
	for (unsigned i = 0; i < argc_of(call); i++) {
		if (call->row && trace_shown_after(call->row->kinds[i]))
			snprintf(call->text[i], sizeof call->text[i], "%#" PRIx64, call->args[i]);
		else
			print_arg(call, i, 0);
	}
	if (call->row && call->row->result == RETURN_NONE)
		print_line(call, ") = ?", 0);
}

void trace_call_end(struct trace_call *call, long result)
{
	for (unsigned i = 0; i < argc_of(call); i++)
		if (call->row && trace_shown_after(call->row->kinds[i]))
			print_arg(call, i, result);
	if (!call->row || call->row->result != RETURN_NONE)
		print_line(call, NULL, result);
	list_remove(&call->node);
	task_put(call->task);
}

/* ------------------------------------------------------------------ what happens besides calls */

static void start_event(struct text *text, char line[LINE_BYTES], const struct task *task)
{
	text_init(text, line, LINE_BYTES - 1);
	text_printf(text, "[pid %d] ", task->tid);
}

static void end_event(struct text *text)
{
	text->data[text->length] = '\n';
	trace_to(text->data, text->length + 1);
}

static void event_signal(const struct task *task, const struct abi_siginfo *info)
{
	char line[LINE_BYTES];
	struct text text;

	if (!trace_is_on())
		return;
	start_event(&text, line, task);
	text_add_string(&text, "--- ");
	trace_add_siginfo(&text, info);
	text_add_string(&text, " ---");
	end_event(&text);
}

static void event_exited(const struct task *task, int wait_status)
{
	char line[LINE_BYTES];
	struct text text;

	if (!trace_is_on())
		return;
	start_event(&text, line, task);
	if (WIFEXITED(wait_status)) {
		text_printf(&text, "+++ exited with %d +++", WEXITSTATUS(wait_status));
	} else {
		text_add_string(&text, "+++ killed by ");
		add_signal(&text, WTERMSIG(wait_status));
		text_add_string(&text, " +++");
	}
	end_event(&text);
}

void trace_start(uint32_t host_file)
{
	static const struct run_observer observer = {.signal = event_signal, .exited = event_exited};

	trace_file = host_file;
	trace_init(write_line);
	run_set_observer(&observer);
}

void trace_print_unfinished(void)
{
	const struct trace_call *call;

	if (!trace_is_on())
		return;
	list_for_each (call, &unfinished, node)
		print_line(call, " <unfinished ...>", 0);
}
