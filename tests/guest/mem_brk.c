/* brk: grows by zeros, shrinks, is inherited by a child that then goes its own way. */
#include "fault.h"

static char *start;

static void child(void)
{
	CHECK(sbrk(0) == start + 4 * PAGE);
	say("child sees %c\n", start[0]);
	CHECK(sbrk(PAGE) == start + 4 * PAGE);
	start[0] = 'c';
}

int main(void)
{
	fault_catch();
	start = sbrk(0);
	CHECK((long)syscall(SYS_brk, 0) == (long)start);
	/* From a page boundary on: the C library may have left it anywhere. */
	start = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1));
	SHOW(brk(start));
	SHOW(brk(start + 4 * PAGE));
	CHECK(sbrk(0) == start + 4 * PAGE);
	CHECK(!start[0] && !start[4 * PAGE - 1]);
	memset(start, 'b', 4 * PAGE);
	SHOW(brk(start + PAGE));
	READ(start + PAGE - 1);
	READ(start + PAGE);
	SHOW(brk(start + 4 * PAGE));
	SHOW(start[PAGE]);
	SHOW(start[PAGE - 1]);
	in_child("child", child);
	SHOW(start[0]);
	CHECK(sbrk(0) == start + 4 * PAGE);

	section("refused: the old end comes back");
	CHECK(syscall(SYS_brk, 1) == (long)start + 4 * PAGE);
	CHECK(syscall(SYS_brk, -1l) == (long)start + 4 * PAGE);
	SHOW(brk((void *)(1ul << 62)));
	SHOW(brk(start));
	READ(start);
	return 0;
}
