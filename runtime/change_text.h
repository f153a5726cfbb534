/* change_text.h - how a change is shown, by `usbx run --diff` and by `usbx diff`. Described in docs/diff.md. */
#ifndef RUNTIME_CHANGE_TEXT_H
#define RUNTIME_CHANGE_TEXT_H

#include "sentry/base/text.h"

/* What is known of a file. */
struct change_side {
	uint32_t mode, uid, gid;
	uint64_t size;
};

struct change_shown {
	char kind;        /* 'A', 'M', 'D' */
	uint8_t what;     /* CHANGE_* of fs/changes.h, of an M */
	const char *path; /* any bytes */
	size_t length;
	const char *target; /* of a symbolic link that is there now, or NULL */
	size_t target_length;
	struct change_side now, old; /* now: A and M; old: M and D */
};

/* One line, with its newline. What stands in a name does nothing to a terminal. */
void change_add_text(struct text *text, const struct change_shown *change);
/* One JSON object, with its newline. */
void change_add_json(struct text *text, const struct change_shown *change);
/* A name, in quotes and escaped where it would not be safe or clear as it is. */
void change_add_name(struct text *text, const char *name, size_t length);

#endif
