/* MAP_FIXED replaces what is there, MAP_FIXED_NOREPLACE refuses, a hint is followed where it is free. */
#include "fault.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

int main(void)
{
	char *memory = map_anonymous(4 * PAGE);
	memset(memory, 'x', 4 * PAGE);
	make_file("file", "from the file");
	int fd = MUST(open("file", O_RDONLY));
	CHECK(mmap(memory + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == memory + PAGE);
	SHOW(memory[PAGE]);
	SHOW(memory[0]);
	SHOW(memory[2 * PAGE]);
	CHECK(mmap(memory + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == memory + 2 * PAGE);
	SHOW_TEXT(memory + 2 * PAGE);
	SHOW(address_result(mmap(memory + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0)));
	SHOW(address_result(mmap((void *)(1ul << 63), PAGE, RW, ANON | MAP_FIXED, -1, 0)));
	SHOW(address_result(mmap((void *)-PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0)));
	SHOW(memory[0]);

	section("MAP_FIXED_NOREPLACE");
	SHOW(address_result(mmap(memory, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0)));
	SHOW(address_result(mmap(memory - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0)));
	MUST(munmap(memory + PAGE, PAGE));
	CHECK(mmap(memory + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == memory + PAGE);

	section("hints");
	MUST(munmap(memory, 4 * PAGE));
	CHECK(mmap(memory + PAGE, PAGE, RW, ANON, -1, 0) == memory + PAGE);
	CHECK(mmap(memory + PAGE, PAGE, RW, ANON, -1, 0) != memory + PAGE);
	CHECK(mmap(memory + 2 * PAGE + 5, PAGE, RW, ANON, -1, 0) != MAP_FAILED);

	section("MAP_32BIT");
	char *low = mmap(NULL, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	CHECK(low != MAP_FAILED && (uintptr_t)low < 1ul << 31);
	return 0;
}
