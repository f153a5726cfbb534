/* option_values.c - what each option of options.def does with its value.
 *
 * Every value is checked here, so that what follows can trust it: a sandbox is never started on a half-understood wish.
 */
#include "runtime/option_values.h"

#include "runtime/fail.h"
#include "runtime/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTNAME_BYTES   64 /* HOST_NAME_MAX */
#define MEMORY_MIN_BYTES (16ull << 20)
#define DISK_MIN_BYTES   (1ull << 20)

/* A path in the sandbox: absolute, of a sane length, without "." and "..", which would not mean there what they mean
 * here. */
static void check_target(const char *option, const char *path)
{
	if (*path != '/')
		fail("%s: %s is not absolute: give the full path in the sandbox", option,
		     *path ? path : "an empty path");
	if (strlen(path) >= PATH_MAX)
		fail("%s: the path is longer than %d bytes; choose a shorter one", option, PATH_MAX - 1);
	for (const char *part = path; *part;) {
		part += strspn(part, "/");
		size_t n = strcspn(part, "/");
		if ((n == 1 && *part == '.') || (n == 2 && !strncmp(part, "..", 2)))
			fail("%s: %s: write it without . and ..", option, path);
		if (n > NAME_MAX)
			fail("%s: a name in %s is longer than %d bytes; choose a shorter one", option, path, NAME_MAX);
		part += n;
	}
}

/* Without doubled slashes and without one at the end, so that equal places are equal texts. */
static void squeeze_slashes(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++)
		if (*from != '/' || (from[1] && from[1] != '/'))
			*to++ = *from;
	*to = 0;
}

static unsigned depth(const char *path)
{
	unsigned slashes = 0;

	for (; *path; path++)
		slashes += *path == '/';
	return slashes;
}

/* Outer places come before inner ones, whatever the order of the options: nothing that was asked for is hidden. */
void share_add(struct options *o, const struct mount_option *mount)
{
	unsigned at = o->mount_count;

	if (o->mount_count == MOUNT_OPTION_LIMIT)
		fail("%s %s: more than %d of --mount and --rw; show the directory around some of them instead",
		     mount->option, mount->source, MOUNT_OPTION_LIMIT);
	for (unsigned i = 0; i < o->mount_count; i++)
		if (!strcmp(o->mounts[i].target, mount->target))
			fail("%s %s: %s is already the place of %s %s; choose another for one of them", mount->option,
			     mount->source, mount->target, o->mounts[i].option, o->mounts[i].source);
	while (at && depth(o->mounts[at - 1].target) > depth(mount->target))
		at--;
	memmove(&o->mounts[at + 1], &o->mounts[at], (o->mount_count - at) * sizeof *mount);
	o->mounts[at] = *mount;
	o->mount_count++;
}

/* The part of *rest before the next colon; *rest becomes what follows, or NULL. "\:" stands for a colon, "\\" for a
 * backslash. */
static char *take_part(char **rest)
{
	char *part = *rest, *from = part, *to = part;

	while (*from && *from != ':') {
		if (*from == '\\' && (from[1] == ':' || from[1] == '\\'))
			from++;
		*to++ = *from++;
	}
	*rest = *from ? from + 1 : NULL;
	*to = 0;
	return part;
}

/* SRC:DST[:MODE] */
void option_mount(struct options *o, const char *text)
{
	static const char *const modes[] = {[SHARE_RO] = "ro", [SHARE_RW] = "rw", [SHARE_COW] = "cow"};
	char *rest = must_copy(text), *source = take_part(&rest), *target = rest ? take_part(&rest) : NULL;
	unsigned mode = SHARE_RO;

	if (!*source || !target)
		fail("--mount %s: use SRC:DST[:ro|rw|cow]", text);
	if (rest) {
		while (mode < COUNT(modes) && strcmp(rest, modes[mode]) != 0)
			mode++;
		if (mode == COUNT(modes))
			fail("--mount %s: %s is not a mode: use ro, rw or cow; a colon in a path is written \\:", text,
			     *rest ? rest : "an empty word");
	}
	check_target("--mount", target);
	squeeze_slashes(target);
	if (!*target)
		fail("--mount %s: for another root use --rootfs", text);
	share_add(o, &(struct mount_option){"--mount", source, target, (enum share_mode)mode});
}

void option_rw(struct options *o, const char *path)
{
	/* Inside at the path that it has outside. */
	char *full = realpath(path, NULL);

	if (!full)
		fail_to_read("--rw", path, errno);
	if (!strcmp(full, "/"))
		fail("--rw /: that would give away the whole host; name a directory in it");
	share_add(o, &(struct mount_option){"--rw", full, full, SHARE_RW});
}

/* A later value of the same name replaces the earlier one. pair is malloc's, and ours from here on. */
void env_add(struct options *o, char *pair)
{
	size_t name = strcspn(pair, "=") + 1;

	for (unsigned i = 0; i < o->env_count; i++)
		if (!strncmp(o->env[i], pair, name)) {
			free(o->env[i]);
			o->env[i] = pair;
			return;
		}
	if (o->env_count == ENV_OPTION_LIMIT - 1)
		fail("--env %s: more than %d variables; leave some out, or set them in a script", pair,
		     ENV_OPTION_LIMIT - 1);
	o->env[o->env_count++] = pair;
}

