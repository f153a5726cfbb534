/* policy_file.c - the file of --policy: opened, read, and complained about. The text is policy_parse.c's. */
#include "runtime/policy_file.h"

#include "runtime/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void policy_file_apply(const char *path, struct policy_config *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char error[POLICY_ERROR_BYTES], *text = must_alloc(POLICY_FILE_BYTES + 1);
	struct stat attributes;
	size_t size = 0;

	if (fd < 0 || fstat(fd, &attributes))
		fail("--policy %s: %s", path, strerror(errno));
	if (!S_ISREG(attributes.st_mode))
		fail("--policy %s: is not a regular file", path);
	for (ssize_t n; (n = read(fd, text + size, POLICY_FILE_BYTES + 1 - size)) != 0; size += (size_t)n)
		if (n < 0)
			fail("--policy %s: %s", path, strerror(errno));
	close(fd);
	if (size > POLICY_FILE_BYTES)
		fail("--policy %s: is larger than %u KiB", path, POLICY_FILE_BYTES >> 10);
	if (!policy_parse(text, size, out, error))
		fail("%s:%s", path, error);
	free(text);
}
