/* mprotect: page by page, and what a fault then says. */
#include "fault.h"

int main(void)
{
	fault_catch();
	char *memory = map_anonymous(5 * PAGE);
	memset(memory, 'x', 5 * PAGE);
	SHOW(mprotect(memory + PAGE, PAGE, PROT_READ));
	SHOW(mprotect(memory + 3 * PAGE, 1, PROT_NONE));
	READ(memory + PAGE);
	WRITE(memory + PAGE);
	WRITE(memory + 2 * PAGE);
	READ(memory + 3 * PAGE + 17);
	WRITE(memory + 3 * PAGE + PAGE - 1);
	WRITE(memory + 4 * PAGE);
	CALL(memory);
	SHOW(mprotect(memory, 5 * PAGE, PROT_READ | PROT_WRITE));
	WRITE(memory + PAGE);
	CHECK(memory[3 * PAGE] == 'x' && memory[PAGE] == 'w');

	section("write implies read");
	SHOW(mprotect(memory, PAGE, PROT_WRITE));
	READ(memory);

	section("errors");
	SHOW(mprotect(memory + 1, PAGE, PROT_READ));
	SHOW(mprotect(memory, 0, PROT_READ));
	SHOW(mprotect(memory, PAGE, 0x100));
	MUST(munmap(memory + 2 * PAGE, PAGE));
	SHOW(mprotect(memory, 5 * PAGE, PROT_READ));
	WRITE(memory);
	WRITE(memory + 3 * PAGE);
	SHOW(mprotect(memory + 2 * PAGE, PAGE, PROT_READ));
	make_file("file", "text");
	char *shared = map(PAGE, PROT_READ, MAP_SHARED, MUST(open("file", O_RDONLY)));
	SHOW(mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	char *private = map(PAGE, PROT_READ, MAP_PRIVATE, MUST(open("file", O_RDONLY)));
	SHOW(mprotect(private, PAGE, PROT_READ | PROT_WRITE));
	WRITE(private);
	show_file("file");
	return 0;
}
