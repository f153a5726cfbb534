/* scan.c - looks for pointers into code in the arena.
 *
 * Code is what the program's headers (and those of its libraries, where it has any) load as executable. A number that
 * happens to look like such an address would be a false alarm; with addresses of 47 bits that are random that has not
 * been seen.
 *
 * Memory that has been given back is looked at too, for it stays in the arena: leaving a pointer there is a fault as
 * well.
 */
#include "sentry/base/scan.h"
#include "sentry/base/arena.h"
#include "sentry/base/log.h"
#include <link.h>

static struct {
	unsigned count;
	void (*found)(const char *slab, uint64_t address, uint64_t value);
} scan;

static void hit(const char *slab, uint64_t address, uint64_t value)
{
	scan.count++;
	if (scan.found)
		scan.found(slab, address, value);
	else
		log_error("the arena holds a pointer into code: %lx at %lx (%s)", value, address, slab);
}

static int scan_object(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + phdr->p_vaddr;
		if (phdr->p_type == PT_LOAD && phdr->p_flags & PF_X)
			arena_scan(start, start + phdr->p_memsz, hit);
	}
	return 0;
}

unsigned scan_code(void (*found)(const char *slab, uint64_t address, uint64_t value))
{
	scan.count = 0;
	scan.found = found;
	dl_iterate_phdr(scan_object, NULL);
	return scan.count;
}