void env_pass(struct options *o, const char *name)
{
	const char *value = getenv(name);
	char *pair;

	if (!value)
		return;
	if (asprintf(&pair, "%s=%s", name, value) < 0)
		fail("no memory");
	env_add(o, pair);
}

void option_env(struct options *o, const char *text)
{
	if (!*text || *text == '=')
		fail("--env %s: a variable needs a name: NAME or NAME=VALUE", text);
	if (strchr(text, '='))
		env_add(o, must_copy(text));
	else
		env_pass(o, text);
}

void option_hostname(struct options *o, const char *text)
{
	size_t n = strlen(text);

	if (!n || n > HOSTNAME_BYTES ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != n)
		fail("--hostname %s: use 1 to %d letters, digits, dots and dashes", text, HOSTNAME_BYTES);
	o->hostname = text;
}

void option_timeout(struct options *o, const char *text)
{
	o->timeout_ns = parse_seconds("--timeout", text);
}

void option_memory(struct options *o, const char *text)
{
	o->memory_bytes = parse_size("--memory", text, MEMORY_MIN_BYTES);
}

void option_cpus(struct options *o, const char *text)
{
	o->cpu_milli = parse_cpus(text);
}

void option_cpu_time(struct options *o, const char *text)
{
	o->cpu_time_ns = parse_seconds("--cpu-time", text);
}

void option_pids(struct options *o, const char *text)
{
	o->pids = parse_pids(text);
}

void option_disk(struct options *o, const char *text)
{
	o->disk_bytes = parse_size("--disk", text, DISK_MIN_BYTES);
}

void option_max_output(struct options *o, const char *text)
{
	o->output_bytes = parse_size("--max-output", text, 1);
}

void option_ulimit(struct options *o, const char *text)
{
	parse_ulimit(o, text);
}

void option_stats(struct options *o, const char *text)
{
	if (text && strcmp(text, "json") != 0)
		fail("--stats=%s: use --stats or --stats=json", text);
	o->stats = text ? STATS_JSON : STATS_TEXT;
}

void option_debug(struct options *o, const char *text)
{
	const char *whole = text;
	bool stats = false;

	if (!text)
		text = "log";
	const struct {
		const char *name;
		bool *flag;
	} known[] = {
		{"log", &o->debug.log},         {"stats", &stats},          {"no-patch", &o->debug.no_patch},
		{"no-spin", &o->debug.no_spin}, {"epoll", &o->debug.epoll}, {"uring", &o->debug.uring},
	};

	while (text) {
		size_t n = strcspn(text, ","), i = 0;
		while (i < COUNT(known) && (strlen(known[i].name) != n || strncmp(known[i].name, text, n)))
			i++;
		if (i == COUNT(known))
			fail("--debug=%.*s: use log, stats, no-patch, no-spin, epoll or uring",
			     (int)MIN(n, (size_t)100), text);
		*known[i].flag = true;
		text = text[n] ? text + n + 1 : NULL;
	}
	if (stats)
		o->stats = STATS_JSON;
	if (o->debug.epoll && o->debug.uring)
		fail("--debug=%s: epoll and uring exclude each other; use one of them", whole);
}

void option_rootfs(struct options *o, const char *value)
{
	o->rootfs = value;
}

void option_workdir(struct options *o, const char *value)
{
	check_target("--workdir", value);
	o->workdir = value;
}

void option_user(struct options *o, const char *value)
{
	o->user = value;
}

void option_strace(struct options *o, const char *path)
{
	o->strace = true;
	o->strace_path = path;
}

void option_trace(struct options *o, const char *path)
{
	o->trace_path = path;
}

void option_diff(struct options *o, const char *text)
{
	if (text && strcmp(text, "json") != 0)
		fail("--diff=%s: use --diff or --diff=json", text);
	o->diff = text ? DIFF_JSON : DIFF_TEXT;
}

void option_save(struct options *o, const char *path)
{
	o->save_path = path;
}

void option_crash_report(struct options *o, const char *none)
{
	(void)none;
	o->crash_report = true;
}

void option_tty(struct options *o, const char *none)
{
	(void)none;
	o->tty = TTY_FORCE;
}

void option_no_tty(struct options *o, const char *none)
{
	(void)none;
	o->tty = TTY_NEVER;
}

void option_platform(struct options *o, const char *text)
{
	static const char *const names[] = {
		[PLATFORM_AUTO] = "auto", [PLATFORM_SYSTRAP] = "systrap", [PLATFORM_PTRACE] = "ptrace"};
	unsigned kind = 0;

	while (kind < COUNT(names) && strcmp(names[kind], text) != 0)
		kind++;
	if (kind == COUNT(names))
		fail("--platform %.100s: use auto, systrap or ptrace", text);
	o->platform = (enum platform_kind)kind;
}

void option_config(struct options *o, const char *path)
{
	o->config_path = path;
}
