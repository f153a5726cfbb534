/* trace_json.c - --trace: one JSON record a line (docs/trace.md).
 *
 * A record is put together in memory that is there from the start and goes into a buffer, which is written when it is
 * full or FLUSH_NS old, by a fiber of its own: a trace costs the sandbox a few microseconds a call, not a host call.
 * Arguments come from the same printers as those of --strace: numbers of the table become JSON numbers, paths whole
 * strings, buffers the bytes that they begin with, everything else the text of --strace. No second list of calls or
 * kinds exists.
 *
 * Limits: EXEC_ARGS arguments and EXEC_BYTES bytes of a new program's argument list. A file that cannot be written ends
 * the trace with one line; the sandbox goes on. A pipe whose reader does not read holds the sandbox up, as any writer's
 * would. Numbers above 2^53 are exact here, and not in every reader of JSON.
 */
#include "syscalls/trace_json.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/json.h"
#include "sentry/base/limits.h"
#include "sentry/task.h"
#include "syscalls/table.h"
#include "syscalls/trace_print.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define FLUSH_NS     (50 * NS_PER_MS)
#define BUFFER_BYTES (64u << 10)
#define EXEC_ARGS    256
#define EXEC_BYTES   (8u << 10)
/* A byte that is no UTF-8 takes six for its \ufffd and two in hexadecimal; the rest of a record is small beside. */
#define BYTE_MOST    8u
#define RECORD_BYTES (TRACE_STRING_COUNT * BYTE_MOST * PATH_LIMIT + BYTE_MOST * EXEC_BYTES + 32 * 1024)

static struct {
	struct trace_out to;
	uint64_t real_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	char *record, *buffer;
	size_t buffered;
	struct fiber *flusher;
} out;

void trace_json_flush(void)
{
	size_t size = out.buffered;

	out.buffered = 0;
	trace_out_write(&out.to, out.buffer, size);
}

static void flusher_main(void *unused)
{
	(void)unused;
	for (;;) {
		fiber_park(); /* until there is something */
		uint64_t due_ns = clock_now_ns() + FLUSH_NS;
		while (fiber_park_until(due_ns))
			continue;
		trace_json_flush();
	}
}

static bool memory_get(char **memory, size_t size)
{
	*memory = host_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, NULL);
	return *memory != NULL;
}

bool trace_json_start(const struct trace_out *to)
{
	struct timespec real;

	out.to = *to;
	if (!memory_get(&out.record, RECORD_BYTES) || !memory_get(&out.buffer, BUFFER_BYTES) ||
	    fiber_new(flusher_main, NULL, &out.flusher))
		return false;
	if (!host_clock_gettime(CLOCK_REALTIME, &real))
		out.real_offset_ns = (uint64_t)real.tv_sec * NS_PER_S + (uint64_t)real.tv_nsec - host_monotonic_ns();
	return true;
}

/* ------------------------------------------------------------------ records */

static void record_begin(struct json *json, struct text *text, const struct task *task, uint64_t at_ns)
{
	text_init(text, out.record, RECORD_BYTES);
	json_init(json, text);
	json_open(json, NULL, '{');
	json_seconds(json, "time", at_ns + out.real_offset_ns, 6);
	json_int(json, "pid", task->process->pid);
	json_int(json, "tid", task->tid);
	json_bytes(json, "comm", task->comm, strnlen(task->comm, sizeof task->comm));
}

static void record_end(struct json *json)
{
	struct text *text = json->text;

	json_close(json, '}');
	text_add_char(text, '\n');
	if (out.buffered + text->length > BUFFER_BYTES)
		trace_json_flush();
	if (text->length > BUFFER_BYTES) {
		trace_out_write(&out.to, text->data, text->length);
		return;
	}
	memcpy(out.buffer + out.buffered, text->data, text->length);
	if (!out.buffered)
		fiber_wake(out.flusher);
	out.buffered += text->length;
}

/* How many bytes the argument points to are to be shown; -1: none, it is no buffer or cannot be read. */
static ssize_t fetch(enum trace_form form, const struct shown *arg, char bytes[PATH_LIMIT])
{
	struct user user = task_user(arg->task);
	size_t size = MIN(arg->next, (uint64_t)STRING_SHOWN);

	if (!arg->value || !arg->task->mm)
		return -1;
	if (form == FORM_STRING)
		return aspace_read_string(user.as, user.thread, bytes, UADDR(arg->value), PATH_LIMIT);
	if (form == FORM_BUFFER_OUT)
		size = arg->result < 0 ? 0 : MIN(size, (size_t)arg->result);
	else if (form != FORM_BUFFER)
		return -1;
	return arg->result < 0 || user_read(user, bytes, UADDR(arg->value), size) ? -1 : (ssize_t)size;
}

