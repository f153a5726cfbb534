/* text.h - bounded building of text: files of /proc, lines of --strace.
 *
 * A text either fills memory of the caller or grows in the arena up to a limit. What does not fit is dropped and
 * remembered; nothing is ever written outside.
 */
#ifndef SENTRY_BASE_TEXT_H
#define SENTRY_BASE_TEXT_H

#include "sentry/base/types.h"

struct text {
	char *data;      /* always zero-terminated when capacity > 0 */
	size_t length;   /* without the zero byte */
	size_t capacity; /* bytes of data, with the zero byte */
	size_t limit;    /* grows up to this capacity; 0: data is the caller's and does not grow */
	bool truncated;  /* something was dropped: at the limit, or the arena was full */
};

/* Uses the caller's memory, which must have at least one byte. Needs no text_free. */
void text_init(struct text *text, char *data, size_t capacity);
/* Grows in the arena, up to limit bytes. */
void text_init_growing(struct text *text, size_t limit);
void text_free(struct text *text);

void text_add(struct text *text, const char *bytes, size_t n);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
printf_like(2, 3) void text_printf(struct text *text, const char *format, ...);
/* The bytes with everything but printable ASCII, and the quote and the backslash, written as in C: \n, \", \177. */
void text_add_escaped(struct text *text, const void *bytes, size_t n);

#endif
