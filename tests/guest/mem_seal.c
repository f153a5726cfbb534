/* mseal: a sealed mapping stays where it is and as it is. Done in children: there is no way back. */
#include "fault.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static char *memory;

static char *four_pages(int prot)
{
	char *at = mmap(NULL, 4 * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(at == MAP_FAILED ? -1 : 0);
	return at;
}

static long moved(void *result)
{
	return result == MAP_FAILED ? -1 : 0;
}

static void refused(void)
{
	memory = four_pages(PROT_READ | PROT_WRITE);
	SHOW(syscall(SYS_mseal, memory, PAGE, 1));
	SHOW(syscall(SYS_mseal, memory + 1, PAGE, 0));
	SHOW(syscall(SYS_mseal, memory, -1l, 0));
	SHOW(syscall(SYS_mseal, memory, 0, 0));
	SHOW(syscall(SYS_mseal, memory, -2 * (long)PAGE, 0));
	MUST(munmap(memory + 2 * PAGE, PAGE));
	SHOW(syscall(SYS_mseal, memory, 4 * PAGE, 0));
	SHOW(syscall(SYS_mseal, memory + 2 * PAGE, PAGE, 0));
	SHOW(munmap(memory, PAGE)); /* nothing was sealed by these */
	SHOW(syscall(SYS_mseal, memory + PAGE, 1, 0));
	SHOW(syscall(SYS_mseal, memory + PAGE, 1, 0));
	SHOW(munmap(memory + PAGE, PAGE));
}

static void changed(void)
{
	char *other = four_pages(PROT_READ);
	memory = four_pages(PROT_READ | PROT_WRITE);
	MUST(syscall(SYS_mseal, memory + PAGE, PAGE, 0));
	memory[PAGE] = 'x';
	SHOW(munmap(memory, 4 * PAGE));
	SHOW(munmap(memory + 2 * PAGE, PAGE));
	SHOW(mprotect(memory, 2 * PAGE, PROT_READ));
	SHOW(mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE));
	SHOW(moved(mmap(memory, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
	SHOW(moved(mmap(memory, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)));
	SHOW(moved(mremap(memory + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE)));
	SHOW(moved(mremap(memory + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other)));
	SHOW(moved(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory + PAGE)));
	SHOW(madvise(memory + PAGE, PAGE, MADV_DONTNEED));
	SHOW(memory[PAGE]);
	SHOW(mlock(memory + PAGE, PAGE));
	SHOW(memory[PAGE]);
}

static void shrunk(void)
{
	char *target = four_pages(PROT_READ);
	memory = four_pages(PROT_READ | PROT_WRITE);
	MUST(mprotect(memory + 2 * PAGE, PAGE, PROT_READ));
	SHOW(moved(mremap(memory, 4 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target)));
	SHOW(msync(memory + 3 * PAGE, PAGE, MS_ASYNC));
	SHOW(msync(target, 4 * PAGE, MS_ASYNC));
	SHOW(moved(mremap(memory, 4 * PAGE, 3 * PAGE, MREMAP_MAYMOVE)));
	SHOW(msync(memory, 3 * PAGE, MS_ASYNC));
	SHOW(msync(memory + 3 * PAGE, PAGE, MS_ASYNC));
	SHOW(moved(mremap(memory, 3 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target)));
	SHOW(msync(target, 2 * PAGE, MS_ASYNC));
	memory = four_pages(PROT_READ | PROT_WRITE);
	MUST(syscall(SYS_mseal, memory + 2 * PAGE, PAGE, 0));
	SHOW(moved(mremap(memory, 4 * PAGE, PAGE, MREMAP_MAYMOVE)));
	SHOW(moved(mremap(memory, 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target)));
	SHOW(msync(memory, 4 * PAGE, MS_ASYNC));
	SHOW(msync(target, PAGE, MS_ASYNC));
}

static void advised(void)
{
	memory = four_pages(PROT_READ);
	MUST(syscall(SYS_mseal, memory, 2 * PAGE, 0));
	SHOW(madvise(memory, PAGE, MADV_DONTNEED));
	SHOW(madvise(memory, PAGE, MADV_FREE));
	SHOW(madvise(memory, PAGE, MADV_DONTFORK));
	SHOW(madvise(memory, PAGE, MADV_WIPEONFORK));
	SHOW(madvise(memory, PAGE, MADV_WILLNEED));
	SHOW(madvise(memory + 2 * PAGE, PAGE, MADV_DONTNEED));
}

static void still_sealed(void)
{
	SHOW(munmap(memory, PAGE));
}

static void inherited(void)
{
	memory = four_pages(PROT_READ);
	MUST(syscall(SYS_mseal, memory, PAGE, 0));
	in_child("its child", still_sealed);
}

static void heap(void)
{
	char *start = sbrk(0);
	MUST(sbrk(2 * PAGE) == (void *)-1 ? -1 : 0);
	char *end = sbrk(0);
	uintptr_t page = ((uintptr_t)start + PAGE - 1) & ~(PAGE - 1ul);
	MUST(syscall(SYS_mseal, page, PAGE, 0));
	SHOW(brk(start));
	CHECK(sbrk(0) == (void *)end);
}

int main(void)
{
	in_child("refused", refused);
	in_child("changed", changed);
	in_child("shrunk", shrunk);
	in_child("advised", advised);
	in_child("inherited", inherited);
	in_child("heap", heap);
	return 0;
}
