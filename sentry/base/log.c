/* log.c - diagnostics: level check, formatting into a bounded line, one sink.
 *
 * Limits: a line of at most LINE_BYTES, the rest is cut. Control characters are replaced, because part of a message may
 * come from a guest and ends up on somebody's terminal.
 */
#include "sentry/base/log.h"
#include "sentry/base/hostdep.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

static void sink_stderr(enum log_level level, const char *line)
{
	char text[LINE_BYTES + 16];
	int n = snprintf(text, sizeof text, "usbx: %s%s\n", level == LOG_WARN ? "warning: " : "", line);
	hostdep_stderr(text, MIN((size_t)n, sizeof text - 1));
}

static enum log_level most_shown = LOG_ERROR;
static log_sink *current_sink = sink_stderr;

void log_init(enum log_level most, log_sink *sink)
{
	most_shown = most;
	if (sink)
		current_sink = sink;
}

bool log_wants(enum log_level level)
{
	return level <= most_shown;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	current_sink(level, line);
}