void trace_json_keep(struct trace_call *call, unsigned index, const struct shown *arg)
{
	enum trace_form form = trace_form(call->row ? call->row->kinds[index] : KIND_NONE);
	char bytes[PATH_LIMIT];

	if (form < FORM_STRING || call->string_count == COUNT(call->strings))
		return;
	ssize_t length = fetch(form, arg, bytes);
	if (length < 0)
		return;
	struct text *text = &call->strings[call->string_count].text;
	text_init_growing(text, PATH_LIMIT);
	text_add(text, bytes, (size_t)length);
	call->strings[call->string_count++].index = index;
}

static const struct text *kept_string(const struct trace_call *call, unsigned index)
{
	for (unsigned i = 0; i < call->string_count; i++)
		if (call->strings[i].index == index && !call->strings[i].text.truncated)
			return &call->strings[i].text;
	return NULL;
}

static void add_arg(struct json *json, const struct trace_call *call, unsigned index)
{
	bool known = call->row && call->row->level != LEVEL_MISSING;
	enum syscall_kind kind = known ? call->row->kinds[index] : KIND_NONE;
	const struct text *string = kept_string(call, index);
	char number[16];
	const char *name = known ? call->row->args[index] : number;

	snprintf(number, sizeof number, "arg%u", index);
	if (trace_form(kind) == FORM_NUMBER)
		json_raw(json, name, call->text[index]);
	else if (trace_form(kind) == FORM_DIRFD)
		json_int(json, name, (int)call->args[index]);
	else if (string)
		json_bytes(json, name, string->length ? string->data : "", string->length);
	else
		json_string(json, name, call->text[index]);
}

static void add_result(struct json *json, const struct trace_call *call, long result)
{
	char hex[24];
	bool address = call->row && (call->row->result == RETURN_PTR || call->row->result == RETURN_HEX);

	if (result < 0 && result >= -4095) {
		const char *name = trace_is_restart(result) ? "ERESTARTSYS" : strerrorname_np((int)-result);
		json_int(json, "result", -1);
		json_string(json, "errno", name ? name : "?");
	} else if (address) {
		snprintf(hex, sizeof hex, "%#lx", result);
		json_string(json, "result", hex);
	} else {
		json_int(json, "result", result);
	}
}

void trace_json_call(const struct trace_call *call, enum trace_end end, long result)
{
	struct json json;
	struct text text;
	char number[32];

	record_begin(&json, &text, call->task, call->begin_ns);
	snprintf(number, sizeof number, "syscall_%#" PRIx64, call->nr);
	json_string(&json, "call", call->row ? call->row->name : number);
	json_open(&json, "args", '{');
	for (unsigned i = 0; i < trace_argc(call); i++)
		add_arg(&json, call, i);
	json_close(&json, '}');
	if (end == TRACE_RETURNED) {
		add_result(&json, call, result);
		json_seconds(&json, "duration", call->end_ns - call->begin_ns, 9);
	} else {
		json_null(&json, "result");
	}
	if (end == TRACE_UNFINISHED)
		json_bool(&json, "unfinished", true);
	record_end(&json);
}

static void event_begin(struct json *json, struct text *text, const struct task *task, const char *event)
{
	record_begin(json, text, task, host_monotonic_ns());
	json_string(json, "event", event);
}

static void add_signal_name(struct json *json, int sig)
{
	char name[32];
	struct text text;

	text_init(&text, name, sizeof name);
	add_signal(&text, sig);
	json_string(json, "signal", name);
}

void trace_json_signal(const struct task *task, const struct abi_siginfo *info)
{
	char shown[TRACE_ARG_BYTES];
	struct json json;
	struct text text, info_text;

	event_begin(&json, &text, task, "signal");
	add_signal_name(&json, info->si_signo);
	text_init(&info_text, shown, sizeof shown);
	trace_add_siginfo(&info_text, info);
	json_string(&json, "info", shown);
	record_end(&json);
}

void trace_json_exited(const struct task *task, int wait_status)
{
	struct json json;
	struct text text;

	event_begin(&json, &text, task, "exit");
	if (WIFEXITED(wait_status)) {
		json_int(&json, "status", WEXITSTATUS(wait_status));
	} else {
		add_signal_name(&json, WTERMSIG(wait_status));
		json_bool(&json, "core", WCOREDUMP(wait_status));
	}
	record_end(&json);
}

void trace_json_exec(const struct task *task, const char *path, char *const argv[])
{
	struct json json;
	struct text text;
	size_t left = EXEC_BYTES;
	unsigned count = 0;

	event_begin(&json, &text, task, "exec");
	json_bytes(&json, "path", path, strlen(path));
	json_open(&json, "argv", '[');
	for (; count < EXEC_ARGS && left && argv[count]; count++) {
		size_t size = strnlen(argv[count], left);
		json_bytes(&json, NULL, argv[count], size);
		left -= size;
	}
	json_close(&json, ']');
	if (argv[count])
		json_bool(&json, "argv_cut", true);
	record_end(&json);
}
