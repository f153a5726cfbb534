/* text.c - bounded building of text.
 *
 * Limits: one text_printf makes at most PRINTF_BYTES bytes; longer output is cut and marked as truncated.
 */
#include "sentry/base/text.h"
#include "sentry/base/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRINTF_BYTES   1024
#define FIRST_CAPACITY 512

void text_init(struct text *text, char *data, size_t capacity)
{
	assert(capacity > 0);
	*text = (struct text){.data = data, .capacity = capacity};
	data[0] = '\0';
}

void text_init_growing(struct text *text, size_t limit)
{
	assert(limit > 0);
	*text = (struct text){.limit = limit};
}

void text_free(struct text *text)
{
	if (text->limit && text->data)
		arena_free(text->data, text->capacity);
	*text = (struct text){.limit = text->limit};
}

/* Room for n more bytes and the zero byte, as far as the limit goes; how many of the n fit. */
static size_t text_room(struct text *text, size_t n)
{
	size_t wanted = text->length + n + 1;

	if (wanted > text->capacity && text->capacity < text->limit) {
		size_t capacity = MIN(MAX(MAX(wanted, text->capacity * 2), (size_t)FIRST_CAPACITY), text->limit);
		char *data = arena_realloc(text->data, text->capacity, capacity);
		if (data) {
			text->data = data;
			text->capacity = capacity;
		}
	}
	if (wanted <= text->capacity)
		return n;
	text->truncated = true;
	return text->capacity ? text->capacity - text->length - 1 : 0;
}

void text_add(struct text *text, const char *bytes, size_t n)
{
	n = text_room(text, n);
	if (!text->capacity)
		return;
	memcpy(text->data + text->length, bytes, n);
	text->length += n;
	text->data[text->length] = '\0';
	assert(text->length < text->capacity);
}

void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
	char line[PRINTF_BYTES];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	assert(length >= 0);
	if ((size_t)length >= sizeof line) {
		text->truncated = true;
		length = sizeof line - 1;
	}
	text_add(text, line, (size_t)length);
}

void text_add_escaped(struct text *text, const void *bytes, size_t n)
{
	static const char specials[] = "\a\b\t\n\v\f\r\"\\";
	static const char letters[] = "abtnvfr\"\\";
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++) {
		const char *special = at[i] ? strchr(specials, at[i]) : NULL;
		bool digit_follows = i + 1 < n && at[i + 1] >= '0' && at[i + 1] <= '9';
		if (special)
			text_printf(text, "\\%c", letters[special - specials]);
		else if (at[i] >= ' ' && at[i] < 0x7f)
			text_add_char(text, (char)at[i]);
		else
			text_printf(text, digit_follows ? "\\%03o" : "\\%o", at[i]);
	}
}
