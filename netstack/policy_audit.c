/* policy_audit.c - see policy_audit.h.
 *
 * A record is written as it happens, in one write, so that a sandbox that dies has left what it did; a pipe whose
 * reader does not read holds the sandbox up, as any writer's would. A file that cannot be written any more ends
 * everything outside: what cannot be recorded is not allowed.
 *
 * Limits: refusals can be had in any number. So at most REFUSALS_PER_S of them are written a second; the next record
 * says how many were not. --explain tells each refusal (process, protocol, address, port, name) once, as long as it is
 * among the last EXPLAINED different ones.
 */
#include "netstack/policy_audit.h"

#include "fs/hooks.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/fiber.h"
#include "sentry/base/json.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#define RECORD_BYTES   4096
#define REFUSALS_PER_S 1000
#define EXPLAINED      256

static struct {
	uint32_t file;
	bool on, broken, explain;
	uint64_t second_ns;
	uint32_t refusals; /* written in this second */
	uint64_t left_out; /* since the last record */
	uint64_t explained[EXPLAINED];
	uint32_t explained_at;
} audit = {.file = HOSTFILE_NONE};

void audit_start(uint32_t file, bool explain)
{
	audit.file = file;
	audit.on = file != HOSTFILE_NONE;
	audit.explain = explain;
}

bool audit_works(void)
{
	return !audit.broken;
}

void audit_process(struct policy_process *out)
{
	struct cred *cred;

	*out = (struct policy_process){0};
	if (hook_caller(&out->pid, &cred))
		hook_caller_name(out->name);
	else
		out->pid = 0;
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == POLICY_TCP    ? "tcp"
	       : protocol == POLICY_UDP  ? "udp"
	       : protocol == POLICY_ICMP ? "icmp"
					 : "other";
}

static const char *show_addr(const struct net_addr *addr, char out[INET6_ADDRSTRLEN])
{
	bool v4 = net_addr_is_v4(addr);

	return inet_ntop(v4 ? AF_INET : AF_INET6, addr->bytes + (v4 ? 12 : 0), out, INET6_ADDRSTRLEN);
}

/* ------------------------------------------------------------------------------------------------ records */

static void write_record(const char *bytes, size_t size)
{
	char line[128];
	ssize_t done;

	do
		done = host_write(hostfile_fd(audit.file), bytes, size);
	while (done == -EINTR);
	if (done == (ssize_t)size)
		return;
	audit.broken = true;
	audit.on = false;
	int n = snprintf(line, sizeof line, "usbx: --audit: %s: from here on nothing outside can be reached\n",
			 strerror(done < 0 ? (int)-done : ENOSPC));
	host_stderr(line, MIN((size_t)MAX(n, 0), sizeof line - 1));
}

