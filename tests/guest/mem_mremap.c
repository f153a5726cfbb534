/* mremap: growing, shrinking, moving; content goes along. */
#include "fault.h"

int main(void)
{
	fault_catch();
	char *memory = map_anonymous(4 * PAGE);
	memset(memory, 'x', 4 * PAGE);
	CHECK(mremap(memory, 4 * PAGE, 2 * PAGE, 0) == memory);
	READ(memory + 2 * PAGE);
	CHECK(mremap(memory, 2 * PAGE, 3 * PAGE, 0) == memory);
	SHOW(memory[2 * PAGE]);
	/* Something stands in the way: growing in place fails, moving does not. */
	MUST(address_result(mmap(memory + 3 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
	SHOW(address_result(mremap(memory, 3 * PAGE, 4 * PAGE, 0)));
	char *moved = mremap(memory, 3 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && moved != memory);
	CHECK(moved[0] == 'x' && moved[2 * PAGE] == 0 && moved[99 * PAGE] == 0);
	READ(memory);

	section("MREMAP_FIXED");
	char *target = map_anonymous(4 * PAGE);
	memset(target, 't', 4 * PAGE);
	CHECK(mremap(moved, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) == target + PAGE);
	SHOW(target[0]);
	SHOW(target[PAGE]);
	READ(moved);
	READ(moved + PAGE);
	SHOW(address_result(mremap(target, PAGE, PAGE, MREMAP_FIXED, moved)));
	SHOW(address_result(mremap(target, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE)));
	SHOW(address_result(mremap(target, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 1)));

	section("a file's pages");
	make_file("file", "0123456789");
	MUST(truncate("file", 3 * PAGE));
	char *file = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, MUST(open("file", O_RDWR)));
	file = mremap(file, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	CHECK(file != MAP_FAILED);
	SHOW_TEXT(file);
	memcpy(file + 2 * PAGE, "end", 3);
	char end[4] = "";
	MUST(pread(open("file", O_RDONLY), end, 3, 2 * PAGE));
	SHOW_TEXT(end);

	section("errors");
	SHOW(address_result(mremap(target + 1, PAGE, PAGE, 0)));
	SHOW(address_result(mremap(target, PAGE, 0, 0)));
	MUST(munmap(moved = map_anonymous(PAGE), PAGE));
	SHOW(address_result(mremap(moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE)));
	SHOW(address_result(mremap(target, PAGE, PAGE, 0x100)));
	SHOW(address_result(mremap(target, PAGE, -PAGE, MREMAP_MAYMOVE)));
	SHOW(address_result(mremap(target, 0, PAGE, MREMAP_MAYMOVE)));
	return 0;
}
