/* fail.h - how the command line speaks: one line, "usbx: " in front, that names the thing and the remedy. */
#ifndef RUNTIME_FAIL_H
#define RUNTIME_FAIL_H

#include "sentry/base/types.h"

/* Exit statuses of usbx itself, as a shell and timeout(1) use them. */
enum {
	EXIT_TIMEOUT = 124,
	EXIT_USBX = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128, /* plus the signal's number */
};

/* Prints the line. Bytes that could steer a terminal are shown as '?'. */
printf_like(1, 2) void complain(const char *format, ...);

/* complain, then exit with EXIT_USBX. */
no_return printf_like(1, 2) void fail(const char *format, ...);

/* fail, because path, which option names ("--rootfs", or "diff:"), cannot be read or shown; error is an errno. */
no_return void fail_to_read(const char *option, const char *path, int error);

/* The same where usbx was to write to it. */
no_return void fail_to_write(const char *option, const char *path, int error);

/* What stands before every further complaint, until it is "" again: where it comes from. Copied. */
void fail_where(const char *where);

/* What was printed on standard output has got there, or this fails. */
void finish_output(void);

/* Memory or fail. */
must_check void *must_alloc(size_t bytes);
must_check char *must_copy(const char *text);

#endif
