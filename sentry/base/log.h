/* log.h - what the sentry says outside: diagnostics for the person at the command line, never guest data unescaped. */
#ifndef SENTRY_BASE_LOG_H
#define SENTRY_BASE_LOG_H

#include "sentry/base/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Messages go to this sink, one line each without a newline. Default: none are shown but LOG_ERROR, on stderr. Set once
 * by the runtime; the sink must not park. */
typedef void log_sink(enum log_level level, const char *line);
void log_init(enum log_level most, log_sink *sink);
bool log_wants(enum log_level level);

printf_like(2, 3) void log_line(enum log_level level, const char *format, ...);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) (log_wants(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)

#endif
