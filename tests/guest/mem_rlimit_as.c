/* RLIMIT_AS and RLIMIT_DATA: memory calls beyond them fail by ENOMEM, malloc by NULL. */
#include "fault.h"
#include <sys/resource.h>

#define MIB (1ul << 20)

static void limited(void)
{
	MUST(setrlimit(RLIMIT_AS, &(struct rlimit){256 * MIB, 256 * MIB}));
	SHOW(address_result(mmap(NULL, 512 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
	SHOW(address_result(mmap(NULL, 512 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)));
	char *memory = map_anonymous(16 * MIB);
	SHOW(address_result(mremap(memory, 16 * MIB, 512 * MIB, MREMAP_MAYMOVE)));
	SHOW(malloc(512 * MIB) == NULL);
	errno = 0;
	SHOW(sbrk(512 * MIB) == (void *)-1 ? -1 : 0);
	SHOW(munmap(memory, 16 * MIB));
	void *small = malloc(MIB);
	CHECK(small != NULL);
}

static void heap_limited(void)
{
	MUST(setrlimit(RLIMIT_DATA, &(struct rlimit){64 * MIB, 64 * MIB}));
	SHOW(sbrk(128 * MIB) == (void *)-1 ? -1 : 0);
	SHOW(address_result(mmap(NULL, 128 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
	SHOW(address_result(mmap(NULL, 128 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
}

int main(void)
{
	in_child("address space", limited);
	in_child("data", heap_limited);
	return 0;
}
