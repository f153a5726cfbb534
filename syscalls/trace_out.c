/* trace_out.c - see trace_out.h.
 *
 * Limits: a full disk may leave a part of the last line.
 */
#include "syscalls/trace_out.h"

#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN 500

static void stop_writing(const struct trace_out *out, int error)
{
	char line[PATH_SHOWN + 256];
	int n = snprintf(line, sizeof line - 1, "usbx: %s %.*s: %s: the trace ends here, the sandbox goes on",
			 out->option, PATH_SHOWN, out->path, strerror(error));

	*out->on = false;
	if (n < 0)
		return;
	utf8_make_harmless(line);
	strcat(line, "\n");
	host_stderr(line, strlen(line));
}

void trace_out_write(const struct trace_out *out, const char *bytes, size_t size)
{
	while (size && *out->on) {
		ssize_t done = host_write(hostfile_fd(out->host_file), bytes, size);
		if (done == -EINTR)
			continue;
		if (done <= 0) {
			stop_writing(out, done ? (int)-done : EIO);
			return;
		}
		bytes += done;
		size -= (size_t)done;
	}
}
