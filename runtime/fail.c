/* fail.c - see fail.h. Runs outside the jail; the C library is free to use here. */
#include "runtime/fail.h"

#include "sentry/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 1024

static char origin[LINE_BYTES / 2];

void fail_where(const char *where)
{
	snprintf(origin, sizeof origin, "%s", where);
}

/* The middle of what is too long goes: the thing is named at the front, and the remedy at the end. */
static void shorten(char *text)
{
	size_t length = strlen(text), tail = LINE_BYTES / 4, head = LINE_BYTES - tail - strlen(" ... ");

	if (length <= LINE_BYTES)
		return;
	memcpy(text + head, " ... ", strlen(" ... "));
	memmove(text + head + strlen(" ... "), text + length - tail, tail + 1);
}

/* What could steer a terminal, and bytes that are no text, become question marks. */
static void make_harmless(char *text)
{
	size_t left = strlen(text);
	uint32_t character;
	char *to = text;

	while (left) {
		unsigned bytes = utf8_decode(text, left, &character);
		if (!bytes || utf8_is_control(character)) {
			*to++ = '?';
			bytes = MAX(bytes, 1u);
		} else {
			memmove(to, text, bytes);
			to += bytes;
		}
		text += bytes;
		left -= bytes;
	}
	*to = 0;
}

static void print_line(const char *format, va_list args)
{
	char line[LINE_BYTES + sizeof "usbx: " + sizeof origin], *text;

	if (vasprintf(&text, format, args) < 0)
		return;
	shorten(text);
	snprintf(line, sizeof line, "usbx: %s%s", origin, text);
	free(text);
	make_harmless(line);
	size_t used = strlen(line);
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, used); /* one write: lines of several processes do not mix */
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
	exit(EXIT_USBX);
}

void finish_output(void)
{
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		fail("cannot write to standard output: %s", strerror(errno ? errno : EIO));
}

void *must_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory)
		fail("no memory");
	return memory;
}

char *must_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		fail("no memory");
	return copy;
}
