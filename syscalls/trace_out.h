/* trace_out.h - a file that the person named for --strace or --trace, and what is said when it cannot be written any
 * more. */
#ifndef SYSCALLS_TRACE_OUT_H
#define SYSCALLS_TRACE_OUT_H

#include "sentry/base/types.h"

struct trace_out {
	const char *option, *path; /* as the person named it */
	uint32_t host_file;
	bool *on; /* becomes false when it cannot be written any more: the sandbox goes on without */
};

/* All of it, or it is switched off with one line on standard error that says why. */
void trace_out_write(const struct trace_out *out, const char *bytes, size_t size);

#endif
