/* fail.c - see fail.h. Runs outside the jail; the C library is free to use here. */
#include "runtime/fail.h"

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

static void print_line(const char *format, va_list args)
{
	char line[LINE_BYTES] = "usbx: ";

	strcat(line, origin);
	size_t used = strlen(line);

	vsnprintf(line + used, sizeof line - used - 1, format, args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	used = strlen(line);
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
