/* hostdep.c - what sentry/base needs from the host (sentry/base/hostdep.h), made of the calls of host.h. */
#include "sentry/base/hostdep.h"

#include "platform/host.h"

#include <sys/mman.h>

void *hostdep_reserve(uint64_t addr, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (addr ? MAP_FIXED_NOREPLACE : 0);
	void *memory = host_mmap((void *)addr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0, NULL);

	if (memory && addr && (uint64_t)memory != addr) { /* a kernel that takes FIXED_NOREPLACE for a hint */
		host_munmap(memory, bytes);
		return NULL;
	}
	return memory;
}

void hostdep_populate(void *memory, size_t bytes)
{
	host_madvise(memory, bytes, MADV_POPULATE_WRITE);
}

void hostdep_discard(void *memory, size_t bytes)
{
	host_madvise(memory, bytes, MADV_DONTNEED);
}

void hostdep_guard(void *memory, size_t bytes)
{
	if (host_mprotect(memory, bytes, PROT_NONE))
		assert(!"a guard page inside our own mapping");
}

uint64_t hostdep_monotonic_ns(void)
{
	return host_monotonic_ns();
}

void hostdep_stderr(const char *text, size_t bytes)
{
	host_stderr(text, bytes);
}
