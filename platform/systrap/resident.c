/* resident.c - which pages of an address space are in memory, by /proc/PID/pagemap
 * (Documentation/admin-guide/mm/pagemap.rst).
 *
 * Limits: without the right to read pagemap everything counts as resident.
 */
#include "platform/systrap/systrap.h"

#include "platform/host.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES    512
#define PM_PRESENT (1ull << 63)
#define PM_SWAPPED (1ull << 62)

static int read_entries(int fd, uint64_t first, uint64_t pages, uint8_t *out)
{
	uint64_t entry[ENTRIES];

	for (uint64_t done = 0; done < pages;) {
		uint64_t n = MIN(pages - done, (uint64_t)ENTRIES);
		ssize_t got = host_pread(fd, entry, n * sizeof entry[0], (int64_t)((first + done) * sizeof entry[0]));
		if (got < (ssize_t)sizeof entry[0])
			return got < 0 ? (int)got : -EIO;
		n = (uint64_t)got / sizeof entry[0];
		for (uint64_t i = 0; i < n; i++)
			out[done + i] = !!(entry[i] & (PM_PRESENT | PM_SWAPPED));
		done += n;
	}
	return 0;
}

int aspace_resident(struct aspace *as, uint64_t addr, uint64_t pages, uint8_t *out)
{
	char path[32];
	int fd;

	snprintf(path, sizeof path, "%d/pagemap", (int)as->agent_pid);
	fd = as->agent_pid ? host_proc_open(path, O_RDONLY) : -ESRCH;
	if (fd < 0 || read_entries(fd, addr >> PAGE_SHIFT, pages, out))
		memset(out, 1, pages);
	if (fd >= 0)
		host_close(fd);
	return 0;
}
