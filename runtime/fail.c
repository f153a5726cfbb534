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

static void print_line(const char *format, va_list args)
{
	char line[LINE_BYTES + sizeof "usbx: " + sizeof origin], *text;

	if (vasprintf(&text, format, args) < 0)
		return;
	shorten(text);
	snprintf(line, sizeof line, "usbx: %s%s", origin, text);
	free(text);
	utf8_make_harmless(line);
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

/* What can be done about a path that is not to be had; "" where the error says it all. */
static const char *remedy(int error, bool to_write)
{
	switch (error) {
	case ENOENT:
		return to_write ? "; make its directory first" : "; check how it is written, or make it first";
	case EACCES:
	case EPERM:
		return to_write ? "; name a file that you may write" : "; run usbx as a user who may read it";
	case ENOTDIR:
		return "; a part of it is a file and no directory";
	case EISDIR:
		return to_write ? "; name a file in it" : "; name a file";
	case ELOOP:
		return "; its symbolic links lead round in a circle";
	case EROFS:
		return "; name a file where something can be written";
	case ENOSPC:
	case EDQUOT:
		return "; make room there, or name a file elsewhere";
	case EMFILE:
	case ENFILE:
		return "; raise ulimit -n";
	default:
		return "";
	}
}

/* A relative path is one of the directory that we are in: which one that is may be the mistake. */
no_return static void fail_path(const char *option, const char *path, int error, bool to_write)
{
	char *here = error == ENOENT && *path != '/' ? getcwd(NULL, 0) : NULL;

	fail("%s %s: %s%s%s%s", option, path, strerror(error), here ? " in " : "", here ? here : "",
	     remedy(error, to_write));
}

void fail_to_read(const char *option, const char *path, int error)
{
	fail_path(option, path, error, false);
}

void fail_to_write(const char *option, const char *path, int error)
{
	fail_path(option, path, error, true);
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
