/* report.c - see report.h. Runs in the closed jail, on a fiber.
 *
 * Limits: a name that is longer than LINE_BYTES can show is cut.
 */
#include "runtime/report.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_BYTES (1024ul * 1024) /* the longest path there is, each byte escaped */

static struct {
	enum diff_form diff;
	uint32_t save_file;
	const char *save_path; /* for messages */
	bool failed;
} report = {.save_file = HOSTFILE_NONE};

void report_init(enum diff_form diff, uint32_t save_file, const char *save_path)
{
	report.diff = diff;
	report.save_file = save_file;
	report.save_path = save_path;
}

bool report_wanted(void)
{
	return report.diff || report.save_file != HOSTFILE_NONE;
}

bool report_failed(void)
{
	return report.failed;
}

printf_like(1, 2) static void complain_inside(const char *format, ...)
{
	char line[1024] = "usbx: ";
	va_list args;

	va_start(args, format);
	vsnprintf(line + 6, sizeof line - 8, format, args);
	va_end(args);
	utf8_make_harmless(line);
	size_t length = strlen(line);
	line[length++] = '\n';
	host_stderr(line, length);
}

static void describe_side(struct inode *inode, struct change_side *out)
{
	struct attr attr;

	if (!inode)
		return;
	*out = (struct change_side){inode->mode, inode->uid, inode->gid, inode->size};
	if (!inode_getattr(inode, &attr))
		*out = (struct change_side){attr.mode, attr.uid, attr.gid, attr.size};
}

void report_describe(const struct change *change, char *target, struct change_shown *out)
{
	*out = (struct change_shown){
		.kind = change->kind, .what = change->what, .path = change->path, .length = change->length};
	if (!out->length) { /* the root of the sandbox */
		out->path = "/";
		out->length = 1;
	}
	describe_side(change->inode, &out->now);
	describe_side(change->lower, &out->old);
	if (change->inode && S_ISLNK(change->inode->mode)) {
		ssize_t n = change_target(change->inode, target, PATH_LIMIT);
		out->target = n > 0 ? target : NULL;
		out->target_length = n > 0 ? (size_t)n : 0;
	}
}

static void print(const struct change_list *list)
{
	char target[PATH_LIMIT];
	struct change_shown shown;
	struct text text;

	text_init_growing(&text, LINE_BYTES);
	for (size_t i = 0; i < list->count; i++) {
		report_describe(&list->items[i], target, &shown);
		text.length = 0;
		if (report.diff == DIFF_JSON)
			change_add_json(&text, &shown);
		else
			change_add_text(&text, &shown);
		if (!text.truncated && text.length)
			host_stderr(text.data, text.length);
		else
			complain_inside("--diff: a name is too long to be shown");
		text.truncated = false;
	}
	text_free(&text);
}

static void save(const struct change_list *list)
{
	const struct change *example = NULL;
	size_t left_out = 0;
	char name[512];
	struct text text;
	int error = report_save(list, report.save_file, &left_out, &example);

	if (error) {
		complain_inside("--save %.500s: %s: the archive is not complete%s", report.save_path, strerror(-error),
				error == -ENOSPC || error == -EDQUOT ? "; make room there, or name a file elsewhere"
								     : "");
		report.failed = true;
	}
	if (!left_out)
		return;
	text_init(&text, name, sizeof name);
	change_add_name(&text, example->path, example->length);
	complain_inside("--save: %zu left out, such as %s: sockets, unreadable files and names that begin with .wh. "
			"cannot be saved",
			left_out, name);
}

void report_changes(void)
{
	struct change_list list;
	int error = changes_collect(&list);

	if (error) {
		complain_inside("%s: cannot find out what has changed: %s%s", report.diff ? "--diff" : "--save",
				strerror(-error), error == -ENOMEM ? "; see --memory" : "");
		report.failed = true;
	} else {
		if (list.cut) {
			complain_inside("more changes than can be listed: some are left out");
			report.failed = true;
		}
		if (report.diff)
			print(&list);
		if (report.save_file != HOSTFILE_NONE)
			save(&list);
	}
	changes_free(&list);
}
