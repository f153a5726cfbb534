/* madvise: the advice that programs rely on. */
#include "fault.h"

static char *memory;

static void look(void)
{
	fault_catch();
	READ(memory);
	READ(memory + PAGE);
	READ(memory + 2 * PAGE);
	say("the second page has %d, the third %d\n", memory[PAGE], memory[2 * PAGE]);
}

int main(void)
{
	memory = map_anonymous(4 * PAGE);
	memset(memory, 'x', 4 * PAGE);
	SHOW(madvise(memory + PAGE, PAGE, MADV_DONTNEED));
	SHOW(memory[0]);
	SHOW(memory[PAGE]);
	SHOW(memory[2 * PAGE]);

	section("a private file mapping goes back to the file");
	make_file("file", "original");
	char *file = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, MUST(open("file", O_RDONLY)));
	memcpy(file, "changed!", 8);
	SHOW(madvise(file, PAGE, MADV_DONTNEED));
	SHOW_TEXT(file);

	section("shared memory stays");
	char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	*shared = 's';
	SHOW(madvise(shared, PAGE, MADV_DONTNEED));
	SHOW(*shared);

	section("hints");
	SHOW(madvise(memory, PAGE, MADV_NORMAL));
	SHOW(madvise(memory, PAGE, MADV_WILLNEED));
	SHOW(madvise(memory, PAGE, MADV_SEQUENTIAL));
	SHOW(madvise(memory, PAGE, MADV_RANDOM));
	SHOW(madvise(memory, PAGE, MADV_FREE));
	SHOW(madvise(memory, PAGE, MADV_DONTDUMP));

	section("errors");
	SHOW(madvise(memory + 1, PAGE, MADV_NORMAL));
	SHOW(madvise(memory, PAGE, 9999));
	SHOW(madvise(memory, 0, MADV_DONTNEED));
	SHOW(madvise(memory, -PAGE, MADV_DONTNEED));
	char *hole = map_anonymous(3 * PAGE);
	memset(hole, 'h', 3 * PAGE);
	MUST(munmap(hole + PAGE, PAGE));
	SHOW(madvise(hole, 3 * PAGE, MADV_DONTNEED));
	SHOW(hole[0]);
	SHOW(hole[2 * PAGE]);

	section("over fork");
	memset(memory, 'y', 4 * PAGE);
	SHOW(madvise(memory, PAGE, MADV_DONTFORK));
	SHOW(madvise(memory + 2 * PAGE, PAGE, MADV_WIPEONFORK));
	in_child("child", look);
	SHOW(memory[0]);
	SHOW(memory[2 * PAGE]);
	return 0;
}
