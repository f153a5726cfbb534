/* Large reservations, as language runtimes make them: 64 GiB without memory, committed piece by piece. */
#include "fault.h"

#define GIB (1ul << 30)

int main(void)
{
	fault_catch();
	char *memory = mmap(NULL, 64 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(memory != MAP_FAILED);
	READ(memory + 5 * GIB);
	for (int i = 0; i < 64; i += 9)
		MUST(mprotect(memory + i * GIB, 16 * PAGE, PROT_READ | PROT_WRITE));
	for (int i = 0; i < 64; i += 9)
		memset(memory + i * GIB, i + 1, 16 * PAGE);
	long sum = 0;
	for (int i = 0; i < 64; i += 9)
		sum += memory[i * GIB + 16 * PAGE - 1];
	SHOW(sum);
	WRITE(memory + 9 * GIB + 16 * PAGE);
	SHOW(madvise(memory, 64 * GIB, MADV_DONTNEED));
	SHOW(memory[9 * GIB]);
	section("aligned by cutting off both ends");
	char *aligned = (char *)(((uintptr_t)memory + 4 * GIB - 1) & ~(4 * GIB - 1));
	if (aligned > memory)
		MUST(munmap(memory, aligned - memory));
	SHOW(munmap(aligned + 4 * GIB, memory + 64 * GIB - (aligned + 4 * GIB)));
	SHOW(mprotect(aligned, PAGE, PROT_READ | PROT_WRITE));
	WRITE(aligned);
	WRITE(aligned + 4 * GIB);
	SHOW(munmap(aligned, 4 * GIB));
	return 0;
}
