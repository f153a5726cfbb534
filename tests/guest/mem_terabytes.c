/* Runtimes reserve far more address space than there is memory, and use a little of it here and there. */
#include "fault.h"

int main(void)
{
	static const long gigabytes[] = {1, 64, 512, 1024, 4096};
	for (unsigned i = 0; i < COUNT(gigabytes); i++) {
		size_t size = gigabytes[i] << 30;
		char *area = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		say("%ld GiB: %s\n", gigabytes[i], area == MAP_FAILED ? error_name(errno) : "reserved");
		if (area == MAP_FAILED)
			continue;
		for (int part = 0; part < 8; part++) {
			char *at = area + size / 8 * part;
			MUST(mprotect(at, 16 * PAGE, PROT_READ | PROT_WRITE));
			at[0] = at[16 * PAGE - 1] = 'x';
		}
		SHOW(madvise(area, size, MADV_DONTNEED));
		SHOW(area[0]);
		/* aligned piece, as allocators cut it out */
		SHOW(munmap(area, size / 4) | munmap(area + size / 2, size / 2));
		SHOW(mprotect(area + size / 4, size / 4, PROT_NONE));
		SHOW(munmap(area + size / 4, size / 4));
	}
	section("at places of one's own");
	static const unsigned long places[] = {0xc000000000, 0x10000000000, 0x200000000};
	for (unsigned i = 0; i < COUNT(places); i++) {
		char *at = mmap((void *)places[i], 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(at == (char *)places[i]);
		SHOW(address_result(
			mmap(at, 4 << 20, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
		at[0] = 1;
		at[(4 << 20) - 1] = 1;
		SHOW(munmap(at, 64 << 20));
	}
	SHOW(address_result(mmap(NULL, 1ul << 48, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)));
	return 0;
}
