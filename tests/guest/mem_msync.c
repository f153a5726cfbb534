/* msync and mlock: arguments, holes. */
#include "fault.h"
#include <sys/resource.h>

int main(void)
{
	make_file("file", "text");
	char *memory = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, MUST(open("file", O_RDWR)));
	memory[0] = 'T';
	SHOW(msync(memory, PAGE, MS_SYNC));
	SHOW(msync(memory, PAGE, MS_ASYNC));
	SHOW(msync(memory, PAGE, MS_INVALIDATE | MS_SYNC));
	SHOW(msync(memory, PAGE, MS_SYNC | MS_ASYNC));
	SHOW(msync(memory, PAGE, 0x100));
	SHOW(msync(memory + 1, PAGE, MS_SYNC));
	SHOW(msync(memory, 0, MS_SYNC));
	char *hole = map_anonymous(3 * PAGE);
	MUST(munmap(hole + PAGE, PAGE));
	SHOW(msync(hole, 3 * PAGE, MS_SYNC));
	show_file("file");
	section("mlock");
	SHOW(mlock(memory, PAGE));
	SHOW(munlock(memory, PAGE));
	SHOW(mlock(hole, 3 * PAGE));
	SHOW(mlock2(memory, PAGE, 0x100));
	SHOW(munlockall());
	SHOW(mlockall(0));
	return 0;
}