static void add_time(struct json *json)
{
	struct timespec now;

	if (!host_clock_gettime(CLOCK_REALTIME, &now))
		json_seconds(json, "time", (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec, 6);
}

static void add_end(struct json *json, const char *addr_key, const char *port_key, const struct net_end *end)
{
	char addr[INET6_ADDRSTRLEN];

	json_string(json, addr_key, show_addr(&end->addr, addr));
	if (end->port)
		json_uint(json, port_key, end->port);
}

static void add_rule(struct json *json, uint32_t rule)
{
	char shown[POLICY_RULE_BYTES];
	struct text text;

	if (rule >= policy_config()->rules.count)
		return;
	text_init(&text, shown, sizeof shown);
	policy_rule_show(&policy_config()->rules.rule[rule], &text);
	json_string(json, "rule", shown);
	if (policy_config()->rules.rule[rule].line)
		json_uint(json, "line", policy_config()->rules.rule[rule].line);
}

static void record(const struct audit_event *event)
{
	char bytes[RECORD_BYTES];
	struct text text;
	struct json json;

	text_init(&text, bytes, sizeof bytes);
	json_init(&json, &text);
	json_open(&json, NULL, '{');
	add_time(&json);
	json_string(&json, "event", event->event);
	json_string(&json, "verdict", event->allowed ? "allow" : "deny");
	if (event->process && event->process->pid) {
		json_int(&json, "pid", event->process->pid);
		json_bytes(&json, "process", event->process->name, strnlen(event->process->name, PROCESS_NAME_BYTES));
	}
	if (event->protocol)
		json_string(&json, "protocol", protocol_name(event->protocol));
	if (event->name && *event->name)
		json_bytes(&json, "name", event->name, strlen(event->name));
	if (event->remote)
		add_end(&json, "address", "port", event->remote);
	if (event->local)
		add_end(&json, "local_address", "local_port", event->local);
	add_rule(&json, event->rule);
	if (event->reason)
		json_string(&json, "reason", event->reason);
	if (event->ended) {
		json_uint(&json, "bytes_up", event->ended->up_bytes);
		json_uint(&json, "bytes_down", event->ended->down_bytes);
	}
	if (audit.left_out)
		json_uint(&json, "refusals_left_out", audit.left_out);
	audit.left_out = 0;
	json_close(&json, '}');
	text_add_char(&text, '\n');
	write_record(text.data, text.length);
}

/* ------------------------------------------------------------------------------------------------ explanations */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	return hash;
}

static bool explained_before(const struct audit_event *event)
{
	uint64_t hash =
		hash_text(hash_text(hash_text(0xcbf29ce484222325ull, event->event), event->reason), event->name);

	hash = hash_text(hash, event->process ? event->process->name : NULL);
	if (event->remote)
		hash = (hash ^ net_addr_hash(&event->remote->addr) ^ event->remote->port ^
			(uint64_t)event->protocol << 16) *
		       0x100000001b3ull;
	for (unsigned i = 0; i < EXPLAINED; i++)
		if (audit.explained[i] == hash)
			return true;
	audit.explained[audit.explained_at++ % EXPLAINED] = hash;
	return false;
}

static void explain(const struct audit_event *event)
{
	char bytes[RECORD_BYTES], addr[INET6_ADDRSTRLEN];
	struct text text;

	if (explained_before(event))
		return;
	text_init(&text, bytes, sizeof bytes);
	text_add_string(&text, "usbx: refused: ");
	if (event->process && event->process->pid) {
		text_add_escaped(&text, event->process->name, strnlen(event->process->name, PROCESS_NAME_BYTES));
		text_printf(&text, " (process %d): ", event->process->pid);
	}
	if (event->protocol)
		text_printf(&text, "%s ", protocol_name(event->protocol));
	if (event->name && *event->name)
		text_add_escaped(&text, event->name, strlen(event->name));
	if (event->remote) {
		text_printf(&text, event->name && *event->name ? " (%s)" : "%s", show_addr(&event->remote->addr, addr));
		if (event->remote->port)
			text_printf(&text, " port %u", event->remote->port);
	}
	text_printf(&text, ": %s\n", event->reason ? event->reason : "not allowed");
	host_stderr(text.data, text.length);
}

void audit_write(const struct audit_event *event)
{
	bool refusal = !event->allowed;

	if (refusal && audit.explain)
		explain(event);
	if (!audit.on)
		return;
	if (clock_now_ns() - audit.second_ns >= NS_PER_S) {
		audit.second_ns = clock_now_ns();
		audit.refusals = 0;
	}
	if (refusal && audit.refusals++ >= REFUSALS_PER_S) {
		audit.left_out++;
		return;
	}
	record(event);
}

void audit_finish(void)
{
	struct policy_flow *flow;

	while ((flow = flow_next(NULL)))
		flow_end(flow, NULL);
	if (audit.on && audit.left_out)
		record(&(struct audit_event){.event = "end", .allowed = false, .rule = POLICY_NO_RULE});
	audit.on = false;
}
