/* change_text.c - see change_text.h. */
#include "runtime/change_text.h"

#include "fs/changes.h"
#include "sentry/base/json.h"
#include "sentry/base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SET_ID (S_ISUID | S_ISGID)

static const struct {
	uint8_t bit;
	const char *name;
} what_names[] = {{CHANGE_TYPE, "type"},   {CHANGE_CONTENT, "content"}, {CHANGE_MODE, "mode"},
		  {CHANGE_OWNER, "owner"}, {CHANGE_XATTR, "xattr"},     {CHANGE_TARGET, "target"}};

static const char *type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "character device";
	case S_IFBLK:
		return "block device";
	default:
		return "unknown";
	}
}

/* ------------------------------------------------------------------ text */

/* May it stand as it is? Not where a reader could take a part of the name for what follows a name. */
static bool is_clear(const char *name, size_t length)
{
	uint32_t c;
	unsigned bytes;

	if (!length || name[0] == ' ' || name[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i += bytes) {
		bytes = utf8_decode(name + i, length - i, &c);
		if (!bytes || utf8_is_control(c) || c == '"' || c == '\\')
			return false;
		if (c == ' ' && (name[i + 1] == '(' || name[i + 1] == '-'))
			return false;
	}
	return true;
}

void change_add_name(struct text *text, const char *name, size_t length)
{
	if (is_clear(name, length)) {
		text_add(text, name, length);
		return;
	}
	text_add_char(text, '"');
	text_add_escaped(text, name, length);
	text_add_char(text, '"');
}

/* Details stand in parentheses, with commas between them. */
printf_like(3, 4) static void add_detail(struct text *text, bool *first, const char *format, ...)
{
	char detail[128];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	text_add_string(text, *first ? " (" : ", ");
	text_add_string(text, detail);
	*first = false;
}

static void add_change_details(struct text *text, bool *first, const struct change_shown *change)
{
	const struct change_side *now = &change->now, *old = &change->old;

	if (change->what & CHANGE_TYPE)
		add_detail(text, first, "was a %s", type_of(old->mode));
	if (change->what & CHANGE_CONTENT && now->size != old->size)
		add_detail(text, first, "%" PRIu64 " -> %" PRIu64 " bytes", old->size, now->size);
	else if (change->what & CHANGE_CONTENT)
		add_detail(text, first, "%" PRIu64 " bytes", now->size);
	if (change->what & CHANGE_MODE)
		add_detail(text, first, "mode %04o -> %04o", old->mode & 07777, now->mode & 07777);
	if (change->what & CHANGE_OWNER)
		add_detail(text, first, "owner %u:%u -> %u:%u", old->uid, old->gid, now->uid, now->gid);
	if (change->what & CHANGE_XATTR)
		add_detail(text, first, "extended attributes");
	if (change->what & CHANGE_TARGET && !S_ISLNK(now->mode))
		add_detail(text, first, "device number");
}

void change_add_text(struct text *text, const struct change_shown *change)
{
	const struct change_side *side = change->kind == 'D' ? &change->old : &change->now;
	bool first = true;

	text_add_char(text, change->kind);
	text_add_char(text, ' ');
	change_add_name(text, change->path, change->length);
	if (S_ISDIR(side->mode))
		text_add_char(text, '/');
	if (change->target) {
		text_add_string(text, " -> ");
		change_add_name(text, change->target, change->target_length);
	}
	if (change->kind == 'M')
		add_change_details(text, &first, change);
	else if (S_ISREG(side->mode))
		add_detail(text, &first, "%" PRIu64 " bytes", side->size);
	else if (!S_ISDIR(side->mode) && !S_ISLNK(side->mode))
		add_detail(text, &first, "%s", type_of(side->mode));
	if (change->kind == 'A' && side->mode & SET_ID && !S_ISDIR(side->mode))
		add_detail(text, &first, "mode %04o", side->mode & 07777);
	text_add_string(text, first ? "\n" : ")\n");
}

/* ------------------------------------------------------------------ JSON */

static void add_side(struct json *json, const struct change_side *side)
{
	char mode[16];

	snprintf(mode, sizeof mode, "%04o", side->mode & 07777);
	json_string(json, "type", type_of(side->mode));
	if (S_ISREG(side->mode))
		json_uint(json, "size", side->size);
	json_string(json, "mode", mode);
	json_uint(json, "uid", side->uid);
	json_uint(json, "gid", side->gid);
}

void change_add_json(struct text *text, const struct change_shown *change)
{
	const char kind[] = {change->kind, '\0'};
	struct json json;

	json_init(&json, text);
	json_open(&json, NULL, '{');
	json_string(&json, "change", kind);
	json_bytes(&json, "path", change->path, change->length);
	if (change->kind == 'M') {
		json_open(&json, "what", '[');
		for (size_t i = 0; i < COUNT(what_names); i++)
			if (change->what & what_names[i].bit)
				json_string(&json, NULL, what_names[i].name);
		json_close(&json, ']');
	}
	if (change->kind != 'D')
		add_side(&json, &change->now);
	if (change->target)
		json_bytes(&json, "target", change->target, change->target_length);
	if (change->kind != 'A') {
		json_open(&json, "old", '{');
		add_side(&json, &change->old);
		json_close(&json, '}');
	}
	json_close(&json, '}');
	text_add_char(text, '\n');
}
